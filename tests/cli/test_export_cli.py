"""`vocemo export` as a person types it, from the run to an answer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import typed
from vocemo.bundle import Bundle
from vocemo.cli.main import main

pytestmark = pytest.mark.usefixtures("one_thread")


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 2) -> str:
    return typed.complaint(capsys, "export", *arguments, status=status)


def test_a_run_becomes_a_file_that_predicts_and_says_what_it_is(
    capsys: pytest.CaptureFixture[str], learnt: tuple[str, Path], no_exporter: None, tmp_path: Path
) -> None:
    assert main(["evaluate", str(learnt[1]), "--out", str(tmp_path)]) == 0
    target = tmp_path / "models" / "emotion.onnx"
    figures = str(tmp_path / "results.json")
    capsys.readouterr()
    assert main(["export", str(learnt[1]), "--out", str(target), "--results", figures]) == 0
    said = capsys.readouterr().out
    assert f"Wrote {target} (" in said
    assert "Largest difference of a probability from the network: " in said
    assert f"vocemo predict FILE --model {target}" in said
    card = target.with_suffix(".md")
    assert f"Model card: {card}" in said
    assert any(called in card.read_text() for called in ("**estimated**", "**measured**"))
    assert "CC BY-NC-SA 4.0" in card.read_text() and "vocemo evaluate" in card.read_text()
    clip = str(next(Path(learnt[0].partition(":")[2]).rglob("*.wav")))
    assert main(["predict", clip, "--model", str(target), "--device", "cpu", "--format", "json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["model"] == "dual-channel-cnn" and len(answer["probabilities"]) == 8
    assert main(["info", str(target)]) == 0
    described = capsys.readouterr().out
    assert "CC BY-NC-SA" in described and "Livingstone" in described and "emobox-6" in described


def test_the_file_says_when_its_answers_are_uncertain(
    capsys: pytest.CaptureFixture[str], learnt: tuple[str, Path], no_exporter: None, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(learnt[1], run)
    result = json.loads((run / "result.json").read_text())
    given = {"wanted_risk": 0.2, "threshold": 0.625, "risk": 0.1, "coverage": 0.5}
    (run / "result.json").write_text(json.dumps(result | {"thresholds": [given]}))
    target = tmp_path / "emotion.onnx"
    assert main(["export", str(run), "--out", str(target), "--risk", "0.2"]) == 0
    assert "at most 20% of the others are wrong" in capsys.readouterr().out
    about = Bundle.open(target, device="cpu").info
    assert (about.threshold, about.threshold_risk) == (0.625, 0.2)
    assert about.distance_limit == result["distances"]["limit"]
    assert main(["info", str(target)]) == 0
    said = capsys.readouterr().out
    assert "below a confidence of 0.62; of the others at most 20%" in said and "Out of domain: past" in said
    assert main(["export", str(run), "--out", str(target)]) == 0
    assert "above it to a risk of 30%" in capsys.readouterr().out
    assert Bundle.open(target, device="cpu").info.threshold is None


def test_by_default_the_file_lies_in_the_run(learnt: tuple[str, Path], no_exporter: None) -> None:
    target = learnt[1] / "model.onnx"
    try:
        assert main(["export", str(learnt[1]), "--no-card"]) == 0
        assert target.is_file() and not target.with_suffix(".md").exists()
    finally:
        target.unlink(missing_ok=True)


def test_somebodys_own_notes_are_not_written_over(
    capsys: pytest.CaptureFixture[str], learnt: tuple[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "emotion.md").write_text("my notes")
    out = str(tmp_path / "emotion.onnx")
    assert "leave the card out with --no-card" in complaint(capsys, str(learnt[1]), "--out", out)
    assert {path.name for path in tmp_path.iterdir()} == {"emotion.md"}


def test_what_is_wrong_is_answered_with_what_is_valid(
    capsys: pytest.CaptureFixture[str], learnt: tuple[str, Path], tmp_path: Path
) -> None:
    run = str(learnt[1])
    assert "did you mean 'tflite'" in complaint(capsys, run, "--to", "tflit")
    assert "Valid: onnx, tflite" in complaint(capsys, run, "--to", "coreml")
    assert "leave one of them out" in complaint(capsys, run, "--to", "onnx", "--out", "emotion.tflite")
    assert "'none', 'float16', 'int8'" in complaint(capsys, run, "--quantize", "int4")
    assert "clips of any length" in complaint(capsys, run, "--length-s", "3")
    assert "valid: 0.1 to 8 s" in complaint(capsys, run, "--to", "tflite", "--length-s", "30")
    assert "vocemo train --out DIR" in complaint(capsys, str(tmp_path / "none"))
    assert "vocemo train --out DIR" in complaint(capsys, str(tmp_path))
    assert "none.json" in complaint(capsys, run, "--results", str(tmp_path / "none.json"))
    assert "is a folder" in complaint(capsys, run, "--out", str(tmp_path))
    assert "valid: 0.05, 0.1, 0.15," in complaint(capsys, run, "--risk", "0.33")
    assert "RUN" in complaint(capsys)


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--help"]) == 0
    said = capsys.readouterr().out
    assert "Examples:" in said and "vocemo export " in said and "vocemo predict " in said
