"""Finished runs and cross-validations side by side.

What is compared keeps its protocol and whether it leaks; where the tests are not the same, that is said.
Where two have answered the same clips, their difference is tested over the speakers of these.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

from vocemo.errors import RunError, UsageError
from vocemo.lab import checkpoint, provenance
from vocemo.lab.evaluate import Predictions, Results
from vocemo.lab.evaluate.pairing import clip_test, paired_test, why_not_paired
from vocemo.lab.evaluate.significance import holm
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
    predictions: Predictions | None = None  # its answers, where they lie beside its figures

    def to_dict(self) -> dict[str, Any]:
        """Plain data: what the table shows, and where it comes from."""
        told = self.results.to_dict()
        left_out = ("per_fold", "per_emotion", "confusion", "groups", "gaps")
        kept = {key: value for key, value in told.items() if key not in left_out}
        return {"name": self.name, "path": str(self.path), **kept}


@dataclass(frozen=True)
class Difference:
    """How far the second is above the first in a metric; what was not tested is None.

    The tests are about the pooled figure, seeds averaged (`evaluate.pairing`).
    """

    first: str
    second: str
    metric: str
    difference: float  # of the means over folds and seeds
    pooled: float | None = None
    ci95: tuple[float, float] | None = None  # of pooled, over speakers
    p_value: float | None = None  # paired t over speakers
    p_sign_flips: float | None = None
    p_holm: float | None = None  # p_value raised for as many pairs as there are, where there are several
    p_mcnemar: float | None = None  # of accuracy: clips taken for independent
    speakers: int | None = None

    @property
    def counts(self) -> bool:
        """Whether it is more than chance gives, at 5 % and corrected for the number of pairs."""
        p = self.p_value if self.p_holm is None else self.p_holm
        return p is not None and p < 0.05

    def to_dict(self) -> dict[str, Any]:
        """Plain data without what was not tested."""
        return {key: value for key, value in dataclasses.asdict(self).items() if value is not None}


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
        silent = [entry.name for entry in self.entries if entry.results.leak_status == "not stated"]
        unstated = (
            f"what was trained on is not stated, so test speakers may be among it: {', '.join(silent)}"
            if silent
            else ""
        )
        return tuple(remark for remark in (self.unequal, leak, unstated, self.untested) if remark)

    @property
    def untested(self) -> str:
        """Which pairs have not been held against chance, and why; empty where `unequal` says it."""
        if self.unequal:
            return ""
        reasons: dict[str, list[str]] = {}
        for (one, other), reason in self._untested.items():
            reasons.setdefault(reason, []).append(f"{one} and {other}")
        told = "; ".join(f"{', '.join(pairs)}: {reason}" for reason, pairs in reasons.items())
        return f"not tested against chance: {told}" if told else ""

    @cached_property
    def _untested(self) -> dict[tuple[str, str], str]:
        """Pairs by name, and why they are not tested."""
        found = {}
        for one, other in combinations(self.entries, 2):
            if one.predictions is None or other.predictions is None:
                lacking = one if one.predictions is None else other
                reason = f"no predictions.csv beside the figures of {lacking.name}"
            else:
                reason = why_not_paired(one.predictions, other.predictions)
            if reason:
                found[one.name, other.name] = reason
        return found

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """Of each pair and metric that both have, in the order of the entries."""
        found = [
            self._difference(one, other, metric)
            for one, other in combinations(self.entries, 2)
            for metric in METRICS
            if metric in one.results.metrics and metric in other.results.metrics
        ]
        corrected: dict[tuple[str, str, str], float] = {}
        for metric in METRICS:
            family = [each for each in found if each.metric == metric and each.p_value is not None]
            if len(family) > 1:
                raised = holm([each.p_value for each in family if each.p_value is not None])
                corrected |= {
                    (each.first, each.second, metric): p for each, p in zip(family, raised, strict=True)
                }
        return tuple(
            dataclasses.replace(each, p_holm=corrected.get((each.first, each.second, each.metric)))
            for each in found
        )

    def _difference(self, one: Compared, other: Compared, metric: str) -> Difference:
        means = [entry.results.metrics[metric].mean for entry in (one, other)]
        plain = Difference(one.name, other.name, metric, means[1] - means[0])
        if one.predictions is None or other.predictions is None or (one.name, other.name) in self._untested:
            return plain
        tested = paired_test(one.predictions, other.predictions, metric)
        if tested is None:
            return plain
        by_clip = clip_test(one.predictions, other.predictions).p_value if metric == "accuracy" else None
        return dataclasses.replace(
            plain,
            pooled=tested.difference,
            ci95=tested.ci95,
            p_value=tested.p_value,
            p_sign_flips=tested.p_sign_flips,
            p_mcnemar=by_clip,
            speakers=tested.speakers,
        )

    def write(self, path: Path) -> None:
        """Write as JSON; what is not known is absent."""
        checkpoint.write_json(
            path,
            {
                "compared": [entry.to_dict() for entry in self.entries],
                "same_test": not self.unequal,
                "remarks": list(self.remarks),
                "differences": [each.to_dict() for each in self.differences],
                **provenance.stamp(),
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
        Compared(name, folder, results, histories, _predictions(folder))
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
    results = Results.read(file)
    measured = {(each.seed, each.fold) for each in results.per_fold}
    # Those of a seed that was asked for before, and no longer, are not in the figures.
    runs = [RunFolder(folder / f"seed-{seed}" / f"fold-{fold}") for seed, fold in sorted(measured)]
    runs = [run for run in runs if run.path.is_dir()]
    answers = _predictions(folder) if runs else None
    # Answers are written last: one that goes on with further seeds still has those of the seeds before.
    if runs and (answers is None or set(answers.runs) != measured):
        raise RunError(f"the cross-validation in {folder} is not complete: start the same command again")
    return results, tuple(run.history() for run in runs)


def _predictions(folder: Path) -> Predictions | None:
    file = folder / "predictions.csv"
    return Predictions.read(file) if file.is_file() else None


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
