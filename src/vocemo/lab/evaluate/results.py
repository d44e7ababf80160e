"""A measured result as one JSON file: the numbers, and all that is needed to get them again.

The shape is that of docs/measuring.md. Metrics are fractions of 1 (losses in nats). Fields that
were not measured are absent, never null.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from vocemo.errors import UsageError
from vocemo.lab.evaluate import schema
from vocemo.lab.evaluate.groups import Gap, GroupResult

Over = Literal["folds", "pooled"]
Entry = TypeVar("Entry")


@dataclass(frozen=True)
class Metric:
    """One measure over folds and seeds.

    `mean` is over seeds. What is averaged is, with `over` "folds", the mean over a seed's folds; with
    "pooled", the value on the test predictions of all folds of the seed together. `sd` is over
    the same seeds (n - 1), absent for one seed. `pooled` gives, for a metric over folds, the mean
    over seeds of the pooled value; `ci95` is an interval about that, over speakers. `calibrated`
    (ECE) is what perfect calibration would score on as many clips.
    """

    mean: float
    over: Over = "folds"
    sd: float | None = None
    pooled: float | None = None
    ci95: tuple[float, float] | None = None
    calibrated: float | None = None


@dataclass(frozen=True)
class FoldResult:
    """One model on its own test fold."""

    fold: int
    seed: int
    uar: float
    accuracy: float
    test_speakers: tuple[str, ...]
    macro_f1: float | None = None
    loss: float | None = None
    test_clips: int | None = None
    best_epoch: int | None = None
    epochs: int | None = None
    train_seconds: float | None = None


@dataclass(frozen=True)
class EmotionResult:
    """One emotion over the pooled test predictions of all folds and seeds."""

    clips: int
    recall: float | None = None  # None where it is undefined
    precision: float | None = None
    f1: float | None = None


@dataclass(frozen=True)
class Results:
    """A recipe on a protocol."""

    recipe: str
    corpora: tuple[str, ...]
    protocol: str
    leaky: bool
    emotions: tuple[str, ...]
    folds: int
    seeds: tuple[int, ...]
    metrics: Mapping[str, Metric]
    per_fold: tuple[FoldResult, ...]
    command: str
    commit: str  # `-dirty` behind it: the sources differed from it
    date: str  # ISO 8601, a day
    parameters: int | None = None
    train_seconds: float | None = None
    clips: int | None = None
    device: str | None = None
    remark: str | None = None
    per_emotion: Mapping[str, EmotionResult] = field(default_factory=dict)
    confusion: tuple[tuple[int, ...], ...] | None = None  # a row a target, over folds and seeds
    groups: Mapping[str, tuple[GroupResult, ...]] = field(default_factory=dict)  # sex, speaker, ...
    gaps: Mapping[str, tuple[Gap, ...]] = field(default_factory=dict)
    leak: str | None = None  # how the test was heard in training, in a sentence
    training_stated: bool = True  # False: nobody says what was trained on, so `leaky` says nothing
    interval_remark: str | None = None  # what must be said beside the intervals
    report: Mapping[str, Any] = field(default_factory=dict)  # what else its report shows, as plain data

    @property
    def leak_status(self) -> Literal["leaky", "none found", "not stated"]:
        """What is known of the test's having been heard in training."""
        if self.leaky:
            return "leaky"
        return "none found" if self.training_stated else "not stated"

    def to_dict(self) -> dict[str, Any]:
        """As the file has it."""
        found: dict[str, Any] = _present(dataclasses.asdict(self))
        for name in ("per_emotion", "groups", "gaps", "report"):
            if not found[name]:
                del found[name]
        if self.training_stated:
            del found["training_stated"]
        for gaps in found.get("gaps", {}).values():
            for gap in gaps:
                if not gap["emotions"]:
                    del gap["emotions"]
        return found

    @classmethod
    def from_dict(cls, given: object) -> Results:
        """Checked against the schema.

        Raises:
            UnknownNameError: a key that no result has.
            UsageError: a key missing, or a value that is not what the key holds.
        """
        fields = schema.fields(given, cls, "result")
        metrics = schema.mapping(fields["metrics"], "metrics")
        emotions = schema.texts(fields["emotions"], "emotions")
        result = cls(
            recipe=schema.text(fields["recipe"], "recipe"),
            corpora=schema.texts(fields["corpora"], "corpora"),
            protocol=schema.text(fields["protocol"], "protocol"),
            leaky=schema.truth(fields["leaky"], "leaky"),
            emotions=emotions,
            folds=schema.whole(fields["folds"], "folds"),
            seeds=tuple(schema.whole(s, "seeds") for s in schema.sequence(fields["seeds"], "seeds")),
            metrics={name: _metric(value, name) for name, value in metrics.items()},
            per_fold=tuple(_fold(value) for value in schema.sequence(fields["per_fold"], "per_fold")),
            command=schema.text(fields["command"], "command"),
            commit=schema.text(fields["commit"], "commit"),
            date=schema.day(fields["date"]),
            parameters=schema.maybe(schema.whole, fields, "parameters"),
            train_seconds=schema.maybe(schema.number, fields, "train_seconds"),
            clips=schema.maybe(schema.whole, fields, "clips"),
            device=schema.maybe(schema.text, fields, "device"),
            remark=schema.maybe(schema.text, fields, "remark"),
            per_emotion={
                name: _emotion(value, name)
                for name, value in schema.mapping(fields.get("per_emotion", {}), "per_emotion").items()
            },
            confusion=schema.maybe(schema.matrix, fields, "confusion"),
            groups=_by_kind(fields.get("groups", {}), "groups", _group),
            gaps=_by_kind(fields.get("gaps", {}), "gaps", _gap),
            leak=schema.maybe(schema.text, fields, "leak"),
            training_stated=schema.truth(fields.get("training_stated", True), "training_stated"),
            interval_remark=schema.maybe(schema.text, fields, "interval_remark"),
            report=schema.mapping(fields.get("report", {}), "report"),
        )
        result.check()
        return result

    def check(self) -> None:
        """Raise UsageError where the parts contradict each other."""
        if "uar" not in self.metrics:
            raise UsageError(f"metrics {', '.join(self.metrics) or 'none'}: 'uar' must be among them")
        runs = [(f.seed, f.fold) for f in self.per_fold]
        if len(set(runs)) != len(runs):
            raise UsageError("per_fold: a fold of a seed stands twice")
        strange = {seed for seed, _ in runs} - set(self.seeds)
        if strange:
            raise UsageError(f"per_fold: seeds {sorted(strange)} are none of {list(self.seeds)}")
        if self.per_emotion and set(self.per_emotion) != set(self.emotions):
            raise UsageError(f"per_emotion: {', '.join(self.per_emotion)} are not the result's emotions")
        size = len(self.emotions)
        if self.confusion is not None and [len(row) for row in self.confusion] != [size] * size:
            raise UsageError(f"confusion: it must have {size} rows of {size} counts")

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write as JSON; the file appears whole or not at all."""
        self.check()
        target = Path(path)
        partial = target.with_name(target.name + ".partial")
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(target)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Results:
        """Read and check a file. Raises UsageError, which names it."""
        source = Path(path)
        try:
            return cls.from_dict(json.loads(source.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:  # a UsageError is a ValueError, as is broken JSON
            raise UsageError(f"{source}: {error}") from error


def _present(value: Any) -> Any:
    """Without what is None, at any depth."""
    if isinstance(value, dict):
        return {key: _present(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [_present(inner) for inner in value]
    return value


# What no fraction of 1 is.
_RANGES = {"loss": schema.number, "brier": schema.number, "kappa": schema.difference}


def _metric(value: object, name: str) -> Metric:
    fields = schema.fields(value, Metric, f"metric {name}")
    parse = _RANGES.get(name, schema.share)
    if fields.get("over", "folds") not in ("folds", "pooled"):
        raise schema.wrong(fields["over"], f"{name} over", "'folds' or 'pooled'")
    return Metric(
        mean=parse(fields["mean"], f"{name} mean"),
        over=fields.get("over", "folds"),
        sd=schema.maybe(schema.number, fields, "sd"),
        pooled=schema.maybe(parse, fields, "pooled"),
        ci95=_ends(fields, f"{name} ci95", parse),
        calibrated=schema.maybe(parse, fields, "calibrated"),
    )


def _ends(
    fields: Mapping[str, Any], what: str, parse: Callable[[object, str], float]
) -> tuple[float, float] | None:
    ends = schema.sequence(fields.get("ci95", ()), what)
    if len(ends) not in (0, 2) or list(ends) != sorted(ends):
        raise schema.wrong(ends, what, "a lower and an upper end")
    return (parse(ends[0], what), parse(ends[1], what)) if ends else None


def _fold(value: object) -> FoldResult:
    fields = schema.fields(value, FoldResult, "per_fold")
    return FoldResult(
        fold=schema.whole(fields["fold"], "fold"),
        seed=schema.whole(fields["seed"], "seed"),
        uar=schema.share(fields["uar"], "uar"),
        accuracy=schema.share(fields["accuracy"], "accuracy"),
        test_speakers=schema.texts(fields["test_speakers"], "test_speakers"),
        macro_f1=schema.maybe(schema.share, fields, "macro_f1"),
        loss=schema.maybe(schema.number, fields, "loss"),
        test_clips=schema.maybe(schema.whole, fields, "test_clips"),
        best_epoch=schema.maybe(schema.whole, fields, "best_epoch"),
        epochs=schema.maybe(schema.whole, fields, "epochs"),
        train_seconds=schema.maybe(schema.number, fields, "train_seconds"),
    )


def _emotion(value: object, name: str) -> EmotionResult:
    fields = schema.fields(value, EmotionResult, f"per_emotion {name}")
    return EmotionResult(
        clips=schema.whole(fields["clips"], f"{name} clips"),
        recall=schema.maybe(schema.share, fields, "recall"),
        precision=schema.maybe(schema.share, fields, "precision"),
        f1=schema.maybe(schema.share, fields, "f1"),
    )


def _by_kind(value: object, what: str, parse: Callable[[object, str], Entry]) -> dict[str, tuple[Entry, ...]]:
    kinds = schema.mapping(value, what)
    return {
        kind: tuple(parse(entry, f"{what} {kind}") for entry in schema.sequence(entries, f"{what} {kind}"))
        for kind, entries in kinds.items()
    }


def _group(value: object, what: str) -> GroupResult:
    # What is None is absent from the file, whether it has a default or not.
    fields = schema.fields({"uar": None, **schema.mapping(value, what)}, GroupResult, what)
    return GroupResult(
        name=schema.text(fields["name"], f"{what} name"),
        clips=schema.whole(fields["clips"], f"{what} clips"),
        speakers=schema.whole(fields["speakers"], f"{what} speakers"),
        uar=None if fields["uar"] is None else schema.share(fields["uar"], f"{what} uar"),
        accuracy=schema.share(fields["accuracy"], f"{what} accuracy"),
        ci95=_ends(fields, f"{what} ci95", schema.share),
    )


def _gap(value: object, what: str) -> Gap:
    fields = schema.fields(value, Gap, what)
    return Gap(
        first=schema.text(fields["first"], f"{what} first"),
        second=schema.text(fields["second"], f"{what} second"),
        difference=schema.difference(fields["difference"], f"{what} difference"),
        ci95=_ends(fields, f"{what} ci95", schema.difference),
        emotions=schema.texts(fields.get("emotions", ()), f"{what} emotions"),
    )
