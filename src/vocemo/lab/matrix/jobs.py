"""The trainings that a matrix takes: what each is trained on and tested on, and where its run goes.

OUT/train-on-A/seed-S          all of A, but its validation speakers; tested on every other corpus at once
OUT/within-A/seed-S/fold-K     a fold of A's own speakers
OUT/train-on-all-but-B/seed-S  all corpora but B, tested on B
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from vocemo.lab import splits
from vocemo.lab.corpora.clip import Manifest
from vocemo.lab.crossval import Job, run_each, run_info
from vocemo.lab.disk_cache import DiskCache
from vocemo.lab.matrix.gathering import Gathered, Part
from vocemo.lab.outcome import Outcome
from vocemo.lab.recipe import Recipe
from vocemo.lab.run import RunFolder
from vocemo.lab.run_info import RunInfo
from vocemo.lab.splits import Fold
from vocemo.lab.splits.speaker_folds import protocol_of
from vocemo.lab.training_state import Callback

DEFAULT_FOLDS = 5  # of the diagonal
ALL_OTHERS = "all others"  # the row of what was trained on all corpora but the tested one
SINGLE, JOINT = "one-corpus", "cross-corpus"


@dataclass(frozen=True)
class MatrixJob(Job):
    """One training of a matrix; `train` and `tests` are the row and the columns that it belongs to."""

    train: str
    tests: tuple[str, ...]
    trained_on: tuple[str, ...]  # the specs of the corpora in its training

    @property
    def kind(self) -> str:
        """Which cells it fills: diagonal, off_diagonal or all_others."""
        if self.train == ALL_OTHERS:
            return "all_others"
        return "diagonal" if self.train in self.tests else "off_diagonal"

    @property
    def label(self) -> str:
        """What it is, in a few words."""
        if self.kind == "diagonal":
            return f"within {self.train}, fold {self.fold.index}, seed {self.seed}"
        on = f"all but {self.tests[0]}" if self.kind == "all_others" else self.train
        return f"trained on {on}, seed {self.seed}"


def jobs(
    gathered: Gathered, seeds: Sequence[int], out: Path, *, count: int = DEFAULT_FOLDS, joint: bool = True
) -> tuple[MatrixJob, ...]:
    """Every training of a matrix, seed by seed; first what fills most cells.

    count: folds of a corpus tested on speakers of its own, fewer where it has fewer speakers. A corpus
        with one speaker, or with unknown ones, has none.
    joint: also train on all corpora but one; with two corpora that is what the others are.

    Raises UnknownNameError for a number of folds that no protocol has, UsageError where a corpus is too small
    to be divided, CorpusError for a clip that is there twice.
    """
    splits.PROTOCOLS[protocol_of(count)]
    parts = gathered.parts
    made: list[MatrixJob] = []
    for seed in seeds:
        for index, fold in enumerate(_across(parts, SINGLE, seed)):
            part = parts[index]
            others = tuple(other.name for other in parts if other is not part)
            folder = RunFolder(out / f"train-on-{part.name}" / f"seed-{seed}")
            made.append(MatrixJob(fold, seed, folder, part.name, others, (part.spec,)))
        for part in parts:
            if part.speakers > 1:
                made += _within(part, seed, count, out)
        if joint and len(parts) > 2:
            for index, fold in enumerate(_across(parts, JOINT, seed)):
                part = parts[index]
                specs = tuple(other.spec for other in parts if other is not part)
                folder = RunFolder(out / f"train-on-all-but-{part.name}" / f"seed-{seed}")
                made.append(MatrixJob(fold, seed, folder, ALL_OTHERS, (part.name,), specs))
    return tuple(made)


def audit(todo: Iterable[MatrixJob]) -> None:
    """Refuse a matrix of which any fold would leak, before the first is trained. Raises LeakError."""
    for job in todo:
        splits.enforce(job.fold)


def run(
    todo: Iterable[MatrixJob],
    recipe: Recipe,
    *,
    device: torch.device,
    callbacks: Callable[[int], Iterable[Callback]] = lambda number: (),
    disk: DiskCache | None = None,
    deterministic: bool = False,
) -> Iterator[tuple[MatrixJob, Outcome]]:
    """Run what is not complete, read what is, and give each job's outcome as soon as it is known.

    Arguments are those of `crossval.run`; all trainings share their prepared clips.
    """

    def asked(job: MatrixJob) -> RunInfo:
        return run_info(recipe, job.trained_on, job.fold, job.seed, device)

    yield from run_each(todo, recipe, asked, device, callbacks, disk, deterministic)


def _within(part: Part, seed: int, count: int, out: Path) -> list[MatrixJob]:
    return [
        MatrixJob(
            fold,
            seed,
            RunFolder(out / f"within-{part.name}" / f"seed-{seed}" / f"fold-{fold.index}"),
            part.name,
            (part.name,),
            (part.spec,),
        )
        for fold in splits.folds(Manifest(part.clips), protocol_of(count), seed)
    ]


def _across(parts: Sequence[Part], protocol: str, seed: int) -> list[Fold]:
    """The folds of a protocol across corpora, in the order of the parts."""
    # A clip's corpus is that of its release (ravdess) or its kind (table), which two parts may share: for
    # the division alone each clip counts to its part.
    own = {clip.key: clip for part in parts for clip in part.clips}
    named = (replace(clip, corpus=part.name) for part in parts for clip in part.clips)
    made = splits.folds(Manifest(tuple(named)), protocol, seed)
    restored = [
        replace(
            fold,
            train=tuple(own[clip.key] for clip in fold.train),
            validation=tuple(own[clip.key] for clip in fold.validation),
            test=tuple(own[clip.key] for clip in fold.test),
        )
        for fold in made
    ]
    by_name = dict(zip(sorted(part.name for part in parts), restored, strict=True))
    return [by_name[part.name] for part in parts]
