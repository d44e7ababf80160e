import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
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


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 8, 23, 90, 1000])
@pytest.mark.parametrize("probability", [0.5, 0.6, 0.9, 0.975, 0.995])
def test_students_t_is_scipys(freedom, probability):
    expected = stats.t.ppf(probability, freedom)
    assert confidence.student_t_quantile(probability, freedom) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(st.integers(0, 5000))
@pytest.mark.parametrize(
    ("influence", "measure"),
    [(confidence.uar_influence, metrics.uar), (confidence.macro_f1_influence, metrics.macro_f1)],
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


@pytest.mark.parametrize(("speakers", "thinned"), [(4, False), (10, True)])
def test_it_holds_the_truth_as_often_as_it_says_where_the_percentile_bootstrap_does_not(speakers, thinned):
    coverage = runpy.run_path(str(SCRIPTS / "interval_coverage.py"))["coverage"]
    student, percentile = coverage(speakers, thinned, trials=600)
    # 600 trials at 95 % have a standard error of 0.9 points.
    assert 0.925 < student < 0.975
    assert percentile < student
