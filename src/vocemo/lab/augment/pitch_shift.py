"""Higher or lower, at the same tempo: another voice, the same way of speaking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vocemo.lab.augment.stretcher import Stretches, Stretching, stretch
from vocemo.lab.augment.transform import AUGMENTATIONS, Samples, need_range


@dataclass(frozen=True)
class PitchShiftParameters:
    """A drawn shift; up where positive."""

    semitones: float


@AUGMENTATIONS.register("pitch-shift")
@dataclass(frozen=True)
class PitchShift(Stretches[PitchShiftParameters]):
    """Shift the pitch by up to `semitones` either way, formants with it; length and timing stay."""

    semitones: float = 2.0

    def __post_init__(self) -> None:
        """Refuse more than two octaves, which is no voice any more."""
        need_range("pitch-shift: semitones", 0.0, self.semitones, 0.0, 24.0)

    def draw(self, rng: np.random.Generator) -> PitchShiftParameters:
        """A shift, uniform in semitones."""
        return PitchShiftParameters(rng.uniform(-self.semitones, self.semitones))

    def apply(self, samples: Samples, sample_rate: int, parameters: PitchShiftParameters) -> Samples:
        """The shifted samples, (N,) -> (N,)."""
        return stretch(samples, sample_rate, semitones=parameters.semitones)

    def stretching(self, parameters: PitchShiftParameters) -> Stretching:
        """The shift, for a chain that joins it with its neighbour."""
        return Stretching(semitones=parameters.semitones)
