"""Training curves for TensorBoard: a callback that writes event files.

One folder of events belongs to one run folder and is written anew from the run's history where a training
goes on after a break, so that no epoch stands in it twice. Needs the extra `tensorboard`.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vocemo.errors import MissingExtraError
from vocemo.lab.history import EpochRecord

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from vocemo.lab.run import RunFolder
    from vocemo.lab.training_state import Step, TrainingState

# Training and validation in one chart each, on TensorBoard's page "custom scalars".
LAYOUT = {
    "training": {
        "loss": ["Multiline", ["loss/training", "loss/validation"]],
        "accuracy": ["Multiline", ["accuracy/training", "accuracy/validation", "uar/validation"]],
    }
}


def need() -> None:
    """Raise MissingExtraError where TensorBoard is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        raise MissingExtraError("--tensorboard", "tensorboard")


def scalars(record: EpochRecord) -> dict[str, float]:
    """An epoch's figures by the name that they have in TensorBoard; losses in nats, shares of 1.

    >>> scalars(EpochRecord(1, 1e-3, 2.0, 0.25))
    {'loss/training': 2.0, 'accuracy/training': 0.25, 'learning_rate': 0.001, 'seconds': 0.0}
    """
    named = {
        "loss/training": record.train_loss,
        "loss/validation": record.validation_loss,
        "accuracy/training": record.train_accuracy,
        "accuracy/validation": record.validation_accuracy,
        "uar/validation": record.validation_uar,
        "learning_rate": record.learning_rate,
        "seconds": record.seconds,
    }
    return {name: value for name, value in named.items() if value is not None}


def events_folder(directory: Path, run: Path) -> Path:
    """The folder of a run's events: one of its own below the directory that TensorBoard is pointed at.

    >>> events_folder(Path("boards"), Path("runs/first"))
    PosixPath('boards/runs/first')
    """
    place, here = run.resolve(), Path.cwd()
    inside = place.relative_to(here) if place.is_relative_to(here) else place.relative_to(place.anchor)
    return directory / inside


class WriteTensorBoard:
    """Writes each epoch's figures as soon as they are known."""

    def __init__(self, directory: Path, run: RunFolder) -> None:
        self._run = run
        self._folder = events_folder(directory, run.path)
        self._writer: SummaryWriter | None = None

    def on_batch(self, step: Step) -> None:
        """Nothing is written within an epoch."""

    def on_epoch(self, state: TrainingState) -> None:
        """The epoch's figures; after a break, those of the epochs before it as well."""
        if self._writer is None:
            self._writer = self._anew(state.history)
        else:
            self._write(self._writer, state.history[-1], time.time())
        self._writer.flush()

    def finish(self) -> None:
        """Add the drawn curves to those of a complete run, and close the file."""
        if self._writer is None:  # it was complete before: nothing was trained
            self._writer = self._anew(self._run.history())
        if self._run.curves.is_file():
            from matplotlib.image import imread

            drawn, last = imread(self._run.curves), len(self._run.history())
            self._writer.add_image("curves", drawn[..., :3], last, dataformats="HWC")
        self._writer.close()

    def _anew(self, history: Sequence[EpochRecord]) -> SummaryWriter:
        """A file with these epochs in the place of whatever the folder has."""
        from torch.utils.tensorboard import SummaryWriter

        for old in self._folder.glob("events.out.tfevents.*"):
            old.unlink()
        writer = SummaryWriter(str(self._folder))
        writer.add_custom_scalars(LAYOUT)
        ended_at = time.time() - sum(record.seconds for record in history)
        for record in history:
            ended_at += record.seconds
            self._write(writer, record, ended_at)
        return writer

    @staticmethod
    def _write(writer: SummaryWriter, record: EpochRecord, ended_at: float) -> None:
        for name, value in scalars(record).items():
            writer.add_scalar(name, value, record.epoch, walltime=ended_at)
