"""Deterministic training: the same to the last bit, kept in the record, and no trace of it afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import fabricate_run
from vocemo.errors import UsageError
from vocemo.lab import crossval, device, experiment
from vocemo.lab.run import RunFolder
from vocemo.lab.training_state import Step, TrainingState
from vocemo.lab.waveforms import Waveforms


def torchs_state() -> tuple[bool, bool, bool]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.benchmark,
    )


@pytest.mark.parametrize("warn_only", [None, False, True])
def test_torch_is_left_as_it_was(warn_only: bool | None) -> None:
    """Whatever stood before, also where what is done within fails."""
    try:
        if warn_only is not None:
            torch.use_deterministic_algorithms(True, warn_only=warn_only)
        torch.backends.cudnn.benchmark = warn_only is None
        before = torchs_state()
        with device.deterministic(fabricate_run.CPU):
            assert torchs_state() == (True, False, False)
        assert torchs_state() == before
        with pytest.raises(KeyError), device.deterministic(fabricate_run.CPU):
            raise KeyError
        assert torchs_state() == before
        with device.deterministic(fabricate_run.CPU, wanted=False):
            assert torchs_state() == before
    finally:
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.benchmark = False


def test_cuda_needs_a_workspace_of_fixed_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(device.CUBLAS_WORKSPACE, raising=False)
    before = torchs_state()
    with (
        pytest.raises(UsageError, match=r"CUBLAS_WORKSPACE_CONFIG=:4096:8"),
        device.deterministic(torch.device("cuda")),
    ):
        pass
    assert torchs_state() == before
    monkeypatch.setenv(device.CUBLAS_WORKSPACE, ":4096:8")
    with device.deterministic(torch.device("cuda")):
        assert torchs_state()[0]
    assert torchs_state() == before


class Look:
    """Sees whether torch is deterministic while it trains."""

    def __init__(self) -> None:
        self.seen: set[bool] = set()

    def on_batch(self, step: Step) -> None:
        self.seen.add(torch.are_deterministic_algorithms_enabled())

    def on_epoch(self, state: TrainingState) -> None:
        pass


def test_two_deterministic_runs_are_one_and_say_so(
    tiny_corpus: str, tiny_waveforms: Waveforms, tmp_path: Path
) -> None:
    chosen, fold = fabricate_run.recipe("training.precision=auto"), fabricate_run.fold(tiny_corpus)
    info = crossval.run_info(chosen, (tiny_corpus,), fold, 0, fabricate_run.CPU)
    runs = [RunFolder(tmp_path / name) for name in ("one", "other", "plain")]
    for folder in runs:
        look = Look()
        experiment.run_fold(
            info,
            fold,
            folder,
            waveforms=tiny_waveforms,
            device=fabricate_run.CPU,
            callbacks=[look],
            deterministic=folder.path.name != "plain",
        )
        assert look.seen == {folder.path.name != "plain"}
        assert not torch.are_deterministic_algorithms_enabled()
    one, other, plain = runs
    assert fabricate_run.same(fabricate_run.weights(one.weights), fabricate_run.weights(other.weights))
    assert one.predictions.read_bytes() == other.predictions.read_bytes()
    made = one.info().made
    assert made["deterministic"] is True and plain.info().made["deterministic"] is False
    assert made["precision"] == ("bfloat16" if device.gains_by_bfloat16(fabricate_run.CPU) else "float32")
    assert made["threads"] == torch.get_num_threads()
    assert one.info() == plain.info()  # the same was asked for
