"""The matrix itself: a cell a training corpus and a tested one, and matrix.json.

A cell is measured on the pooled answers to its test clips, once its folds are all there. Shares are fractions
of 1. What was not measured is absent from the file, never null.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vocemo.errors import RunError, UsageError
from vocemo.lab import checkpoint, provenance
from vocemo.lab.evaluate import Predictions, pooled_metric, schema, summarise
from vocemo.lab.matrix.gathering import Gathered, Part
from vocemo.lab.matrix.jobs import ALL_OTHERS, MatrixJob


@dataclass(frozen=True)
class CorpusFacts:
    """A corpus as the matrix uses it."""

    name: str
    clips: int
    speakers: int  # known ones
    by_emotion: Mapping[str, int]
    dropped: Mapping[str, int] = field(default_factory=dict)  # emotion -> clips left out


@dataclass(frozen=True)
class Cell:
    """Trained on one corpus (or `all others`), tested on one; of several seeds the mean.

    `ci95` is the interval of UAR over the tested speakers, absent for a single one and where they are
    unknown or all level.
    `sd` is the deviation of UAR over seeds (n - 1), absent for one. `ece_calibrated` is what perfect
    calibration would score.
    """

    train: str
    test: str
    protocol: str
    uar: float
    accuracy: float
    ece: float
    clips: int  # tested, of one seed
    speakers: int  # tested
    train_clips: int  # of one training, validation not among them; of several folds the mean
    folds: int
    seeds: tuple[int, ...]
    confusion: tuple[tuple[int, ...], ...]  # a row a target, added up over the seeds
    ci95: tuple[float, float] | None = None
    sd: float | None = None
    ece_calibrated: float | None = None

    def above(self, chance: float) -> bool | None:
        """Whether its whole interval lies above chance; None where there is none, and the figure is above.

        What always gives one answer is level over all speakers, so that it has no interval, and is at chance.
        """
        if self.ci95 is None:
            return None if self.uar > chance + 1e-9 else False
        return self.ci95[0] > chance


@dataclass(frozen=True)
class Matrix:
    """Every cell that is measured, and what is needed to measure them again."""

    recipe: str
    corpora: tuple[CorpusFacts, ...]  # columns, in order; rows too, and `all others` below them
    emotions: tuple[str, ...]
    protocols: Mapping[str, str]  # diagonal, off_diagonal and, where it is measured, all_others
    leaky: bool
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...]
    complete: bool  # whether every cell is there, of every seed
    command: str
    commit: str  # `-dirty` behind it: the sources differed from it
    date: str  # ISO 8601, a day
    parameters: int | None = None
    train_seconds: float | None = None
    device: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def chance(self) -> float:
        """The UAR of guessing."""
        return 1 / len(self.emotions)

    @property
    def rows(self) -> tuple[str, ...]:
        """What is trained on, in order."""
        names = tuple(corpus.name for corpus in self.corpora)
        return (*names, ALL_OTHERS) if "all_others" in self.protocols else names

    def cell(self, train: str, test: str) -> Cell | None:
        """The cell of a row and a column; None where it is not measured."""
        return next((cell for cell in self.cells if (cell.train, cell.test) == (train, test)), None)

    def to_dict(self) -> dict[str, Any]:
        """As the file has it: what is absent left out, chance beside what it follows from."""
        told = {key: value for key, value in dataclasses.asdict(self).items() if value not in (None, ())}
        told["cells"] = [
            {key: value for key, value in dataclasses.asdict(cell).items() if value is not None}
            for cell in self.cells
        ]
        return {**told, "chance": self.chance}

    @classmethod
    def from_dict(cls, given: object) -> Matrix:
        """Checked against the schema.

        Raises UnknownNameError for a key that no matrix has, UsageError for one that is missing, a value that
        is not what the key holds, or a cell of no row or column.
        """
        known = {key: v for key, v in schema.mapping(given, "matrix").items() if key != "chance"}
        found = schema.fields(known, cls, "matrix")
        matrix = cls(
            recipe=schema.text(found["recipe"], "recipe"),
            corpora=tuple(_corpus(each) for each in schema.sequence(found["corpora"], "corpora")),
            emotions=schema.texts(found["emotions"], "emotions"),
            protocols={
                kind: schema.text(name, f"protocols {kind}")
                for kind, name in schema.mapping(found["protocols"], "protocols").items()
            },
            leaky=schema.truth(found["leaky"], "leaky"),
            seeds=_wholes(found["seeds"], "seeds"),
            cells=tuple(_cell(each) for each in schema.sequence(found["cells"], "cells")),
            complete=schema.truth(found["complete"], "complete"),
            command=schema.text(found["command"], "command"),
            commit=schema.text(found["commit"], "commit"),
            date=schema.day(found["date"]),
            parameters=schema.maybe(schema.whole, found, "parameters"),
            train_seconds=schema.maybe(schema.number, found, "train_seconds"),
            device=schema.maybe(schema.text, found, "device"),
            remarks=schema.texts(found.get("remarks", ()), "remarks"),
        )
        names = [corpus.name for corpus in matrix.corpora]
        for cell in matrix.cells:
            if cell.train not in matrix.rows or cell.test not in names:
                raise UsageError(f"cells: '{cell.train}' on '{cell.test}' is none of {', '.join(names)}")
        return matrix

    def write(self, path: Path) -> None:
        """Write as JSON; the file appears whole or not at all."""
        checkpoint.write_json(path, self.to_dict())

    @classmethod
    def read(cls, path: Path) -> Matrix:
        """Read and check a file. Raises UsageError, which names it."""
        try:
            return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:  # a UsageError is a ValueError, as is broken JSON
            raise UsageError(f"{path}: {error}") from error


def measure(gathered: Gathered, todo: Sequence[MatrixJob], done: Iterable[MatrixJob]) -> Matrix:
    """The matrix as far as its trainings have come.

    todo: every job of the matrix; done: those of them that are complete. A seed counts in a cell once all
    its folds are there.

    Raises RunError where a finished run tested other clips than its job would.
    """
    finished = {job.folder.path for job in done}
    outcomes = [job.folder.outcome() for job in todo if job.folder.path in finished]
    cells = []
    for train in (*(part.name for part in gathered.parts), ALL_OTHERS):
        for part in gathered.parts:
            own = [job for job in todo if job.train == train and part.name in job.tests]
            under_way = {job.seed for job in own if job.folder.path not in finished}
            ready = [job for job in own if job.seed not in under_way]
            if ready:
                cells.append(_measured(train, part, ready))
    return Matrix(
        recipe=gathered.recipe.name,
        corpora=tuple(_facts(part, gathered.emotions) for part in gathered.parts),
        emotions=gathered.emotions,
        protocols={job.kind: job.fold.protocol for job in todo},
        leaky=any(job.fold.leaky for job in todo),
        seeds=tuple(sorted({job.seed for job in todo})),
        cells=tuple(cells),
        complete=all(job.folder.path in finished for job in todo),
        command=provenance.command(),
        commit=provenance.commit() or "unknown",
        date=provenance.today(),
        parameters=outcomes[0].parameters if outcomes else None,
        train_seconds=round(sum(outcome.train_seconds for outcome in outcomes), 1) if outcomes else None,
        device=next((_device(job) for job in todo if job.folder.path in finished), None),
        remarks=gathered.remarks,
    )


def _measured(train: str, part: Part, ready: Sequence[MatrixJob]) -> Cell:
    """The cell of some jobs: all folds of one seed or several."""
    keys = {clip.key for clip in part.clips}
    answers = Predictions.concatenate(_answers(job, keys) for job in ready)
    summary = summarise(answers, np.random.default_rng(0))
    uar, accuracy = (pooled_metric(name, answers) for name in ("uar", "accuracy"))
    ece = summary.metrics["ece"]
    return Cell(
        train=train,
        test=part.name,
        protocol=ready[0].fold.protocol,
        uar=uar.mean,
        accuracy=accuracy.mean,
        ece=ece.mean,
        clips=summary.clips,
        speakers=part.speakers,
        train_clips=round(float(np.mean([len(job.fold.train) for job in ready]))),
        folds=summary.folds,
        seeds=summary.seeds,
        confusion=summary.confusion,
        ci95=uar.ci95,
        sd=uar.sd,
        ece_calibrated=ece.calibrated,
    )


def _answers(job: MatrixJob, keys: set[str]) -> Predictions:
    """A finished job's answers to the clips of one corpus."""
    found = Predictions.read(job.folder.predictions)
    if {subject.path for subject in found.subjects} != {clip.key for clip in job.fold.test}:
        raise RunError(
            f"{job.folder.path} holds answers to other clips than those of this matrix: choose another --out"
        )
    return found.where([subject.path in keys for subject in found.subjects])


