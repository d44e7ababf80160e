"""What a report is made of: a result, and what the trainings behind it left in their folders."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vocemo.errors import UsageError
from vocemo.lab.evaluate import Predictions, Results
from vocemo.lab.evaluate.confidence import few_speakers
from vocemo.lab.evaluate.groups import by_group, gaps
from vocemo.lab.evaluate.speakers import speaker_gap
from vocemo.lab.evaluate.summary import complete_seeds

if TYPE_CHECKING:
    from vocemo.lab.history import History
    from vocemo.lab.stress.result import Robustness

RESULTS, PREDICTIONS, ROBUSTNESS = "results.json", "predictions.csv", "robustness.json"


@dataclass(frozen=True)
class Training:
    """One training: its epochs, what was kept of it, and the audit of its fold."""

    seed: int
    fold: int
    history: History
    best_epoch: int
    temperature: float
    audit: Mapping[str, Any] | None = None  # as audit.json has it


@dataclass(frozen=True)
class Material:
    """All that a report is drawn from; what is not there is left out of the page."""

    results: Results
    predictions: Predictions | None = None  # of the seeds that the metrics average
    trainings: tuple[Training, ...] = ()
    robustness: Robustness | None = None
    made: Mapping[str, Any] = field(default_factory=dict)  # what the trainings happened on

    @property
    def temperatures(self) -> dict[tuple[int, int], float]:
        """That of each training, by seed and fold."""
        return {(each.seed, each.fold): each.temperature for each in self.trainings}


def read(folder: Path) -> Material:
    """From a folder with a results.json, as crossval and evaluate leave it.

    Raises UsageError where there is none.
    """
    file = folder / RESULTS
    if not file.is_file():
        raise UsageError(
            f"{folder} holds no {RESULTS}; vocemo crossval writes one, and vocemo evaluate beside a run"
        )
    return gather(Results.read(file), folder)


def gather(results: Results, folder: Path, answers: Predictions | None = None) -> Material:
    """A result, with what lies in the folder of its trainings.

    folder: a run's, a cross-validation's, or one that holds neither. answers: the predictions that
        the result was measured on, where they are not the folder's own.
    """
    trainings, made = _trainings(folder)
    predictions = _whole(answers) if answers is not None else _predictions(folder / PREDICTIONS)
    if predictions and not results.groups:  # measured before there were groups
        results = _with_groups(results, predictions)
    return Material(
        results,
        predictions,
        trainings,
        _robustness(folder / ROBUSTNESS),
        made,
    )


def _with_groups(results: Results, predictions: Predictions) -> Results:
    between = speaker_gap(predictions)
    told = {**gaps(predictions), "speaker": (between,)} if between else gaps(predictions)
    remark = few_speakers(len(predictions.speakers)) if results.metrics["uar"].ci95 else None
    return dataclasses.replace(
        results,
        groups=by_group(predictions),
        gaps=told,
        interval_remark=results.interval_remark or remark,
    )


def _predictions(file: Path) -> Predictions | None:
    return _whole(Predictions.read(file)) if file.is_file() else None


def _whole(found: Predictions) -> Predictions | None:
    """Those of complete seeds; none without probabilities, which all that is drawn of them needs."""
    if not len(found) or not found.probabilistic:
        return None
    return found.where(np.isin(found.seed, complete_seeds(found)))


def _trainings(folder: Path) -> tuple[tuple[Training, ...], Mapping[str, Any]]:
    """The complete trainings of a folder, and what the first of them happened on."""
    found = sorted(folder.glob("seed-*/fold-*/run.json")) or sorted(folder.glob("run.json"))
    if not found:
        return (), {}
    from vocemo.lab.run import RunFolder  # imports torch, which a report of bare answers does not need

    runs = [run for run in (RunFolder(file.parent) for file in found) if run.complete]
    trainings = []
    for run in runs:
        info, outcome = run.info(), run.outcome()
        audit = json.loads(run.audit.read_text(encoding="utf-8")) if run.audit.is_file() else None
        trainings.append(
            Training(info.seed, info.fold, run.history(), outcome.best_epoch, outcome.temperature, audit)
        )
    trainings.sort(key=lambda each: (each.seed, each.fold))
    return tuple(trainings), runs[0].info().made if runs else {}


def _robustness(file: Path) -> Robustness | None:
    """What vocemo stress wrote, where it did. Raises UsageError where it is something else."""
    if not file.is_file():
        return None
    from vocemo.lab.stress.result import Robustness  # imports torch, as the trainings do

    return Robustness.read(file)
