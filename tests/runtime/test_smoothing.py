"""The likeliest course against trying every one; medians against the definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocemo.errors import UnknownNameError, UsageError
from vocemo.runtime.smoothing import likeliest, smoothed

SCORES = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed))


@given(SCORES, st.integers(1, 6), st.integers(1, 3), st.floats(0.0, 4.0))
def test_no_other_way_scores_higher(
    rng: np.random.Generator, moments: int, states: int, change: float
) -> None:
    scores = rng.normal(0.0, 2.0, (moments, states))

    def worth(way: tuple[int, ...]) -> float:
        changes = sum(a != b for a, b in itertools.pairwise(way))
        return float(sum(scores[k, state] for k, state in enumerate(way))) - change * changes

    best = max(worth(way) for way in itertools.product(range(states), repeat=moments))
    assert worth(tuple(likeliest(scores, change))) == pytest.approx(best)


def test_a_free_change_is_each_moments_own_and_a_dear_one_is_none() -> None:
    found = np.random.default_rng(1).dirichlet(np.ones(5), 200)
    np.testing.assert_array_equal(smoothed(found, "hmm", 0.0, 1), found.argmax(1))
    np.testing.assert_array_equal(smoothed(found, "none", 9.0, 1), found.argmax(1))
    assert set(smoothed(found, "hmm", 1e6, 1)) == {np.log(found).sum(0).argmax()}


@given(SCORES, st.integers(1, 12), st.sampled_from([1, 3, 5, 15]))
def test_medians_are_those_of_the_moments_around(rng: np.random.Generator, moments: int, reach: int) -> None:
    found, way = rng.random((moments, 3)), list[int]()
    for moment in range(moments):
        around = [found[k] for k in range(moments) if abs(k - moment) <= reach // 2]
        medians = [sorted(each[state] for each in around) for state in range(3)]
        size = len(around)
        middles = [(column[(size - 1) // 2] + column[size // 2]) / 2 for column in medians]
        way.append(int(np.argmax(middles)))
    assert smoothed(found, "median", 0.0, reach).tolist() == way


def test_an_emotion_of_no_probability_may_come_back() -> None:
    found = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert smoothed(found, "hmm", 1.0, 1).tolist() == [0, 0, 1, 1]


def test_nothing_is_nothing() -> None:
    assert smoothed(np.zeros((0, 4)), "hmm", 1.0, 1).tolist() == []


def test_wrong_values() -> None:
    found = np.ones((1, 1))
    with pytest.raises(UnknownNameError, match="median"):
        smoothed(found, "mean", 1.0, 1)
    for change in (-1.0, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="nats"):
            smoothed(found, "hmm", change, 1)
    for reach in (0, 2):
        with pytest.raises(UsageError, match="odd"):
            smoothed(found, "hmm", 1.0, reach)
