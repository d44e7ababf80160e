r"""Intervals that resample speakers, not clips.

Clips of one speaker succeed and fail together, so the speaker is the unit that was sampled. Each
measure $\hat\theta$ here is smooth in sums over clips, and a clip's influence $u_n$ is its part
in the first-order change of $\hat\theta$; the influences add up to 0. With the influences added
up within each of $m$ speakers, $U_s = \sum_{n \in s} u_n$, the variance and the interval are

$$\widehat{\mathrm{Var}}(\hat\theta) = \frac{m}{m-1}\sum_s U_s^2, \qquad
\hat\theta \pm t_{m-1,\,0.975}\sqrt{\widehat{\mathrm{Var}}(\hat\theta)}.$$

This is the infinitesimal jackknife over clusters (Jaeckel 1972; Efron & Tibshirani 1993, chapter
21; with the factor of Bell & McCaffrey 2002). Where every speaker has the same clips it is exactly
the t interval of the speakers' own values. A percentile bootstrap over speakers is narrower by
$\sqrt{(m-1)/m}$ and by the step from t to normal quantiles: too narrow for few speakers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vocemo.errors import UsageError
from vocemo.lab.evaluate.metrics import confusion_matrix, f1, recall

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """From low to high, and how often such intervals hold the truth."""

    low: float
    high: float
    level: float = 0.95


def mean_influence(values: ArrayLike) -> Values:
    r"""Influence of each clip on the mean over clips: $u_n = (x_n - \bar x) / N$.

    For accuracy (values 0 and 1), log loss, Brier score. Takes and gives (n,).

    >>> mean_influence([1.0, 0.0]).tolist()
    [0.25, -0.25]
    """
    found = np.asarray(values, np.float64)
    return np.asarray((found - found.mean()) / len(found), np.float64)


def uar_influence(targets: ArrayLike, predicted: ArrayLike, classes: int) -> Values:
    r"""Influence of each clip on UAR.

    $$u_n = \frac{1}{|\mathcal{C}|}\,\frac{[\hat y_n = y_n] - R_{y_n}}{N_{y_n}}$$

    Args:
        targets: (n,) integers from 0 to classes - 1.
        predicted: (n,) likewise.
        classes: how many there are.

    Returns:
        (n,), adding up to 0.

    >>> uar_influence([0, 0, 1], [0, 1, 1], 2).tolist()
    [0.125, -0.125, 0.0]
    """
    confusion = confusion_matrix(targets, predicted, classes)
    wanted, given = np.asarray(targets), np.asarray(predicted)
    clips = confusion.sum(1)
    right = (wanted == given).astype(np.float64)
    return np.asarray(
        (right - recall(confusion)[wanted]) / clips[wanted] / np.count_nonzero(clips), np.float64
    )


def macro_f1_influence(targets: ArrayLike, predicted: ArrayLike, classes: int) -> Values:
    r"""Influence of each clip on macro F1, the mean of $F_i = 2 M_{ii} / D_i$.

    With $D_i$ the targets and answers of class i together,
    $$u_n = \frac{1}{|\mathcal{C}|}\sum_i
        \frac{2[y_n = \hat y_n = i] - F_i([y_n = i] + [\hat y_n = i])}{D_i}$$

    Takes what `uar_influence` takes.

    >>> round(float(macro_f1_influence([0, 0, 1], [0, 1, 1], 2).sum()), 12)
    0.0
    """
    confusion = confusion_matrix(targets, predicted, classes)
    wanted, given = np.asarray(targets), np.asarray(predicted)
    both = (confusion.sum(0) + confusion.sum(1)).astype(np.float64)
    weight = np.divide(1.0, both, out=np.zeros_like(both), where=both > 0)
    owed = np.nan_to_num(f1(confusion)) * weight
    right = 2.0 * (wanted == given) * weight[wanted]
    return np.asarray((right - owed[wanted] - owed[given]) / np.count_nonzero(both), np.float64)


def _student_t_centre(t: float, freedom: int) -> float:
    """The probability that Student's t lies between -t and t."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = 0.0
    for k in range(1 + odd, freedom, 2):  # the series of 26.7.3 (odd) and 26.7.4 (even)
        total += term
        term *= cosine * cosine * k / (k + 1)
    return (2 / math.pi) * (angle + sine * total) if odd else sine * total


def student_t_quantile(probability: float, freedom: int) -> float:
    """Student's t below which it lies with a probability, found by bisection.

    Args:
        probability: from 0.5, below 1.
        freedom: degrees of freedom, 1 or more.

    Source: Abramowitz & Stegun 1964, 26.7.3 and 26.7.4.

    >>> round(student_t_quantile(0.975, 1), 3), round(student_t_quantile(0.975, 23), 3)
    (12.706, 2.069)
    """
    wanted, low, high = 2 * probability - 1, 0.0, 1.0
    while _student_t_centre(high, freedom) < wanted:
        low, high = high, 2 * high
    for _ in range(60):  # halves the bracket to the spacing of float64
        middle = (low + high) / 2
        low, high = (middle, high) if _student_t_centre(middle, freedom) < wanted else (low, middle)
    return (low + high) / 2


def interval_over_speakers(
    estimate: float,
    influence: ArrayLike,
    speakers: Sequence[str],
    *,
    level: float = 0.95,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Interval | None:
    """The t interval of a measure over speakers, as the module describes.

    Args:
        estimate: the measure.
        influence: (n,) of each clip. Of several seeds: that of each row on its own seed's
            measure, divided by the number of seeds.
        speakers: n names.
        level: how often the interval is to hold the truth.
        bounds: the measure's own; the interval is cut there.

    Returns:
        None for a single speaker, who says nothing of others.

    Raises:
        UsageError: different numbers of influences and speakers, a level outside 0 to 1.

    >>> speakers = ["a", "a", "b", "b", "c", "c"]
    >>> found = interval_over_speakers(0.5, mean_influence([1, 0, 1, 0, 1, 0]), speakers)
    >>> found
    Interval(low=0.5, high=0.5, level=0.95)
    """
    parts = np.asarray(influence, np.float64)
    if parts.shape != (len(speakers),):
        raise UsageError(f"influences {parts.shape} for {len(speakers)} speakers: one for each clip")
    if not 0 < level < 1:
        raise UsageError(f"level {level}: it must lie between 0 and 1, as 0.95 does")
    names, places = np.unique(np.asarray(speakers, str), return_inverse=True)
    if len(names) < 2:
        return None
    sums = np.bincount(places, weights=parts)
    error = float(np.sqrt(len(names) / (len(names) - 1) * np.square(sums).sum()))
    reach = student_t_quantile(0.5 + level / 2, len(names) - 1) * error
    return Interval(max(bounds[0], estimate - reach), min(bounds[1], estimate + reach), level)
