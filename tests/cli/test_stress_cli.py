"""`vocemo stress` as a person types it: a run, a cross-validation, a bundle."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import fabricate
import fabricate_bundle
import fabricate_run
import typed
import vocemo.audio
from vocemo.bundle import TrainingInfo
from vocemo.cli.main import main
from vocemo.lab.evaluate import Predictions
from vocemo.lab.run import RunFolder
from vocemo.lab.stress import Robustness
from vocemo.lab.waveforms import Waveforms

pytestmark = pytest.mark.usefixtures("one_thread")

PNG = b"\x89PNG\r\n\x1a\n"
FEW = ("--conditions", "white-0,telephone,gain", "--quiet")


def stress(*arguments: object) -> None:
    assert main(["stress", *map(str, arguments)]) == 0


def complaint(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 2) -> str:
    return typed.complaint(capsys, "stress", *arguments, status=status)


@pytest.fixture(scope="module")
def stressed(learnt: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command leaves of the learnt run, read only."""
    out = tmp_path_factory.mktemp("stressed")
    stress(learnt[1], *FEW, "--out", out)
    return out


def test_a_run_as_recorded_is_as_good_as_its_test_was(stressed: Path, learnt: tuple[str, Path]) -> None:
    found = Robustness.read(stressed / "robustness.json")
    outcome = RunFolder(learnt[1]).outcome()
    assert outcome.test is not None
    assert found.clean.uar == pytest.approx(outcome.test.uar)
    assert [c.name for c in found.conditions] == [
        "clean",
        "white-0",
        "telephone",
        "gain-minus-20",
        "gain-plus-20",
    ]
    assert (found.model, found.corpora, found.protocol, found.leaky) == (
        "dual-channel-cnn",
        ("ravdess",),
        "emobox-6",
        False,
    )
    assert found.clips == found.clean.clips == outcome.test.test_clips
    # The network hears noise as loud as the voice.
    assert found.conditions[1].uar < found.clean.uar - 0.2
    for name in ("robustness.png", "robustness-dark.png"):
        assert (stressed / name).read_bytes().startswith(PNG)
    tested = Predictions.read(RunFolder(learnt[1]).predictions)
    clean = Predictions.read(stressed / "robustness" / "clean.csv")
    np.testing.assert_allclose(clean.probabilities, tested.probabilities, atol=1e-5)


