from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from vocemo.errors import UsageError
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.evaluate import Predictions, Results, fold_result, score, summarise
from vocemo.lab.evaluate.summary import complete_seeds

EMOTIONS = ("neutral", "happy", "sad", "angry")


def answers(fold, seed, speakers, each=5):
    """A fold's speakers, each with the same clips of each emotion, answered better than by chance."""
    generator = np.random.default_rng(1000 * seed + fold)
    clips = [
        Clip(Path(f"{speaker}/{emotion}-{n}.wav"), "c", emotion, f"c/{speaker}")
        for speaker in speakers
        for emotion in EMOTIONS
        for n in range(each)
    ]
    logits = (
        generator.normal(size=(len(clips), 4)) + 1.5 * np.eye(4)[[EMOTIONS.index(c.emotion) for c in clips]]
    )
    exponentials = np.exp(logits)
    return Predictions.of(
        clips, exponentials / exponentials.sum(1, keepdims=True), EMOTIONS, fold=fold, seed=seed
    )


FOLDS = {1: ("a", "b"), 2: ("d", "e", "f")}


def crossval(seeds=(0, 1, 2)):
    return Predictions.concatenate(
        answers(fold, s, speakers) for s in seeds for fold, speakers in FOLDS.items()
    )


def test_means_over_folds_then_over_seeds():
    whole = crossval()
    found = summarise(whole, np.random.default_rng(0))
    by_seed = []
    for seed in (0, 1, 2):
        folds = [whole.run(seed=seed, fold=fold) for fold in (1, 2)]
        by_seed.append(np.mean([score(f.targets, f.probabilities).uar for f in folds]))
    metric = found.metrics["uar"]
    assert metric.over == "folds"
    assert metric.mean == pytest.approx(np.mean(by_seed))
    assert metric.sd == pytest.approx(np.std(by_seed, ddof=1))
    pooled = [score(p.targets, p.probabilities) for p in (whole.where(whole.seed == s) for s in (0, 1, 2))]
    assert metric.pooled == pytest.approx(np.mean([p.uar for p in pooled]))
    assert metric.pooled != pytest.approx(metric.mean)  # the folds are of different size
    for name in ("ece", "brier", "aurc", "top2"):
        assert found.metrics[name].over == "pooled"
        assert found.metrics[name].mean == pytest.approx(np.mean([getattr(p, name) for p in pooled]))
    assert found.metrics["ece"].calibrated > 0
    assert (found.folds, found.seeds, found.clips) == (2, (0, 1, 2), 100)
    assert np.sum(found.confusion) == 300
    assert found.per_emotion["sad"].clips == 75


def test_the_interval_is_over_speakers_averaged_over_seeds():
    whole = crossval()
    speakers = np.array([s.speaker for s in whole.subjects])
    right = whole.targets == whole.predicted
    own = [right[speakers == name].mean() for name in whole.speakers]
    low, high = stats.t.interval(0.95, len(own) - 1, np.mean(own), stats.sem(own))
    found = summarise(whole, np.random.default_rng(0)).metrics
    # Clips are equal here, so that accuracy and UAR both are means of the speakers' own.
    for name in ("accuracy", "uar"):
        assert found[name].ci95 == (pytest.approx(low), pytest.approx(high))
    squares = np.square(whole.probabilities - np.eye(4)[whole.targets]).sum(1)
    own = [squares[speakers == name].mean() for name in whole.speakers]
    assert found["brier"].ci95 == pytest.approx(stats.t.interval(0.95, 4, np.mean(own), stats.sem(own)))
    assert found["ece"].ci95 is None
    assert all(
        low <= found[name].pooled <= high for name in ("macro_f1",) for low, high in [found[name].ci95]
    )


def test_one_seed_has_no_spread_and_one_speaker_no_interval():
    found = summarise(answers(1, 0, ("a",)), np.random.default_rng(0)).metrics
    assert found["uar"].sd is None
    assert found["uar"].ci95 is None
    assert found["uar"].mean == found["uar"].pooled


def test_the_order_of_rows_does_not_matter_but_for_the_simulation():
    whole = crossval()
    order = np.random.default_rng(0).permutation(len(whole))
    mixed = Predictions(
        whole.emotions,
        tuple(whole.subjects[n] for n in order),
        *(getattr(whole, name)[order] for name in ("targets", "probabilities", "fold", "seed")),
    )
    one, other = (summarise(p, np.random.default_rng(0)) for p in (whole, mixed))
    for name, metric in one.metrics.items():
        assert metric.mean == pytest.approx(other.metrics[name].mean)
        assert metric.ci95 == (other.metrics[name].ci95 and pytest.approx(other.metrics[name].ci95))
    assert one.confusion == other.confusion


def test_a_seed_still_running_is_left_out():
    whole = crossval(seeds=(0, 1))
    running = Predictions.concatenate([whole, answers(1, 2, FOLDS[1])])
    assert complete_seeds(running) == (0, 1)
    one, other = (summarise(p, np.random.default_rng(0)) for p in (whole, running))
    assert one.metrics == other.metrics
    assert other.seeds == (0, 1)


def test_a_folds_result_is_its_scores():
    part = answers(2, 5, FOLDS[2])
    found = fold_result(part, best_epoch=3, epochs=9, train_seconds=1.5)
    expected = score(part.targets, part.probabilities)
    assert (found.fold, found.seed, found.test_clips) == (2, 5, 60)
    assert found.test_speakers == ("c/d", "c/e", "c/f")
    assert (found.uar, found.loss) == (expected.uar, expected.loss)
    with pytest.raises(UsageError, match="needs those of one"):
        fold_result(crossval())


def test_an_emotion_that_was_never_spoken_nor_answered_is_absent_and_not_a_number():
    clips = [Clip(Path(f"{n}.wav"), "c", EMOTIONS[n % 2], f"c/{n % 3}") for n in range(6)]
    made = Predictions.of(clips, np.tile([0.6, 0.4, 0, 0], (6, 1)), EMOTIONS, fold=1, seed=0)
    found = summarise(made, np.random.default_rng(0))
    assert found.per_emotion["angry"].f1 is None
    assert found.per_emotion["happy"].precision == 0
    assert found.metrics["uar"].mean == 0.5


def test_a_summary_makes_a_valid_result():
    whole = crossval()
    found = summarise(whole, np.random.default_rng(0))
    made = Results(
        recipe="r",
        corpora=("c",),
        protocol="loso",
        leaky=False,
        emotions=EMOTIONS,
        folds=found.folds,
        seeds=found.seeds,
        metrics=found.metrics,
        per_fold=tuple(fold_result(whole.run(seed=s, fold=f)) for s, f in whole.runs),
        command="vocemo crossval r",
        commit="0123abc",
        date="2026-01-31",
        per_emotion=found.per_emotion,
        confusion=found.confusion,
    )
    assert Results.from_dict(made.to_dict()) == made


def test_nothing_cannot_be_summarised():
    with pytest.raises(UsageError, match="one or more"):
        summarise(answers(1, 0, ("a",)).where(np.zeros(20, bool)), np.random.default_rng(0))
