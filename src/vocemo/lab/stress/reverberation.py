"""A voice in a room: convolution with a synthetic impulse response."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vocemo.lab.augment.transform import Samples
from vocemo.lab.stress.degradation import SeedParameters

DIRECT_TO_REVERBERANT_DB = 0.0  # what a listener has at the critical distance
_HELD = 1.2  # of the reverberation time: until the tail is 72 dB below where it began


@dataclass(frozen=True)
class Reverberation:
    """A room of this reverberation time, another one for each clip; as long as the clip, the rest is cut."""

    rt60_s: float

    def draw(self, rng: np.random.Generator, speaker: str) -> SeedParameters:
        """The seed of the room's response."""
        return SeedParameters.drawn(rng)

    def apply(self, samples: Samples, sample_rate: int, parameters: SeedParameters) -> Samples:
        """The samples as they sound in the room, (N,) -> (N,)."""
        return convolved(samples, room_response(self.rt60_s, sample_rate, parameters.rng))


def room_response(
    rt60_s: float,
    sample_rate: int,
    rng: np.random.Generator,
    direct_to_reverberant_db: float = DIRECT_TO_REVERBERANT_DB,
) -> Samples:
    """An impulse response by Polack's model: the direct sound, and Gaussian noise that decays exponentially.

    h[0] = 1, h[n] = g w[n] 10^(-3 n / (RT60 fs)), w Gaussian, and g such that 1 / sum(h[n]^2, n > 0) is the
    direct-to-reverberant ratio. There are no single early reflections.
    rt60_s: until the tail's level has fallen by 60 dB. Returns (about 1.2 RT60 fs,).
    source: J.-D. Polack, "La transmission de l'énergie sonore dans les salles", thesis, Le Mans, 1988.

    >>> response = room_response(0.5, 16_000, np.random.default_rng(0), direct_to_reverberant_db=3.0)
    >>> float(response[0]), round(-10 * float(np.log10(np.sum(response[1:] ** 2))), 3)
    (1.0, 3.0)
    """
    place = np.arange(round(_HELD * rt60_s * sample_rate))
    tail = rng.standard_normal(len(place)) * 10 ** (-3 * place / (rt60_s * sample_rate))
    tail[0] = 0.0
    tail *= np.sqrt(10 ** (-direct_to_reverberant_db / 10) / np.sum(np.square(tail)))
    tail[0] = 1.0
    return tail.astype(np.float32)


def convolved(samples: Samples, response: Samples) -> Samples:
    """The first N samples of a convolution, (N,) with (M,) -> (N,), by FFT.

    >>> convolved(np.array([1, 2, 3], np.float32), np.array([1, 1], np.float32)).round(3)
    array([1., 3., 5.], dtype=float32)
    """
    # A length of small factors, no shorter than the whole convolution: nothing wraps around.
    length = -(-(len(samples) + len(response)) // 4096) * 4096
    spectrum = np.fft.rfft(samples, length) * np.fft.rfft(response, length)
    return np.fft.irfft(spectrum, length)[: len(samples)].astype(np.float32)
