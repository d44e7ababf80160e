"""Earlier or later: where in the window somebody speaks says nothing of the emotion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vocemo.errors import UsageError
from vocemo.lab.augment.transform import AUGMENTATIONS, Samples


@dataclass(frozen=True)
class TimeShiftParameters:
    """A drawn shift; later where positive."""

    shift_s: float


@AUGMENTATIONS.register("time-shift")
@dataclass(frozen=True)
class TimeShift:
    """Shift by up to `max_shift_s` either way; zeros come in (or, with `wrap`, what went out).

    Never by more than half of the clip, so that a short one is not shifted out of hearing.

    >>> TimeShift().apply(np.arange(1, 7, dtype=np.float32), 1, TimeShiftParameters(2.0))
    array([0., 0., 1., 2., 3., 4.], dtype=float32)
    """

    max_shift_s: float = 0.3
    wrap: bool = False

    def __post_init__(self) -> None:
        """Refuse a shift of less than nothing."""
        if self.max_shift_s < 0:
            raise UsageError(f"time-shift: max_shift_s is 0 or more, not {self.max_shift_s:g}")

    def draw(self, rng: np.random.Generator) -> TimeShiftParameters:
        """A shift, uniform either way."""
        return TimeShiftParameters(rng.uniform(-self.max_shift_s, self.max_shift_s))

    def apply(self, samples: Samples, sample_rate: int, parameters: TimeShiftParameters) -> Samples:
        """The shifted samples, (N,) -> (N,)."""
        half = len(samples) // 2
        shift = int(np.clip(round(parameters.shift_s * sample_rate), -half, half))
        if self.wrap:
            return np.roll(samples, shift)
        shifted = np.zeros_like(samples)
        if shift >= 0:
            shifted[shift:] = samples[: len(samples) - shift]
        else:
            shifted[:shift] = samples[-shift:]
        return shifted
