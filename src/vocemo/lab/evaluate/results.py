"""A measured result as one JSON file: the numbers, and all that is needed to get them again.

The shape is that of docs/measuring.md. Metrics are fractions of 1 (losses in nats). Fields that
were not measured are absent, never null.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Date
from pathlib import Path
from typing import Any, Literal

from vocemo.errors import UnknownNameError, UsageError

Over = Literal["folds", "pooled"]


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
    recall: float | None
    precision: float | None
    f1: float | None


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
    commit: str  # empty outside a checkout
    date: str  # ISO 8601, a day
    parameters: int | None = None
    train_seconds: float | None = None
    clips: int | None = None
    device: str | None = None
    remark: str | None = None
    per_emotion: Mapping[str, EmotionResult] = field(default_factory=dict)
    confusion: tuple[tuple[int, ...], ...] | None = None  # a row a target, over folds and seeds

    def to_dict(self) -> dict[str, Any]:
        """As the file has it."""
        found: dict[str, Any] = _present(dataclasses.asdict(self))
        if not self.per_emotion:
            del found["per_emotion"]
        return found

    @classmethod
    def from_dict(cls, given: object) -> Results:
        """Checked against the schema.

        Raises:
            UnknownNameError: a key that no result has.
            UsageError: a key missing, or a value that is not what the key holds.
        """
        fields = _fields(given, cls, "result")
        metrics = _mapping(fields["metrics"], "metrics")
        emotions = _texts(fields["emotions"], "emotions")
        result = cls(
            recipe=_text(fields["recipe"], "recipe"),
            corpora=_texts(fields["corpora"], "corpora"),
            protocol=_text(fields["protocol"], "protocol"),
            leaky=_truth(fields["leaky"], "leaky"),
            emotions=emotions,
            folds=_whole(fields["folds"], "folds"),
            seeds=tuple(_whole(s, "seeds") for s in _list(fields["seeds"], "seeds")),
            metrics={name: _metric(value, name) for name, value in metrics.items()},
            per_fold=tuple(_fold(value) for value in _list(fields["per_fold"], "per_fold")),
            command=_text(fields["command"], "command"),
            commit=fields["commit"] and _text(fields["commit"], "commit"),
            date=_day(fields["date"]),
            parameters=_maybe(_whole, fields, "parameters"),
            train_seconds=_maybe(_number, fields, "train_seconds"),
            clips=_maybe(_whole, fields, "clips"),
            device=_maybe(_text, fields, "device"),
            remark=_maybe(_text, fields, "remark"),
            per_emotion={
                name: _emotion(value, name)
                for name, value in _mapping(fields.get("per_emotion", {}), "per_emotion").items()
            },
            confusion=_maybe(_matrix, fields, "confusion"),
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


def _fields(given: object, kind: type, what: str) -> Mapping[str, Any]:
    """A JSON object that has every key a dataclass needs and none that it does not know."""
    found = _mapping(given, what)
    assert dataclasses.is_dataclass(kind)
    names = [f.name for f in dataclasses.fields(kind)]
    for key in found:
        if key not in names:
            raise UnknownNameError(f"{what} key", key, names)
    required = [
        f.name
        for f in dataclasses.fields(kind)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    missing = [name for name in required if name not in found]
    if missing:
        raise UsageError(f"{what}: {', '.join(missing)} missing; needed: {', '.join(required)}")
    return found


def _wrong(value: object, key: str, valid: str) -> UsageError:
    return UsageError(f"{key}: {value!r} is not {valid}")


def _mapping(value: object, key: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(value, key, "an object")
    return value


def _list(value: object, key: str) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise _wrong(value, key, "a list")
    return value


def _text(value: object, key: str) -> str:
    if not isinstance(value, str) or not value:
        raise _wrong(value, key, "a text")
    return value


def _texts(value: object, key: str) -> tuple[str, ...]:
    return tuple(_text(entry, key) for entry in _list(value, key))


def _truth(value: object, key: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(value, key, "true or false")
    return value


def _whole(value: object, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _wrong(value, key, "a whole number from 0")
    return value


def _number(value: object, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise _wrong(value, key, "a number from 0")
    return float(value)


def _share(value: object, key: str) -> float:
    number = _number(value, key)
    if number > 1:
        raise _wrong(value, key, "a fraction of 1")
    return number


def _day(value: object) -> str:
    try:
        return Date.fromisoformat(_text(value, "date")).isoformat()
    except ValueError as error:
        raise _wrong(value, "date", "a day such as 2026-01-31") from error


def _matrix(value: object, key: str) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(_whole(count, key) for count in _list(row, key)) for row in _list(value, key))


def _maybe(parse: Any, fields: Mapping[str, Any], key: str) -> Any:
    return parse(fields[key], key) if key in fields else None


def _metric(value: object, name: str) -> Metric:
    fields = _fields(value, Metric, f"metric {name}")
    parse = _number if name in ("loss", "brier") else _share  # the others are fractions
    if fields.get("over", "folds") not in ("folds", "pooled"):
        raise _wrong(fields["over"], f"{name} over", "'folds' or 'pooled'")
    ends = _list(fields.get("ci95", ()), f"{name} ci95")
    if len(ends) not in (0, 2) or list(ends) != sorted(ends):
        raise _wrong(ends, f"{name} ci95", "a lower and an upper end")
    return Metric(
        mean=parse(fields["mean"], f"{name} mean"),
        over=fields.get("over", "folds"),
        sd=_maybe(_number, fields, "sd"),
        pooled=_maybe(parse, fields, "pooled"),
        ci95=(parse(ends[0], f"{name} ci95"), parse(ends[1], f"{name} ci95")) if ends else None,
        calibrated=_maybe(parse, fields, "calibrated"),
    )


def _fold(value: object) -> FoldResult:
    fields = _fields(value, FoldResult, "per_fold")
    return FoldResult(
        fold=_whole(fields["fold"], "fold"),
        seed=_whole(fields["seed"], "seed"),
        uar=_share(fields["uar"], "uar"),
        accuracy=_share(fields["accuracy"], "accuracy"),
        test_speakers=_texts(fields["test_speakers"], "test_speakers"),
        macro_f1=_maybe(_share, fields, "macro_f1"),
        loss=_maybe(_number, fields, "loss"),
        test_clips=_maybe(_whole, fields, "test_clips"),
        best_epoch=_maybe(_whole, fields, "best_epoch"),
        epochs=_maybe(_whole, fields, "epochs"),
        train_seconds=_maybe(_number, fields, "train_seconds"),
    )


def _emotion(value: object, name: str) -> EmotionResult:
    fields = _fields(value, EmotionResult, f"per_emotion {name}")
    return EmotionResult(
        clips=_whole(fields["clips"], f"{name} clips"),
        recall=_maybe(_share, fields, "recall"),
        precision=_maybe(_share, fields, "precision"),
        f1=_maybe(_share, fields, "f1"),
    )
