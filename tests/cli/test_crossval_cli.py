"""`vocemo crossval` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import fabricate_run
import typed
from vocemo.cli.main import main
from vocemo.lab import provenance
from vocemo.lab.corpora import read
from vocemo.lab.evaluate import Predictions, Results
from vocemo.lab.plan import Plan

pytestmark = pytest.mark.usefixtures("one_thread")


def arguments(spec: str, out: Path, *more: str) -> list[str]:
    return typed.arguments("crossval", spec, out, "--seeds", "1", *more)


@pytest.fixture(scope="module")
def interrupted(tiny_corpus: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """A cross-validation that Ctrl-C ended after two folds, and results.json as it stood after each."""
    out = tmp_path_factory.mktemp("crossval")
    return out, typed.stopped(arguments(tiny_corpus, out, "--quiet"), out / "results.json", after=2)


def test_results_grow_fold_by_fold(interrupted: tuple[Path, list[Any]]) -> None:
    out, stood = interrupted
    assert [[run["fold"] for run in results["per_fold"]] for results in stood] == [[0], [0, 1]]
    assert [results["folds"] for results in stood] == [1, 2]
    assert [results["remark"] for results in stood] == [f"{done} of 6 trainings so far" for done in (1, 2)]
    assert not (out / "plan.json").exists()


def test_started_again_it_goes_on_where_it_stood(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, interrupted: tuple[Path, list[Any]]
) -> None:
    out, _ = interrupted
    kept = {path: path.stat().st_mtime_ns for path in out.glob("seed-0/fold-[012]/best.pt")}
    assert len(kept) == 3
    assert main(arguments(tiny_corpus, out)) == 0
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())
    captured = capsys.readouterr()
    assert captured.err.count("emobox-6 fold ") == 6
    assert "seed 0 fold 5: UAR " in captured.err
    assert "Cross-validation: 12 of 12 epochs" in captured.err
    assert "dual-channel-cnn, emobox-6: 6 folds, seeds 0\n" in captured.out
    assert "actual \\ predicted" in captured.out and "LEAKY" not in captured.out
    results = Results.from_dict(json.loads((out / "results.json").read_text()))
    assert (results.folds, results.clips, len(results.per_fold)) == (6, 48, 6)
    assert results.command == provenance.command()  # what was typed, here to the tests
    assert len(Predictions.read(out / "predictions.csv")) == 48
    assert (out / "confusion.png").read_bytes().startswith(b"\x89PNG")
    assert "6 folds, 1 seed" in (out / "report.html").read_text(encoding="utf-8")
    assert Plan.read(out).runs == 6
    for fold in range(6):
        assert (out / f"seed-0/fold-{fold}" / "curves.png").is_file()
    again = (out / "results.json").read_text()
    assert main(arguments(tiny_corpus, out, "--quiet")) == 0  # nothing is left to do
    assert json.loads((out / "results.json").read_text()) == json.loads(again)


def test_parts_are_trained_by_themselves_and_gathered_by_the_whole(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, tmp_path: Path
) -> None:
    out = tmp_path / "shared"
    for shard, folds in (("2/2", "135"), ("1/2", "024")):
        assert main(arguments(tiny_corpus, out, "--shard", shard)) == 0
        said = capsys.readouterr()
        assert "Of 6 trainings 3 are in" in said.out and said.err.count("emobox-6 fold ") == 3
        assert all(f"seed 0 fold {fold}: UAR " in said.err for fold in folds)
        assert not (out / "results.json").exists() and not (out / "plan.json").exists()
    kept = {path: path.stat().st_mtime_ns for path in out.glob("seed-0/fold-*/best.pt")}
    assert len(kept) == 6
    assert main(arguments(tiny_corpus, out)) == 0
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())
    results = Results.from_dict(json.loads((out / "results.json").read_text()))
    assert (results.folds, results.remark) == (6, None) and Plan.read(out / "plan.json").epochs > 0


def test_refit_trains_each_fold_again_as_validation_chose(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, interrupted: tuple[Path, list[Any]], tmp_path: Path
) -> None:
    chosen, _ = interrupted
    assert main([*arguments(tiny_corpus, tmp_path / "again"), "--refit", str(chosen), "--no-report"]) == 0
    captured = capsys.readouterr()
    assert captured.err.count("validation none, test") == 6
    assert "trained again on training and validation speakers" in captured.out
    results = Results.from_dict(json.loads((tmp_path / "again" / "results.json").read_text()))
    assert (results.folds, results.leaky) == (6, False)
    assert not (tmp_path / "again" / "plan.json").exists()
    assert main([*arguments(tiny_corpus, tmp_path / "again"), "--refit", str(tmp_path)]) == 2
    assert "has no run of fold 0" in capsys.readouterr().err


def test_a_finished_plan_trains_the_model_that_ships(
    tiny_corpus: str, interrupted: tuple[Path, list[Any]], tmp_path: Path
) -> None:
    out, _ = interrupted
    assert main(arguments(tiny_corpus, out, "--quiet")) == 0
    given = ["train", fabricate_run.RECIPE, "--corpus", tiny_corpus, *fabricate_run.settings()]
    assert main([*given, "--plan", str(out), "--out", str(tmp_path / "final"), "--quiet"]) == 0
    learnt = Plan.read(out)
    info = json.loads((tmp_path / "final" / "run.json").read_text())
    assert info["temperature"] == learnt.temperature
    assert info["learning_rates"] == list(learnt.learning_rates)


def test_a_leaky_protocol_is_called_leaky(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, tmp_path: Path
) -> None:
    assert main(arguments(tiny_corpus, tmp_path, "--protocol", "random-as-described", "--quiet")) == 0
    captured = capsys.readouterr()
    assert "validation is test" in captured.err
    assert "LEAKY" in captured.out
    assert json.loads((tmp_path / "results.json").read_text())["leaky"] is True
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<title>LEAKY: " in page and "leak: speakers" in page


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--protocol", "all"], ["tests nothing", "loso", "emobox-6"]),
        (["--protocol", "lozo"], ["loso", "emobox-6"]),
        (["--seeds", "0"], ["--seeds", "1"]),
        (["--set", "training.epoch=3"], ["epochs"]),
        (["--device", "gpu"], ["auto, cpu, cuda, mps"]),
        (["--shard", "3/2"], ["3/2", "1/2"]),
        (["--shard", "0/2"], ["0/2", "1/2"]),
        (["--shard", "half"], ["half", "1/2"]),
        (["--shard", "7/7"], ["7/7", "6 trainings"]),
        (["--corpus", "tes:x"], ["tess"]),
        (["--corpus", "emodb:no/such/folder"], ["no/such/folder"]),
    ],
)
def test_what_is_wrong_is_answered_with_what_is_valid(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, tmp_path: Path, more: list[str], named: list[str]
) -> None:
    assert main(arguments(tiny_corpus, tmp_path / "run", *more)) == 2
    said = capsys.readouterr().err
    assert all(name in said for name in named), said
    assert not (tmp_path / "run").exists()
    assert len(read(tiny_corpus)) == 48


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crossval", "--help"]) == 0
    said = capsys.readouterr().out
    assert "Examples:" in said and said.count("vocemo crossval dual-channel-cnn") >= 2
