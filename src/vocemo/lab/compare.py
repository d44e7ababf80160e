"""Finished runs and cross-validations side by side.

What is compared keeps its protocol and whether it leaks; where the tests are not the same, that is said.
Whether a difference is more than chance is not computed yet: `Difference.p_value` is its place.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from vocemo.errors import RunError, UsageError
from vocemo.lab import checkpoint, provenance
from vocemo.lab.evaluate import Results
from vocemo.lab.history import History
from vocemo.lab.measure import of_run
from vocemo.lab.run import RunFolder

METRICS = ("uar", "accuracy", "macro_f1", "loss")


@dataclass(frozen=True)
class Compared:
    """One of those that are compared."""

    name: str
    path: Path
    results: Results
    histories: tuple[History, ...]  # of its trainings; none for a measured bundle

    def to_dict(self) -> dict[str, Any]:
        """Plain data: what the table shows, and where it comes from."""
        told = self.results.to_dict()
        left_out = ("per_fold", "per_emotion", "confusion")
        kept = {key: value for key, value in told.items() if key not in left_out}
        return {"name": self.name, "path": str(self.path), **kept}


@dataclass(frozen=True)
class Difference:
    """How far the second is above the first in a metric."""

    first: str
    second: str
    metric: str
    difference: float
    p_value: float | None = None  # None: not tested


@dataclass(frozen=True)
class Comparison:
    """Several measured trainings, and what must be said of them together."""

    entries: tuple[Compared, ...]

    @property
    def unequal(self) -> str:
        """In what the tests are not the same; empty where they are."""
        for what, fact in _FACTS.items():
            told = [fact(entry.results) for entry in self.entries]
            if len(set(told)) > 1:  # the first difference explains those that follow from it
                names = [entry.name for entry in self.entries]
                each = "; ".join(f"{name}: {text}" for name, text in zip(names, told, strict=True))
                return f"not the same {what} ({each})"
        return ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What must be said beside the figures."""
        leaky = [entry.name for entry in self.entries if entry.results.leaky]
        leak = f"LEAKY, since test speakers were heard in training: {', '.join(leaky)}" if leaky else ""
        return tuple(remark for remark in (self.unequal, leak) if remark)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Of each pair and metric that both have, in the order of the entries."""
        return tuple(
            Difference(
                one.name,
                other.name,
                metric,
                other.results.metrics[metric].mean - one.results.metrics[metric].mean,
            )
            for one, other in combinations(self.entries, 2)
            for metric in METRICS
            if metric in one.results.metrics and metric in other.results.metrics
        )

    def write(self, path: Path) -> None:
        """Write as JSON; what is not known is absent."""
        differences = [dataclasses.asdict(each) for each in self.differences]
        checkpoint.write_json(
            path,
            {
                "compared": [entry.to_dict() for entry in self.entries],
                "same_test": not self.unequal,
                "remarks": list(self.remarks),
                "differences": [{k: v for k, v in each.items() if v is not None} for each in differences],
                "command": provenance.command(),
                "commit": provenance.commit() or "unknown",
                "date": provenance.today(),
            },
        )


def compare(folders: Sequence[Path]) -> Comparison:
    """Read two or more folders of `vocemo train`, `crossval` or `evaluate` and lay them side by side.

    Raises UsageError for too few, for one that is given twice or that holds no figures, RunError for one that
    is not complete.
    """
    if len(folders) < 2:
        raise UsageError("compare takes two folders or more of vocemo train, crossval or evaluate")
    places = [folder.resolve() for folder in folders]
    twice = [str(f) for f, place in zip(folders, places, strict=True) if places.count(place) > 1]
    if twice:
        raise UsageError(f"{twice[0]} is given twice")
    read = [_read(folder) for folder in folders]
    names = _names(folders, [results.recipe for results, _ in read])
    entries = tuple(
        Compared(name, folder, results, histories)
        for name, folder, (results, histories) in zip(names, folders, read, strict=True)
    )
    return Comparison(entries)


def _read(folder: Path) -> tuple[Results, tuple[History, ...]]:
    run = RunFolder(folder)
    if run.info_path.is_file():
        results = of_run(run)
        # As a cross-validation names them.
        corpora = tuple(spec.partition(":")[0] for spec in run.info().corpora)
        taken_s = run.outcome().train_seconds
        return dataclasses.replace(results, corpora=corpora, train_seconds=taken_s), (run.history(),)
    file = folder / "results.json"
    if not file.is_file():
        raise UsageError(
            f"{folder} holds neither run.json nor results.json; compare takes what vocemo train, crossval "
            "and evaluate leave"
        )
    runs = [RunFolder(path) for path in sorted(folder.glob("seed-*/fold-*"))]
    if runs and not (folder / "predictions.csv").is_file():
        raise RunError(f"the cross-validation in {folder} is not complete: start the same command again")
    return Results.read(file), tuple(run.history() for run in runs)


def _names(folders: Sequence[Path], recipes: Sequence[str]) -> list[str]:
    """The recipes' names where they tell the entries apart, else the folders', else whole paths."""
    for names in (list(recipes), [folder.resolve().name for folder in folders]):
        if len(set(names)) == len(names):
            return names
    return [str(folder) for folder in folders]


def _speakers(results: Results) -> str:
    told = sorted({speaker for fold in results.per_fold for speaker in fold.test_speakers})
    return ", ".join(told) or "unknown"


_FACTS: dict[str, Callable[[Results], str]] = {
    "protocol": lambda results: results.protocol,
    "corpora": lambda results: " + ".join(results.corpora),
    "emotions": lambda results: ", ".join(sorted(results.emotions)),
    "test speakers": _speakers,
    "number of test clips": lambda results: f"{results.clips:,}" if results.clips else "unknown",
}
