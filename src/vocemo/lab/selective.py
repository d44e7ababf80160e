r"""The confidence from which on a model's answers are wrong no more often than is wanted.

Of the answers whose confidence is $\theta$ or more, let $n$ be how many there are and $\hat r$ the share of
wrong ones. The threshold is the smallest $\theta$ for which an upper bound of that risk, which holds with
probability $1 - \delta$, is no more than the wanted risk $r^*$. It is searched by halving (Geifman &
El-Yaniv, NeurIPS 2017, arXiv:1705.08500, algorithm 1), so that of $N$ confidences $b = 1 + \lfloor\log_2
N\rfloor$ are tried at most, each with a bound that holds with probability $1 - \delta / b$.

Their bound is that of Clopper & Pearson (1934), which takes answers as independent. Those of one speaker are
not, nor are those of several seeds to one clip. So the bound is taken over the effective number of answers
(Korn & Graubard, Survey Methodology 24, 1998), with $v$ the variance of $\hat r$ over speakers, of whom there
are $m$, and $t$ Student's quantiles:
$$n^* = \min\Bigl(n,\ \frac{\hat r (1 - \hat r)}{v}\Bigr)
    \Bigl(\frac{t_{n-1}}{t_{m-1}}\Bigr)^2.$$
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vocemo.errors import UsageError
from vocemo.lab.evaluate.confidence import mean_influence
from vocemo.lab.evaluate.predictions import Predictions

WANTED = tuple(percent / 100 for percent in range(5, 55, 5))  # the risks that every training tries
USUAL_RISK = 0.3  # what a bundle's threshold is for where nothing else is asked: 7 of 10 answers are right
DELTA = 0.1  # how often the true risk may be above the wanted one


@dataclass(frozen=True)
class Threshold:
    """A confidence, and what the answers at or above it came to on the validation clips."""

    wanted_risk: float
    threshold: float
    risk: float | None = None  # share of wrong answers among them; None where a bundle alone says the rest
    coverage: float | None = None  # share of all answers that they are


def threshold_for(
    confidence: ArrayLike,
    wrong: ArrayLike,
    speakers: Sequence[str],
    wanted_risk: float,
    *,
    delta: float = DELTA,
) -> Threshold | None:
    """The smallest confidence at which the risk is bounded by the wanted one.

    Args:
        confidence: (n,), of the answers to clips that were not trained on, and are no test clips.
        wrong: (n,), whether each answer is wrong.
        speakers: n names; whoever speaks in several rows counts as one.
        wanted_risk: share of wrong answers, above 0 and below 1.
        delta: how often the true risk may be above it.

    Returns:
        None where no threshold reaches the wanted risk.

    Raises:
        UsageError: shapes that do not fit, no answers, shares outside 0 to 1.

    >>> sure, unsure, ten_speakers = [0.9] * 100, [0.4] * 100, list("abcdefghij") * 20
    >>> found = threshold_for(sure + unsure, [False] * 100 + [True] * 100, ten_speakers, 0.2)
    >>> found.threshold, found.risk, found.coverage
    (0.9, 0.0, 0.5)
    """
    given, missed = np.asarray(confidence, np.float64), np.asarray(wrong, np.float64)
    if given.ndim != 1 or not len(given) or missed.shape != given.shape or len(speakers) != len(given):
        raise UsageError(
            f"confidences {given.shape}, errors {missed.shape}, {len(speakers)} speakers: one each an answer"
        )
    if not 0 < wanted_risk < 1 or not 0 < delta < 1:
        raise UsageError(
            f"wanted risk {wanted_risk}, delta {delta}: each is a share, above 0 and below 1, such as 0.3"
        )
    names = np.unique(np.asarray(speakers, str), return_inverse=True)[1]
    levels = np.unique(given)[::-1]  # from the surest down: each one more share of the answers
    level = delta / len(levels).bit_length()
    best: Threshold | None = None
    low, high = 0, len(levels) - 1
    while low <= high:
        middle = (low + high) // 2
        kept = given >= levels[middle]
        if risk_bound(missed[kept], names[kept], level) <= wanted_risk:
            best = Threshold(
                wanted_risk, float(levels[middle]), float(missed[kept].mean()), float(kept.mean())
            )
            low = middle + 1
        else:
            high = middle - 1
    return best


def thresholds(validation: Predictions) -> tuple[Threshold, ...]:
    """The threshold for each risk of WANTED that one reaches, from the answers to validation clips."""
    confidence, speakers = validation.probabilities.max(1), [each.speaker for each in validation.subjects]
    wrong = validation.predicted != validation.targets
    found = (threshold_for(confidence, wrong, speakers, risk) for risk in WANTED)
    return tuple(each for each in found if each is not None)


def chosen(found: Sequence[Threshold], wanted_risk: float) -> Threshold | None:
    """The threshold for a risk of WANTED, None where none reaches it.

    Raises UsageError for another risk.

    >>> chosen([Threshold(0.3, 0.6, 0.25, 0.5)], 0.3).threshold, chosen([], 0.3)
    (0.6, None)
    """
    if not any(math.isclose(wanted_risk, each) for each in WANTED):
        raise UsageError(f"risk {wanted_risk:g}; valid: {', '.join(f'{each:g}' for each in WANTED)}")
    return next((each for each in found if math.isclose(each.wanted_risk, wanted_risk)), None)


def risk_bound(wrong: NDArray[np.float64], speakers: NDArray[np.int64], delta: float) -> float:
    """The upper bound of the share of wrong answers, above which the truth lies with probability `delta`.

    Args:
        wrong: (n,) 0 or 1, for n answers, 1 or more.
        speakers: (n,) numbers; answers of one number count together.
        delta: above 0, below 1.
    """
    from scipy.special import stdtrit

    count, risk = len(wrong), float(wrong.mean())
    whose = np.unique(speakers, return_inverse=True)[1]
    clusters = int(whose.max()) + 1
    if clusters < 2 or count < 2:
        return clopper_pearson(risk, float(clusters), delta)
    sums = np.bincount(whose, weights=mean_influence(wrong))
    variance = clusters / (clusters - 1) * float(np.square(sums).sum())
    effective = min(count, risk * (1 - risk) / variance) if variance > 0 else float(count)
    shrink = float(stdtrit(count - 1, 1 - delta) / stdtrit(clusters - 1, 1 - delta))
    return clopper_pearson(risk, effective * shrink**2, delta)


def clopper_pearson(share: float, count: float, delta: float) -> float:
    """The upper bound of a binomial probability: `share` of `count` trials, which need be no whole number.

    The b with I_b(x + 1, n - x) = 1 - delta, I the regularised incomplete beta function.

    >>> round(clopper_pearson(0.0, 10, 0.05), 4)  # 1 - 0.05 ** (1 / 10)
    0.2589
    """
    from scipy.special import betaincinv

    if share >= 1:
        return 1.0
    return float(betaincinv(share * count + 1, (1 - share) * count, 1 - delta))
