"""All folds and seeds: each is kept as soon as it is done, and together they say how good a recipe is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, recall_score

import fabricate_run
from vocemo.errors import RunError, UsageError
from vocemo.lab import crossval, experiment, plan, selective
from vocemo.lab.corpora import read
from vocemo.lab.crossval import Job
from vocemo.lab.evaluate import Predictions, Results, Subject
from vocemo.lab.history import EpochRecord
from vocemo.lab.mahalanobis import Distances
from vocemo.lab.outcome import Outcome, TrainedOn
from vocemo.lab.training_state import Step, TrainingState

CHOSEN = fabricate_run.recipe()
SEEDS = range(2)


class Count:
    """A callback that counts epochs."""

    def __init__(self) -> None:
        self.epochs = 0

    def on_batch(self, step: Step) -> None:
        pass

    def on_epoch(self, state: TrainingState) -> None:
        self.epochs += 1


@pytest.fixture(scope="module")
def done(tiny_corpus: str, tmp_path_factory: pytest.TempPathFactory) -> list[Job]:
    """The finished jobs of two seeds, broken off after the second fold and in the middle of the fourth."""
    out = tmp_path_factory.mktemp("crossval")
    todo = crossval.jobs(read(tiny_corpus), "emobox-6", SEEDS, out)
    counts = [Count() for _ in todo]

    class Stop(Count):
        def on_epoch(self, state: TrainingState) -> None:
            raise KeyboardInterrupt

    def run(callbacks: list[Count]) -> list[Job]:
        running = crossval.run(
            todo, CHOSEN, (tiny_corpus,), device=fabricate_run.CPU, callbacks=lambda n: [callbacks[n]]
        )
        return [job for job, _ in running]

    between = crossval.run(
        todo, CHOSEN, (tiny_corpus,), device=fabricate_run.CPU, callbacks=lambda n: [counts[n]]
    )
    assert [next(between)[0], next(between)[0]] == list(todo[:2])
    between.close()
    with pytest.raises(KeyboardInterrupt):
        run([*counts[:3], Stop(), *counts[4:]])
    finished = run(counts)
    assert [count.epochs for count in counts] == [CHOSEN.training.epochs] * len(todo)  # none trained twice
    return finished


def test_there_is_a_job_for_each_seed_and_fold(done: list[Job]) -> None:
    assert [(job.seed, job.fold.index) for job in done] == [(s, f) for s in SEEDS for f in range(6)]
    assert len({job.folder.path for job in done}) == len(done)
    assert all(job.folder.complete for job in done)
    for job in done:
        assert job.folder.info().seed == job.seed and job.folder.info().fold == job.fold.index
        test = job.folder.outcome().test
        assert test is not None and test.test_speakers == job.fold.test_speakers


def test_broken_off_and_gone_on_with_is_the_same_as_alone(
    done: list[Job], tiny_corpus: str, tmp_path: Path
) -> None:
    for job in (done[3], done[6]):
        alone = tmp_path / f"{job.seed}-{job.fold.index}"
        fabricate_run.run(tiny_corpus, job.fold, alone, CHOSEN, seed=job.seed)
        kept = fabricate_run.weights(job.folder.weights)
        assert fabricate_run.same(fabricate_run.weights(alone / "best.pt"), kept)


def test_figures_are_scikit_learns(done: list[Job], tiny_corpus: str) -> None:
    results = crossval.summarise(done, CHOSEN, (tiny_corpus,))
    assert (results.recipe, results.corpora, results.protocol) == (
        CHOSEN.name,
        ("ravdess-speech",),
        "emobox-6",
    )
    assert (results.folds, results.seeds, results.clips, results.leaky) == (6, (0, 1), 48, False)
    table = crossval.predictions_of(done)
    uars, accuracies, pooled = [], [], []
    for seed in SEEDS:
        rows = table.seed == seed
        truth, said = table.targets[rows], table.predicted[rows]
        pooled.append(balanced_accuracy_score(truth, said))
        per_fold = [(truth[table.fold[rows] == f], said[table.fold[rows] == f]) for f in range(6)]
        uars.append(np.mean([balanced_accuracy_score(*pair) for pair in per_fold]))
        accuracies.append(np.mean([accuracy_score(*pair) for pair in per_fold]))
    uar = results.metrics["uar"]
    assert uar.mean == pytest.approx(np.mean(uars))
    assert uar.sd == pytest.approx(np.std(uars, ddof=1))
    assert uar.pooled == pytest.approx(np.mean(pooled))
    assert results.metrics["accuracy"].mean == pytest.approx(np.mean(accuracies))
    recalls = recall_score(table.targets, table.predicted, average=None)
    found = [results.per_emotion[emotion].recall for emotion in results.emotions]
    assert found == pytest.approx(recalls)
    assert len(results.per_fold) == 12
    assert results.train_seconds == pytest.approx(
        sum(job.folder.outcome().train_seconds for job in done), abs=0.1
    )


def test_a_seed_that_is_not_whole_is_written_but_in_no_mean(
    done: list[Job], tiny_corpus: str, tmp_path: Path
) -> None:
    some = crossval.summarise(done[:8], CHOSEN, (tiny_corpus,))
    whole = crossval.summarise(done[:6], CHOSEN, (tiny_corpus,))
    assert whole.seeds == (0,) and whole.remark is None
    assert some.seeds == (0, 1) and len(some.per_fold) == 8
    assert some.remark == "under way, and in no mean: seed 1"
    assert some.metrics["uar"] == whole.metrics["uar"]
    told = crossval.summarise(done[:8], CHOSEN, (tiny_corpus,), planned=12).remark
    assert told == "8 of 12 trainings so far; under way, and in no mean: seed 1"
    assert crossval.summarise(done, CHOSEN, (tiny_corpus,), planned=12).remark is None
    some.write(tmp_path / "results.json")
    assert Results.read(tmp_path / "results.json") == some


def test_a_plan_is_learnt_from_all_jobs(done: list[Job], tmp_path: Path) -> None:
    learnt = crossval.learn_plan(done, CHOSEN)
    outcomes = [job.folder.outcome() for job in done]
    assert learnt.runs == 12 and learnt.protocol == "emobox-6"
    assert learnt.recipe_sha256 == CHOSEN.sha256
    assert learnt.epochs == round(np.median([outcome.best_epoch for outcome in outcomes]))
    assert learnt.temperature == pytest.approx(
        np.prod([outcome.temperature for outcome in outcomes]) ** (1 / 12)
    )
    ratios = [outcome.distances.ratio for outcome in outcomes]
    assert learnt.distance_ratio == pytest.approx(np.median(ratios))
    learnt.write(tmp_path / "plan.json")
    assert plan.Plan.read(tmp_path) == plan.Plan.read(tmp_path / "plan.json") == learnt


def outcome(best_epoch: int, temperature: float, limit: float | None) -> Outcome:
    trained_on, distances = TrainedOn(1, 1, 1.0, 1.0), Distances(2.0, limit)
    return Outcome(1, best_epoch, best_epoch, 1.0, temperature, trained_on, None, distances=distances)


def answers(clips: int) -> Predictions:
    """Half of them sure and right, half of them unsure and wrong, by ten speakers."""
    subjects = tuple(Subject(f"{n}.wav", "c", f"c/{n % 10}") for n in range(clips))
    sure = np.arange(clips) < clips // 2
    probabilities = np.where(sure[:, None], [0.9, 0.1], [0.4, 0.6])
    zeros = np.zeros(clips, np.int64)
    return Predictions(("happy", "sad"), subjects, zeros, probabilities, zeros, zeros)


def history(*rates: float) -> tuple[EpochRecord, ...]:
    return tuple(EpochRecord(epoch, rate, 1.0, 0.5) for epoch, rate in enumerate(rates, start=1))


def test_a_plan_is_made_of_medians() -> None:
    made = plan.learn(
        [history(8.0, 8.0, 4.0, 4.0), history(8.0, 2.0), history(8.0, 8.0, 8.0, 1.0, 1.0)],
        [outcome(3, 1.0, 3.0), outcome(2, 4.0, 4.0), outcome(5, 2.0, 9.0)],
        answers(400),
        recipe="r",
        recipe_sha256="s",
        protocol="p",
    )
    assert made.epochs == 3
    assert made.learning_rates == (8.0, 8.0, 4.0)  # the second run's last rate, 2, stands for its third
    assert made.temperature == pytest.approx(2.0)
    assert made.distance_ratio == 2.0
    assert selective.chosen(made.thresholds, 0.1).threshold == 0.9


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"learning_rates": 3}'])
def test_what_is_no_plan_is_named(tmp_path: Path, content: str) -> None:
    with pytest.raises(UsageError, match="vocemo crossval writes one"):
        plan.Plan.read(tmp_path)
    (tmp_path / "plan.json").write_text(content)
    with pytest.raises(RunError, match="is no plan"):
        plan.Plan.read(tmp_path)


def test_other_settings_do_not_go_on_with_finished_folds(done: list[Job], tiny_corpus: str) -> None:
    longer = fabricate_run.recipe("training.epochs=3")
    with pytest.raises(RunError, match="cannot be resumed"):
        next(crossval.run(done, longer, (tiny_corpus,), device=fabricate_run.CPU))


def test_folds_and_seeds_share_one_pool_of_clips(
    done: list[Job], tiny_corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    genuine = crossval.waveforms_for
    monkeypatch.setattr(crossval, "waveforms_for", lambda *given: made.append(genuine(*given)) or made[-1])
    todo = crossval.jobs(read(tiny_corpus), "emobox-6", range(2), tmp_path)[5:7]
    list(crossval.run(todo, CHOSEN, (tiny_corpus,), device=fabricate_run.CPU))
    assert len(made) == 1
    assert experiment.waveforms_for is genuine
    assert json.loads((tmp_path / "seed-1" / "fold-0" / "run.json").read_text())["seed"] == 1
