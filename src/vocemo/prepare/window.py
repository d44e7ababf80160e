"""Windows over a recording that never lose its tail."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vocemo.errors import UsageError


def windows(
    samples: int | NDArray[np.generic], sample_rate: int, window_s: float, hop_s: float
) -> list[tuple[int, int]]:
    """Where windows begin and end, in samples; together they cover everything.

    samples: how many, or the samples (N,) themselves. sample_rate: Hz. The last window is moved back so
    that it ends with the recording; a recording shorter than a window is one short window; no samples, no
    windows.
    errors: UsageError for a window or hop of no length, and for a hop that would leave gaps.

    >>> windows(10, 1, 4, 4)
    [(0, 4), (4, 8), (6, 10)]
    >>> windows(3, 1, 4, 2)
    [(0, 3)]
    """
    count = samples.shape[-1] if isinstance(samples, np.ndarray) else int(samples)
    window, hop = round(window_s * sample_rate), round(hop_s * sample_rate)
    if window < 1 or hop < 1 or hop > window:
        raise UsageError(
            f"windows of {window_s:g} s every {hop_s:g} s; valid: both at least a sample, "
            "the hop no longer than the window"
        )
    if count <= window:
        return [(0, count)] if count > 0 else []
    starts = [*range(0, count - window, hop), count - window]
    return [(start, start + window) for start in starts]
