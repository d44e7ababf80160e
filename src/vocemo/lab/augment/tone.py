"""Another tone colour: what microphones, their distance and a room's walls do to a spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vocemo.lab.augment.transform import AUGMENTATIONS, Samples, need_range

POINTS = 5  # of the response, the closer the lower: at 0, 1/16, 1/4, 9/16 and all of half the rate


@dataclass(frozen=True)
class ToneParameters:
    """The drawn gains at the points, from the lowest frequency up."""

    gains_db: tuple[float, ...]


@AUGMENTATIONS.register("tone")
@dataclass(frozen=True)
class Tone:
    """A smooth frequency response: gains normal in decibels at five frequencies, linear between them.

    At 16 kHz these are 0, 500, 2,000, 4,500 and 8,000 Hz. The response has no phase: what it does lies within
    some milliseconds on both sides of a sound.

    >>> flat = Tone().apply(np.ones(4, np.float32), 16_000, ToneParameters((6.0,) * POINTS))
    >>> flat.round(3)
    array([1.995, 1.995, 1.995, 1.995], dtype=float32)
    """

    deviation_db: float = 3.0

    def __post_init__(self) -> None:
        """Refuse a deviation that is none."""
        need_range("tone: deviation in dB", 0.0, self.deviation_db, 0.0, 20.0)

    def draw(self, rng: np.random.Generator) -> ToneParameters:
        """Gains, each normal in decibels."""
        return ToneParameters(tuple(float(gain) for gain in rng.normal(0.0, self.deviation_db, POINTS)))

    def apply(self, samples: Samples, sample_rate: int, parameters: ToneParameters) -> Samples:
        """The samples with the response, (N,) -> (N,)."""
        if not len(samples):
            return samples
        spectrum = np.fft.rfft(samples)
        places = np.linspace(0.0, 1.0, POINTS) ** 2  # shares of half the rate
        gains_db = np.interp(np.linspace(0.0, 1.0, len(spectrum)), places, parameters.gains_db)
        toned: Samples = np.fft.irfft(spectrum * 10 ** (gains_db / 20), len(samples)).astype(np.float32)
        return toned
