"""McNemar, the paired tests and Holm: against SciPy, the equations, and what chance gives."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vocemo.errors import UsageError
from vocemo.lab.evaluate.significance import McNemar, holm, mcnemar, paired_over_speakers


def right_on(both, first, second, neither):
    return (
        np.array([1] * both + [1] * first + [0] * second + [0] * neither),
        np.array([1] * both + [0] * first + [1] * second + [0] * neither),
    )


@pytest.mark.parametrize(("first", "second"), [(0, 0), (5, 0), (3, 9), (40, 41), (300, 340)])
def test_mcnemar_is_the_binomial_test_on_what_differs(first, second):
    found = mcnemar(*right_on(50, first, second, 7))
    expected = stats.binomtest(first, first + second).pvalue if first + second else 1.0
    assert (found.first_better, found.second_better, found.statistic) == (first, second, None)
    assert found.p_value == pytest.approx(expected)


def test_of_many_clips_it_is_the_chi_square_with_continuity_correction():
    found = mcnemar(*right_on(10, 560, 640, 10))
    assert found.statistic == pytest.approx((80 - 1) ** 2 / 1200)
    assert found.p_value == pytest.approx(stats.chi2.sf(found.statistic, 1))
    assert found.p_value == pytest.approx(stats.binomtest(560, 1200).pvalue, rel=0.02)
    assert mcnemar(*right_on(0, 600, 600, 0)).p_value == 1.0


def test_of_several_seeds_it_is_a_sign_test_on_the_shares():
    assert mcnemar([1.0, 2 / 3, 0.0, 1 / 3], [2 / 3, 2 / 3, 1 / 3, 0.0]) == McNemar(2, 1, None, 1.0)


@settings(deadline=None)
@given(st.integers(2, 40), st.integers(0, 1000))
def test_over_speakers_it_is_scipys_paired_t(speakers, seed):
    generator = np.random.default_rng(seed)
    first = generator.random(speakers)
    second = first + generator.normal(0.05, 0.1, speakers)
    found = paired_over_speakers(first, second)
    expected = stats.ttest_rel(second, first)
    assert found.difference == pytest.approx((second - first).mean())
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-10)
    interval = expected.confidence_interval(0.95)
    assert found.ci95 == (pytest.approx(interval.low), pytest.approx(interval.high))
    assert (found.p_value < 0.05) == (found.ci95[0] > 0 or found.ci95[1] < 0)


@pytest.mark.parametrize("speakers", [2, 4, 9, 16])
def test_sign_flips_of_few_speakers_are_scipys_exact_permutations(speakers):
    generator = np.random.default_rng(speakers)
    first, second = generator.random(speakers), generator.random(speakers) + 0.1
    expected = stats.permutation_test(
        (second - first,), np.mean, permutation_type="samples", n_resamples=math.inf
    )
    assert paired_over_speakers(first, second).p_sign_flips == pytest.approx(expected.pvalue)


def test_sign_flips_of_many_speakers_are_drawn_and_near_the_t_test():
    generator = np.random.default_rng(1)
    first = generator.random(24)
    second = first + generator.normal(0.04, 0.1, 24)
    found = paired_over_speakers(first, second)
    assert found.p_sign_flips == pytest.approx(found.p_value, abs=0.02)
    assert found == paired_over_speakers(first, second)  # the draws are the same each time
    assert paired_over_speakers(first, first + 1 + 0.1 * generator.random(24)).p_sign_flips == 1 / 50_001


def test_equal_differences_are_left_to_the_signs():
    assert paired_over_speakers([0.5, 0.5, 0.5], [0.75, 0.75, 0.75]).p_value == 0.25
    same = paired_over_speakers([0.1, 0.2], [0.1, 0.2])
    assert (same.p_value, same.difference, same.ci95) == (1.0, 0.0, None)
    assert paired_over_speakers([0.5], [0.6]) is None


def test_where_nothing_differs_one_in_twenty_is_called_significant():
    generator = np.random.default_rng(2)
    found = [paired_over_speakers(*generator.normal(0.6, 0.1, (2, 6))) for _ in range(600)]
    for name in ("p_value", "p_sign_flips"):
        share = np.mean([getattr(each, name) < 0.05 for each in found])
        assert 0.01 < share < 0.085  # 0.05 at most; a standard error is 0.9 points


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=7))
def test_holm_is_the_equation(p_values):
    raised = holm(p_values)
    ordered = sorted(p_values)
    for p, found in zip(p_values, raised, strict=True):
        upto = [min(1, (len(ordered) - j) * q) for j, q in enumerate(ordered) if q <= p]
        assert found == pytest.approx(max(upto))
        assert p <= found <= 1


def test_what_does_not_fit_is_said():
    for function in (mcnemar, paired_over_speakers):
        with pytest.raises(UsageError, match="for the same"):
            function([1, 0], [1])
        with pytest.raises(UsageError, match="1 or more"):
            function([], [])
