"""From what is probable at each moment to what goes on: an emotion lasts longer than a window.

Viterbi (1967); Rabiner (1989), "A Tutorial on Hidden Markov Models", section III.B, with one price for every
change.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vocemo.errors import UnknownNameError, UsageError

SMOOTHINGS = ("hmm", "median", "none")
_LEAST = 1e-6  # a probability of 0 would forbid an emotion for good


def smoothed(
    probabilities: NDArray[np.floating], smoothing: str, change: float, reach: int
) -> NDArray[np.int64]:
    """The emotion at each moment: probabilities (moments, emotions) -> (moments,) places.

    smoothing: `hmm` takes the likeliest way through the moments, `median` the most probable emotion of the
        median probabilities over `reach` moments (odd), `none` that of each moment by itself.
    change: what a change of emotion costs, in nats.

    Raises UnknownNameError for another smoothing, UsageError for a cost or a reach that is none.

    >>> found = np.array([[0.9, 0.1], [0.4, 0.6], [0.9, 0.1]])
    >>> smoothed(found, "none", 1.0, 3).tolist(), smoothed(found, "hmm", 1.0, 3).tolist()
    ([0, 1, 0], [0, 0, 0])
    """
    if smoothing not in SMOOTHINGS:
        raise UnknownNameError("smoothing", smoothing, SMOOTHINGS)
    if not 0.0 <= change < float("inf"):
        raise UsageError(f"a change of emotion costs {change} nats; valid: 0 or more")
    if reach < 1 or reach % 2 == 0:
        raise UsageError(f"the median reaches over {reach} moments; valid: an odd number")
    if smoothing == "hmm":
        return likeliest(np.log(np.maximum(probabilities, _LEAST)), change)
    if smoothing == "median":
        probabilities = _medians(probabilities, reach)
    return np.asarray(probabilities.argmax(axis=1), np.int64)


def likeliest(scores: NDArray[np.floating], change: float) -> NDArray[np.int64]:
    """The way through scores (moments, states) of the greatest sum, less `change` for each change of state.

    Of ways that are equally good, one that changes late.
    """
    count = len(scores)
    if not count:
        return np.zeros(0, np.int64)
    best = np.asarray(scores[0], np.float64)
    came_from = np.zeros(scores.shape, np.int64)
    staying = np.arange(scores.shape[1])
    for moment in range(1, count):
        leader = int(best.argmax())
        moved = best[leader] - change > best
        came_from[moment] = np.where(moved, leader, staying)
        best = np.where(moved, best[leader] - change, best) + scores[moment]
    way = np.empty(count, np.int64)
    way[-1] = best.argmax()
    for moment in range(count - 1, 0, -1):
        way[moment - 1] = came_from[moment, way[moment]]
    return way


def _medians(probabilities: NDArray[np.floating], reach: int) -> NDArray[np.floating]:
    """Medians over `reach` moments around each; at the ends over those that there are."""
    half = reach // 2
    return np.stack(
        [np.median(probabilities[max(0, k - half) : k + half + 1], axis=0) for k in range(len(probabilities))]
    )
