"""How far a training is: a callback that draws it on a bar."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from vocemo.cli.progress import Bar

if TYPE_CHECKING:
    from torch import Tensor

    from vocemo.lab.training_state import Step, TrainingState

Trained = TypeVar("Trained")
SHOWN_EVERY_S = 0.25  # the loss is read no more often: on a GPU each reading waits for it

COLUMNS = ("epoch", "batch", "loss", "val. loss", "val. UAR", "best epoch", "rate", "clips/s")


class ShowTraining:
    """A callback that draws a training's progress: a share of an epoch a batch, its figures an epoch.

    A bar on a terminal shows besides where the epoch stands, the latest validation, the best epoch so far,
    the rate and the speed; where `keep_epochs` is set, each epoch leaves a line above it.
    """

    def __init__(
        self,
        bar: Bar,
        label: str = "",
        *,
        epochs: int | None = None,
        keep_epochs: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bar, self._label, self._of, self._keep, self._clock = bar, label, epochs, keep_epochs, clock
        self.epochs = 0.0  # shown so far
        self._loss_sum: Tensor | float = 0.0
        self._clips = 0  # of this epoch
        self._timed_from = (0.0, 0)  # the end of the epoch's first batch, and the clips until then
        self._shown = -math.inf
        self._told = dict.fromkeys(COLUMNS, "-")

    def on_batch(self, step: Step) -> None:
        """One step of the epoch's share of the bar; a resumed training stands at once where it stood."""
        self._advance(step.epoch - 1 + step.batch / step.batches - self.epochs)
        if not self._bar.detailed:
            return
        now = self._clock()
        if step.batch == 1:
            self._loss_sum, self._clips, self._timed_from = 0.0, 0, (now, step.clips)
        self._loss_sum = self._loss_sum + step.loss * step.clips
        self._clips += step.clips
        if now - self._shown >= SHOWN_EVERY_S or step.batch == step.batches:
            self._shown = now
            self._told |= {
                "epoch": _of(step.epoch, self._of),
                "batch": _of(step.batch, step.batches),
                "loss": f"{float(self._loss_sum) / self._clips:.3f}",
                "rate": f"{step.learning_rate:.2g}",
                "clips/s": self._speed(now),
            }
            self._bar.detail(self._told, self._label)

    def on_epoch(self, state: TrainingState) -> None:
        """The epoch's figures."""
        record = state.history[-1]
        note = f"loss {record.train_loss:.3f}"
        if record.validation_loss is not None and record.validation_uar is not None:
            note += f", validation loss {record.validation_loss:.3f} UAR {100 * record.validation_uar:.1f} %"
            note += " (best)" if state.is_best and state.options.keep == "best" else ""
        label = f"{self._label} " if self._label else ""
        self._advance(len(state.history) - self.epochs, f"{label}epoch {record.epoch}: {note}")
        if self._keep and self._bar.detailed:
            self._bar.keep(f"epoch {record.epoch}: {note}, {record.seconds:.1f} s")
        if record.validation_loss is not None:
            self._told |= {
                "val. loss": f"{record.validation_loss:.3f}",
                "val. UAR": _percent(record.validation_uar),
                "best epoch": f"{state.best.epoch} ({_percent(state.best.validation_uar)})",
            }
        self._bar.detail(self._told, self._label)

    def _speed(self, now: float) -> str:
        """Clips a second since the epoch's first batch: nobody says when that one began."""
        began, before = self._timed_from
        return f"{(self._clips - before) / (now - began):.0f}" if now > began else "-"

    def _advance(self, epochs: float, note: str | None = None) -> None:
        self.epochs += epochs
        self._bar.advance(epochs, note=note)


def finished(
    bar: Bar, shown: Sequence[ShowTraining], trained: Iterable[Trained], epochs: int
) -> Iterator[Trained]:
    """Each training as it is done, the bar brought to where it would stand after all its epochs.

    Early stopping leaves epochs out, and what was complete before has none to show.
    """
    for each, one in zip(shown, trained, strict=True):
        bar.advance(epochs - each.epochs)
        yield one


def _of(number: int, total: int | None) -> str:
    return f"{number}" if total is None else f"{number}/{total}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
