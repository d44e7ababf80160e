import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from vocemo.errors import UsageError
from vocemo.lab.evaluate import reliability

MEASURES = (
    reliability.log_loss,
    reliability.brier,
    reliability.expected_calibration_error,
    reliability.aurc,
)


def drawn(seed, clips=200, classes=8, levels=None):
    """Random probabilities, coarse ones with `levels`, and targets drawn from them."""
    generator = np.random.default_rng(seed)
    weights = generator.gamma(0.5, size=(clips, classes)) + 1e-3
    if levels:
        weights = np.ceil(weights * levels)
    probabilities = weights / weights.sum(1, keepdims=True)
    targets = (probabilities.cumsum(1) < generator.random((clips, 1))).sum(1)
    return np.minimum(targets, classes - 1), probabilities


seeds = st.integers(0, 10_000)


@settings(deadline=None)
@given(seeds, st.integers(2, 8), st.integers(1, 50))
def test_log_loss_brier_and_top_shares_are_scikit_learns(seed, classes, clips):
    targets, probabilities = drawn(seed, clips, classes)
    labels = np.arange(classes)
    assert reliability.log_loss(targets, probabilities) == pytest.approx(
        oracle.log_loss(targets, probabilities, labels=labels)
    )
    onehot = np.eye(classes)[targets]
    assert reliability.brier(targets, probabilities) == pytest.approx(
        classes * oracle.mean_squared_error(onehot, probabilities)
    )
    if classes > 2:  # its top-k of two classes takes one column
        assert reliability.top_share(targets, probabilities, 2) == pytest.approx(
            oracle.top_k_accuracy_score(targets, probabilities, k=2, labels=labels)
        )
    assert reliability.top_share(targets, probabilities, 1) == pytest.approx(
        (probabilities.argmax(1) == targets).mean()
    )
    assert reliability.top_share(targets, probabilities, classes) == 1


def test_certain_and_wrong_costs_a_finite_loss():
    assert reliability.log_loss([0], [[0.0, 1.0]]) == pytest.approx(-np.log(np.finfo(np.float64).eps))
    assert reliability.brier([0], [[0.0, 1.0]]) == 2


def test_top_share_breaks_levels_as_the_answer_does():
    level = [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]]
    assert reliability.top_share([0, 1], level, 1) == 0.5
    assert reliability.top_share([0, 1], level, 2) == 1


@settings(deadline=None)
@given(seeds, st.integers(1, 70), st.integers(1, 12))
def test_ece_from_its_equation(seed, clips, bins):
    targets, probabilities = drawn(seed, clips)
    order = sorted(range(clips), key=lambda n: probabilities[n].max())
    total = 0.0
    base, extra = divmod(clips, bins)
    for b in range(bins):  # sizes differ by one at most, the larger ones first
        part = order[b * base + min(b, extra) : (b + 1) * base + min(b + 1, extra)]
        if part:
            right = np.mean([probabilities[n].argmax() == targets[n] for n in part])
            sure = np.mean([probabilities[n].max() for n in part])
            total += len(part) / clips * abs(right - sure)
    assert reliability.expected_calibration_error(targets, probabilities, bins) == pytest.approx(total)


@settings(deadline=None)
@given(seeds, st.integers(1, 40))
def test_aurc_from_its_equation(seed, clips):
    targets, probabilities = drawn(seed, clips)
    order = sorted(range(clips), key=lambda n: -probabilities[n].max())
    wrong = [float(probabilities[n].argmax() != targets[n]) for n in order]
    risks = [sum(wrong[:m]) / m for m in range(1, clips + 1)]
    curve = reliability.risk_coverage(targets, probabilities)
    np.testing.assert_allclose(curve.risk, risks)
    np.testing.assert_allclose(curve.coverage, np.arange(1, clips + 1) / clips)
    assert reliability.aurc(targets, probabilities) == pytest.approx(np.mean(risks))
    assert curve.risk[-1] == pytest.approx(np.mean(wrong))  # all answered: the error rate


def test_clips_level_in_confidence_count_as_in_a_random_order():
    confidence = np.array([0.9, 0.6, 0.6, 0.6, 0.55])
    probabilities = np.stack([confidence, 1 - confidence], 1)
    targets = np.array([0, 0, 1, 1, 0])
    areas = []
    for order in itertools.permutations([1, 2, 3]):
        wrong = targets[[0, *order, 4]]
        areas.append(np.mean(np.cumsum(wrong) / np.arange(1, 6)))
    assert reliability.aurc(targets, probabilities) == pytest.approx(np.mean(areas))


