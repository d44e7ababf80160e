"""Models inside the package are asked for by their names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import fabricate_bundle
from vocemo.bundle import Bundle, packaged
from vocemo.errors import BundleError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of three models, of which `middle` answers by default."""
    place = tmp_path / "models"
    place.mkdir()
    first = fabricate_bundle.write(place / "middle.onnx")
    for name in ("another", "tiny"):
        shutil.copy(first, place / f"{name}.onnx")
    monkeypatch.setattr(packaged, "FOLDER", place)
    monkeypatch.setattr(packaged, "FIRST", "middle")
    return place


def test_the_one_that_answers_by_default_is_named_first(folder: Path) -> None:
    assert packaged.names() == ["middle", "another", "tiny"]


@pytest.mark.parametrize(
    ("asked", "file"),
    [(None, "middle"), ("default", "middle"), ("tiny", "tiny"), (Path("another"), "another")],
)
def test_a_name_stands_for_a_file_of_the_package(folder: Path, asked: str | Path | None, file: str) -> None:
    assert packaged.place(asked) == folder / f"{file}.onnx"
    assert Bundle.open(asked, device="cpu").path == folder / f"{file}.onnx"


@pytest.mark.parametrize("asked", ["tiny.onnx", "models/tiny", "Tiny", "/tiny", "", "../models/tiny"])
def test_what_is_no_name_is_a_path(folder: Path, asked: str) -> None:
    assert packaged.place(asked) == Path(asked)


def test_a_file_here_does_not_stand_before_a_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = folder.parent / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    (here / "tiny").write_bytes(b"something else")
    assert Bundle.open("tiny", device="cpu").path.parent == folder


def test_a_name_that_there_is_not_is_told_with_those_that_there_are(folder: Path) -> None:
    with pytest.raises(BundleError, match=r"no bundle at tini; valid: a path, or middle, another, tiny"):
        Bundle.open("tini")
    with pytest.raises(BundleError, match=r"no bundle at tini\.onnx$"):
        Bundle.open("tini.onnx")


def test_without_the_first_its_place_is_named(folder: Path) -> None:
    (folder / "middle.onnx").unlink()
    with pytest.raises(BundleError, match=r"middle\.onnx"):
        Bundle.open()
