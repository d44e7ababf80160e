"""One fold from clips to figures: it learns, it chooses by validation alone, and it refuses what leaks."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from scipy.special import log_softmax

import fabricate
import fabricate_run
from vocemo.emotions import EMOTIONS
from vocemo.errors import CorpusError, LeakError, RunError, UsageError
from vocemo.lab import augment, checkpoint, crossval, domain, experiment, network
from vocemo.lab import recipe as recipes
from vocemo.lab.corpora import Clip, read
from vocemo.lab.evaluate import Predictions
from vocemo.lab.mahalanobis import Gaussians
from vocemo.lab.outcome import Outcome, TrainedOn
from vocemo.lab.plan import Plan
from vocemo.lab.run import RunFolder
from vocemo.lab.run_info import RunInfo
from vocemo.lab.scoring import score
from vocemo.lab.selective import Threshold
from vocemo.lab.splits import Fold
from vocemo.lab.waveforms import Samples, Waveforms

CHOSEN = fabricate_run.recipe()
FILES = {
    "run.json",
    "audit.json",
    "metrics.jsonl",
    "last.pt",
    "best.pt",
    "emotion_mappings.json",
    "domain.npz",
    "predictions.csv",
    "validation.csv",
    "result.json",
}


@pytest.fixture(scope="module")
def fold(tiny_corpus: str) -> Fold:
    return fabricate_run.fold(tiny_corpus)


@pytest.fixture(scope="module")
def done(
    tiny_corpus: str, fold: Fold, tiny_waveforms: Waveforms, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    path = tmp_path_factory.mktemp("done")
    fabricate_run.run(tiny_corpus, fold, path, CHOSEN, waveforms=tiny_waveforms)
    return RunFolder(path)


def test_emotions_of_unseen_speakers_are_learnt_well_above_chance(
    learnt: tuple[str, Path], tmp_path: Path
) -> None:
    spec, folder = learnt
    chosen = fabricate_run.recipe(*fabricate_run.LEARNING)
    other = fabricate_run.run(spec, fabricate_run.fold(spec, index=3), tmp_path, chosen)
    tests = [RunFolder(folder).outcome().test, other.test]
    assert [test.test_speakers for test in tests if test] == [("ravdess/01",), ("ravdess/03",)]
    # 48 clips, chance 1 in 8: more than 17 right happen once in a million.
    assert np.mean([test.uar for test in tests if test]) > 0.4


def test_a_run_folder_holds_all_that_it_says(done: RunFolder, fold: Fold, tiny_corpus: str) -> None:
    assert {path.name for path in done.path.iterdir()} == FILES
    info = done.info()
    assert (info.recipe, info.corpora, info.protocol) == (CHOSEN, (tiny_corpus,), "emobox-6")
    assert (info.fold, info.seed, info.clips) == (0, 0, (32, 8, 8))
    assert info.made["device"] == "cpu" and info.made["versions"]["torch"]
    assert json.loads(done.info_path.read_text())["recipe_sha256"] == CHOSEN.sha256
    assert RunInfo.from_dict(info.to_dict()) == info
    assert not done.leaky()
    outcome = done.outcome()
    assert outcome.trained_on.clips == 32 and outcome.trained_on.speakers == 4
    assert outcome.parameters == sum(network.build(CHOSEN, seed=0).parameter_counts())
    assert outcome.test is not None and outcome.test.test_clips == 8
    assert len(done.history()) == outcome.epochs == 2
    for predictions, clips in (
        (done.predictions, fold.test),
        (done.validation_predictions, fold.validation),
    ):
        assert {s.path for s in Predictions.read(predictions).subjects} == {c.key for c in clips}


def test_answers_are_those_of_the_best_weights_at_the_temperature_of_validation(
    learnt: tuple[str, Path],
) -> None:
    spec, path = learnt
    folder = RunFolder(path)
    recipe, fold = folder.info().recipe, fabricate_run.fold(spec)
    trained = network.build(recipe, seed=9).train()
    checkpoint.load_weights(trained, folder.weights, fabricate_run.CPU)
    store = experiment.waveforms_for(recipe)

    def scores(clips: tuple[Clip, ...]) -> np.ndarray:
        # One clip at a time, so that nothing of a batch can be in it.
        rows = [
            score(trained, [clip], recipe.emotions, store, device=fabricate_run.CPU).logits[0]
            for clip in clips
        ]
        return np.array(rows)

    logits = scores(fold.validation)
    targets = [recipe.emotions.index(clip.emotion) for clip in fold.validation]

    def loss(log_temperature: float) -> float:
        rows = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(rows[np.arange(len(targets)), targets].mean())

    best = scipy.optimize.minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    temperature = folder.outcome().temperature
    assert temperature == pytest.approx(float(np.exp(best.x)), rel=1e-3)
    expected = np.exp(log_softmax(scores(fold.test) / temperature, axis=1))
    np.testing.assert_allclose(Predictions.read(folder.predictions).probabilities, expected, atol=1e-5)
    assert trained.training  # as it was before it was asked


def test_test_labels_change_test_figures_and_nothing_else(
    tiny_corpus: str, fold: Fold, done: RunFolder, tiny_waveforms: Waveforms, tmp_path: Path
) -> None:
    swapped = tuple(
        dataclasses.replace(clip, emotion=EMOTIONS[(EMOTIONS.index(clip.emotion) + 3) % 8])
        for clip in fold.test
    )
    outcome = fabricate_run.run(
        tiny_corpus, dataclasses.replace(fold, test=swapped), tmp_path, CHOSEN, waveforms=tiny_waveforms
    )
    other = RunFolder(tmp_path)
    assert fabricate_run.same(fabricate_run.weights(other.weights), fabricate_run.weights(done.weights))
    assert other.validation_predictions.read_bytes() == done.validation_predictions.read_bytes()
    before = done.outcome()
    assert (outcome.temperature, outcome.best_epoch, outcome.epochs) == (
        before.temperature,
        before.best_epoch,
        before.epochs,
    )
    ours, theirs = Predictions.read(other.predictions), Predictions.read(done.predictions)
    assert np.array_equal(ours.probabilities, theirs.probabilities)
    assert not np.array_equal(ours.targets, theirs.targets)
    assert outcome.test is not None and before.test is not None
    assert outcome.test.loss != before.test.loss


@pytest.mark.parametrize("enlarge", ["none", "all", "balance"])
def test_variants_are_made_of_training_clips_alone(
    tiny_corpus: str, fold: Fold, tmp_path: Path, enlarge: str
) -> None:
    chosen = fabricate_run.recipe(
        "training.epochs=1", "augmentation.pool=2", f"augmentation.enlarge={enlarge}"
    )
    varied: list[str] = []

    class Watched(Waveforms):
        def variant(self, clip: Clip, number: int) -> Samples:
            if number:
                varied.append(clip.key)
            return super().variant(clip, number)

    watched = Watched(chosen.preparation, augment.chain(chosen.augmentation.pooled))
    fabricate_run.run(tiny_corpus, fold, tmp_path / "run", chosen, waveforms=watched)
    assert varied and set(varied) <= {clip.key for clip in fold.train}
    if enlarge != "none":
        assert set(varied) == {clip.key for clip in fold.train}
    # What was made before the split, or for another fold, is no other: a variant depends on its clip alone.
    assert not set(varied) & {clip.key for clip in (*fold.validation, *fold.test)}


def test_the_best_epoch_is_kept_and_not_the_last(
    tiny_corpus: str, fold: Fold, tiny_waveforms: Waveforms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([0.9, 0.5, 0.7, 0.8])
    genuine = experiment.validation_scores
    monkeypatch.setattr(
        experiment,
        "validation_scores",
        lambda scores: dataclasses.replace(genuine(scores), loss=next(losses)),
    )
    longer, shorter = tmp_path / "longer", tmp_path / "shorter"
    four = fabricate_run.recipe("training.epochs=4")
    outcome = fabricate_run.run(tiny_corpus, fold, longer, four, waveforms=tiny_waveforms)
    assert (outcome.best_epoch, outcome.epochs) == (2, 4)
    losses = iter([0.9, 0.5])
    fabricate_run.run(tiny_corpus, fold, shorter, CHOSEN, waveforms=tiny_waveforms)
    kept = fabricate_run.weights(longer / "best.pt")
    assert fabricate_run.same(kept, fabricate_run.weights(shorter / "best.pt"))
    assert outcome.test is not None and outcome.test.best_epoch == 2


def test_a_fold_that_breaks_its_promise_is_refused_and_leaves_nothing(
    tiny_corpus: str, fold: Fold, tiny_waveforms: Waveforms, tmp_path: Path
) -> None:
    leaking = dataclasses.replace(fold, train=fold.train + fold.test[:1], test=fold.test[1:])
    with pytest.raises(LeakError, match="ravdess/01"):
        fabricate_run.run(tiny_corpus, leaking, tmp_path / "run", CHOSEN, waveforms=tiny_waveforms)
    assert not (tmp_path / "run").exists()


def test_a_leaky_protocol_is_run_and_called_leaky(
    tiny_corpus: str, tiny_waveforms: Waveforms, tmp_path: Path
) -> None:
    fold = fabricate_run.fold(tiny_corpus, "random")
    outcome = fabricate_run.run(tiny_corpus, fold, tmp_path, CHOSEN, waveforms=tiny_waveforms)
    assert outcome.test is not None
    assert RunFolder(tmp_path).leaky()


def test_what_lies_farther_out_than_unheard_speakers_is_known_from_a_fold(
    done: RunFolder, fold: Fold, tiny_waveforms: Waveforms
) -> None:
    found, gaussians = done.outcome().distances, Gaussians.read(done.domain)
    trained = network.build(CHOSEN, 0)
    checkpoint.load_weights(trained, done.weights, fabricate_run.CPU)
    given = (trained, fold.validation, CHOSEN.emotions, tiny_waveforms)
    scores = score(*given, device=fabricate_run.CPU, summaries=True)
    assert found is not None and scores.summaries is not None
    assert found.limit == pytest.approx(np.quantile(gaussians.distance(scores.summaries), 0.99))
    assert found.median < found.limit and found.ratio == found.limit / found.median
    known, targets = domain.summaries_of_training(
        trained, fold.train, done.info(), tiny_waveforms, fabricate_run.CPU
    )
    assert len(known) == len(targets) == 32 and gaussians.means.shape == (8, known.shape[1])
    np.testing.assert_allclose(np.median(gaussians.distance(known)), found.median, rtol=1e-5)


def test_what_an_older_vocemo_did_not_measure_is_measured_afterwards(
    tiny_corpus: str,
    fold: Fold,
    done: RunFolder,
    tiny_waveforms: Waveforms,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(experiment.train, "fit", lambda *_, **__: pytest.fail("trained again"))
    older = RunFolder(tmp_path / "older")
    shutil.copytree(done.path, older.path)
    result = json.loads(older.result.read_text())
    del result["thresholds"], result["distances"]
    older.result.write_text(json.dumps(result))
    older.domain.unlink()
    assert older.outcome().distances is None and older.outcome().thresholds == ()
    weights = older.weights.read_bytes()
    run = {"waveforms": tiny_waveforms, "resume": True}
    assert fabricate_run.run(tiny_corpus, fold, older.path, CHOSEN, **run) == done.outcome()
    assert older.outcome() == done.outcome() and older.weights.read_bytes() == weights
    older.weights.unlink()
    older.domain.unlink()
    assert fabricate_run.run(tiny_corpus, fold, older.path, CHOSEN, **run) == done.outcome()


def test_a_complete_run_is_only_read(
    tiny_corpus: str, fold: Fold, done: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment.train, "fit", lambda *_, **__: pytest.fail("trained again"))
    again = fabricate_run.run(tiny_corpus, fold, done.path, CHOSEN, resume=True)
    assert again == done.outcome()


@pytest.mark.parametrize(
    ("setting", "difference"),
    [
        ("training.epochs=9", r"recipe\.training"),
        ("model.hidden=9", r"recipe\.model"),
        ("summary=other", r"recipe\.summary"),
    ],
)
def test_another_recipe_is_no_resumption(
    tiny_corpus: str, fold: Fold, done: RunFolder, setting: str, difference: str
) -> None:
    with pytest.raises(RunError, match=f"cannot be resumed: its {difference} is"):
        fabricate_run.run(tiny_corpus, fold, done.path, fabricate_run.recipe(setting), resume=True)


def test_neither_is_another_seed_fold_or_corpus(tiny_corpus: str, fold: Fold, done: RunFolder) -> None:
    with pytest.raises(RunError, match="its seed is 0, asked for is 1"):
        fabricate_run.run(tiny_corpus, fold, done.path, CHOSEN, resume=True, seed=1)
    with pytest.raises(RunError, match="its fold is 0, asked for is 2"):
        fabricate_run.run(tiny_corpus, dataclasses.replace(fold, index=2), done.path, CHOSEN, resume=True)
    fewer = dataclasses.replace(fold, train=fold.train[1:])
    with pytest.raises(RunError, match="its clips is"):
        fabricate_run.run(tiny_corpus, fewer, done.path, CHOSEN, resume=True)
    with pytest.raises(RunError, match="its corpora is"):
        fabricate_run.run("ravdess-speech:elsewhere", fold, done.path, CHOSEN, resume=True)


def test_a_folder_with_a_run_is_not_written_over(
    tiny_corpus: str, fold: Fold, done: RunFolder, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in done.path.iterdir()}
    with pytest.raises(RunError, match="--resume"):
        fabricate_run.run(tiny_corpus, fold, done.path, CHOSEN)
    assert {path: path.read_bytes() for path in done.path.iterdir()} == before
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        fabricate_run.run(tiny_corpus, fold, tmp_path / "file", CHOSEN)


def test_what_is_no_run_is_named(tmp_path: Path, done: RunFolder) -> None:
    with pytest.raises(UsageError, match="holds no run"):
        RunFolder(tmp_path).info()
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(RunError, match="cannot be read"):
        RunFolder(tmp_path).info()
    (tmp_path / "run.json").write_bytes(done.info_path.read_bytes())
    with pytest.raises(RunError, match="not complete"):
        RunFolder(tmp_path).outcome()
    with pytest.raises(RunError, match=r"audit\.json cannot be read"):
        RunFolder(tmp_path).leaky()
    (tmp_path / "result.json").write_text("[]")
    with pytest.raises(RunError, match=r"result\.json cannot be read"):
        RunFolder(tmp_path).outcome()


def test_all_clips_are_trained_by_a_plan(tiny_corpus: str, tiny_waveforms: Waveforms, tmp_path: Path) -> None:
    thresholds = (Threshold(0.3, 0.6, 0.2, 0.5),)
    learnt = Plan(CHOSEN.name, CHOSEN.sha256, "emobox-6", 6, (3e-3, 1e-3), 1.7, thresholds, 1.5)
    fold = fabricate_run.fold(tiny_corpus, "all")
    info = crossval.run_info(CHOSEN, (tiny_corpus,), fold, 0, fabricate_run.CPU, learnt)
    folder = RunFolder(tmp_path)
    outcome = experiment.run_fold(info, fold, folder, waveforms=tiny_waveforms, device=fabricate_run.CPU)
    assert (outcome.temperature, outcome.test, outcome.best_epoch) == (1.7, None, 2)
    assert outcome.trained_on.clips == 48 and outcome.trained_on.speakers == 6
    assert outcome.thresholds == thresholds
    assert outcome.distances is not None and outcome.distances.ratio == pytest.approx(1.5)
    assert [record.learning_rate for record in folder.history()] == [3e-3, 1e-3]
    assert all(record.validation_loss is None for record in folder.history())
    assert not folder.predictions.exists() and not folder.validation_predictions.exists()
    assert Outcome.from_dict(json.loads(folder.result.read_text())) == outcome


def test_clips_of_emotions_that_a_recipe_lacks_are_left_out_and_counted(tmp_path: Path) -> None:
    manifest = read(f"emodb:{fabricate.emodb(tmp_path, 2, 1, 0.1)}")
    chosen = experiment.select(manifest, CHOSEN)
    assert chosen.dropped == {"boredom": 2}
    assert len(chosen.manifest) == len(manifest) - 2
    only = fabricate_run.recipe('emotions=["calm", "surprised"]')
    with pytest.raises(CorpusError, match=r"calm, surprised.*the corpus has: .*boredom"):
        experiment.select(manifest, only)


def test_durations_of_training_are_those_of_numpy() -> None:
    lengths = np.random.default_rng(0).uniform(1, 5, 40)
    clips = [Clip(Path("a"), "folder", "sad", f"folder/{n % 7}", duration_s=s) for n, s in enumerate(lengths)]
    found = TrainedOn.of([*clips, Clip(Path("b"), "folder", "sad", "folder/8")])
    assert (found.clips, found.speakers) == (41, 8)
    assert found.duration_median_s == pytest.approx(np.median(lengths), abs=1e-3)
    assert found.duration_p05_s == pytest.approx(np.quantile(lengths, 0.05), abs=1e-3)


def test_emotions_that_count_as_another_are_relabelled_and_the_rest_is_dropped(tiny_corpus: str) -> None:
    chosen = recipes.load("mel-cnn2d")
    manifest = read(tiny_corpus)
    selection = experiment.select(manifest, chosen)
    assert not selection.dropped and len(selection.manifest) == len(manifest)
    of = {e: sum(c.emotion == e for c in manifest) for e in EMOTIONS}
    assert sum(c.emotion == "neutral" for c in selection.manifest) == of["neutral"] + of["calm"]
    plain = experiment.select(manifest, dataclasses.replace(chosen, relabel={}))
    assert plain.dropped == {"calm": of["calm"]}


def test_a_run_ends_in_the_precision_that_it_began_in(
    tiny_corpus: str, fold: Fold, tiny_waveforms: Waveforms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resumed on a processor that would gain by half the width, a run that began in full goes on in full."""
    chosen = fabricate_run.recipe("training.precision=auto")

    def run(folder: Path, **more: Any) -> None:
        fabricate_run.run(tiny_corpus, fold, folder, chosen, waveforms=tiny_waveforms, **more)

    monkeypatch.setattr(experiment.devices, "gains_by_bfloat16", lambda device: False)
    run(tmp_path / "unbroken")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "resumed", callbacks=[fabricate_run.BreakInTheSecondEpoch()])
    monkeypatch.setattr(experiment.devices, "gains_by_bfloat16", lambda device: True)
    run(tmp_path / "resumed", resume=True)
    unbroken, resumed = (fabricate_run.weights(tmp_path / n / "best.pt") for n in ("unbroken", "resumed"))
    assert fabricate_run.same(unbroken, resumed)
