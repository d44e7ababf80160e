"""`vocemo explore` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

import fabricate
from vocemo.cli.main import main


@pytest.fixture(autouse=True)
def _few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the first two alone: what each shows is tested beside the page."""
    from itertools import islice

    from vocemo.lab.explore import page

    every = page.pictures
    monkeypatch.setattr(page, "pictures", lambda found, seed: islice(every(found, seed), 2))


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"folder:{fabricate.folder(tmp_path_factory.mktemp('corpus'), seconds=0.3)}"


def test_a_page_numbers_and_pictures_are_written(
    spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "folder"
    assert main(["explore", spec, "--out", str(out), "--seed", "2", "--jobs", "2"]) == 0
    said = capsys.readouterr()
    assert f"The page is {out / 'explore.html'}" in said.out
    assert "Measuring: 16 of 16 clips" in said.err
    told = json.loads((out / "explore.json").read_text(encoding="utf-8"))
    assert (told["clips"], told["seed"], told["limit"]) == (16, 2, None)
    assert sorted(p.name for p in (out / "pictures").iterdir()) == [
        "clips-by-emotion.png",
        "clips-by-speaker.png",
    ]
    assert not list(out.rglob("*.partial"))


def test_a_quick_look_says_that_it_is_one(
    spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explore", spec, "--out", str(tmp_path), "--limit", "5", "--quiet"]) == 0
    assert "A quick look: 5 of 16 clips" in (tmp_path / "explore.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "explore.json").read_text(encoding="utf-8"))["clips"] == 5
    assert capsys.readouterr().err == ""


def test_a_broken_file_is_named_and_the_rest_is_explored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = fabricate.folder(tmp_path / "corpus", seconds=0.3, clips_per_emotion=1)
    (root / "sad" / "ben" / "cut.wav").write_bytes(b"RIFF....WAVEfmt ")
    (root / "sad" / "ben" / "nan.wav").touch()
    soundfile.write(root / "sad" / "ben" / "nan.wav", np.full(800, np.nan), 16_000, "FLOAT")
    assert main(["explore", f"folder:{root}", "--out", str(tmp_path / "out"), "--quiet"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    assert all("cannot be read: " in line for line in told)
    assert json.loads((tmp_path / "out" / "explore.json").read_text(encoding="utf-8"))["clips"] == 8


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["ravdes:x"], "did you mean 'ravdess'"),
        (["ravdess"], "NAME:PLACE"),
        (["folder:no/such/place"], "there is nothing at"),
        (["{spec}", "--limit", "0"], "--limit"),
        (["{spec}", "--out", "{file}"], "that is a file"),
        ([], "Missing argument"),
    ],
)
def test_a_wrong_request_is_answered_with_what_is_valid(
    arguments: list[str], reason: str, spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    given = [each.format(spec=spec, file=tmp_path / "file") for each in arguments]
    assert main(["explore", *given]) == 2
    assert reason in capsys.readouterr().err


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "--help"]) == 0
    assert capsys.readouterr().out.count("vocemo explore ") >= 2