def test_ece_of_one_confidence_for_all_is_its_distance_from_accuracy():
    # Bins of clips in their order, or sorted by being right, would give 0.5 here.
    probabilities = np.tile([0.5, 0.3, 0.2], (100, 1))
    targets = np.repeat([0, 1], 50)
    assert reliability.expected_calibration_error(targets, probabilities) == pytest.approx(0, abs=1e-12)
    assert reliability.expected_calibration_error(np.zeros(100, int), probabilities) == pytest.approx(0.5)


@settings(deadline=None)
@given(seeds, st.integers(1, 60), st.sampled_from([None, 1, 2, 4]))
def test_the_order_of_clips_does_not_matter(seed, clips, levels):
    targets, probabilities = drawn(seed, clips, classes=4, levels=levels)
    order = np.random.default_rng(seed).permutation(clips)
    for measure in MEASURES:
        assert measure(targets[order], probabilities[order]) == pytest.approx(
            measure(targets, probabilities), abs=1e-12
        )


@settings(deadline=None)
@given(seeds, st.integers(1, 60), st.integers(2, 6))
def test_bounds(seed, clips, classes):
    targets, probabilities = drawn(seed, clips, classes)
    assert reliability.log_loss(targets, probabilities) >= 0
    assert 0 <= reliability.brier(targets, probabilities) <= 2
    assert 0 <= reliability.expected_calibration_error(targets, probabilities) <= 1
    assert 0 <= reliability.aurc(targets, probabilities) <= 1
    sure = np.eye(classes)[targets]
    assert all(measure(targets, sure) == pytest.approx(0, abs=1e-12) for measure in MEASURES)


def test_reliability_bins_hold_every_clip_once():
    targets, probabilities = drawn(0, clips=103)
    bins = reliability.reliability_bins(targets, probabilities)
    assert [b.clips for b in bins] == [11] * 3 + [10] * 7
    assert sorted(b.confidence for b in bins) == [b.confidence for b in bins]
    assert sum(b.clips * b.accuracy for b in bins) == pytest.approx(
        (probabilities.argmax(1) == targets).sum()
    )
    assert len(reliability.reliability_bins(targets[:4], probabilities[:4])) == 4


def test_calibrated_ece_is_the_mean_over_targets_drawn_from_the_probabilities():
    _, probabilities = drawn(3, clips=300)
    generator = np.random.default_rng(1)
    scored = []
    for _ in range(400):
        draws = (probabilities.cumsum(1) < generator.random((300, 1))).sum(1)
        scored.append(reliability.expected_calibration_error(np.minimum(draws, 7), probabilities))
    found = reliability.calibrated_ece(probabilities, np.random.default_rng(2))
    standard_error = np.std(scored) / np.sqrt(400)
    assert abs(found - np.mean(scored)) < 5 * standard_error


def test_calibrated_ece_of_level_confidences_and_of_a_single_bin_has_a_closed_form():
    # One bin of n clips at confidence c: the mean distance of a binomial share from c.
    n, c = 50, 0.7
    found = reliability.calibrated_ece(
        np.tile([c, 1 - c], (n, 1)), np.random.default_rng(0), simulations=20_000
    )
    from scipy.stats import binom

    expected = binom(n, c).expect(lambda hits: abs(hits / n - c))
    assert found == pytest.approx(expected, rel=0.03)


def test_calibrated_ece_on_1440_clips_is_about_0_028():
    _, probabilities = drawn(5, clips=1440)
    assert 0.02 < reliability.calibrated_ece(probabilities, np.random.default_rng(0)) < 0.036


def test_calibrated_ece_depends_on_its_generator_alone_and_not_on_its_chunks(monkeypatch):
    _, probabilities = drawn(6, clips=90)
    once = reliability.calibrated_ece(probabilities, np.random.default_rng(4), simulations=50)
    monkeypatch.setattr(reliability, "_SIMULATED_CELLS", 200)
    assert reliability.calibrated_ece(
        probabilities, np.random.default_rng(4), simulations=50
    ) == pytest.approx(once)


@pytest.mark.parametrize(
    ("targets", "probabilities", "said"),
    [
        ([], np.zeros((0, 2)), "1 or more"),
        ([0], [0.5, 0.5], "must be"),
        ([0, 1], [[0.5, 0.5]], "must be"),
        ([2], [[0.5, 0.5]], "from 0 to 1"),
        ([0], [[0.7, 0.7]], "adds up to 1.4"),
        ([0], [[1.5, -0.5]], "least value is -0.5"),
        ([0], [[np.nan, 1.0]], "no distribution"),
    ],
)
def test_what_are_no_probabilities_is_said(targets, probabilities, said):
    for measure in MEASURES:
        with pytest.raises(UsageError, match=said):
            measure(np.array(targets, int), probabilities)
