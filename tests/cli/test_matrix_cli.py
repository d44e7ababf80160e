"""`vocemo matrix` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import fabricate
import fabricate_matrix
import typed
from vocemo.cli.main import main
from vocemo.lab import matrix as lab
from vocemo.lab import provenance

pytestmark = pytest.mark.usefixtures("one_thread")
PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return fabricate_matrix.corpora(tmp_path_factory.mktemp("three"))


def arguments(specs: dict[str, str], out: Path, *more: str) -> list[str]:
    few = ("--seeds", "1", "--folds", "2", "--set", "training.epochs=1")
    return typed.arguments("matrix", list(specs.values()), out, *few, *more)


@pytest.fixture(scope="module")
def interrupted(three: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """A matrix that Ctrl-C ended after five trainings, and matrix.json as it stood after each."""
    out = tmp_path_factory.mktemp("matrix")
    return out, typed.stopped(arguments(three, out, "--quiet"), out / "matrix.json", after=5)


def test_cells_are_written_as_they_come(interrupted: tuple[Path, list[Any]]) -> None:
    out, stood = interrupted
    assert [len(matrix["cells"]) for matrix in stood] == [2, 4, 6, 6, 7]
    assert not any(matrix["complete"] for matrix in stood)
    assert not (out / "matrix.png").exists()


def test_started_again_it_goes_on_where_it_stood(
    capsys: pytest.CaptureFixture[str], three: dict[str, str], interrupted: tuple[Path, list[Any]]
) -> None:
    out, _ = interrupted
    kept = {path: path.stat().st_mtime_ns for path in out.glob("**/best.pt")}
    assert len(kept) == 6
    assert main(arguments(three, out)) == 0
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())
    captured = capsys.readouterr()
    assert "Shared emotions: happy, sad, angry (chance 33.3%)" in captured.err
    assert "ravdess-speech: 18 clips of 3 speakers; left out: 12 (6 neutral, 6 calm)" in captured.err
    assert "emodb: 18 clips of 3 speakers; left out: 12 (6 neutral, 6 boredom)" in captured.err
    assert "aesdd: 12 clips of 2 speakers\n" in captured.err
    assert "trained on all but aesdd, seed 0: cross-corpus fold 0: train " in captured.err
    assert "within emodb, fold 1, seed 0: UAR " in captured.err
    assert "Matrix: 12 of 12 epochs" in captured.err
    assert captured.out.startswith("UAR in percent, 95 % interval over speakers; chance 33.3\n")
    assert "LEAKY" not in captured.out and "all others" in captured.out
    found = lab.Matrix.read(out / "matrix.json")
    assert found.complete and len(found.cells) == 12 and found.emotions == fabricate_matrix.SHARED
    assert found.command == provenance.command()  # what was typed, here to the tests
    assert [dict(corpus.dropped) for corpus in found.corpora][2] == {}
    for name in ("matrix.png", "matrix-dark.png", "within-emodb/seed-0/fold-1/confusion.png"):
        assert (out / name).read_bytes().startswith(PNG)
    assert main(arguments(three, out, "--quiet")) == 0  # nothing is left to do
    assert lab.Matrix.read(out / "matrix.json") == found


def test_chosen_emotions_and_two_corpora(
    capsys: pytest.CaptureFixture[str], three: dict[str, str], tmp_path: Path
) -> None:
    two = {name: three[name] for name in ("emodb", "aesdd")}
    assert main(arguments(two, tmp_path, "--quiet", "--emotions", "angry, sad")) == 0
    found = lab.Matrix.read(tmp_path / "matrix.json")
    assert found.emotions == ("sad", "angry")
    assert [(cell.train, cell.test) for cell in found.cells] == [(a, b) for a in two for b in two]
    assert lab.ALL_OTHERS not in capsys.readouterr().out
    info = json.loads((tmp_path / "train-on-emodb" / "seed-0" / "run.json").read_text(encoding="utf-8"))
    assert info["recipe"]["emotions"] == ["sad", "angry"]
    assert info["corpora"] == [three["emodb"]]


def test_speakers_of_two_corpora_stop_it_before_all_else(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    root = fabricate.ravdess(tmp_path / "r", 2, ("speech", "song"), 1, 0.2, emotions=("happy", "sad"))
    both = {name: f"{name}:{root}" for name in ("ravdess-speech", "ravdess-song")}
    assert main(arguments(both, tmp_path / "out")) == 1
    assert "2 speakers in common (ravdess/01, ravdess/02)" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("names", "more", "said"),
    [
        ((), [], "two corpora or more, but was given 0"),
        (("emodb",), [], "two corpora or more, but was given 1"),
        (("emodb", "aesdd"), ["--emotions", "sad,hapy"], "did you mean 'happy'"),
        (("emodb", "aesdd"), ["--emotions", "sad,neutral"], "'neutral' has no clip in aesdd"),
        (("emodb", "aesdd"), ["--folds", "1"], "--folds"),
        (("emodb", "aesdd"), ["--set", "training.epoch=1"], "did you mean 'epochs'"),
    ],
)
def test_what_is_wrong_is_said(
    names: tuple[str, ...],
    more: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    three: dict[str, str],
    tmp_path: Path,
) -> None:
    chosen = {name: three[name] for name in names}
    assert main(arguments(chosen, tmp_path / "out", *more)) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
