import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vocemo.errors import UsageError
from vocemo.lab.evaluate import confidence, metrics

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


def drawn(seed, clips=60, classes=4):
    generator = np.random.default_rng(seed)
    targets = generator.integers(0, classes, clips)
    predicted = np.where(generator.random(clips) < 0.6, targets, generator.integers(0, classes, clips))
    return targets, predicted, classes


@settings(deadline=None)
@given(st.integers(0, 5000))
@pytest.mark.parametrize(
    ("influence", "measure"),
    [
        (confidence.uar_influence, metrics.uar),
        (confidence.macro_f1_influence, metrics.macro_f1),
        (confidence.kappa_influence, metrics.kappa),
    ],
)
def test_influence_is_the_derivative_by_a_clips_weight(influence, measure, seed):
    targets, predicted, k = drawn(seed, clips=25)
    found = influence(targets, predicted, k)
    assert found.sum() == pytest.approx(0, abs=1e-12)
    step = 1e-6
    for clip in (0, 7, 24):
        weighted = [np.zeros((k, k)), np.zeros((k, k))]
        for sign, counts in zip((1, -1), weighted, strict=True):
            np.add.at(counts, (targets, predicted), 1.0)
            counts[targets[clip], predicted[clip]] += sign * step
        derivative = (measure(weighted[0]) - measure(weighted[1])) / (2 * step)
        assert found[clip] == pytest.approx(derivative, abs=1e-6)


def test_with_equal_clips_it_is_the_t_interval_of_the_speakers_own_values():
    generator = np.random.default_rng(0)
    speakers, k, each = 9, 5, 6
    targets = np.tile(np.arange(k).repeat(each), speakers)
    predicted = np.where(generator.random(targets.size) < 0.7, targets, (targets + 1) % k)
    names = [f"c/{s}" for s in np.arange(speakers).repeat(k * each)]
    own = [
        metrics.uar(metrics.confusion_matrix(t, p, k))
        for t, p in zip(targets.reshape(speakers, -1), predicted.reshape(speakers, -1), strict=True)
    ]
    low, high = stats.t.interval(0.95, speakers - 1, np.mean(own), stats.sem(own))
    found = confidence.interval_over_speakers(
        float(np.mean(own)), confidence.uar_influence(targets, predicted, k), names
    )
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    # Accuracy is a mean over clips, and with equal clips likewise that of speakers.
    right = (targets == predicted).astype(float)
    low, high = stats.t.interval(0.9, 8, right.mean(), stats.sem(right.reshape(speakers, -1).mean(1)))
    found = confidence.interval_over_speakers(
        right.mean(), confidence.mean_influence(right), names, level=0.9
    )
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_pseudo_values_are_the_speakers_own_where_clips_are_equal_and_average_to_the_measure_anyway():
    generator = np.random.default_rng(3)
    targets = np.tile(np.arange(4).repeat(5), 6)
    predicted = np.where(generator.random(targets.size) < 0.6, targets, (targets + 1) % 4)
    names = [f"c/{s}" for s in np.arange(6).repeat(20)]
    own = [
        metrics.uar(metrics.confusion_matrix(t, p, 4))
        for t, p in zip(targets.reshape(6, -1), predicted.reshape(6, -1), strict=True)
    ]
    found = confidence.pseudo_values(np.mean(own), confidence.uar_influence(targets, predicted, 4), names)
    assert found == pytest.approx(own)
    targets, predicted, k = drawn(5)
    speakers = [f"s{n % 7}" for n in range(60)]
    measure = metrics.uar(metrics.confusion_matrix(targets, predicted, k))
    found = confidence.pseudo_values(measure, confidence.uar_influence(targets, predicted, k), speakers)
    assert found.shape == (7,) and found.mean() == pytest.approx(measure)


def test_kappa_without_anything_beyond_chance_has_no_influence():
    assert np.isnan(confidence.kappa_influence([1, 1], [1, 1], 3)).all()


