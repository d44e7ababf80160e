"""Samples that were cut off at full scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FULL_SCALE = 0.999  # a converter's last step is a little under 1
FLAT_TOP_SAMPLES = 3  # at full scale in a row: fewer may be a peak that just reaches it
CLIPPED_SHARE = 0.001  # of all samples, from which on a recording is called clipped


def clipped_samples(samples: NDArray[np.float32]) -> int:
    """How many samples lie in flat tops: three or more in a row at full scale, of one sign.

    >>> clipped_samples(np.array([0, 1, 1, 1, 0, -1, -1, 0.5], np.float32))
    3
    """
    if float(np.abs(samples).max(initial=0.0)) < FULL_SCALE:
        return 0
    side = np.where(np.abs(samples) >= FULL_SCALE, np.sign(samples), 0).astype(np.int8)
    starts = np.flatnonzero(np.diff(side, prepend=np.int8(2)))
    lengths = np.diff(starts, append=len(side))
    return int(lengths[(side[starts] != 0) & (lengths >= FLAT_TOP_SAMPLES)].sum())
