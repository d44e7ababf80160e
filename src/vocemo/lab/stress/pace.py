"""Faster and slower, with the pitch or without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vocemo.lab.augment.speed import Speed, SpeedParameters
from vocemo.lab.augment.transform import Samples


@dataclass(frozen=True)
class Pace:
    """Played at a rate: method "resample" moves the pitch with it, "stretch" keeps it (`augment.Speed`)."""

    rate: float
    method: str

    def draw(self, rng: np.random.Generator, speaker: str) -> SpeedParameters:
        """Nothing is left to chance."""
        return SpeedParameters(self.rate)

    def apply(self, samples: Samples, sample_rate: int, parameters: SpeedParameters) -> Samples:
        """The faster or slower samples, (N,) -> (about N / rate,)."""
        return Speed(method=self.method).apply(samples, sample_rate, parameters)
