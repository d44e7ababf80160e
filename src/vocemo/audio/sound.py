"""What no sound is: samples that are not numbers, or beyond every scale."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vocemo.audio.flat_tops import greatest

LOUDEST = 1e12  # of any sample: 32-bit integers are at 2e9, and a spectrum's power is still a float32


def no_sound(mono: NDArray[np.float32]) -> tuple[int, str] | None:
    """Which sample of (N,) is NaN, infinite or past `LOUDEST`, by number, and what it is; None if none is.

    >>> no_sound(np.array([0.0, np.nan], np.float32)), no_sound(np.zeros(2, np.float32))
    ((1, 'not a finite number (NaN or infinite)'), None)
    """
    peak = greatest(mono)
    if not math.isfinite(peak):
        return int(np.argmin(np.isfinite(mono))), "not a finite number (NaN or infinite)"
    if peak > LOUDEST:
        return int(np.abs(mono).argmax()), f"{peak:.3g}, which no sound is"
    return None
