"""A voice in a room: convolution with a synthetic impulse response."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vocemo.lab.augment.transform import AUGMENTATIONS, Samples, need_range

_HELD = 1.2  # of the reverberation time: until the tail is 72 dB below where it began


@dataclass(frozen=True)
class RoomParameters:
    """A drawn room, where in it the microphone stands, and the seed of its response."""

    rt60_s: float
    direct_to_reverberant_db: float
    seed: int


@AUGMENTATIONS.register("room")
@dataclass(frozen=True)
class Room:
    """Another room each time, by `room_response`; as long and as loud as before, and what rings on is cut.

    Reverberation time and direct-to-reverberant ratio are uniform in their ranges.
    """

    min_rt60_s: float = 0.2
    max_rt60_s: float = 0.8
    min_direct_db: float = -3.0
    max_direct_db: float = 12.0

    def __post_init__(self) -> None:
        """Refuse ranges that are none."""
        need_range("room: RT60 in s", self.min_rt60_s, self.max_rt60_s, 0.05, 10.0)
        need_range("room: direct-to-reverberant dB", self.min_direct_db, self.max_direct_db, -30.0, 60.0)

    def draw(self, rng: np.random.Generator) -> RoomParameters:
        """A room."""
        return RoomParameters(
            rng.uniform(self.min_rt60_s, self.max_rt60_s),
            rng.uniform(self.min_direct_db, self.max_direct_db),
            int(rng.integers(2**63)),
        )

    def apply(self, samples: Samples, sample_rate: int, parameters: RoomParameters) -> Samples:
        """The samples as they sound in the room, (N,) -> (N,)."""
        rng = np.random.default_rng(parameters.seed)
        response = room_response(parameters.rt60_s, sample_rate, rng, parameters.direct_to_reverberant_db)
        return as_loud(convolved(samples, response), samples)


def room_response(
    rt60_s: float, sample_rate: int, rng: np.random.Generator, direct_to_reverberant_db: float
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


def as_loud(samples: Samples, former: Samples) -> Samples:
    """The samples at the RMS of the former; of silence nothing is made.

    >>> as_loud(np.full(2, 0.5, np.float32), np.ones(2, np.float32))
    array([1., 1.], dtype=float32)
    """
    power, wanted = (float(np.mean(np.square(each, dtype=np.float64))) for each in (samples, former))
    return samples * np.float32(np.sqrt(wanted / power)) if power > 0 else samples
