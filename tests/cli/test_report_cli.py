"""`vocemo report` as a person types it, and the pages that crossval and evaluate leave."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

import fabricate_report
from vocemo.cli.main import main

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def run(learnt: tuple[str, Path], tmp_path: Path) -> Path:
    """A complete run in a folder of its own."""
    return shutil.copytree(learnt[1], tmp_path / "run", ignore=shutil.ignore_patterns("*.pt"))


def test_a_run_that_is_measured_gets_a_page_and_gets_it_again(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(run)]) == 0
    page = run / "report.html"
    assert str(page) in capsys.readouterr().out
    first = page.read_text(encoding="utf-8")
    assert "Before temperature" in first and "Passed." in first and "Loss by epoch" in first
    wrong = "<h2>Its surest mistakes" in first
    assert ("<audio" in first) == wrong
    page.unlink()
    assert main(["report", str(run)]) == 0
    assert page.read_text(encoding="utf-8") == first
    told = json.loads((run / "results.json").read_text(encoding="utf-8"))["report"]
    assert {"reliability", "risk_coverage", "trainings"} <= set(told) and "robustness" not in told
    assert told["trainings"][0]["audit"]["passed"]
    fabricate_report.robustness().write(run / "robustness.json")
    assert main(["report", str(run)]) == 0
    told = json.loads((run / "results.json").read_text(encoding="utf-8"))["report"]
    assert told["robustness"]["conditions"][0]["name"] == "clean"
    bare = tmp_path / "bare.html"
    before = (run / "results.json").read_bytes()
    assert main(["report", str(run), "--no-audio", "--out", str(bare)]) == 0
    assert str(bare) in capsys.readouterr().out
    assert (run / "results.json").read_bytes() == before
    assert "data:audio" not in bare.read_text(encoding="utf-8")


def test_a_page_can_be_left_out_and_jinja_be_missing(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["evaluate", str(run), "--no-report", "--out", str(tmp_path / "out")]) == 0
    assert not (tmp_path / "out" / "report.html").exists()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main(["evaluate", str(run), "--out", str(tmp_path / "out")]) == 0
    captured = capsys.readouterr()
    assert "No report.html" in captured.err and "vocemo[lab]" in captured.err
    assert (tmp_path / "out" / "results.json").is_file()
    assert main(["report", str(tmp_path / "out")]) == 2
    assert "vocemo[lab]" in capsys.readouterr().err


def test_answers_of_somebody_else_get_a_page(tmp_path: Path) -> None:
    table = tmp_path / "theirs.csv"
    table.write_text("target,happy,sad\nhappy,0.9,0.1\nsad,0.6,0.4\nsad,0.2,0.8\nsad,0.1,0.9\n")
    assert main(["evaluate", "--predictions", str(table), "--out", str(tmp_path / "out")]) == 0
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Risk and coverage" in text and "theirs" in text


def test_what_is_wrong_is_answered_with_what_is_valid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for given, named in (
        ([str(tmp_path / "none")], "is no folder"),
        ([str(tmp_path)], "vocemo crossval writes one"),
        ([str(tmp_path), "--out", str(tmp_path)], "must be a file"),
        ([str(tmp_path), "--out", str(tmp_path / "no" / "page.html")], "must be a file"),
    ):
        assert main(["report", *given]) == 2
        assert named in capsys.readouterr().err
    assert main(["report", "--help"]) == 0
    assert capsys.readouterr().out.count("vocemo report runs/") == 2
