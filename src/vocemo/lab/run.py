"""A run folder: one training on one fold, and all that came of it.

run.json                 recipe, corpora, protocol, fold, seed, versions, commit, command
audit.json               the leak audit of the fold
metrics.jsonl            a line an epoch
curves.png               the same, drawn
last.pt                  everything that --resume needs, from the end of the last epoch
best.pt                  the weights of the best epoch: a plain state dict
emotion_mappings.json    which of the network's outputs is which emotion
domain.npz               where the training clips lie, from which distances are measured
predictions.csv          the test fold's clips with their probabilities
validation.csv           the validation clips with theirs
result.json              the fold's figures; there when the run is complete
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vocemo.errors import RunError, UsageError
from vocemo.lab import checkpoint, provenance
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.evaluate import FoldResult
from vocemo.lab.history import EpochRecord, History
from vocemo.lab.mahalanobis import Distances
from vocemo.lab.recipe import Recipe, from_dict
from vocemo.lab.selective import Threshold


@dataclass(frozen=True)
class InitialInfo:
    """Where the weights came from that a training began with, by name; no path of any machine.

    Two are the same where their weights are. `voices` are the speakers that they learnt from, those before
    them included; of the corpora in `unlisted` it is not known which clips they learnt from.
    """

    name: str  # of the bundle's file, or what the run was
    sha256: str  # of the weights
    emotions: tuple[str, ...] = field(compare=False)
    corpora: tuple[str, ...] = field(compare=False)
    clips: int = field(compare=False)  # that they learnt from
    speakers: int = field(compare=False)
    licence: str = field(compare=False)
    attribution: tuple[str, ...] = field(compare=False)
    voices: tuple[str, ...] = field(default=(), compare=False)
    unlisted: tuple[str, ...] = field(default=(), compare=False)

    def describe(self) -> str:
        """In a few words, to stand beside figures."""
        return f"began with the weights of {self.name}, which learnt from {', '.join(self.corpora)}"

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> InitialInfo:
        """The same from run.json."""
        read: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        return cls(**read)


@dataclass(frozen=True)
class RunInfo:
    """What was asked for; two runs with the same are the same run."""

    recipe: Recipe
    corpora: tuple[str, ...]  # as given: "ravdess:DATA/ravdess"
    protocol: str
    fold: int
    seed: int
    clips: tuple[int, int, int]  # training, validation, test
    learning_rates: tuple[float, ...] = ()  # fixed beforehand, where there is no validation
    temperature: float | None = None  # likewise
    # Likewise; of no effect on the weights, so that a run made without them can be given them afterwards.
    thresholds: tuple[Threshold, ...] = field(default=(), compare=False)
    distance_ratio: float | None = field(default=None, compare=False)
    initial: InitialInfo | None = None  # None: the training began with fresh weights
    # What it happened on; of no effect on what is asked for.
    made: dict[str, Any] = field(default_factory=dict, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for run.json."""
        return {
            "recipe": self.recipe.to_dict(),
            "recipe_sha256": self.recipe.sha256,
            "corpora": list(self.corpora),
            "protocol": self.protocol,
            "fold": self.fold,
            "seed": self.seed,
            "clips": list(self.clips),
            "learning_rates": list(self.learning_rates),
            "temperature": self.temperature,
            "thresholds": [dataclasses.asdict(each) for each in self.thresholds],
            "distance_ratio": self.distance_ratio,
            "initial": None if self.initial is None else dataclasses.asdict(self.initial),
            "made": self.made,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RunInfo:
        """The same from run.json."""
        training, validation, test = data["clips"]
        return cls(
            recipe=from_dict(data["recipe"]),
            corpora=tuple(data["corpora"]),
            protocol=data["protocol"],
            fold=data["fold"],
            seed=data["seed"],
            clips=(training, validation, test),
            learning_rates=tuple(data["learning_rates"]),
            temperature=data["temperature"],
            thresholds=tuple(Threshold(**each) for each in data.get("thresholds", ())),
            distance_ratio=data.get("distance_ratio"),
            initial=InitialInfo.from_dict(data["initial"]) if data.get("initial") else None,
            made=data["made"],
        )


@dataclass(frozen=True)
class TrainedOn:
    """How many clips the weights come from, of how many speakers, and how long they are as recorded."""

    clips: int
    speakers: int
    duration_p05_s: float
    duration_median_s: float
    voices: tuple[str, ...] = ()  # the speakers of training and validation; none in a run of an older vocemo

    @classmethod
    def of(cls, clips: Sequence[Clip], chosen_on: Sequence[Clip] = ()) -> TrainedOn:
        """From the training clips, and those that chose among epochs.

        Clips of unknown duration count in no percentile.
        """
        durations = [clip.duration_s for clip in clips if clip.duration_s is not None] or [0.0]
        p05, median = np.percentile(durations, [5, 50])
        speakers = len({clip.speaker for clip in clips})
        voices = {clip.speaker for clip in (*clips, *chosen_on)}
        return cls(len(clips), speakers, round(float(p05), 3), round(float(median), 3), tuple(sorted(voices)))


@dataclass(frozen=True)
class Outcome:
    """What came of a run; `test` is None for a protocol without a test."""

    parameters: int  # of the architecture, moving statistics included
    best_epoch: int
    epochs: int
    train_seconds: float
    temperature: float
    trained_on: TrainedOn
    test: FoldResult | None
    thresholds: tuple[Threshold, ...] = ()  # by the wanted risk; a risk that none reaches is left out
    distances: Distances | None = None  # None in a run of an older vocemo
    calibrated_by: str | None = None  # whose the temperature and thresholds are; None in such a run, too

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Outcome:
        """The same from result.json."""
        test = data["test"]
        if test is not None:
            test = FoldResult(**{**test, "test_speakers": tuple(test["test_speakers"])})
        found = {
            "trained_on": TrainedOn(
                **{**data["trained_on"], "voices": tuple(data["trained_on"].get("voices", ()))}
            ),
            "test": test,
            "thresholds": tuple(Threshold(**each) for each in data.get("thresholds", ())),
            "distances": Distances(**data["distances"]) if data.get("distances") else None,
        }
        return cls(**data | found)


@dataclass(frozen=True)
class RunFolder:
    """The files of a run by name."""

    path: Path

    @property
    def info_path(self) -> Path:
        """What was asked for."""
        return self.path / "run.json"

    @property
    def state(self) -> Path:
        """What --resume goes on from."""
        return self.path / "last.pt"

    @property
    def weights(self) -> Path:
        """The best epoch's weights."""
        return self.path / "best.pt"

    @property
    def emotion_mappings(self) -> Path:
        """Output number to emotion, and back."""
        return self.path / "emotion_mappings.json"

    @property
    def metrics(self) -> Path:
        """A line an epoch."""
        return self.path / "metrics.jsonl"

    @property
    def curves(self) -> Path:
        """The epochs drawn."""
        return self.path / "curves.png"

    @property
    def confusion(self) -> Path:
        """The test fold's confusion matrix, drawn."""
        return self.path / "confusion.png"

    @property
    def result(self) -> Path:
        """The fold's figures, written last."""
        return self.path / "result.json"

    @property
    def domain(self) -> Path:
        """Where the training clips lie, from which distances are measured."""
        return self.path / "domain.npz"

    @property
    def predictions(self) -> Path:
        """The test clips' probabilities."""
        return self.path / "predictions.csv"

    @property
    def validation_predictions(self) -> Path:
        """The validation clips' probabilities."""
        return self.path / "validation.csv"

    @property
    def audit(self) -> Path:
        """What the leak audit of the fold found."""
        return self.path / "audit.json"

    @property
    def complete(self) -> bool:
        """Whether the run went to its end."""
        return self.result.is_file()

    def info(self) -> RunInfo:
        """What was asked for. Raises UsageError where the folder holds no run, RunError for a broken one."""
        try:
            return RunInfo.from_dict(json.loads(self.info_path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise UsageError(
                f"{self.path} holds no run (no run.json); a run folder comes from: vocemo train --out DIR"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{self.info_path} cannot be read: {error}") from error

    def check(self, info: RunInfo, *, resume: bool) -> None:
        """Make sure that the folder is free, or holds this very run.

        Raises RunError where it holds a run that is not to be resumed, or another one; UsageError where its
        path is a file.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"{self.path} is a file; a run needs a folder of its own: choose another --out")
        if not self.info_path.is_file():
            return
        if not resume:
            raise RunError(f"{self.path} already holds a run: go on with --resume, or choose another --out")
        there = self.info()
        if there != info:
            raise RunError(f"{self.path} cannot be resumed: {_difference(there, info)}")

    def begin(self, info: RunInfo, *, resume: bool) -> None:
        """Make the folder, once `check` finds nothing wrong."""
        self.check(info, resume=resume)
        if not self.info_path.is_file():
            self.path.mkdir(parents=True, exist_ok=True)
            checkpoint.write_json(self.info_path, info.to_dict())
        checkpoint.write_json(self.emotion_mappings, emotion_mappings(info.recipe.emotions))

    def leaky(self) -> bool:
        """Whether the audit found the test in training or validation. Raises RunError without an audit."""
        return not self._audited()["passed"]

    def leak(self) -> str | None:
        """The first thing that the audit found of the test in training, in a sentence; None for nothing."""
        failures: list[str] = [each["message"] for each in self._audited()["findings"] if each["failure"]]
        overlaps = [message for message in failures if message.startswith("speakers overlap")]
        return next(iter(overlaps or failures), None)

    def _audited(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self.audit.read_text(encoding="utf-8"))
            found["passed"], found["findings"]
        except (OSError, ValueError, KeyError) as error:
            raise RunError(f"{self.audit} cannot be read: {error}") from error
        return found

    def outcome(self) -> Outcome:
        """What came of the run. Raises RunError where it did not go to its end."""
        if not self.complete:
            raise RunError(f"the run in {self.path} is not complete: go on with vocemo train ... --resume")
        try:
            return Outcome.from_dict(json.loads(self.result.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{self.result} cannot be read: {error}") from error

    def write_outcome(self, outcome: Outcome) -> None:
        """Write result.json, which makes the run complete."""
        checkpoint.write_json(self.result, dataclasses.asdict(outcome))

    def history(self) -> History:
        """The epochs so far, from metrics.jsonl."""
        if not self.metrics.is_file():
            return ()
        lines = self.metrics.read_text(encoding="utf-8").splitlines()
        return tuple(EpochRecord(**json.loads(line)) for line in lines)

    def write_history(self, history: History) -> None:
        """Write metrics.jsonl whole, so that a resumed run leaves no line twice."""
        lines = "".join(json.dumps(record.to_dict()) + "\n" for record in history)
        checkpoint.write_text(self.metrics, lines)


def emotion_mappings(emotions: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Which of a network's outputs is which emotion, and back.

    >>> emotion_mappings(["happy", "sad"])
    {'number_to_emotion': {'0': 'happy', '1': 'sad'}, 'emotion_to_number': {'happy': 0, 'sad': 1}}
    """
    return {
        "number_to_emotion": {str(number): emotion for number, emotion in enumerate(emotions)},
        "emotion_to_number": {emotion: number for number, emotion in enumerate(emotions)},
    }


def made_here(device: str) -> dict[str, Any]:
    """The circumstances of a run that starts now."""
    return {
        "device": device,
        "versions": provenance.versions(),
        "commit": provenance.commit(),
        "date": provenance.today(),
        "command": provenance.command(),
    }


# What makes no other run.
_NOT_ASKED = ("made", "recipe_sha256", "thresholds", "distance_ratio", "initial")


def _difference(there: RunInfo, asked: RunInfo) -> str:
    if there.initial != asked.initial:
        return f"it began with {_begun_with(there)}, asked for is {_begun_with(asked)}"
    before, now = there.to_dict(), asked.to_dict()
    for key in before:
        if key not in _NOT_ASKED and before[key] != now[key]:
            if isinstance(before[key], dict):
                for inner in before[key]:
                    if before[key][inner] != now[key].get(inner):
                        return (
                            f"its {key}.{inner} is {before[key][inner]}, asked for is {now[key].get(inner)}"
                        )
            return f"its {key} is {before[key]}, asked for is {now[key]}"
    return "it is another run"


def _begun_with(info: RunInfo) -> str:
    if info.initial is None:
        return "fresh weights"
    return f"the weights of {info.initial.name} (SHA-256 {info.initial.sha256[:12]})"
