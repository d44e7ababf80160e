"""Each value of the bootstrap is the measure on rows, repeated as often as their speaker was drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.evaluate import bootstrap, confidence
from vocemo.lab.evaluate.metrics import score


def drawn(seed, clips=40, speakers=5, classes=3, level=False):
    """Targets, probabilities and speakers; with `level`, of few different confidences."""
    generator = np.random.default_rng(seed)
    probabilities = generator.random((clips, classes)) ** 2
    if level:
        probabilities = np.array([[0.6, 0.4, 0.0], [0.2, 0.6, 0.2], [0.1, 0.1, 0.8]])[
            generator.integers(0, 3, clips)
        ]
    probabilities /= probabilities.sum(1, keepdims=True)
    targets = np.where(
        generator.random(clips) < 0.5, probabilities.argmax(1), generator.integers(0, classes, clips)
    )
    return targets, probabilities, [f"s{n}" for n in generator.integers(0, speakers, clips)]


@settings(deadline=None)
@given(st.integers(0, 2000), st.booleans())
def test_every_measure_is_that_of_the_repeated_rows(seed, level):
    targets, probabilities, speakers = drawn(seed, level=level)
    names, place = np.unique(speakers, return_inverse=True)
    weights = bootstrap.draw(len(names), 4, np.random.default_rng(seed))
    found = bootstrap.Answers.of(targets, probabilities, speakers).measure(weights)
    assert set(found) == set(bootstrap.MEASURES)
    for row, of in enumerate(weights):
        again = np.arange(len(targets)).repeat(of[place])
        if not len(again):
            continue
        expected = score(targets[again], probabilities[again])
        for name, values in found.items():
            assert values[row] == pytest.approx(getattr(expected, name), abs=1e-12, nan_ok=True), name


def test_it_is_scikit_learns_too():
    targets, probabilities, speakers = drawn(7, clips=90)
    _, place = np.unique(speakers, return_inverse=True)
    weights = np.array([[2, 0, 1, 3, 1]])
    found = bootstrap.Answers.of(targets, probabilities, speakers).measure(weights)
    again = np.arange(90).repeat(weights[0][place])
    wanted, given_ = targets[again], probabilities[again]
    answer = given_.argmax(1)
    assert found["uar"][0] == pytest.approx(oracle.balanced_accuracy_score(wanted, answer))
    assert found["macro_f1"][0] == pytest.approx(oracle.f1_score(wanted, answer, average="macro"))
    assert found["kappa"][0] == pytest.approx(oracle.cohen_kappa_score(wanted, answer))
    assert found["loss"][0] == pytest.approx(oracle.log_loss(wanted, given_))
    assert found["top2"][0] == pytest.approx(oracle.top_k_accuracy_score(wanted, given_, k=2))


def test_what_is_done_in_parts_is_the_same(monkeypatch):
    answers = bootstrap.Answers.of(*drawn(3))
    weights = bootstrap.draw(5, 9, np.random.default_rng(0))
    whole = answers.measure(weights)
    monkeypatch.setattr(bootstrap, "_CELLS", 80)
    parts = answers.measure(weights, ["aurc", "ece"])
    for name, values in parts.items():
        np.testing.assert_allclose(values, whole[name], rtol=1e-12)


def test_its_interval_is_that_of_the_influences():
    targets, probabilities, speakers = drawn(11, clips=1200, speakers=12)
    answers = bootstrap.Answers.of(targets, probabilities, speakers)
    values = answers.measure(bootstrap.draw(12, 20_000, np.random.default_rng(0)), ["uar", "kappa"])
    predicted = probabilities.argmax(1)
    expected = score(targets, probabilities)
    for name, influence in (("uar", confidence.uar_influence), ("kappa", confidence.kappa_influence)):
        estimate = getattr(expected, name)
        by_influence = confidence.interval_over_speakers(
            estimate, influence(targets, predicted, 3), speakers, bounds=(-1, 1)
        )
        found = bootstrap.t_interval(estimate, values[name], 12, bounds=(-1, 1))
        reach = by_influence.high - by_influence.low
        assert found.high - found.low == pytest.approx(reach, rel=0.05)
        plain = bootstrap.percentile_interval(values[name])
        assert plain.high - plain.low < 0.93 * reach


def test_the_interval_keeps_to_its_bounds_and_one_speaker_has_none():
    assert bootstrap.t_interval(0.1, [0.0, 0.2, 0.1], 3).low == 0.0
    assert bootstrap.t_interval(0.1, [0.0, 0.2, 0.1], 1) is None
    assert bootstrap.t_interval(0.1, [0.1, 0.1, 0.1], 3) is None
    with pytest.raises(UsageError, match="two or more"):
        bootstrap.t_interval(0.1, [0.1], 3)


def test_a_seed_draws_the_same_again():
    one, other = (bootstrap.draw(6, 5, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert (one.sum(1) == 6).all() and one.shape == (5, 6)


def test_what_does_not_fit_is_said():
    targets, probabilities, speakers = drawn(0)
    answers = bootstrap.Answers.of(targets, probabilities, speakers)
    with pytest.raises(UnknownNameError, match="did you mean 'uar'"):
        answers.measure(np.ones((1, 5), int), ["uars"])
    for weights in (np.ones((1, 4), int), np.ones((1, 5)), -np.ones((1, 5), int), np.zeros((1, 5), int)):
        with pytest.raises(UsageError, match="whole numbers from 0"):
            answers.measure(weights)
    with pytest.raises(UsageError, match="one for each clip"):
        bootstrap.Answers.of(targets, probabilities, speakers[:-1])
    with pytest.raises(UsageError, match="both must be 1 or more"):
        bootstrap.draw(0, 5, np.random.default_rng(0))
