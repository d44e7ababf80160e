"""The event files are read back by TensorBoard's own reader: each epoch once, whatever happened between."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from tensorboard.backend.event_processing import event_accumulator as accumulator
from tensorboard.backend.event_processing import event_file_loader as loader

import fabricate_run
from vocemo.cli.main import main
from vocemo.errors import MissingExtraError
from vocemo.lab import tensorboard
from vocemo.lab.run import RunFolder
from vocemo.lab.splits import Fold
from vocemo.lab.tensorboard import WriteTensorBoard, events_folder, scalars
from vocemo.lab.training_state import Step, TrainingState
from vocemo.lab.waveforms import Waveforms

CHOSEN = fabricate_run.recipe("training.epochs=3")


@pytest.fixture(scope="module")
def fold(tiny_corpus: str) -> Fold:
    return fabricate_run.fold(tiny_corpus)


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Every scalar of every event file below a folder, as it lies there."""
    found: dict[str, list[tuple[int, float]]] = {}
    for file in sorted(folder.rglob("events.out.tfevents.*")):
        for event in loader.EventFileLoader(str(file)).Load():
            for value in event.summary.value:
                if value.tensor.float_val:
                    found.setdefault(value.tag, []).append((event.step, value.tensor.float_val[0]))
    return found


def expected(run: RunFolder) -> dict[str, list[tuple[int, float]]]:
    told: dict[str, list[tuple[int, float]]] = {}
    for record in run.history():
        for name, value in scalars(record).items():
            told.setdefault(name, []).append((record.epoch, pytest.approx(value, rel=1e-6)))
    return told


def test_each_epoch_is_written_with_all_its_figures_and_the_curves(
    tiny_corpus: str, fold: Fold, tiny_waveforms: Waveforms, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "run")
    board = WriteTensorBoard(tmp_path / "boards", run)
    fabricate_run.run(tiny_corpus, fold, run.path, CHOSEN, waveforms=tiny_waveforms, callbacks=[board])
    from vocemo.cli.training import draw

    draw(run, fold)
    board.finish()
    found = read(tmp_path / "boards")
    assert found == expected(run)
    assert set(found) == {
        "loss/training",
        "loss/validation",
        "accuracy/training",
        "accuracy/validation",
        "uar/validation",
        "learning_rate",
        "seconds",
    }
    events = accumulator.EventAccumulator(str(events_folder(tmp_path / "boards", run.path))).Reload()
    assert events.Tags()["images"] == ["curves"] and events.Images("curves")[0].step == 3
    assert events.Images("curves")[0].width > 500


def test_after_breaks_no_epoch_stands_twice(
    tiny_corpus: str, fold: Fold, tiny_waveforms: Waveforms, tmp_path: Path
) -> None:
    class Stop(BaseException):
        """As sudden as a Ctrl-C."""

    class Break:
        """Ends training after an epoch is written to the board and before it is saved."""

        def __init__(self, after: int) -> None:
            self.after = after

        def on_batch(self, step: Step) -> None:
            pass

        def on_epoch(self, state: TrainingState) -> None:
            if len(state.history) == self.after:
                raise Stop

    run = RunFolder(tmp_path / "run")
    for after in (1, 2, 3):
        callbacks = [WriteTensorBoard(tmp_path / "boards", run), Break(after)]
        with pytest.raises(Stop):
            fabricate_run.run(
                tiny_corpus,
                fold,
                run.path,
                CHOSEN,
                waveforms=tiny_waveforms,
                callbacks=callbacks,
                resume=True,
            )
    board = WriteTensorBoard(tmp_path / "boards", run)
    fabricate_run.run(
        tiny_corpus, fold, run.path, CHOSEN, waveforms=tiny_waveforms, callbacks=[board], resume=True
    )
    board.finish()
    assert read(tmp_path / "boards") == expected(run)
    late = WriteTensorBoard(tmp_path / "boards", run)  # nothing is trained, all of it is there
    fabricate_run.run(
        tiny_corpus, fold, run.path, CHOSEN, waveforms=tiny_waveforms, callbacks=[late], resume=True
    )
    late.finish()
    assert read(tmp_path / "boards") == expected(run)


def test_runs_have_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    boards = tmp_path / "boards"
    assert events_folder(boards, Path("runs/a")) == boards / "runs" / "a"
    assert events_folder(boards, Path("runs/../runs/b")) == boards / "runs" / "b"
    outside = events_folder(boards, Path("/elsewhere/a"))
    assert outside == boards / "elsewhere" / "a"


def test_crossval_writes_a_board_for_each_fold(
    tiny_corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ["crossval", fabricate_run.RECIPE, "--corpus", tiny_corpus, "--out", "cv", "--seeds", "1"]
    given += [
        "--protocol",
        "random",
        "--tensorboard",
        "boards",
        "--deterministic",
        "--quiet",
        "--device",
        "cpu",
    ]
    assert main([*given, *fabricate_run.settings()]) == 0
    run = RunFolder(tmp_path / "cv" / "seed-0" / "fold-0")
    assert read(tmp_path / "boards" / "cv" / "seed-0" / "fold-0") == expected(run)
    assert run.info().made["deterministic"] is True


def test_without_tensorboard_it_is_said_before_anything_is_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    genuine = importlib.util.find_spec
    monkeypatch.setattr(
        tensorboard.importlib.util,
        "find_spec",
        lambda name, *more: None if name == "tensorboard" else genuine(name, *more),
    )
    with pytest.raises(MissingExtraError, match=r"vocemo\[tensorboard\]"):
        tensorboard.need()
    assert main(["train", fabricate_run.RECIPE, "--tensorboard", str(tmp_path)]) == 2
    assert "vocemo[tensorboard]" in capsys.readouterr().err
    monkeypatch.undo()
    (tmp_path / "file").write_text("mine")
    assert main(["train", fabricate_run.RECIPE, "--tensorboard", str(tmp_path / "file")]) == 2
    assert "is a file; it takes a folder" in capsys.readouterr().err
