import math

import pytest
from scipy import stats

from vocemo.errors import UsageError
from vocemo.lab.evaluate import distributions

FREEDOM = [1, 2, 3, 4, 5, 8, 23, 90, 1000]


@pytest.mark.parametrize("freedom", FREEDOM)
@pytest.mark.parametrize("probability", [0.5, 0.6, 0.9, 0.975, 0.995])
def test_students_t_is_scipys(freedom, probability):
    expected = stats.t.ppf(probability, freedom)
    found = distributions.student_t_quantile(probability, freedom)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)
    both_sides = 2 * stats.t.sf(expected, freedom)
    assert distributions.student_t_p(expected, freedom) == pytest.approx(both_sides, abs=1e-12)
    assert distributions.student_t_p(-expected, freedom) == pytest.approx(both_sides, abs=1e-12)


def test_an_infinite_t_has_no_probability():
    assert distributions.student_t_p(math.inf, 4) == 0.0


@pytest.mark.parametrize("freedom", FREEDOM)
@pytest.mark.parametrize("probability", [0.0, 0.025, 0.5, 0.95, 0.975])
def test_chi_square_is_scipys(freedom, probability):
    value = stats.chi2.ppf(probability, freedom)
    assert distributions.chi_square_quantile(probability, freedom) == pytest.approx(
        value, rel=1e-8, abs=1e-12
    )
    assert distributions.chi_square_above(value, freedom) == pytest.approx(1 - probability, abs=1e-10)


@pytest.mark.parametrize(("heads", "tails"), [(0, 0), (0, 5), (3, 3), (4, 3), (9, 1), (40, 70), (500, 560)])
def test_the_coin_is_scipys(heads, tails):
    expected = stats.binomtest(heads, heads + tails).pvalue if heads + tails else 1.0
    assert distributions.fair_coin_p(heads, tails) == pytest.approx(expected)


def test_a_coin_falls_no_negative_number_of_times():
    with pytest.raises(UsageError, match="0 or more"):
        distributions.fair_coin_p(-1, 3)