def _device(job: MatrixJob) -> str:
    return str(job.folder.info().made.get("device", "unknown"))


def _facts(part: Part, emotions: Sequence[str]) -> CorpusFacts:
    counts = Counter(clip.emotion for clip in part.clips)
    return CorpusFacts(
        part.name, len(part.clips), part.speakers, {e: counts[e] for e in emotions}, part.dropped
    )


def _corpus(given: object) -> CorpusFacts:
    found = schema.fields(given, CorpusFacts, "corpus")
    return CorpusFacts(
        name=schema.text(found["name"], "corpus name"),
        clips=schema.whole(found["clips"], "corpus clips"),
        speakers=schema.whole(found["speakers"], "corpus speakers"),
        by_emotion=_counts(found["by_emotion"], "by_emotion"),
        dropped=_counts(found.get("dropped", {}), "dropped"),
    )


def _cell(given: object) -> Cell:
    found = schema.fields(given, Cell, "cell")
    ends = schema.sequence(found.get("ci95", ()), "cell ci95")
    if len(ends) not in (0, 2) or list(ends) != sorted(ends):
        raise schema.wrong(ends, "cell ci95", "a lower and an upper end")
    return Cell(
        train=schema.text(found["train"], "cell train"),
        test=schema.text(found["test"], "cell test"),
        protocol=schema.text(found["protocol"], "cell protocol"),
        uar=schema.share(found["uar"], "cell uar"),
        accuracy=schema.share(found["accuracy"], "cell accuracy"),
        ece=schema.share(found["ece"], "cell ece"),
        clips=schema.whole(found["clips"], "cell clips"),
        speakers=schema.whole(found["speakers"], "cell speakers"),
        train_clips=schema.whole(found["train_clips"], "cell train_clips"),
        folds=schema.whole(found["folds"], "cell folds"),
        seeds=_wholes(found["seeds"], "cell seeds"),
        confusion=schema.matrix(found["confusion"], "cell confusion"),
        ci95=(schema.share(ends[0], "cell ci95"), schema.share(ends[1], "cell ci95")) if ends else None,
        sd=schema.maybe(schema.number, found, "sd"),
        ece_calibrated=schema.maybe(schema.share, found, "ece_calibrated"),
    )


def _wholes(given: object, key: str) -> tuple[int, ...]:
    return tuple(schema.whole(each, key) for each in schema.sequence(given, key))


def _counts(given: object, key: str) -> dict[str, int]:
    return {name: schema.whole(each, f"{key} {name}") for name, each in schema.mapping(given, key).items()}
