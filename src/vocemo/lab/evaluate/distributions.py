"""Student's t, chi-square and the binomial of fair coins, for whole degrees of freedom.

Few lines each, so that measuring answers needs no SciPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from vocemo.errors import UsageError


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


def student_t_p(t: float, freedom: int) -> float:
    """The probability that Student's t lies as far from 0 as this, or farther, on either side.

    Args:
        t: on either side of 0; infinite is allowed.
        freedom: degrees of freedom, 1 or more.

    Source: Abramowitz & Stegun 1964, 26.7.3 and 26.7.4.

    >>> round(student_t_p(2.069, 23), 3), student_t_p(0.0, 3)
    (0.05, 1.0)
    """
    return 0.0 if math.isinf(t) else max(0.0, 1 - _student_t_centre(abs(t), freedom))


def student_t_quantile(probability: float, freedom: int) -> float:
    """Student's t below which it lies with a probability.

    Args:
        probability: from 0.5, below 1.
        freedom: degrees of freedom, 1 or more.

    >>> round(student_t_quantile(0.975, 1), 3), round(student_t_quantile(0.975, 23), 3)
    (12.706, 2.069)
    """
    return _inverse(lambda t: _student_t_centre(t, freedom), 2 * probability - 1)


def chi_square_above(value: float, freedom: int) -> float:
    """The probability that chi-square lies above a value.

    Args:
        value: 0 or more.
        freedom: degrees of freedom, 1 or more.

    Source: Abramowitz & Stegun 1964, 26.4.4 and 26.4.5.

    >>> round(chi_square_above(3.841, 1), 3), round(chi_square_above(9.488, 4), 3)
    (0.05, 0.05)
    """
    half = value / 2
    if half == 0:
        return 1.0
    odd = freedom % 2
    total = math.erfc(math.sqrt(half)) if odd else 0.0
    for k in range(odd, freedom, 2):
        power = k / 2  # of half, whole where freedom is even
        total += math.exp(power * math.log(half) - half - math.lgamma(power + 1))
    return min(1.0, total)


def chi_square_quantile(probability: float, freedom: int) -> float:
    """The value below which chi-square lies with a probability from 0, below 1.

    >>> round(chi_square_quantile(0.975, 23), 3)
    38.076
    """
    return _inverse(lambda value: 1 - chi_square_above(value, freedom), probability)


def fair_coin_p(heads: int, tails: int) -> float:
    """How likely a fair coin's throws fall as unevenly as these, or more so, on either side.

    >>> fair_coin_p(0, 5), fair_coin_p(3, 3)
    (0.0625, 1.0)
    """
    if heads < 0 or tails < 0:
        raise UsageError(f"{heads} heads and {tails} tails: counts are 0 or more")
    throws, fewer = heads + tails, min(heads, tails)
    ways = sum(math.comb(throws, k) for k in range(fewer + 1))
    return min(1.0, float(2 * ways / 2**throws))


def _inverse(rising: Callable[[float], float], wanted: float) -> float:
    """Where a rising function of a positive number reaches a value, by bisection."""
    low, high = 0.0, 1.0
    while rising(high) < wanted:
        low, high = high, 2 * high
    for _ in range(60):  # halves the bracket to the spacing of float64
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < wanted else (low, middle)
    return (low + high) / 2