def test_the_order_of_clips_and_the_names_of_speakers_do_not_matter():
    targets, predicted, k = drawn(1)
    speakers = np.array([f"s{n % 7}" for n in range(60)])
    influence = confidence.uar_influence(targets, predicted, k)
    order = np.random.default_rng(0).permutation(60)
    plain = confidence.interval_over_speakers(0.6, influence, list(speakers))
    mixed = confidence.interval_over_speakers(0.6, influence[order], [f"x{s}" for s in speakers[order]])
    assert (mixed.low, mixed.high) == (pytest.approx(plain.low), pytest.approx(plain.high))


def test_one_speaker_says_nothing_of_others_and_two_next_to_nothing():
    influence = confidence.mean_influence([1.0, 0.0, 1.0, 1.0])
    assert confidence.interval_over_speakers(0.75, influence, ["a"] * 4) is None
    two = confidence.interval_over_speakers(0.75, influence, ["a", "a", "b", "b"])
    assert (two.low, two.high) == (0, 1)


def test_speakers_who_do_not_differ_leave_no_interval_without_width():
    level = confidence.mean_influence([1.0, 0.0, 0.0, 1.0])
    assert confidence.interval_over_speakers(0.5, level, ["a", "a", "b", "b"]) is None
    thirds = confidence.mean_influence([1.0, 0.0, 0.0] * 7)  # sums that differ by rounding alone
    assert confidence.interval_over_speakers(1 / 3, thirds, list("aaabbbcccdddeeefffggg")) is None


def test_the_interval_keeps_to_the_measures_bounds():
    influence = confidence.mean_influence([3.0, 0.1, 0.1, 0.1])
    found = confidence.interval_over_speakers(0.8, influence, list("abcd"), bounds=(0, float("inf")))
    assert found.low == 0
    assert found.high > 1


def test_what_does_not_fit_is_said():
    with pytest.raises(UsageError, match="one for each clip"):
        confidence.interval_over_speakers(0.5, [0.1, -0.1], ["a"])
    with pytest.raises(UsageError, match="between 0 and 1"):
        confidence.interval_over_speakers(0.5, [0.1, -0.1], ["a", "b"], level=95)


@pytest.fixture(scope="module")
def simulation():
    return runpy.run_path(str(SCRIPTS / "interval_coverage.py"))


@pytest.mark.parametrize("speakers", [10, 24])
@pytest.mark.parametrize("thinned", [False, True])
def test_with_ten_speakers_or_more_it_holds_the_truth_93_to_97_times_in_100(simulation, speakers, thinned):
    # 1,500 trials at 95 % have a standard error of 0.56 points: the bounds are more than three away.
    student, _ = simulation["coverage"](speakers, thinned, trials=1500, plain=False)
    assert 0.93 < student < 0.97


@pytest.mark.parametrize("speakers", confidence.COVERAGE)
def test_what_is_said_of_few_speakers_is_what_the_simulation_finds(simulation, speakers):
    found, _ = simulation["coverage"](speakers, True, trials=600, plain=False)
    # 600 trials have a standard error of 0.9 points, and what is said is the worse of two designs.
    assert 100 * found == pytest.approx(confidence.COVERAGE[speakers][0], abs=3)


def test_the_percentile_bootstrap_holds_it_less_often(simulation):
    student, percentile = simulation["coverage"](4, False, trials=300)
    assert student > 0.92
    # 300 trials at 80 % have a standard error of 2.3 points.
    assert 100 * percentile == pytest.approx(confidence.COVERAGE[4][1], abs=7)


def test_the_shortfall_of_few_speakers_is_said_and_of_many_there_is_none():
    assert "5 speakers" in confidence.few_speakers(5) and "0.7 short of 95" in confidence.few_speakers(5)
    assert "0.7 short of 95" in confidence.few_speakers(9)
    assert "1.2 short of 95" in confidence.few_speakers(2)
    assert confidence.few_speakers(10) is None and confidence.few_speakers(1) is None


@pytest.mark.slow
@pytest.mark.parametrize("speakers", [10, 24])
@pytest.mark.parametrize("calibrated", [False, True])
def test_aurc_s_interval_holds_the_truth_and_that_of_ece_would_not(simulation, speakers, calibrated):
    found = simulation["confidence_coverage"](speakers, trials=400, calibrated=calibrated)
    assert 0.92 < found["aurc"][0] < 0.98  # a standard error is 1.1 points
    if calibrated:
        assert found["ece"][0] < 0.5
