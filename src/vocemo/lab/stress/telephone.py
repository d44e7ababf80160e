"""A narrow-band telephone call: 300 to 3400 Hz, 8 kHz, eight bits of mu-law."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vocemo import audio
from vocemo.lab.augment.transform import Samples
from vocemo.lab.stress.active_speech import active_level_dbov
from vocemo.lab.stress.degradation import of_length

RATE_HZ = 8_000
BAND_HZ = (300.0, 3400.0)
LEVEL_DBOV = -26.0  # of active speech in the network: what ITU-T tests of codecs use (G.191)
MU = 255.0
_MAGNITUDES = 127  # a code is a sign and seven bits
_TAPS = 255  # 32 ms: edges about 150 Hz wide


@dataclass(frozen=True)
class Telephone:
    """Band limits, mu-law at the level of a network, and back to the former rate and level."""

    def draw(self, rng: np.random.Generator, speaker: str) -> None:
        """Nothing to draw."""

    def apply(self, samples: Samples, sample_rate: int, parameters: None) -> Samples:
        """The samples as they come out of the telephone, (N,) -> (N,), without delay."""
        passed = np.convolve(audio.resample(samples, sample_rate, RATE_HZ), _band_pass(), "same")
        # Of a clip that is shorter than the filter, `same` has the filter's length.
        narrow: Samples = passed[: -(-len(samples) * RATE_HZ // sample_rate)].astype(np.float32)
        level_dbov = active_level_dbov(narrow, RATE_HZ)
        if math.isinf(level_dbov):
            return samples
        gain = np.float32(10 ** ((LEVEL_DBOV - level_dbov) / 20))
        heard = expand(compress(narrow * gain)) / gain
        return of_length(audio.resample(heard, RATE_HZ, sample_rate), len(samples))


def compress(samples: Samples) -> NDArray[np.int16]:
    """Mu-law codes of samples, a sign times 0 to 127, (N,) -> (N,); what is past full scale is clipped.

    code = sign(x) round(127 ln(1 + 255 |x|) / ln 256)
    source: ITU-T Recommendation G.711 (11/1988), whose table follows this curve by eight straight pieces.

    >>> compress(np.array([0.0, 1.0, -0.5, 2.0], np.float32))
    array([   0,  127, -111,  127], dtype=int16)
    """
    magnitude = np.log1p(MU * np.minimum(np.abs(samples, dtype=np.float64), 1.0)) / math.log1p(MU)
    return np.asarray(np.sign(samples) * np.round(_MAGNITUDES * magnitude), np.int16)


def expand(codes: NDArray[np.int16]) -> Samples:
    """Samples of mu-law codes, (N,) -> (N,): x = sign(code) (256^(|code| / 127) - 1) / 255.

    >>> expand(np.array([0, 127, -127], np.int16))
    array([ 0.,  1., -1.], dtype=float32)
    """
    magnitude = np.expm1(np.abs(codes) / _MAGNITUDES * math.log1p(MU)) / MU
    return (np.sign(codes) * magnitude).astype(np.float32)


@lru_cache(maxsize=1)
def _band_pass() -> NDArray[np.float64]:
    """A symmetrical filter: the difference of two low passes, sin(x)/x under a Blackman window."""
    place = np.arange(_TAPS) - _TAPS // 2
    low, high = (2 * hz / RATE_HZ for hz in BAND_HZ)
    taps: NDArray[np.float64] = (high * np.sinc(high * place) - low * np.sinc(low * place)) * np.blackman(
        _TAPS
    )
    taps.flags.writeable = False
    return taps
