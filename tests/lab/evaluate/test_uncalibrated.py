import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from vocemo.errors import UsageError
from vocemo.lab.evaluate import Predictions, Subject
from vocemo.lab.evaluate.uncalibrated import before_temperature, uncalibrated


@given(st.integers(0, 1000), st.floats(0.05, 20.0))
def test_the_softmax_of_the_logits_comes_back(seed, temperature):
    logits = np.random.default_rng(seed).normal(0, 3 * min(temperature, 1), (6, 8))
    found = before_temperature(softmax(logits / temperature, axis=1), temperature)
    np.testing.assert_allclose(found, softmax(logits, axis=1), atol=1e-6)


def test_probabilities_of_zero_stay_and_great_temperatures_do_not_overflow():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert before_temperature([[1.0, 0.0]], 20.0).tolist() == [[1.0, 0.0]]
        assert before_temperature([[0.5, 0.5]], 20.0).tolist() == [[0.5, 0.5]]


def test_each_run_has_its_own_temperature():
    logits = np.random.default_rng(0).normal(0, 2, (4, 3))
    temperatures = {(0, 0): 0.5, (0, 1): 1.5, (1, 0): 2.0, (1, 1): 1.0}
    each = np.array([[0.5], [1.5], [2.0], [1.0]])
    table = Predictions(
        ("a", "b", "c"),
        tuple(Subject(str(n)) for n in range(4)),
        np.array([0, 1, 2, 0]),
        softmax(logits / each, axis=1),
        np.array([0, 1, 0, 1]),
        np.array([0, 0, 1, 1]),
    )
    found = uncalibrated(table, temperatures)
    np.testing.assert_allclose(found.probabilities, softmax(logits, axis=1))
    assert found.answers == table.answers and found.subjects == table.subjects
    with pytest.raises(UsageError, match="no temperature of seed 1, fold 1"):
        uncalibrated(table, {run: t for run, t in temperatures.items() if run != (1, 1)})


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_above_0_is_asked_for(temperature):
    with pytest.raises(UsageError, match="above 0"):
        before_temperature([[0.5, 0.5]], temperature)
