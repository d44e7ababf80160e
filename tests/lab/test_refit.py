"""Trained again with the validation clips: what validation chose holds, and the test stays unheard."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import fabricate_run
from vocemo.errors import RunError, UsageError
from vocemo.lab import crossval, refit
from vocemo.lab.corpora import read
from vocemo.lab.crossval import Job
from vocemo.lab.evaluate import Predictions
from vocemo.lab.recipe import Recipe

CHOSEN = fabricate_run.recipe()
FOLDS = 2  # of six, to be quick


def jobs(spec: str, out: Path, seeds: int = 1) -> list[Job]:
    return [job for job in crossval.jobs(read(spec), "emobox-6", range(seeds), out) if job.fold.index < FOLDS]


def train(todo: list[Job], spec: str, **more: object) -> list[Job]:
    return [job for job, _ in crossval.run(todo, CHOSEN, (spec,), device=fabricate_run.CPU, **more)]


@pytest.fixture(scope="module")
def chosen_in(tiny_corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("chosen")
    train(jobs(tiny_corpus, out, seeds=2), tiny_corpus)
    return out


@pytest.fixture(scope="module")
def again(tiny_corpus: str, chosen_in: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Job]:
    before = jobs(tiny_corpus, tmp_path_factory.mktemp("again"))
    plans = refit.plans(chosen_in, CHOSEN, before)
    return train([refit.with_validation(job) for job in before], tiny_corpus, plans=plans)


def test_it_trains_on_what_was_validation_and_tests_on_the_same_speakers(
    again: list[Job], tiny_corpus: str, tmp_path: Path
) -> None:
    for job, before in zip(again, jobs(tiny_corpus, tmp_path), strict=True):
        assert set(job.fold.train) == set(before.fold.train) | set(before.fold.validation)
        assert not job.fold.validation
        assert job.fold.test == before.fold.test
        assert job.folder.info().clips == (len(job.fold.train), 0, len(job.fold.test))
        assert not job.folder.leaky()
        outcome = job.folder.outcome()
        assert outcome.trained_on.clips == len(job.fold.train)
        assert outcome.test is not None and outcome.test.test_speakers == before.fold.test_speakers


def test_epochs_and_temperature_are_those_that_validation_chose(again: list[Job], chosen_in: Path) -> None:
    for job in again:
        first = [
            crossval.RunFolder(chosen_in / f"seed-{seed}" / f"fold-{job.fold.index}").outcome()
            for seed in range(2)
        ]
        outcome = job.folder.outcome()
        assert outcome.epochs == round(float(np.median([one.best_epoch for one in first])))
        product = np.prod([one.temperature for one in first])
        assert outcome.temperature == pytest.approx(np.sqrt(product))


def test_each_fold_has_its_own_plan(tiny_corpus: str, chosen_in: Path, tmp_path: Path) -> None:
    found = refit.plans(chosen_in, CHOSEN, jobs(tiny_corpus, tmp_path))
    assert sorted(found) == list(range(FOLDS))
    assert found[0].temperature != found[1].temperature
    assert all(each.runs == 2 for each in found.values())


def test_other_settings_clips_and_unfinished_runs_are_refused(
    tiny_corpus: str, chosen_in: Path, tmp_path: Path
) -> None:
    todo = jobs(tiny_corpus, tmp_path)
    other: Recipe = fabricate_run.recipe("training.learning_rate=1e-5")
    with pytest.raises(UsageError, match="other settings, another protocol or other clips"):
        refit.plans(chosen_in, other, todo)
    fewer = [dataclasses.replace(todo[0], fold=dataclasses.replace(todo[0].fold, test=todo[0].fold.test[1:]))]
    with pytest.raises(UsageError, match="other clips"):
        refit.plans(chosen_in, CHOSEN, fewer)
    with pytest.raises(UsageError, match="has no run of fold 0; --refit takes"):
        refit.plans(tmp_path, CHOSEN, todo)
    half = tmp_path / "half" / "seed-0" / "fold-0"
    half.mkdir(parents=True)
    kept = chosen_in / "seed-0" / "fold-0" / "run.json"
    (half / "run.json").write_text(kept.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(RunError, match="not complete"):
        refit.plans(tmp_path / "half", CHOSEN, todo[:1])


def test_without_validation_of_its_own_a_fold_is_refused(tiny_corpus: str, tmp_path: Path) -> None:
    manifest = read(tiny_corpus)
    described = crossval.jobs(manifest, "random-as-described", [0], tmp_path)
    with pytest.raises(UsageError, match="the validation clips are the test"):
        refit.with_validation(described[0])
    with pytest.raises(UsageError, match="no validation clips"):
        refit.with_validation(refit.with_validation(jobs(tiny_corpus, tmp_path)[0]))


def test_the_result_says_how_it_was_trained(again: list[Job], tiny_corpus: str) -> None:
    result = crossval.summarise(again, CHOSEN, (tiny_corpus,), remark=refit.REMARK)
    assert result.remark is not None and refit.REMARK in result.remark
    assert result.clips == len(Predictions.read(again[0].folder.predictions)) * FOLDS
