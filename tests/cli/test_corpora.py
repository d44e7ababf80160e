"""`vocemo corpora` as a person types it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest

import fabricate
from vocemo.cli.main import main
from vocemo.lab import corpora
from vocemo.lab.corpora.download import Downloaded


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(["corpora", *arguments]) == status
    return capsys.readouterr().out


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str, status: int) -> str:
    assert main(["corpora", *arguments]) == status
    return capsys.readouterr().err


def test_list_names_every_corpus(capsys: pytest.CaptureFixture[str]) -> None:
    table = said(capsys, "list")
    assert all(name in table for name in corpora.CORPORA)
    listed = json.loads(said(capsys, "list", "--format", "json"))
    assert [entry["name"] for entry in listed] == list(corpora.CORPORA)


@pytest.mark.parametrize("name", list(corpora.CORPORA))
def test_info_describes_every_corpus(capsys: pytest.CaptureFixture[str], name: str) -> None:
    corpus = corpora.CORPORA[name]
    text = said(capsys, "info", name)
    assert corpus.licence in text
    assert corpus.citation in text
    described = json.loads(said(capsys, "info", name, "--format", "json"))
    assert described["licence"] == corpus.licence
    if corpus.expected is not None:
        assert f"Clips: {corpus.expected.total:,} of" in text
        assert described["expected"]["clips"] == corpus.expected.total


def test_check_of_a_complete_and_of_an_incomplete_copy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    root = fabricate.savee(tmp_path, clips_per_emotion=30, seconds=0.02)
    assert "savee: complete, 480 clips" in said(capsys, "check", f"savee:{root}", "--quiet")
    (root / "AudioData" / "DC" / "a01.wav").unlink()
    (root / "AudioData" / "DC" / "a02.wav").write_bytes(b"text")
    text = said(capsys, "check", f"savee:{root}", status=1)
    assert "Missing (1):\n  DC_a01\n" in text
    assert "Unreadable (1):\n  AudioData/DC/a02.wav: " in text
    report = json.loads(said(capsys, "check", f"savee:{root}", "--format", "json", status=1))
    assert report["missing"] == ["DC_a01"]
    assert not report["complete"]


def test_long_lists_are_cut_and_say_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    root = fabricate.savee(tmp_path, speakers=1, clips_per_emotion=1, seconds=0.02)
    assert "and 463 more (--format json lists them all)" in said(capsys, "check", f"savee:{root}", status=1)


def test_wrong_requests_name_the_right_ones(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "Valid: ravdess" in complaint(capsys, "info", "ravdes", status=2)
    assert "NAME:PLACE" in complaint(capsys, "check", "ravdess", status=2)
    assert "register at http" in complaint(capsys, "fetch", "savee", str(tmp_path), status=2)
    assert "no such folder" in complaint(capsys, "check", f"savee:{tmp_path / 'no'}", status=1)


def test_fetch_shows_what_came(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packed = io.BytesIO()
    source = fabricate.emodb(tmp_path / "source", speakers=1, clips_per_emotion=1, seconds=0.05)
    with zipfile.ZipFile(packed, "w") as opened:
        for path in source.rglob("*.wav"):
            opened.write(path, path.relative_to(source).as_posix())
    content = packed.getvalue()

    def bring(archive: corpora.Archive, target: Path, **options: object) -> object:
        target.write_bytes(content)
        return Downloaded(target, len(content), hashlib.sha256(content).hexdigest(), False)

    monkeypatch.setattr("vocemo.lab.corpora.fetching.download", bring)
    text = said(capsys, "fetch", "emodb", str(tmp_path / "data"))
    assert "no checksum is published" in text
    assert "7 clips in" in text
    assert "licence: free for research" in text
    assert hashlib.sha256(content).hexdigest() in text
    fetched = json.loads(said(capsys, "fetch", "emodb", str(tmp_path / "data2"), "--format", "json"))
    assert fetched["clips"] == 7


@pytest.mark.parametrize("verb", ["list", "info", "check", "fetch"])
def test_help_gives_an_example(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    assert f"vocemo corpora {verb}" in said(capsys, verb, "--help")
