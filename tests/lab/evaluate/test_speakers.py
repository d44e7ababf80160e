"""The spread between speakers: what chance gives is none, and its interval holds the truth."""

import math

import numpy as np
import pytest
from scipy import stats

from answered import answered, equal_clips
from vocemo.lab.evaluate import Predictions
from vocemo.lab.evaluate.speakers import speaker_gap, spread, spread_interval

TO_DIFFERENCE = 2 / math.sqrt(math.pi)


def drawn(generator, speakers, deviation, each=8):
    """Speakers whose true UAR is 0.6 with this deviation, in every emotion alike."""
    own = np.clip(0.6 + generator.normal(0, deviation, speakers), 0.001, 0.999)
    return equal_clips(generator, speakers, each, shift=np.log(own / (1 - own)) - 0.5)


def test_with_equal_errors_it_is_the_variance_beyond_the_error():
    generator = np.random.default_rng(0)
    own, error = generator.normal(0.6, 0.2, 12), np.full(12, 0.05)
    assert spread(own, error) == pytest.approx(math.sqrt(own.var(ddof=1) - 0.05**2))
    low, high = spread_interval(own, error)
    for end, quantile in ((low, 0.975), (high, 0.025)):
        expected = 11 * own.var(ddof=1) / stats.chi2.ppf(quantile, 11) - 0.05**2
        assert end == pytest.approx(math.sqrt(expected))


def test_q_is_solved_where_errors_differ():
    generator = np.random.default_rng(1)
    own, error = generator.normal(0.6, 0.2, 9), generator.uniform(0.02, 0.2, 9)
    weight = 1 / (error**2 + spread(own, error) ** 2)
    centre = np.average(own, weights=weight)
    assert (weight * (own - centre) ** 2).sum() == pytest.approx(8)


def test_speakers_who_are_alike_seldom_count_and_those_who_are_not_do():
    generator = np.random.default_rng(2)
    alike = [speaker_gap(answered(*drawn(generator, 12, 0.0))).counts for _ in range(200)]
    assert np.mean(alike) < 0.06  # 2.5 % by theory; a standard error is 1.1 points
    unlike = [speaker_gap(answered(*drawn(generator, 12, 0.2))).counts for _ in range(50)]
    assert np.mean(unlike) > 0.9


@pytest.mark.parametrize("speakers", [6, 24])
def test_the_interval_holds_the_truth_as_often_as_it_says(speakers):
    generator = np.random.default_rng(3)
    found = [speaker_gap(answered(*drawn(generator, speakers, 0.1))) for _ in range(250)]
    held = np.mean([gap.ci95[0] <= TO_DIFFERENCE * 0.1 <= gap.ci95[1] for gap in found])
    assert 0.91 < held < 0.99  # a standard error is 1.4 points
    if speakers == 24:
        assert np.mean([gap.difference for gap in found]) == pytest.approx(TO_DIFFERENCE * 0.1, rel=0.08)


def test_seeds_are_averaged_by_clip_before_anything_else():
    generator = np.random.default_rng(4)
    right, names, targets = drawn(generator, 8, 0.15)
    once = answered(right, names, targets)
    twice = Predictions.concatenate([once, answered(right, names, targets, seed=1)])
    assert speaker_gap(twice).difference == pytest.approx(speaker_gap(once).difference)
    assert speaker_gap(twice).ci95 == pytest.approx(speaker_gap(once).ci95)
    # Rows without a path are told apart by their place.
    for whole in (once, twice):
        for subject in whole.subjects:
            object.__setattr__(subject, "path", "")
    assert speaker_gap(twice).ci95 == pytest.approx(speaker_gap(once).ci95)


def test_a_speaker_who_lacks_the_hard_emotion_is_not_the_better_for_it():
    generator = np.random.default_rng(5)
    speakers, each = 10, 40
    names = np.arange(speakers).repeat(4 * each)
    targets = np.tile(np.arange(4).repeat(each), speakers)
    right = generator.random(len(names)) < np.array([0.1, 0.9, 0.9, 0.9])[targets]
    kept = ~((targets == 0) & (names < 5))
    gap = speaker_gap(answered(right[kept], names[kept], targets[kept]))
    assert not gap.counts and gap.difference < 0.02


def test_where_nothing_can_be_said_nothing_is():
    right, names, targets = equal_clips(np.random.default_rng(6), 2, 3)
    assert speaker_gap(answered(right, names, targets)) is None
    right, names, targets = equal_clips(np.random.default_rng(6), 5, 1)
    assert speaker_gap(answered(right, names, targets)) is None  # one clip a cell says nothing of chance
    right, names, targets = equal_clips(np.random.default_rng(6), 5, 3)
    assert speaker_gap(answered(np.ones_like(right), names, targets)) is None
    assert speaker_gap(answered(right, ["unknown"] * len(names), targets)) is None
