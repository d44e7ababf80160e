import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom

from vocemo.errors import UsageError
from vocemo.lab.evaluate import Predictions, Subject
from vocemo.lab.selective import (
    WANTED,
    Threshold,
    chosen,
    clopper_pearson,
    risk_bound,
    threshold_for,
    thresholds,
)

SPEAKERS = 20


def answers(generator, speakers=SPEAKERS, clips=30, between=0.0):
    """Confidences, errors and speakers: right as often as the confidence says, moved for each speaker."""
    whose = np.repeat(np.arange(speakers), clips)
    confidence = generator.uniform(0.2, 1.0, len(whose))
    shift = generator.normal(0, between, speakers)[whose]
    right = generator.random(len(whose)) < np.clip(confidence + shift, 0, 1)
    return confidence, ~right, [f"c/{each}" for each in whose]


def true_risk(threshold):
    """Of the answers at or above a threshold, over speakers without end."""
    return 1 - (threshold + 1) / 2


@pytest.mark.parametrize(("wrong", "count"), [(0, 10), (3, 10), (7, 200), (10, 10)])
@pytest.mark.parametrize("delta", [0.01, 0.2])
def test_clopper_and_pearsons_bound_is_scipys_and_the_tail_it_is_defined_by(wrong, count, delta):
    bound = clopper_pearson(wrong / count, count, delta)
    expected = 1.0 if wrong == count else beta.ppf(1 - delta, wrong + 1, count - wrong)
    assert bound == pytest.approx(expected)
    if wrong < count:
        assert binom.cdf(wrong, count, bound) == pytest.approx(delta)


def test_without_a_speakers_part_the_bound_is_near_that_of_independent_answers():
    generator = np.random.default_rng(0)
    wrong = (generator.random(4000) < 0.3).astype(float)
    found = risk_bound(wrong, np.arange(4000) % 400, 0.05)
    assert found == pytest.approx(clopper_pearson(float(wrong.mean()), 4000, 0.05), abs=0.005)


def test_speakers_who_succeed_and_fail_as_one_count_as_one_answer_each():
    wrong = np.repeat([0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0], 100)
    speakers = np.repeat(np.arange(8), 100)
    assert risk_bound(wrong, speakers, 0.1) >= clopper_pearson(0.25, 8, 0.1)


def test_answers_given_again_by_other_seeds_narrow_nothing():
    _, wrong, speakers = answers(np.random.default_rng(1))
    whose = np.unique(speakers, return_inverse=True)[1]
    once = risk_bound(wrong.astype(float), whose, 0.05)
    thrice = risk_bound(np.tile(wrong, 3).astype(float), np.tile(whose, 3), 0.05)
    assert thrice == pytest.approx(once, abs=0.01)


@pytest.mark.parametrize("between", [0.0, 0.15])
def test_the_true_risk_is_seldom_above_the_wanted_one(between):
    generator = np.random.default_rng(2)
    above = found = 0
    for _ in range(100):
        made = threshold_for(*answers(generator, between=between), 0.25, delta=0.1)
        if made is not None:
            found += 1
            # Cut at 0 and 1, a shift of the speakers costs a little of the most confident answers.
            above += true_risk(made.threshold) + 0.3 * between**2 > 0.25
    assert found > 75
    assert above <= 0.1 * 100


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 500), st.sampled_from(WANTED), st.sampled_from(WANTED))
def test_a_threshold_is_held_by_its_bound_and_covers_what_it_says(seed, one, other):
    confidence, wrong, speakers = answers(np.random.default_rng(seed), speakers=6, clips=12)
    found = {risk: threshold_for(confidence, wrong, speakers, risk) for risk in (one, other)}
    for risk, made in found.items():
        if made is not None:
            kept = confidence >= made.threshold
            assert made.risk == pytest.approx(wrong[kept].mean()) and made.risk < risk
            assert made.coverage == pytest.approx(kept.mean())
            assert made.wanted_risk == risk


def test_where_no_threshold_reaches_the_risk_there_is_none():
    confidence, speakers = np.linspace(0.2, 1, 100), ["a", "b", "c", "d"] * 25
    assert threshold_for(confidence, np.ones(100, bool), speakers, 0.5) is None
    assert threshold_for(confidence, np.zeros(100, bool), ["a"] * 100, 0.05) is None  # one speaker
    assert threshold_for([0.9], [False], ["a"], 0.5) is None


def test_level_confidences_stay_together():
    made = threshold_for([0.5] * 300, [False] * 280 + [True] * 20, ["a", "b", "c"] * 100, 0.5)
    assert made is not None and made.threshold == 0.5 and made.coverage == 1.0


def test_every_risk_is_tried_and_those_that_none_reaches_are_left_out():
    confidence, wrong, speakers = answers(np.random.default_rng(3), clips=60)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    low = confidence < 0.5  # the second emotion is then the answer
    targets = np.where(wrong, 1, 0) ^ low
    zeros = np.zeros(len(wrong), np.int64)
    subjects = tuple(Subject(f"{n}", "c", speaker) for n, speaker in enumerate(speakers))
    table = Predictions(("a", "b"), subjects, targets.astype(np.int64), probabilities, zeros, zeros)
    found = thresholds(table)
    assert [each.wanted_risk for each in found] == sorted(each.wanted_risk for each in found)
    assert 0.3 in [each.wanted_risk for each in found] and len(found) < len(WANTED)
    again = threshold_for(np.maximum(confidence, 1 - confidence), wrong, speakers, 0.3)
    assert chosen(found, 0.3) == again
    assert chosen(found, 0.05) is None


def test_a_risk_that_is_not_tried_is_answered_with_those_that_are():
    with pytest.raises(UsageError, match=r"risk 0\.33; valid: 0\.05, 0\.1, .*0\.5"):
        chosen([Threshold(0.3, 0.5, 0.2, 0.5)], 0.33)


@pytest.mark.parametrize(
    ("confidence", "wrong", "speakers", "risk", "said"),
    [
        ([], [], [], 0.3, "one each an answer"),
        ([0.5], [True, False], ["a"], 0.3, "one each an answer"),
        ([0.5], [True], ["a", "b"], 0.3, "one each an answer"),
        ([0.5], [True], ["a"], 0.0, "above 0 and below 1"),
        ([0.5], [True], ["a"], 30, "above 0 and below 1"),
    ],
)
def test_what_cannot_be_chosen_from_is_said(confidence, wrong, speakers, risk, said):
    with pytest.raises(UsageError, match=said):
        threshold_for(confidence, wrong, speakers, risk)
