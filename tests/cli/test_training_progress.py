"""What a terminal shows of a training, at any width that is usual."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pytest
import torch
from rich.cells import cell_len

from vocemo.cli.progress import Bar, progress
from vocemo.cli.training_progress import COLUMNS, ShowTraining
from vocemo.lab.history import EpochRecord
from vocemo.lab.recipe_options import TrainingOptions
from vocemo.lab.training_state import Step, TrainingState


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Kept(Bar):
    """A bar that keeps what it is told."""

    detailed = True

    def __init__(self) -> None:
        super().__init__("Training", 2, "epochs")
        self.values: dict[str, str] = {}
        self.lines: list[str] = []

    def detail(self, values: Mapping[str, str], about: str = "") -> None:
        self.values = dict(values)

    def keep(self, line: str) -> None:
        self.lines.append(line)


def state(*records: EpochRecord) -> TrainingState:
    return TrainingState(None, None, TrainingOptions(), records)


def record(epoch: int, loss: float, uar: float) -> EpochRecord:
    return EpochRecord(epoch, 1e-3, 1.5, 0.4, loss, 0.5, uar, 3.0)


def step(epoch: int, batch: int, loss: float, clips: int = 32) -> Step:
    return Step(epoch, batch, 3, clips, 1e-3, torch.tensor(loss))


def test_a_terminal_is_told_where_the_training_stands() -> None:
    bar, now = Kept(), [100.0]
    shown = ShowTraining(bar, epochs=20, keep_epochs=True, clock=lambda: now[0])
    shown.on_batch(step(1, 1, 3.0))
    assert bar.values == dict.fromkeys(COLUMNS, "-") | {
        "epoch": "1/20",
        "batch": "1/3",
        "loss": "3.000",
        "rate": "0.001",
    }
    now[0] += 0.1
    shown.on_batch(step(1, 2, 2.0))
    assert bar.values["batch"] == "1/3"  # too soon to be read again
    now[0] += 0.4
    shown.on_batch(step(1, 3, 1.0, clips=16))
    # By hand: (3 * 32 + 2 * 32 + 1 * 16) / 80; 48 clips in the half second after the first batch.
    assert (bar.values["loss"], bar.values["clips/s"], bar.values["batch"]) == ("2.200", "96", "3/3")
    shown.on_epoch(state(record(1, 1.2, 0.5)))
    assert (bar.values["val. loss"], bar.values["val. UAR"], bar.values["best epoch"]) == (
        "1.200",
        "50.0 %",
        "1 (50.0 %)",
    )
    shown.on_epoch(state(record(1, 1.2, 0.5), record(2, 1.4, 0.6)))
    assert (bar.values["val. UAR"], bar.values["best epoch"]) == ("60.0 %", "1 (50.0 %)")
    assert bar.lines[1] == "epoch 2: loss 1.500, validation loss 1.400 UAR 60.0 %, 3.0 s"
    assert bar.lines[0].endswith("(best), 3.0 s")
    assert bar.done == pytest.approx(2)


def test_a_resumed_training_counts_the_epochs_before() -> None:
    bar = Kept()
    shown = ShowTraining(bar)
    for batch in (1, 2, 3):
        shown.on_batch(step(3, batch, 1.0))
    shown.on_epoch(state(*(record(epoch, 1.0, 0.5) for epoch in (1, 2, 3))))
    assert bar.done == pytest.approx(3) and bar.values["epoch"] == "3"


def test_where_the_last_epoch_is_kept_none_is_called_the_best() -> None:
    bar, kept = Kept(), TrainingState(None, None, TrainingOptions(keep="last"), (record(1, 1.0, 0.5),))
    ShowTraining(bar, keep_epochs=True).on_epoch(kept)
    ShowTraining(bar, keep_epochs=True).on_epoch(state(record(1, 1.0, 0.5)))
    assert ["(best)" in line for line in bar.lines] == [False, True]


def test_a_resumed_training_stands_at_once_where_it_stood() -> None:
    shown = ShowTraining(Kept(), epochs=20)
    shown.on_batch(step(6, 1, 1.0))
    assert shown.epochs == pytest.approx(5 + 1 / 3)


def test_elsewhere_a_line_is_as_it_was_and_the_loss_is_never_read() -> None:
    class Unread:
        def __mul__(self, other: object) -> None:
            raise AssertionError("read")

        __rmul__ = __float__ = __mul__

    stream = io.StringIO()
    with progress("Training", 2, "epochs", stream=stream) as bar:
        shown = ShowTraining(bar, "seed 0 fold 3", epochs=2, keep_epochs=True)
        shown.on_batch(Step(1, 1, 1, 8, 1e-3, Unread()))
        shown.on_epoch(state(record(1, 1.2, 0.5)))
    said = "seed 0 fold 3 epoch 1: loss 1.500, validation loss 1.200 UAR 50.0 % (best)"
    assert stream.getvalue().startswith(f"Training: 1 of 2 epochs, {said} (")
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize(("columns", "label"), [(80, ""), (80, "seed 2 fold 5"), (100, "trial 12 of 24")])
def test_all_of_it_fits_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: int, label: str) -> None:
    monkeypatch.setenv("TERM", "dumb")  # without colours and without moving the cursor: what is left is text
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = Terminal()
    with progress("Cross-validation", 1920, "epochs", stream=stream) as bar:
        bar.advance(1234.56)
        shown = ShowTraining(bar, label, epochs=100)
        shown.on_batch(Step(100, 110, 110, 32, 0.00012, torch.tensor(1.234)))
        shown.on_epoch(state(*(record(epoch, 10.0, 1.0) for epoch in range(1, 101))))
    lines = stream.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= columns
    said = stream.getvalue()
    assert "…" not in said
    assert all(name in said for name in COLUMNS)
    assert all(value in said for value in ("100/100", "110/110", "1.234", "10.000", "0.00012", "1 (100.0 %)"))
    assert "of 1,920 epochs" in said and label in said
