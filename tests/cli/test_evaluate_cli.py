"""`vocemo evaluate` as a person types it: a run, a bundle, somebody else's answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import fabricate
import fabricate_bundle
import fabricate_run
import typed
from vocemo.bundle import TrainingInfo
from vocemo.cli.main import main
from vocemo.lab.corpora import read
from vocemo.lab.evaluate import Results
from vocemo.lab.run import RunFolder
from vocemo.lab.waveforms import Waveforms

pytestmark = pytest.mark.usefixtures("one_thread")

PNG = b"\x89PNG\r\n\x1a\n"


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 2) -> str:
    return typed.complaint(capsys, "evaluate", *arguments, status=status)


def results(folder: Path) -> Results:
    return Results.from_dict(json.loads((folder / "results.json").read_text()))


def test_a_run_is_measured_on_its_own_test_fold(
    capsys: pytest.CaptureFixture[str], learnt: tuple[str, Path], tmp_path: Path
) -> None:
    assert main(["evaluate", str(learnt[1]), "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    for part in ("UAR", "accuracy", "macro F1", "precision", "recall", "actual \\ predicted", "surprised"):
        assert part in said
    assert "LEAKY" not in said
    found = results(tmp_path)
    outcome = RunFolder(learnt[1]).outcome()
    assert outcome.test is not None
    assert found.metrics["uar"].mean == pytest.approx(outcome.test.uar)
    assert found.per_fold == (outcome.test,)
    assert (found.recipe, found.protocol, found.leaky) == ("dual-channel-cnn", "emobox-6", False)
    assert found.parameters == outcome.parameters
    assert (tmp_path / "confusion.png").read_bytes().startswith(PNG)


def test_a_bundle_is_measured_on_a_corpus_and_told_that_it_knows_it(
    capsys: pytest.CaptureFixture[str], learnt: tuple[str, Path], learnt_bundle: Path, tmp_path: Path
) -> None:
    given = ["evaluate", str(learnt_bundle), "--corpus", learnt[0], "--device", "cpu"]
    assert main([*given, "--out", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert "Using device: cpu" in captured.out
    assert "Answering: 144 of 144 clips" in captured.err
    assert "LEAKY: the model was trained on ravdess, so it knows these voices." in captured.err
    assert "LEAKY" in captured.out
    found = results(tmp_path)
    assert found.leaky and found.protocol == "known corpus" and found.clips == 144
    assert (tmp_path / "predictions.csv").is_file()
    # What it wrote can be measured itself, and is the same.
    assert (
        main(["evaluate", "--predictions", str(tmp_path / "predictions.csv"), "--out", str(tmp_path / "b")])
        == 0
    )
    assert results(tmp_path / "b").metrics["uar"] == found.metrics["uar"]


def test_an_unknown_corpus_is_held_out_and_what_is_left_out_is_said(
    capsys: pytest.CaptureFixture[str], learnt_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = fabricate.emodb(tmp_path / "emodb", 2, 1, 0.5)
    (root / "wav" / "03a02Wa.wav").write_bytes(b"no sound")
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", str(learnt_bundle), "--corpus", f"emodb:{root}", "--quiet"]) == 0
    captured = capsys.readouterr()
    assert "2 clips of boredom" in captured.err and "03a02Wa.wav" in captured.err
    assert "LEAKY" not in captured.out + captured.err
    found = results(tmp_path / "evaluation")
    assert not found.leaky and found.protocol == "held out" and found.clips == 12
    assert (tmp_path / "evaluation" / "predictions.csv").is_file()


@pytest.mark.parametrize("more", [(), ("--protocol", "loso", "--fold", "0")])
def test_what_a_table_held_is_not_known_from_its_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, more: tuple[str, ...]
) -> None:
    about = fabricate_bundle.info(training=TrainingInfo(corpora=("table",), protocol="all"))
    bundle = fabricate_bundle.write(tmp_path / "tiny.onnx", about)
    root = fabricate.ravdess(tmp_path / "ravdess", 3, ("speech",), 1, 0.3, emotions=about.emotions)
    given = ["evaluate", str(bundle), "--corpus", f"ravdess:{root}", "--no-report", "--out", str(tmp_path)]
    assert main([*given, *more]) == 0
    assert "Training not stated" in capsys.readouterr().out
    assert results(tmp_path).leak_status == "not stated"


def test_answers_of_somebody_else_are_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "theirs.csv"
    table.write_text("target,happy,sad\nhappy,0.9,0.1\nsad,0.6,0.4\nsad,0.2,0.8\nsad,0.1,0.9\n")
    assert main(["evaluate", "--predictions", str(table)]) == 0
    assert "theirs" in capsys.readouterr().out
    found = results(tmp_path)
    assert found.leak_status == "not stated"
    assert found.metrics["accuracy"].mean == pytest.approx(3 / 4)
    assert found.metrics["uar"].mean == pytest.approx((1 + 2 / 3) / 2)
    assert found.confusion == ((1, 0), (1, 2))


def test_what_is_wrong_is_answered_with_what_is_valid(
    capsys: pytest.CaptureFixture[str], learnt: tuple[str, Path], learnt_bundle: Path, tmp_path: Path
) -> None:
    spec, run = learnt
    bundle = str(learnt_bundle)
    assert "one of them" in complaint(capsys)
    assert "one of them" in complaint(capsys, str(run), "--predictions", "answers.csv")
    assert "vocemo train and export" in complaint(capsys, str(tmp_path / "none.onnx"), "--corpus", spec)
    assert "vocemo train" in complaint(capsys, str(tmp_path))
    assert "no such file" in complaint(capsys, "--predictions", str(tmp_path / "none.csv"))
    assert "--corpus NAME:DIR" in complaint(capsys, bundle)
    assert "no/such" in complaint(capsys, str(run), "--corpus", "ravdess:no/such")
    assert "did you mean 'ravdess'" in complaint(capsys, bundle, "--corpus", "ravdes:x")
    assert "no/such" in complaint(capsys, bundle, "--corpus", "ravdess:no/such")
    assert "auto, cpu, cuda" in complaint(capsys, bundle, "--corpus", spec, "--device", "gpu")
    foreign = tmp_path / "foreign.onnx"
    foreign.write_bytes(b"no model")
    assert "foreign.onnx" in complaint(capsys, str(foreign), "--corpus", spec, status=1)


def test_a_model_without_the_corpus_s_emotions_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bundle = fabricate_bundle.write(tmp_path / "tiny.onnx")
    root = fabricate.folder(tmp_path / "own", (), 1, 0.3, emotions=("boredom", "disgust"))
    said = complaint(capsys, str(bundle), "--corpus", f"folder:{root}", "--quiet", status=1)
    assert "answered none of the clips" in said and "boredom, disgust" in said


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--help"]) == 0
    said = capsys.readouterr().out
    assert "Examples:" in said and said.count("vocemo evaluate ") >= 3


def test_a_bundle_answers_the_test_clips_of_its_own_fold_as_its_run_did(
    capsys: pytest.CaptureFixture[str], learnt: tuple[str, Path], learnt_bundle: Path, tmp_path: Path
) -> None:
    spec, run = learnt
    asked = [str(learnt_bundle), "--corpus", spec, "--protocol", "emobox-6", "--quiet"]
    assert main(["evaluate", str(run), "--out", str(tmp_path / "run")]) == 0
    assert main(["evaluate", *asked, "--out", str(tmp_path / "own")]) == 0
    said = capsys.readouterr()
    assert "Answering the 24 test clips of emobox-6, fold 0" in said.out and "LEAKY" not in said.err
    own, expected = results(tmp_path / "own"), results(tmp_path / "run")
    assert own.metrics["uar"].mean == expected.metrics["uar"].mean
    assert (own.protocol, own.leaky, own.per_fold[0].test_speakers) == (
        "emobox-6",
        False,
        expected.per_fold[0].test_speakers,
    )
    # Another fold's test speakers were trained on, or chose the epoch.
    assert main(["evaluate", *asked, "--fold", "3", "--out", str(tmp_path / "other")]) == 0
    assert "LEAKY" in capsys.readouterr().err and results(tmp_path / "other").leaky


def test_a_fold_that_is_not_there_is_named(
    capsys: pytest.CaptureFixture[str], learnt: tuple[str, Path], learnt_bundle: Path
) -> None:
    asked = [str(learnt_bundle), "--corpus", learnt[0]]
    assert "Name it with --protocol" in complaint(capsys, *asked, "--fold", "0")
    assert "goes with a bundle or --predictions" in complaint(
        capsys, str(learnt[1]), "--protocol", "emobox-6"
    )
    assert "tests nothing" in complaint(capsys, *asked, "--protocol", "all")
    assert "evaluate its folder" in complaint(capsys, *asked, "--protocol", "random-copies", "--fold", "0")
    assert "folds 0 to 5 here" in complaint(capsys, *asked, "--protocol", "emobox-6", "--fold", "6")
    assert "trained by emobox-6, not on a fold of random" in complaint(capsys, *asked, "--protocol", "random")
    assert "did you mean 'emobox-6'" in complaint(capsys, *asked, "--protocol", "emobox6")


def theirs(spec: str, folder: Path, answer: str = "Anger") -> Path:
    file = folder / "theirs.csv"
    rows = "".join(f"{clip.path.stem}.mp3;{answer}\n" for clip in read(spec))
    file.write_text(f"Recording;Emotion\n{rows}nowhere.wav;sad\n")
    return file


def test_another_tool_s_answers_are_joined_with_their_corpus(
    capsys: pytest.CaptureFixture[str], learnt: tuple[str, Path], tmp_path: Path
) -> None:
    asked = ["evaluate", "--predictions", str(theirs(learnt[0], tmp_path)), "--corpus", learnt[0]]
    assert main([*asked, "--protocol", "emobox-6", "--out", str(tmp_path / "a")]) == 0
    said = capsys.readouterr()
    assert "Training not stated" in said.out.splitlines()[0] and "LEAKY" not in said.out
    assert "1 of 145 lines, which name no clip of the corpus: nowhere.wav" in said.err
    assert "sex female" in said.out and "sex: female less male" in said.out
    # All is answered angry, whoever speaks: no speaker differs, and nothing is said of others.
    assert "The intervals come from" not in said.out and "loss" not in said.out
    found = results(tmp_path / "a")
    assert found.leak_status == "not stated" and "nowhere.wav" in (found.remark or "")
    assert found.metrics["uar"].mean == pytest.approx(1 / 8) and found.folds == 6
    assert found.metrics["uar"].ci95 is None and found.interval_remark is None
    assert found.groups["sex"] and found.gaps["sex"]
    # What was joined can be compared, and measured again.
    table = tmp_path / "a" / "predictions.csv"
    assert main(["evaluate", "--predictions", str(table), "--out", str(tmp_path / "b")]) == 0
    assert results(tmp_path / "b").metrics["uar"] == found.metrics["uar"]
    assert "Training not stated" in capsys.readouterr().out


def test_what_it_was_trained_on_decides_whether_it_leaks(
    capsys: pytest.CaptureFixture[str], learnt: tuple[str, Path], tmp_path: Path
) -> None:
    asked = ["evaluate", "--predictions", str(theirs(learnt[0], tmp_path)), "--corpus", learnt[0]]
    assert main([*asked, "--trained-on", "iemocap/01", "--out", str(tmp_path / "a")]) == 0
    headline = capsys.readouterr().out.splitlines()[0]
    assert "not stated" not in headline and "LEAKY" not in headline
    assert main([*asked, "--trained-on", "02,03", "--out", str(tmp_path / "b")]) == 0
    headline = capsys.readouterr().out.splitlines()[0]
    assert "LEAKY: speakers overlap: 2 of 6 test speakers are also in train" in headline


def test_a_corpus_s_emotion_may_count_as_another(
    capsys: pytest.CaptureFixture[str], learnt: tuple[str, Path], tmp_path: Path
) -> None:
    asked = ["--predictions", str(theirs(learnt[0], tmp_path, "neutral")), "--corpus", learnt[0]]
    assert main(["evaluate", *asked, "--relabel", "calm=neutral", "--out", str(tmp_path / "a")]) == 0
    capsys.readouterr()
    found = results(tmp_path / "a")
    assert "calm" not in found.emotions and found.per_emotion["neutral"].recall == 1
    assert "write A=B" in complaint(capsys, *asked, "--relabel", "calm")


def test_options_of_predictions_alone_are_refused_elsewhere(
    capsys: pytest.CaptureFixture[str], learnt: tuple[str, Path], tmp_path: Path
) -> None:
    file = str(theirs(learnt[0], tmp_path))
    assert "go with --predictions" in complaint(capsys, str(learnt[1]), "--trained-on", "a/1")
    assert "name it with --corpus" in complaint(capsys, "--predictions", file, "--relabel", "calm=neutral")
    assert "--corpus that it divides" in complaint(capsys, "--predictions", file, "--protocol", "loso")
    assert "--corpus NAME:DIR" in complaint(capsys, "--predictions", file)
    asked = ["--predictions", file, "--corpus", learnt[0], "--protocol", "all"]
    assert "tests nothing" in complaint(capsys, *asked)


def test_a_run_on_voices_that_it_was_trained_on_says_so_in_its_headline(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, tiny_waveforms: Waveforms, tmp_path: Path
) -> None:
    part = fabricate_run.fold(tiny_corpus, "random")
    fabricate_run.run(tiny_corpus, part, tmp_path / "run", fabricate_run.recipe(), waveforms=tiny_waveforms)
    assert main(["evaluate", str(tmp_path / "run")]) == 0
    headline = capsys.readouterr().out.splitlines()[0]
    assert "LEAKY: speakers overlap:" in headline and "test speakers are also in train" in headline
    assert "speakers overlap" in (results(tmp_path / "run").leak or "")
