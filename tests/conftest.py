"""Fixtures that all tests share."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from vocemo.lab.waveforms import Waveforms

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS))  # so that `import fabricate` works wherever the tests are started
sys.path.append(str(TESTS.parent / "scripts"))  # and `import fuzzing`
# Limits of memory, which that module sets, are a thing of POSIX.
collect_ignore = [] if importlib.util.find_spec("resource") else ["test_fuzz.py"]

# How long an example takes says how busy the machine is, and nothing of what is tested.
hypothesis.settings.register_profile("vocemo", deadline=None)
hypothesis.settings.load_profile("vocemo")


@pytest.fixture(scope="session")
def corpora_dir() -> Path:
    """The folder of real corpora; a machine without them skips the tests that need it."""
    folder = TESTS.parent.parent / "shared" / "corpora"
    if not folder.is_dir():
        pytest.skip("real corpora are not on this machine (../shared/corpora)")
    return folder


@pytest.fixture(scope="session")
def weights_dir() -> Path:
    """The folder of pretrained encoders; a machine without it skips the tests that need it."""
    folder = TESTS.parent.parent / "shared" / "weights"
    if not folder.is_dir():
        pytest.skip("pretrained encoders are not on this machine (../shared/weights)")
    return folder


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """Torch on one thread: what is small enough for a test is slower on several."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The spec of a fabricated corpus of 48 clips, read only: six speakers, eight emotions."""
    import fabricate_run

    return fabricate_run.corpus(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_waveforms(one_thread: None) -> Waveforms:
    """The prepared clips that all trainings of the tiny recipe may share."""
    import fabricate_run
    from vocemo.lab.experiment import waveforms_for

    return waveforms_for(fabricate_run.recipe())


@pytest.fixture(scope="session")
def learnt(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> tuple[str, Path]:
    """A corpus, and the run folder of a model that has learnt it, read only: emobox-6, fold 0."""
    import fabricate_run

    folder = tmp_path_factory.mktemp("learnt")
    spec = fabricate_run.corpus(folder / "corpus", clips_per_emotion=3, seconds=0.6)
    chosen = fabricate_run.recipe(*fabricate_run.LEARNING)
    fabricate_run.run(spec, fabricate_run.fold(spec), folder / "run", chosen)
    return spec, folder / "run"


@pytest.fixture(scope="session")
def learnt_bundle(learnt: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The learnt model as a bundle, read only."""
    from vocemo.lab.export.run import export_run

    path = tmp_path_factory.mktemp("bundle") / "learnt.onnx"
    export_run(learnt[1], path)
    return path


@pytest.fixture
def no_exporter(learnt_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exporter's place taken by a graph that is made already, so that a test takes no ten seconds."""
    import onnx

    from vocemo.lab.export import onnx_bundle

    model = onnx.load(learnt_bundle)
    del model.metadata_props[:]

    def made(*_: object) -> onnx.ModelProto:
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        return copy

    monkeypatch.setattr(onnx_bundle, "_onnx_model", made)
