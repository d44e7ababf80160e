import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from vocemo.errors import UsageError
from vocemo.lab.calibrate import HIGHEST, LOWEST, fit_temperature


def loss(logits, targets, temperature):
    return -log_softmax(logits / temperature, axis=1)[np.arange(len(targets)), targets].mean()


def drawn(seed, clips=200, classes=8, true_temperature=1.0):
    """Logits whose probabilities are right once divided by the true temperature."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (clips, classes))
    noise = generator.gumbel(size=logits.shape)
    return logits * true_temperature, (logits + noise).argmax(1)


@pytest.mark.parametrize("true_temperature", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_scipys_minimiser(seed, true_temperature):
    logits, targets = drawn(seed, true_temperature=true_temperature)
    oracle = minimize_scalar(
        lambda log_t: loss(logits, targets, np.exp(log_t)),
        bounds=(np.log(LOWEST), np.log(HIGHEST)),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert fit_temperature(logits, targets) == pytest.approx(np.exp(oracle.x), rel=1e-6)


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 4.0])
def test_finds_the_temperature_that_made_the_targets(true_temperature):
    logits, targets = drawn(0, clips=40_000, true_temperature=true_temperature)
    assert fit_temperature(logits, targets) == pytest.approx(true_temperature, rel=0.03)


@given(st.integers(0, 1000), st.floats(0.2, 5.0))
def test_scaling_the_logits_scales_the_temperature(seed, factor):
    logits, targets = drawn(seed, clips=60, classes=4)
    assert fit_temperature(logits * factor, targets) == pytest.approx(
        factor * fit_temperature(logits, targets), rel=1e-9
    )


@given(st.integers(0, 1000))
def test_neither_the_order_of_clips_nor_a_shift_of_their_logits_matters(seed):
    logits, targets = drawn(seed, clips=50, classes=3)
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(targets))
    shifted = logits[order] + generator.normal(0, 50, (len(targets), 1))
    assert fit_temperature(shifted, targets[order]) == pytest.approx(
        fit_temperature(logits, targets), rel=1e-9
    )


def test_never_makes_the_validation_loss_worse():
    for seed in range(20):
        logits, targets = drawn(seed, clips=30, true_temperature=2.0)
        assert loss(logits, targets, fit_temperature(logits, targets)) <= loss(logits, targets, 1.0) + 1e-12


def test_all_right_and_all_wrong_give_the_ends_of_the_range():
    logits = np.array([[5.0, 0.0], [4.0, 1.0]])
    assert fit_temperature(logits, [0, 0]) == LOWEST
    assert fit_temperature(logits, [1, 1]) == HIGHEST


def test_level_logits_leave_the_temperature_at_one():
    assert fit_temperature(np.ones((3, 4)), [0, 1, 2]) == 1.0


def test_huge_logits_do_not_overflow():
    logits = np.array([[1e6, 0.0], [1e6, 0.0], [0.0, 1e6]])
    with np.errstate(over="raise", invalid="raise"):
        assert fit_temperature(logits, [0, 1, 1]) == HIGHEST


@pytest.mark.parametrize(
    ("logits", "targets", "said"),
    [
        (np.zeros((0, 3)), np.zeros(0, int), "1 or more"),
        (np.zeros((2, 3)), [0], "must be"),
        (np.zeros((1, 3)), [3], "from 0 to 2"),
        (np.zeros((1, 3)), [0.5], "integer"),
        (np.array([[np.nan, 1.0]]), [0], "finite"),
    ],
)
def test_what_cannot_be_fitted_is_said(logits, targets, said):
    with pytest.raises(UsageError, match=said):
        fit_temperature(logits, targets)
