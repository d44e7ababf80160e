"""Faster or slower."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr

from vocemo.errors import UnknownNameError
from vocemo.lab.augment.stretcher import SLOWEST, Stretches, Stretching, stretch
from vocemo.lab.augment.transform import AUGMENTATIONS, Samples, need_range

_METHODS = ("stretch", "resample")


@dataclass(frozen=True)
class SpeedParameters:
    """A drawn rate; faster above 1."""

    rate: float


@AUGMENTATIONS.register("speed")
@dataclass(frozen=True)
class Speed(Stretches[SpeedParameters]):
    """Change the tempo by a rate; the length becomes length / rate.

    method: "stretch" keeps the pitch; "resample" raises it with the rate, as a tape played faster does
    (Ko et al., "Audio augmentation for speech recognition", Interspeech 2015), at a tenth of the cost.

    >>> len(Speed(method="resample").apply(np.zeros(16_000, np.float32), 16_000, SpeedParameters(1.25)))
    12800
    """

    min_rate: float = 0.9
    max_rate: float = 1.1
    method: str = "stretch"

    def __post_init__(self) -> None:
        """Refuse an unknown method, and rates that leave no speech."""
        if self.method not in _METHODS:
            raise UnknownNameError("method of augmentation speed", str(self.method), _METHODS)
        slowest = SLOWEST if self.method == "stretch" else 0.25
        need_range("speed: rate", self.min_rate, self.max_rate, slowest, 4.0)

    def draw(self, rng: np.random.Generator) -> SpeedParameters:
        """A rate, uniform."""
        return SpeedParameters(rng.uniform(self.min_rate, self.max_rate))

    def apply(self, samples: Samples, sample_rate: int, parameters: SpeedParameters) -> Samples:
        """The faster or slower samples, (N,) -> (about N / rate,)."""
        if self.method == "stretch":
            return stretch(samples, sample_rate, rate=parameters.rate)
        resampled: Samples = soxr.resample(samples, parameters.rate, 1.0, quality="MQ")
        return resampled

    def stretching(self, parameters: SpeedParameters) -> Stretching | None:
        """The stretch, for a chain that joins it with its neighbour; None of a rate by resampling."""
        return Stretching(rate=parameters.rate) if self.method == "stretch" else None
