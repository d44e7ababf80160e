"""One cycle of the learning rate: up to its highest, and down to nothing, step by step.

Source: Smith & Topin (2018), "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning
Rates"; both ways along half a cosine, as torch's OneCycleLR.
"""

from __future__ import annotations

import math

FIRST_SHARE = 1 / 25  # of the highest rate
LAST_SHARE = 1e-4  # of the first


def rate(highest: float, progress: float, warm_up: float) -> float:
    """The learning rate at a share of all steps, from 0 to 1.

    >>> [round(rate(1.0, progress, warm_up=0.2), 3) for progress in (0, 0.1, 0.2, 0.6, 1)]
    [0.04, 0.52, 1.0, 0.5, 0.0]
    """
    first = highest * FIRST_SHARE
    if progress < warm_up:
        return _along(first, highest, progress / warm_up)
    return _along(highest, first * LAST_SHARE, (progress - warm_up) / (1 - warm_up))


def _along(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
