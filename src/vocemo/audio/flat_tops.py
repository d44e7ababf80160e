"""Samples that were cut off: at full scale, or wherever something before the recorder did."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FULL_SCALE = 0.999  # a converter's last step is a little under 1
FLAT_TOP_SAMPLES = 3  # at full scale in a row: fewer may be a peak that just reaches it
CLIPPED_SHARE = 0.005  # of all samples, from which on a recording is called clipped
_SAME = 1.0 - 2**-15  # of the greatest sample: a step of 16 bits
_QUIETEST = 0.005  # below it a plateau may be the steps of a converter


class FlatTops:
    """Counts the samples of flat tops as blocks come: three or more in a row at a recording's own greatest.

    What was cut off and then made softer has its plateau below full scale. A top that a block's end divides
    counts by its parts.
    """

    def __init__(self) -> None:
        self._total = self._flat = 0
        self._greatest = 0.0

    def push(self, samples: NDArray[np.float32]) -> None:
        """Take a block, (n,)."""
        self._total += len(samples)
        most = greatest(samples)
        if most * _SAME > self._greatest:  # what was the top until now is none
            self._greatest, self._flat = most, 0
        if most >= self._greatest * _SAME:
            self._flat += flat_samples(samples, self._greatest * _SAME)

    @property
    def clipped_share(self) -> float:
        """The share of all samples that was cut off; 0 where it is too small to tell."""
        if not self._total or self._greatest < _QUIETEST:
            return 0.0
        share = self._flat / self._total
        return share if share > CLIPPED_SHARE else 0.0


def clipped_samples(samples: NDArray[np.float32]) -> int:
    """How many samples lie in flat tops at full scale: three or more in a row, of one sign.

    >>> clipped_samples(np.array([0, 1, 1, 1, 0, -1, -1, 0.5], np.float32))
    3
    """
    return flat_samples(samples, FULL_SCALE)


def flat_samples(samples: NDArray[np.float32], least: float) -> int:
    """How many samples stand at `least` or beyond in runs of three or more, of one sign."""
    return _in_runs(samples >= least) + _in_runs(samples <= -least) if least > 0.0 else 0


def _in_runs(at_top: NDArray[np.bool_]) -> int:
    """How many lie in runs of three or more: such a run begins as many threes as it is long, but for two."""
    threes = at_top[:-2] & at_top[1:-1] & at_top[2:]
    found = int(np.count_nonzero(threes))
    runs = found - int(np.count_nonzero(threes[1:] & threes[:-1]))
    return found + (FLAT_TOP_SAMPLES - 1) * runs


def greatest(samples: NDArray[np.float32]) -> float:
    """The greatest absolute value, 0 of none; NaN where a sample is."""
    return max(float(samples.max(initial=0.0)), -float(samples.min(initial=0.0)))
