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
from vocemo.lab.evaluate.distributions import student_t_quantile
from vocemo.lab.evaluate.metrics import confusion_matrix, f1, recall

Values = NDArray[np.float64]

# Speakers -> how often of 100 the interval over speakers held the true UAR, and the plain percentile
# bootstrap did: the worse of the two designs of scripts/interval_coverage.py, 2,000 trials each.
COVERAGE = {2: (93.8, 49.6), 3: (94.2, 73.9), 4: (95.0, 79.9), 6: (94.3, 86.1)}
ROUNDING = 1e-12  # an error no greater than this is none
MANY_SPEAKERS = 10  # from here on nothing is missing that the simulation could tell from 95


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


def kappa_influence(targets: ArrayLike, predicted: ArrayLike, classes: int) -> Values:
    r"""Influence of each clip on Cohen's kappa, $\kappa = (p_o - p_e) / (1 - p_e)$.

    With $a_i$ and $b_i$ the shares of targets and of answers that are class i, $p_e = \sum_i a_i b_i$,
    $$u_n = \frac1N\left(\frac{[y_n = \hat y_n] - p_o}{1 - p_e}
        - \frac{(1 - p_o)(a_{\hat y_n} + b_{y_n} - 2 p_e)}{(1 - p_e)^2}\right)$$

    Takes what `uar_influence` takes; NaN where kappa is.

    >>> round(float(kappa_influence([0, 0, 1], [0, 1, 1], 2).sum()), 12)
    0.0
    """
    shares = confusion_matrix(targets, predicted, classes) / np.size(targets)
    wanted, given = np.asarray(targets), np.asarray(predicted)
    actual, answered = shares.sum(1), shares.sum(0)
    chance = float(actual @ answered)
    if chance >= 1:
        return np.full(len(wanted), np.nan)
    agreed = float(np.trace(shares))
    right = ((wanted == given) - agreed) / (1 - chance)
    luck = (1 - agreed) * (actual[given] + answered[wanted] - 2 * chance) / (1 - chance) ** 2
    return np.asarray((right - luck) / len(wanted), np.float64)


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
        None for a single speaker, who says nothing of others, and where speakers do not differ at all,
        as happens by chance where each has a clip or two: an interval without width would claim certainty.

    Raises:
        UsageError: different numbers of influences and speakers, a level outside 0 to 1.

    >>> speakers = ["a", "a", "b", "b", "c", "c"]
    >>> interval_over_speakers(0.5, mean_influence([1, 0, 1, 0, 0, 1]), speakers) is None
    True
    >>> found = interval_over_speakers(0.5, mean_influence([1, 1, 1, 0, 0, 0]), speakers)
    >>> round(found.low, 3), round(found.high, 3)
    (0.0, 1.0)
    """
    if not 0 < level < 1:
        raise UsageError(f"level {level}: it must lie between 0 and 1, as 0.95 does")
    own = pseudo_values(estimate, influence, speakers)
    if len(own) < 2:
        return None
    error = float(own.std(ddof=1)) / math.sqrt(len(own))
    if error <= ROUNDING:
        return None
    reach = student_t_quantile(0.5 + level / 2, len(own) - 1) * error
    return Interval(max(bounds[0], estimate - reach), min(bounds[1], estimate + reach), level)


def pseudo_values(estimate: float, influence: ArrayLike, speakers: Sequence[str]) -> Values:
    r"""A measure for each speaker, such that their mean is the measure: $\hat\theta + m U_s$.

    Where every speaker has the same clips they are the speakers' own UAR or accuracy; elsewhere they
    stand for them in a t interval or a paired test (the jackknife's pseudo-values, Tukey 1958, to first
    order).

    Takes what `interval_over_speakers` takes, and raises what it raises.

    Returns:
        (m,) in order of the speakers' names.

    >>> pseudo_values(0.75, mean_influence([1, 1, 1, 0]), ["a", "a", "b", "b"]).tolist()
    [1.0, 0.5]
    """
    parts = np.asarray(influence, np.float64)
    if parts.shape != (len(speakers),):
        raise UsageError(f"influences {parts.shape} for {len(speakers)} speakers: one for each clip")
    names, places = np.unique(np.asarray(speakers, str), return_inverse=True)
    return np.asarray(estimate + len(names) * np.bincount(places, weights=parts), np.float64)


def few_speakers(speakers: int) -> str | None:
    """What must be said beside an interval over fewer than MANY_SPEAKERS speakers; None of more, or of one.

    >>> print(few_speakers(4))
    The intervals come from 4 speakers. Over so few they are wide, and by simulation they hold the truth 95.0
    times in 100 (the plain bootstrap over speakers: 79.9): none short of 95 that would show. That other
    speakers are like these is assumed.
    >>> few_speakers(24)
    """
    if not 2 <= speakers < MANY_SPEAKERS:
        return None
    below = max(size for size in COVERAGE if size <= speakers)
    above = min((size for size in COVERAGE if size >= speakers), default=below)
    ours, plain = (min(COVERAGE[below][way], COVERAGE[above][way]) for way in (0, 1))
    missing = f"{95 - ours:.1f} short of 95" if ours < 95 else "none short of 95 that would show"
    return (
        f"The intervals come from {speakers} speakers. Over so few they are wide, and by simulation they "
        f"hold the truth {ours:.1f} times in 100 (the plain bootstrap over speakers: {plain:.1f}): "
        f"{missing}. "
        "That other speakers are like these is assumed."
    )
