"""Clips that a protocol does not test, answered by the runs that have not heard their speakers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import fabricate
import fabricate_run
from vocemo.cli.main import main
from vocemo.errors import RunError, UsageError
from vocemo.lab import unheard
from vocemo.lab.corpora import read
from vocemo.lab.evaluate import Results
from vocemo.lab.run import RunFolder
from vocemo.lab.stress.answering import predictor_of

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The song of the actors that the runs know, and of none else."""
    folder = tmp_path_factory.mktemp("song")
    fabricate.ravdess(folder, fabricate_run.ACTORS, channels=("song",), clips_per_emotion=1, seconds=0.5)
    return f"ravdess-song:{folder}"


@pytest.fixture(scope="module")
def runs(
    learnt: tuple[str, Path], one_thread: None, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RunFolder, RunFolder]:
    """Two folds of one recipe and corpus, the second hardly trained."""
    spec, first = learnt
    folder = tmp_path_factory.mktemp("second") / "run"
    chosen = fabricate_run.recipe("training.epochs=1")
    fabricate_run.run(spec, fabricate_run.fold(spec, index=1), folder, chosen)
    return RunFolder(first), RunFolder(folder)


def speakers_of(run: RunFolder) -> set[str]:
    outcome = run.outcome()
    assert outcome.test is not None
    return set(outcome.test.test_speakers)


def test_each_fold_answers_the_speakers_that_it_was_tested_on(
    runs: tuple[RunFolder, RunFolder], song: str
) -> None:
    manifest = read(song)
    divided = unheard.shares(runs, manifest)
    assert [share.fold for share in divided] == [0, 1]
    for run, share in zip(runs, divided, strict=True):
        assert {clip.speaker for clip in share.clips} == speakers_of(run)
        assert {clip.channel for clip in share.clips} == {"song"}
        assert not speakers_of(run) & set(run.outcome().trained_on.voices)
    found = unheard.of_shares(divided, manifest, CPU)
    keys = [subject.path for subject in found.predictions.subjects]
    assert len(keys) == len(set(keys)) == sum(len(share.clips) for share in divided)
    assert any(
        line.startswith("left out: ") and "speakers whom the runs have" in line for line in found.remarks
    )
    assert found.results.remark is not None
    assert "asked song of ravdess that the protocol does not test" in found.results.remark
    assert not found.results.leaky


def test_clips_of_the_kind_that_was_tested_are_no_others(
    runs: tuple[RunFolder, RunFolder], learnt: tuple[str, Path]
) -> None:
    own = read(learnt[0])
    found = unheard.of_shares(unheard.shares(runs, own), own, CPU)
    assert "does not test" not in (found.results.remark or "")


def test_an_answer_is_that_of_the_fold_alone(runs: tuple[RunFolder, RunFolder], song: str) -> None:
    manifest = read(song)
    divided = unheard.shares(runs, manifest)
    found = unheard.of_shares(divided, manifest, CPU).predictions
    clip = divided[1].clips[0]
    row = [subject.path for subject in found.subjects].index(str(clip.path))
    alone = predictor_of(runs[1], CPU).predict(clip.path)
    assert alone.probabilities is not None
    expected = [alone.probabilities[emotion] for emotion in found.emotions]
    np.testing.assert_allclose(found.probabilities[row], expected, atol=1e-5)


def test_one_run_answers_everybody_whom_it_has_not_heard(
    runs: tuple[RunFolder, RunFolder], song: str, tmp_path: Path
) -> None:
    stranger = f"emodb:{fabricate.emodb(tmp_path, speakers=2, clips_per_emotion=1, seconds=0.5)}"
    manifest = read(stranger)
    divided = unheard.shares(runs[:1], manifest)
    assert {clip.speaker for clip in divided[0].clips} == {clip.speaker for clip in manifest}
    heard = set(runs[0].outcome().trained_on.voices)
    of_song = unheard.shares(runs[:1], read(song))[0]
    assert {clip.speaker for clip in of_song.clips} == {clip.speaker for clip in read(song)} - heard
    with pytest.raises(UsageError, match="tested on and have not heard"):
        unheard.shares(runs, manifest)  # of two folds neither was tested on them


def test_a_run_that_does_not_say_whom_it_has_heard_is_refused(
    runs: tuple[RunFolder, RunFolder], song: str, tmp_path: Path
) -> None:
    for file in runs[0].path.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    result = json.loads((tmp_path / "result.json").read_text())
    del result["trained_on"]["voices"]
    (tmp_path / "result.json").write_text(json.dumps(result))
    with pytest.raises(RunError, match="does not say which voices"):
        unheard.shares([RunFolder(tmp_path)], read(song))


def test_evaluate_asks_a_cross_validation_what_it_does_not_test(
    runs: tuple[RunFolder, RunFolder], song: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "cross"
    for number, run in enumerate(runs):
        target = folder / "seed-0" / f"fold-{number}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(run.path)
    out = tmp_path / "out"
    assert main(["evaluate", str(folder), "--corpus", song, "--out", str(out), "--no-audio"]) == 0
    captured = capsys.readouterr()
    assert "left out: " in captured.err and "LEAKY" not in captured.out
    found = Results.from_dict(json.loads((out / "results.json").read_text()))
    assert (found.protocol, found.folds, found.leaky) == ("emobox-6", 2, False)
    assert (out / "predictions.csv").is_file() and (out / "report.html").is_file()
