"""Whether two models differ by more than chance gives, on the same clips.

Two questions, and a test for each. Would other *clips* of these very speakers tell the models apart:
McNemar's test, which takes clips for independent of each other. Would other *speakers*: the tests over
speakers, each of whom both models answered. Clips of one speaker succeed and fail together, so the second
is the one to go by; the first calls too much significant where speakers differ in which model suits them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vocemo.errors import UsageError
from vocemo.lab.evaluate.distributions import (
    chi_square_above,
    fair_coin_p,
    student_t_p,
    student_t_quantile,
)

EXACT_CLIPS = 1000  # with more on which the models differ, the chi-square is as good and quicker
EXACT_SPEAKERS = 16  # 65,536 ways to flip their signs
_FLIPS = 50_000  # drawn, of more speakers
_LEVEL = 1e-9  # relative: sums that differ by less are equal but for rounding


@dataclass(frozen=True)
class McNemar:
    """On how many clips one model alone is the better, and how likely so uneven a division is by chance."""

    first_better: int
    second_better: int
    statistic: float | None  # chi-square with continuity correction; None where the test is exact
    p_value: float


def mcnemar(first_right: ArrayLike, second_right: ArrayLike) -> McNemar:
    r"""McNemar's test: of the clips on which two models differ, is each as often the better one?

    With b and c clips on which the first and the second alone is right, b is binomial with probability 1/2
    where the models are equally good: that is the exact test, two-sided. Where b + c is above EXACT_CLIPS,

    $$\chi^2 = \frac{(\lvert b - c\rvert - 1)^2}{b + c}$$

    with one degree of freedom takes its place.

    Args:
        first_right: (n,) whether the first model is right on each clip; or the share of its seeds that
            are, which makes it a sign test on which model is right more often.
        second_right: (n,) of the same clips.

    Raises:
        UsageError: no clips, or different numbers of them.

    Source: McNemar 1947 (doi:10.1007/BF02295996); Edwards 1948 (doi:10.1007/BF02289261) for the correction.

    >>> mcnemar([1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0])
    McNemar(first_better=5, second_better=0, statistic=None, p_value=0.0625)
    """
    one, other = _pair(first_right, second_right, "clips")
    first, second = int((one > other).sum()), int((one < other).sum())
    if first + second <= EXACT_CLIPS:
        return McNemar(first, second, None, fair_coin_p(first, second))
    statistic = max(0, abs(first - second) - 1) ** 2 / (first + second)
    return McNemar(first, second, statistic, chi_square_above(statistic, 1))


@dataclass(frozen=True)
class PairedTest:
    """How far the second model is above the first, over speakers."""

    speakers: int
    difference: float
    ci95: tuple[float, float] | None  # None where every speaker has the same difference
    p_value: float  # of Student's t, which goes with the interval; of sign flips where there is none
    p_sign_flips: float  # exact up to EXACT_SPEAKERS speakers


def paired_over_speakers(first: ArrayLike, second: ArrayLike) -> PairedTest | None:
    r"""The paired t test over speakers, and the permutation test that flips the signs of their differences.

    With $d_s$ the difference of speaker s of m, $t = \bar d / (s_d / \sqrt m)$ has Student's distribution
    with m - 1 degrees of freedom. The interval is $\bar d \pm t_{m-1,0.975}\, s_d / \sqrt m$ and leaves 0
    where p is below 0.05. The permutation test needs no normal distribution: were the models equally
    good, each difference could as well have the other sign, and p is the share of the $2^m$ choices of
    signs whose mean is as far from 0. With m speakers it cannot fall below $2^{1-m}$, 0.125 with four.

    Args:
        first: (m,) a measure of each speaker by the first model, averaged over its seeds.
        second: (m,) by the second, of the same speakers.

    Returns:
        None for a single speaker, who says nothing of others.

    Raises:
        UsageError: no speakers, or different numbers of them.

    Source: Student 1908; Fisher 1935, The Design of Experiments, section 21.

    >>> found = paired_over_speakers([0.5, 0.6, 0.7, 0.5], [0.6, 0.8, 0.8, 0.7])
    >>> round(found.difference, 3), round(found.p_value, 4), found.p_sign_flips
    (0.15, 0.0138, 0.125)
    """
    one, other = _pair(first, second, "speakers")
    differences = other - one
    m = len(differences)
    if m < 2:
        return None
    mean, flips = float(differences.mean()), _sign_flips(differences)
    spread = float(differences.std(ddof=1))
    if spread <= _LEVEL * float(np.abs(differences).max(initial=0.0)):
        return PairedTest(m, mean, None, flips, flips)
    error = spread / math.sqrt(m)
    reach = student_t_quantile(0.975, m - 1) * error
    return PairedTest(m, mean, (mean - reach, mean + reach), student_t_p(mean / error, m - 1), flips)


def _sign_flips(differences: NDArray[np.float64]) -> float:
    m = len(differences)
    found = abs(float(differences.sum())) - _LEVEL * float(np.abs(differences).sum())
    if m <= EXACT_SPEAKERS:
        choices = np.arange(2**m)[:, None] >> np.arange(m) & 1
        sums = (1 - 2 * choices) @ differences
        return float((np.abs(sums) >= found).mean())
    drawn = np.random.default_rng(0).integers(0, 2, (_FLIPS, m))
    as_far = int((np.abs((1 - 2 * drawn) @ differences) >= found).sum())
    return (1 + as_far) / (1 + _FLIPS)  # the choice that was found is one of them


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """p values of several tests, raised so that one below 0.05 by chance is as rare as for a single test.

    The smallest of k is multiplied by k, the next by k - 1 and so on, and none falls below one before it.

    Source: Holm 1979, Scandinavian Journal of Statistics 6.

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    raised = [0.0] * len(p_values)
    least = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda each: p_values[each])):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        raised[place] = least
    return tuple(raised)


def _pair(first: ArrayLike, second: ArrayLike, what: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.ndim != 1 or one.shape != other.shape or one.size == 0:
        raise UsageError(
            f"{one.shape} and {other.shape}: a value of each model for the same {what}, 1 or more"
        )
    return one, other
