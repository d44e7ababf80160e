"""Louder or softer: the level of a recording says more of the microphone than of the voice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vocemo.lab.augment.transform import AUGMENTATIONS, Samples, need_range


@dataclass(frozen=True)
class GainParameters:
    """A drawn gain."""

    gain_db: float


@AUGMENTATIONS.register("gain")
@dataclass(frozen=True)
class Gain:
    """Multiply by 10^(gain/20), the gain uniform in decibels. Samples may pass full scale: they are floats.

    >>> Gain().apply(np.full(3, 0.5, np.float32), 16_000, GainParameters(20.0))
    array([5., 5., 5.], dtype=float32)
    """

    min_db: float = -6.0
    max_db: float = 6.0

    def __post_init__(self) -> None:
        """Refuse a range that is none."""
        need_range("gain: dB", self.min_db, self.max_db, -60.0, 60.0)

    def draw(self, rng: np.random.Generator) -> GainParameters:
        """A gain, uniform in decibels."""
        return GainParameters(rng.uniform(self.min_db, self.max_db))

    def apply(self, samples: Samples, sample_rate: int, parameters: GainParameters) -> Samples:
        """The samples times the gain, (N,) -> (N,)."""
        return samples * np.float32(10 ** (parameters.gain_db / 20))