def test_it_goes_on_where_it_stood_and_threads_change_nothing(
    stressed: Path, learnt: tuple[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(stressed, out)
    lost, kept = out / "robustness" / "white-0.csv", out / "robustness" / "clean.csv"
    before, wrote = lost.read_bytes(), kept.stat().st_mtime_ns
    lost.unlink()
    (out / "robustness.json").unlink()
    capsys.readouterr()
    stress(learnt[1], *FEW, "--jobs", 3, "--out", out)
    assert "4 are kept from before" in capsys.readouterr().err
    assert lost.read_bytes() == before and kept.stat().st_mtime_ns == wrote
    found, expected = (Robustness.read(each / "robustness.json") for each in (out, stressed))
    assert found.conditions == expected.conditions
    # One more does not take the others out of the table.
    stress(learnt[1], "--conditions", "quiet", "--quiet", "--out", out)
    more = Robustness.read(out / "robustness.json").conditions
    assert more[: len(expected.conditions)] == expected.conditions
    assert [each.name for each in more[len(expected.conditions) :]] == ["quiet"]
    # Other noises are other answers.
    assert "other seed" in complaint(capsys, learnt[1], *FEW, "--seed", 1, "--out", out, status=1)
    assert "other clips" in complaint(capsys, learnt[1], *FEW, "--clips", 8, "--out", out, status=1)


def test_a_cross_validation_is_pooled_each_fold_by_its_own_model(
    tiny_corpus: str,
    tiny_waveforms: Waveforms,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for index in range(2):
        fold = fabricate_run.fold(tiny_corpus, index=index)
        folder = tmp_path / "cv" / "seed-0" / f"fold-{index}"
        fabricate_run.run(tiny_corpus, fold, folder, fabricate_run.recipe(), waveforms=tiny_waveforms)
    stress(tmp_path / "cv", "--conditions", "speed-0.9", "--quiet")
    said = capsys.readouterr()
    assert "as recorded" in said.out and "speed 0.9 x" in said.out and "LEAKY" not in said.out
    found = Robustness.read(tmp_path / "cv" / "robustness.json")
    assert (found.clips, found.speakers, found.folds) == (16, 2, 2)
    clean = Predictions.read(tmp_path / "cv" / "robustness" / "clean.csv")
    for index in range(2):
        own = RunFolder(tmp_path / "cv" / "seed-0" / f"fold-{index}")
        np.testing.assert_allclose(
            clean.run(seed=0, fold=index).probabilities,
            Predictions.read(own.predictions).probabilities,
            atol=1e-5,
        )
    # A corpus that is no longer what it was is not answered in silence.
    root = Path(tiny_corpus.partition(":")[2])
    less = tmp_path / "less"
    shutil.copytree(root, less)
    next(less.rglob("*.wav")).unlink()
    for clip in sorted(less.rglob("Actor_0[148]/*.wav"))[::2]:
        clip.unlink()
    arguments = (tmp_path / "cv", "--corpus", f"ravdess-speech:{less}", "--out", tmp_path / "no")
    assert "not as it was" in complaint(capsys, *arguments, status=1)


def test_a_bundle_answers_as_its_run_and_is_leaky_on_voices_that_it_knows(
    stressed: Path,
    learnt: tuple[str, Path],
    learnt_bundle: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = (learnt_bundle, "--corpus", learnt[0], "--device", "cpu", *FEW)
    stress(*asked, "--protocol", "emobox-6", "--out", tmp_path / "own")
    own, expected = (Robustness.read(each / "robustness.json") for each in (tmp_path / "own", stressed))
    assert not own.leaky and own.protocol == "emobox-6"
    assert [c.uar for c in own.conditions] == [c.uar for c in expected.conditions]
    capsys.readouterr()
    stress(*asked, "--clips", 48, "--out", tmp_path / "all")
    said = capsys.readouterr()
    assert "LEAKY" in said.err and "LEAKY" in said.out
    everything = Robustness.read(tmp_path / "all" / "robustness.json")
    assert everything.leaky and everything.protocol == "known corpus"
    assert (everything.clips, everything.speakers, everything.emotions) == (48, 6, 8)


def test_a_bundle_that_learnt_from_a_table_may_know_the_voices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    about = fabricate_bundle.info(training=TrainingInfo(corpora=("table",), protocol="all"))
    bundle = fabricate_bundle.write(tmp_path / "tiny.onnx", about)
    root = fabricate.ravdess(tmp_path / "ravdess", 3, ("speech",), 1, 0.3, emotions=about.emotions)
    given = (bundle, "--corpus", f"ravdess:{root}", "--conditions", "gain", "--quiet")
    stress(*given, "--out", tmp_path / "out")
    assert "is not stated: it may know these voices" in capsys.readouterr().err
    assert Robustness.read(tmp_path / "out" / "robustness.json").protocol == "training not stated"


def test_noises_of_ones_own_and_babble_of_too_few_are_said(
    learnt: tuple[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    street = tmp_path / "street"
    street.mkdir()
    vocemo.audio.write(
        street / "hiss.wav", np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32), 16_000
    )
    out = tmp_path / "out"
    given = (learnt[1], "--clips", 8, "--quiet", "--out", out)
    stress(*given, "--conditions", "recorded-5,babble-5", "--noise", street)
    found = Robustness.read(out / "robustness.json")
    assert [c.name for c in found.conditions] == ["clean", "babble-5", "recorded-5"]
    assert found.remarks == ()  # six speakers: five others for each
    stress(*given, "--conditions", "white-5")  # goes on in the same folder without the noises
    (street / "more.wav").write_bytes((street / "hiss.wav").read_bytes())
    capsys.readouterr()
    again = (*given, "--conditions", "recorded-5", "--noise", street)
    assert "other noises" in complaint(capsys, *again, status=1)


def test_what_is_wrong_is_answered_with_what_is_valid(
    capsys: pytest.CaptureFixture[str], learnt: tuple[str, Path], learnt_bundle: Path, tmp_path: Path
) -> None:
    spec, run = learnt
    assert "vocemo train and export" in complaint(capsys, tmp_path / "none")
    assert "holds no run" in complaint(capsys, tmp_path)
    assert "did you mean 'white'" in complaint(capsys, run, "--conditions", "whit")
    assert "--noise DIR" in complaint(capsys, run, "--conditions", "recorded-10")
    assert "there is no folder" in complaint(capsys, run, "--noise", tmp_path / "none")
    assert "go with a bundle" in complaint(capsys, run, "--protocol", "emobox-6")
    assert "export it" in complaint(capsys, run, "--corpus", "emodb:x")
    assert "--corpus NAME:DIR" in complaint(capsys, learnt_bundle)
    assert "Name it with --protocol" in complaint(capsys, learnt_bundle, "--corpus", spec, "--fold", 0)
    incomplete = tmp_path / "half"
    shutil.copytree(run, incomplete)
    (incomplete / "result.json").unlink()
    assert "not complete" in complaint(capsys, incomplete, status=1)


def test_what_a_condition_leaves_unanswered_is_said(
    learnt: tuple[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, run = learnt
    root = tmp_path / "corpus"
    shutil.copytree(Path(spec.partition(":")[2]), root)
    tested = {Path(s.path).name for s in Predictions.read(RunFolder(run).predictions).subjects}
    chosen = next(path for path in sorted(root.rglob("*.wav")) if path.name in tested)
    faint = vocemo.audio.decode(chosen)
    # Loudest moment just above what counts as silence: 20 dB less is silent.
    samples = faint.samples / np.abs(faint.samples).max() * np.float32(2e-3)
    vocemo.audio.write(chosen, samples, faint.sample_rate)
    given = (run, "--corpus", f"ravdess-speech:{root}", "--conditions", "gain", "--quiet")
    stress(*given, "--out", tmp_path / "out")
    assert "gain-minus-20: 1 of 24 had no answer" in capsys.readouterr().err
    found = Robustness.read(tmp_path / "out" / "robustness.json")
    assert [c.clips for c in found.conditions] == [24, 23, 24]
    assert found.remarks == ("gain-minus-20: 1 of 24 had no answer",)


def test_a_corpus_that_names_nobody_has_no_intervals(
    learnt_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = fabricate.folder(tmp_path / "mine", (), seconds=0.6)
    for speaker in ("anna", "ben"):  # of two it is known
        fabricate.folder(tmp_path / "mine", (speaker,), seconds=0.6, emotions=("happy", "sad"))
    stress(
        learnt_bundle, "--corpus", f"folder:{own}", "--conditions", "white-0", "--quiet", "--out", tmp_path
    )
    assert "16 clips, unknown speakers" in capsys.readouterr().out
    found = Robustness.read(tmp_path / "robustness.json")
    assert found.speakers == 0
    assert all(each.ci95 is None and each.fall_ci95 is None for each in found.conditions)


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stress", "--help"]) == 0
    said = capsys.readouterr().out
    assert "Examples:" in said and said.count("vocemo stress ") >= 3


def test_the_file_has_the_agreed_fields(stressed: Path) -> None:
    data = json.loads((stressed / "robustness.json").read_text(encoding="utf-8"))
    assert data["command"] and data["commit"] and data["date"]
    assert data["conditions"][0]["name"] == "clean" and data["conditions"][0]["level"] is None
