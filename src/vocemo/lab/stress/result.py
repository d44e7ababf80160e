"""The robustness table as a file: robustness.json."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vocemo.errors import UsageError
from vocemo.lab import checkpoint


@dataclass(frozen=True)
class ConditionResult:
    """A model's figures under one condition; shares are fractions of 1, intervals are over speakers.

    `uar` and `accuracy` are pooled over folds and averaged over seeds. `fall` is the UAR as recorded less
    that under the condition, both of the clips that were answered in either; `clips` were answered here.
    """

    name: str
    family: str
    level: float | None
    unit: str
    uar: float
    accuracy: float
    ci95: tuple[float, float] | None
    clips: int
    fall: float = 0.0
    fall_ci95: tuple[float, float] | None = None

    @property
    def falls(self) -> bool:
        """Whether the fall is more than chance among speakers makes: its interval leaves 0, above."""
        return self.fall_ci95 is not None and self.fall_ci95[0] > 0

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ConditionResult:
        """The same from JSON."""
        known = {field.name for field in dataclasses.fields(cls)}
        read = {key: value for key, value in data.items() if key in known}
        for name in ("ci95", "fall_ci95"):
            if read.get(name) is not None:
                low, high = read[name]
                read[name] = (float(low), float(high))
        return cls(**read)


@dataclass(frozen=True)
class Robustness:
    """A model under every condition, as recorded first, and where the figures come from."""

    model: str
    corpora: tuple[str, ...]
    protocol: str
    leaky: bool
    clips: int  # different recordings
    speakers: int  # 0 where a clip does not say who speaks
    emotions: int
    seeds: tuple[int, ...]  # of the trainings whose figures are averaged
    folds: int
    seed: int  # of the degradations
    sample_rate: int  # Hz, at which recordings were degraded
    conditions: tuple[ConditionResult, ...]
    command: str
    commit: str
    date: str
    skipped: dict[str, str] = dataclasses.field(default_factory=dict)  # condition -> reason
    remarks: tuple[str, ...] = ()

    @property
    def clean(self) -> ConditionResult:
        """The figures as recorded."""
        return self.conditions[0]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Robustness:
        """The same from JSON. Raises UsageError where it is none."""
        try:
            read = dict(data)
            for name in ("corpora", "seeds", "remarks"):
                read[name] = tuple(read.get(name, ()))
            read["conditions"] = tuple(ConditionResult.from_dict(each) for each in read["conditions"])
            if not read["conditions"] or read["conditions"][0].name != "clean":
                raise ValueError("its first condition is not 'clean'")
            return cls(**read)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(f"this is no robustness table: {error}") from error

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write robustness.json, whole or not at all."""
        checkpoint.write_json(Path(path), self.to_dict())

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Robustness:
        """Read robustness.json. Raises UsageError where there is none, or it is broken."""
        try:
            return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise UsageError(f"{path}: {error}") from error
