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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vocemo.errors import RunError, UsageError
from vocemo.lab import checkpoint
from vocemo.lab.history import EpochRecord, History
from vocemo.lab.outcome import Outcome
from vocemo.lab.run_info import RunInfo, difference


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
            raise RunError(f"{self.path} cannot be resumed: {difference(there, info)}")

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
