"""A narrow-band telephone call: a band within 4 kHz, eight bits of mu-law."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vocemo import audio
from vocemo.lab.augment.add_noise import active_power
from vocemo.lab.augment.room import as_loud
from vocemo.lab.augment.transform import AUGMENTATIONS, Samples, need_range

RATE_HZ = 8_000
LEVEL_DBOV = -26.0  # of active speech in the network: what ITU-T tests of codecs use (G.191)
MU = 255.0
_MAGNITUDES = 127  # a code is a sign and seven bits
_TAPS = 255  # 32 ms: edges about 150 Hz wide


@dataclass(frozen=True)
class TelephoneParameters:
    """The drawn edges of the band."""

    low_hz: float
    high_hz: float


@AUGMENTATIONS.register("telephone")
@dataclass(frozen=True)
class TelephoneCall:
    """A telephone's band and mu-law, and back to the former rate; as long and as loud as before.

    The band's edges are uniform in their ranges. Source: ITU-T Recommendation G.711 (11/1988).
    """

    min_low_hz: float = 150.0
    max_low_hz: float = 350.0
    min_high_hz: float = 3_000.0
    max_high_hz: float = 3_800.0

    def __post_init__(self) -> None:
        """Refuse edges that are none."""
        need_range("telephone: lower edge in Hz", self.min_low_hz, self.max_low_hz, 0.0, 1_000.0)
        need_range("telephone: upper edge in Hz", self.min_high_hz, self.max_high_hz, 1_500.0, RATE_HZ / 2)

    def draw(self, rng: np.random.Generator) -> TelephoneParameters:
        """Both edges."""
        return TelephoneParameters(
            rng.uniform(self.min_low_hz, self.max_low_hz), rng.uniform(self.min_high_hz, self.max_high_hz)
        )

    def apply(self, samples: Samples, sample_rate: int, parameters: TelephoneParameters) -> Samples:
        """The samples as they come out of the telephone, (N,) -> (N,), without delay."""
        band_hz = (parameters.low_hz, parameters.high_hz)

        def level_dbov(narrow: Samples) -> float:
            power = active_power(narrow, RATE_HZ)
            return 10 * math.log10(power) if power > 0 else -math.inf

        return as_loud(called(samples, sample_rate, band_hz, level_dbov), samples)


def called(
    samples: Samples, sample_rate: int, band_hz: tuple[float, float], level_dbov: Callable[[Samples], float]
) -> Samples:
    """The samples behind a telephone of this band, (N,) -> (N,); silence as it was.

    level_dbov: measures the level of active speech of samples at 8 kHz, -inf for silence; in the network it
    is `LEVEL_DBOV`.
    """
    slow = audio.resample(samples, sample_rate, RATE_HZ)
    if not len(slow):  # a sample or two at a high rate
        return samples
    passed = np.convolve(slow, _band_pass(*band_hz), "same")
    # Of a clip that is shorter than the filter, `same` has the filter's length.
    narrow: Samples = passed[: -(-len(samples) * RATE_HZ // sample_rate)].astype(np.float32)
    level = level_dbov(narrow)
    if math.isinf(level):
        return samples
    gain = np.float32(10 ** ((LEVEL_DBOV - level) / 20))
    heard = audio.resample(expand(compress(narrow * gain)) / gain, RATE_HZ, sample_rate)[: len(samples)]
    return np.pad(heard, (0, len(samples) - len(heard)))


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


def _band_pass(low_hz: float, high_hz: float) -> NDArray[np.float64]:
    """A symmetrical filter: the difference of two low passes, sin(x)/x under a Blackman window."""
    place = np.arange(_TAPS) - _TAPS // 2
    low, high = 2 * low_hz / RATE_HZ, 2 * high_hz / RATE_HZ
    taps: NDArray[np.float64] = (high * np.sinc(high * place) - low * np.sinc(low * place)) * np.blackman(
        _TAPS
    )
    return taps
