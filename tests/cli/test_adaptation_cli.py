"""`--init` as a person types it, and the page's own command."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

import fabricate
import fabricate_run
import typed
from vocemo.cli.main import main
from vocemo.lab.practice import practice_corpus
from vocemo.lab.run import RunFolder

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = re.compile(r"<!-- The tests run these commands. -->\n```\n(.*?)^```", re.DOTALL | re.MULTILINE)

pytestmark = pytest.mark.usefixtures("one_thread")

# Of the recipe that the learnt run had, what decides its weights' shapes; the rest comes from the run.
MODEL = ("--set", "model.widths=[8,16,16]", "--set", "model.hidden=32")
QUICK = ("--set", "adaptation.epochs=1", "--device", "cpu", "--quiet")


def given(verb: str, init: Path, spec: str, out: Path, *more: str) -> list[str]:
    begin = [verb, fabricate_run.RECIPE, "--init", str(init), "--corpus", spec, "--out", str(out)]
    return [*begin, *MODEL, *QUICK, *more]


def test_the_command_of_the_page_adapts_the_packaged_model(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = COMMANDS.findall((ROOT / "docs" / "adaptation.md").read_text(encoding="utf-8"))
    monkeypatch.chdir(tmp_path)
    practice_corpus(Path("MINE"), takes=1)
    (command,) = [shlex.split(line)[1:] for line in block.splitlines() if line.startswith("vocemo ")]
    assert main([*command, "--device", "cpu", "--set", "adaptation.epochs=4"]) == 0
    said = capsys.readouterr()
    assert "Begins with base.onnx, which knows neutral, calm" in said.err
    assert "Protocol: all (fewer than 200 clips" in said.err
    assert "Temperature and thresholds are those of the initial model" in said.out
    folder = RunFolder(tmp_path / command[command.index("--out") + 1])
    assert folder.outcome().trained_on.clips == 48 and folder.info().initial is not None
    history = folder.history()
    assert history[-1].train_loss < history[0].train_loss


def test_few_clips_of_unseen_speakers_are_adapted_to_and_held_out_where_asked(
    capsys: pytest.CaptureFixture[str], learnt: tuple[str, Path], tmp_path: Path
) -> None:
    emodb = f"emodb:{fabricate.emodb(tmp_path / 'emodb', 3, 1, 0.5)}"
    # All fabricated voices sound alike, which the audit hears; gone, those of the run are known by name.
    run = tmp_path / "learnt"
    shutil.copytree(learnt[1], run)
    written = json.loads((run / "run.json").read_text(encoding="utf-8"))
    (run / "run.json").write_text(json.dumps({**written, "corpora": ["ravdess-speech:gone"]}))
    folds = ("--protocol", "loso", "--seeds", "1")
    assert main(given("crossval", run, emodb, tmp_path / "c", *folds)) == 0
    results = json.loads((tmp_path / "c" / "results.json").read_text(encoding="utf-8"))
    assert "began with the weights of dual-channel-cnn, emobox-6, fold 0, seed 0" in results["remark"]
    assert not results["leaky"] and str(tmp_path) not in results["remark"]
    capsys.readouterr()
    # A plan of that cross-validation is one for the same adaptation of all clips.
    plan = ("--plan", str(tmp_path / "c"))
    assert main(given("train", run, emodb, tmp_path / "all", *plan)) == 0
    assert RunFolder(tmp_path / "all").outcome().calibrated_by == "plan"


def test_what_cannot_be_begun_with_is_said(
    capsys: pytest.CaptureFixture[str], learnt: tuple[str, Path], tiny_corpus: str, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    nothing = typed.complaint(capsys, *given("train", tmp_path / "no", tiny_corpus, out))
    assert "there is nothing; valid: a finished run's folder" in nothing
    ignored = given("train", learnt[1], tiny_corpus, out, "--set", "training.epochs=3")
    assert "set adaptation.epochs" in typed.complaint(capsys, *ignored)
    wrong = given("train", learnt[1], tiny_corpus, out, "--set", "model.hidden=8")
    assert "model.hidden is 32 there, 8 here" in typed.complaint(capsys, *wrong)
    heard = given("train", learnt[1], learnt[0], out, "--protocol", "emobox-6", "--fold", "2")
    assert "also in the initial weights' training" in typed.complaint(capsys, *heard, status=1)
    assert not out.exists()


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "--init" in said and "--init default --corpus folder:MINE" in said
