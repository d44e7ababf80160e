"""How a timeline is made: windows, smoothing, and what counts as speech."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from vocemo.errors import UsageError
from vocemo.runtime.smoothing import smoothed
from vocemo.runtime.speech import Hysteresis


@dataclass(frozen=True)
class TimelineOptions:
    """How finely, and how steadily.

    `window_s` is what the model hears at once, `hop_s` from one window to the next; `smoothing`, `change` and
    `median_s` are those of `smoothing.smoothed`; `speech` says what counts as speech.

    Raises UsageError for values that are none.
    """

    window_s: float = 1.5
    hop_s: float = 0.5
    smoothing: str = "hmm"
    change: float = 2.5
    median_s: float = 2.5
    speech: Hysteresis = field(default_factory=Hysteresis)

    def __post_init__(self) -> None:
        """Check them."""
        if not 0.2 <= self.window_s <= 60.0:
            raise UsageError(f"a window of {self.window_s} s; valid: 0.2 to 60 s")
        if not 0.05 <= self.hop_s <= self.window_s:
            raise UsageError(f"a hop of {self.hop_s} s; valid: 0.05 s to the window's {self.window_s} s")
        if not 0.0 <= self.median_s < 3600.0:
            raise UsageError(f"a median of {self.median_s} s; valid: 0 to an hour")
        smoothed(np.ones((1, 1)), self.smoothing, self.change, self.reach)

    @property
    def reach(self) -> int:
        """Moments that the median reaches over."""
        return 2 * round(self.median_s / self.hop_s / 2) + 1
