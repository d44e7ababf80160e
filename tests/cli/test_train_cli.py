"""`vocemo train` as a person types it, and as a power cut ends it."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import fabricate
import fabricate_run
import typed
from vocemo.cli.main import main
from vocemo.lab import device
from vocemo.lab.plan import Plan
from vocemo.lab.run import RunFolder

PNG = b"\x89PNG\r\n\x1a\n"

pytestmark = pytest.mark.usefixtures("one_thread")


def arguments(spec: str, out: Path, *more: str) -> list[str]:
    return typed.arguments("train", spec, out, *more)


@pytest.fixture(scope="module")
def run(tiny_corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "below" / "first"
    assert main(arguments(tiny_corpus, out, "--quiet")) == 0
    return out


def complaint(capsys: pytest.CaptureFixture[str], given: list[str], status: int = 2) -> str:
    return typed.complaint(capsys, *given, status=status)


def test_a_training_says_what_it_does_and_leaves_a_run_folder(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, tmp_path: Path
) -> None:
    assert main(arguments(tiny_corpus, tmp_path / "run", "--fold", "2")) == 0
    captured = capsys.readouterr()
    for said in (
        "Using device: cpu",
        "48 clips, 6 speakers, 8 emotions",
        "Protocol: emobox-6 (choose another with --protocol)",
        "emobox-6 fold 2: train 32 clips of 4 speakers",
        "Training: 2 of 2 epochs",
    ):
        assert said in captured.err
    assert "Best epoch: " in captured.out
    assert "8 clips of 1 speaker\n" in captured.out and "LEAKY" not in captured.out
    assert f"vocemo evaluate {tmp_path / 'run'}" in captured.out
    folder = RunFolder(tmp_path / "run")
    assert folder.curves.read_bytes().startswith(PNG) and folder.confusion.read_bytes().startswith(PNG)
    assert len(folder.metrics.read_text().splitlines()) == 2
    assert all("validation_uar" in json.loads(line) for line in folder.metrics.read_text().splitlines())
    assert folder.info().fold == 2 and folder.complete


def test_a_cache_is_filled_once_and_changes_no_figure(
    capsys: pytest.CaptureFixture[str],
    run: Path,
    tiny_corpus: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache = tmp_path / "cache"
    assert main(arguments(tiny_corpus, tmp_path / "one", "--quiet", "--cache", str(cache))) == 0
    filled = {path: path.read_bytes() for path in cache.rglob("*.npy")}
    assert len(filled) > 48
    monkeypatch.setenv("VOCEMO_CACHE", str(cache))
    assert main(arguments(tiny_corpus, tmp_path / "two", "--quiet")) == 0
    assert {path: path.read_bytes() for path in cache.rglob("*.npy")} == filled
    predictions = {
        RunFolder(folder).predictions.read_bytes() for folder in (run, tmp_path / "one", tmp_path / "two")
    }
    assert len(predictions) == 1
    assert main(["train", "--help"]) == 0
    assert "VOCEMO_CACHE" in capsys.readouterr().out
    (tmp_path / "file").write_text("")
    given = arguments(tiny_corpus, tmp_path / "three", "--cache", str(tmp_path / "file"))
    assert "cannot be written to" in complaint(capsys, given)
    assert not (tmp_path / "three").exists()


def test_copies_are_divided_where_the_recipe_makes_some(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, tmp_path: Path
) -> None:
    given = arguments(tiny_corpus, tmp_path / "run", "--protocol", "random-copies", "--quiet")
    none = complaint(capsys, [*given, "--set", "augmentation.pool=0"])
    assert "random-copies divides augmented copies" in none
    assert main(given) == 0
    captured = capsys.readouterr()
    assert "LEAKS" in captured.err and "heard in training as well" in captured.err
    assert "LEAKY" in captured.out
    folder = RunFolder(tmp_path / "run")
    assert sum(folder.info().clips[::2]) == 96  # 48 recordings, and a copy of each
    assert "~1" in folder.predictions.read_text()


def test_the_default_folder_names_what_it_holds_and_quiet_shows_no_progress(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = arguments(tiny_corpus, tmp_path, "--seed", "3", "--fold", "1", "--quiet")
    del given[given.index("--out") : given.index("--out") + 2]
    assert main(given) == 0
    assert "epochs" not in capsys.readouterr().err
    assert RunFolder(Path("runs/dual-channel-cnn-emobox-6-fold-1-seed-3")).complete


def test_a_leaky_split_is_called_leaky(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, tmp_path: Path
) -> None:
    assert main(arguments(tiny_corpus, tmp_path, "--protocol", "random", "--quiet")) == 0
    captured = capsys.readouterr()
    assert "This split LEAKS" in captured.err
    assert "LEAKY" in captured.out


def test_a_run_is_neither_written_over_nor_trained_twice(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, run: Path
) -> None:
    before = (run / "best.pt").read_bytes()
    said = complaint(capsys, arguments(tiny_corpus, run), status=1)
    assert "already holds a run: go on with --resume" in said
    assert "its seed is 0, asked for is 5" in complaint(
        capsys, arguments(tiny_corpus, run, "--resume", "--seed", "5"), status=1
    )
    assert main(arguments(tiny_corpus, run, "--resume")) == 0
    assert "Best epoch: " in capsys.readouterr().out
    assert (run / "best.pt").read_bytes() == before


def test_two_corpora_train_together(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, tmp_path: Path
) -> None:
    emodb = fabricate.emodb(tmp_path / "emodb", 4, 1, 0.4)
    (emodb / "wav" / "03a07Wa.wav").write_bytes(b"no sound")
    given = arguments(tiny_corpus, tmp_path / "run", "--corpus", f"emodb:{emodb}", "--quiet")
    assert main([*given, "--protocol", "speakers-70-20-10"]) == 0
    said = capsys.readouterr().err
    assert "03a07Wa.wav" in said
    assert "left out: 4 clips of 'boredom', which recipe dual-channel-cnn has no output for" in said
    assert "72 clips, 10 speakers, 8 emotions" in said
    assert RunFolder(tmp_path / "run").info().corpora == (tiny_corpus, f"emodb:{emodb}")


def test_a_plan_stands_in_for_validation(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, tmp_path: Path
) -> None:
    recipe = fabricate_run.recipe()
    plan = Plan(recipe.name, recipe.sha256, "emobox-6", 6, (2e-3, 1e-3, 5e-4), 1.5)
    plan.write(tmp_path / "plan.json")
    out = tmp_path / "final"
    assert main(arguments(tiny_corpus, out, "--plan", str(tmp_path), "--quiet")) == 0
    said = capsys.readouterr().out
    assert "Best epoch: 3 of 3; temperature 1.500" in said
    assert "Test:" not in said and "vocemo evaluate" not in said
    folder = RunFolder(out)
    assert folder.info().protocol == "all" and folder.info().clips == (48, 0, 0)
    assert [record.learning_rate for record in folder.history()] == [2e-3, 1e-3, 5e-4]
    assert folder.curves.is_file() and not folder.confusion.exists()
    refused = complaint(
        capsys, arguments(tiny_corpus, tmp_path / "a", "--plan", str(tmp_path), "--protocol", "loso")
    )
    assert "--protocol all" in refused
    dataclasses.replace(plan, recipe_sha256="another").write(tmp_path / "plan.json")
    other = complaint(capsys, arguments(tiny_corpus, tmp_path / "a", "--plan", str(tmp_path)))
    assert "or has other settings" in other
    none = complaint(capsys, arguments(tiny_corpus, tmp_path / "a", "--plan", str(tmp_path / "none")))
    assert "vocemo crossval" in none
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--protocol", "lozo"], ["loso", "emobox-6", "random", "all"]),
        (["--protocol", "random", "--fold", "1"], ["folds 0 to 0", "no fold 1"]),
        (["--fold", "6"], ["folds 0 to 5"]),
        (["--fold", "-1"], ["folds 0 to 5"]),
        (["--seed", "-1"], ["--seed", "0"]),
        (["--seed", "one"], ["--seed", "integer"]),
        (["--device", "gpu"], ["auto, cpu, cuda, mps"]),
        (["--set", "training.epoch=3"], ["did you mean 'epochs'", "batch_size"]),
        (["--set", "training.epochs=many"], ["a whole number"]),
        (["--set", "model.name=resnet"], ["dual-channel-cnn"]),
        (["--set", "model.widths=[4,8,8,8,8]"], ["take no clip"]),
        (["--set", "augmentation.live=[{name='echo'}]"], ["noise", "time-shift"]),
        (["--corpus", "ravdes:x"], ["did you mean 'ravdess'", "emodb"]),
        (["--corpus", "ravdess"], ["NAME:PLACE"]),
        (["--corpus", "emodb:no/such/folder"], ["no/such/folder", "wav/"]),
        (["--colour", "red"], ["--colour"]),
    ],
)
def test_what_is_wrong_is_answered_with_what_is_valid(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, tmp_path: Path, more: list[str], named: list[str]
) -> None:
    said = complaint(capsys, arguments(tiny_corpus, tmp_path / "run", *more))
    assert all(name in said for name in named), said
    assert not (tmp_path / "run").exists()


def test_wrong_recipes_and_places_are_answered_with_what_is_valid(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = str(tmp_path / "run")
    corpus = ["--corpus", tiny_corpus, "--out", out]
    assert "dual-channel-cnn" in complaint(capsys, ["train", "dual-chanel-cnn", *corpus])
    assert "dual-channel-cnn" in complaint(capsys, ["train", str(tmp_path / "mine.toml"), *corpus])
    assert "--corpus ravdess:" in complaint(capsys, ["train", fabricate_run.RECIPE, "--out", out])
    assert "RECIPE" in complaint(capsys, ["train"])
    (tmp_path / "file").write_text("mine")
    assert "is a file" in complaint(capsys, arguments(tiny_corpus, tmp_path / "file"))
    monkeypatch.setattr(device.torch.cuda, "is_available", lambda: False)
    absent = complaint(capsys, arguments(tiny_corpus, tmp_path / "run", "--device", "cuda"))
    assert "'cuda' is not on this machine; here: " in absent and "cpu" in absent


@pytest.mark.parametrize(
    ("cuda", "mps", "chosen"),
    [(True, False, "cuda"), (False, True, "mps"), (False, False, "cpu"), (True, True, "cuda")],
)
def test_the_device_is_chosen_by_what_is_there(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, chosen: str
) -> None:
    monkeypatch.setattr(device.torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(device.torch.cuda, "get_device_name", lambda _: "Accelerator 9")
    monkeypatch.setattr(device.torch.backends.mps, "is_available", lambda: mps)
    assert device.choose("auto").type == chosen
    assert device.choose("cpu").type == "cpu"
    described = device.describe(device.choose("auto"))
    assert described == ("cuda (Accelerator 9)" if chosen == "cuda" else chosen)


def test_help_has_examples_that_name_a_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--help"]) == 0
    said = capsys.readouterr().out
    assert "Examples:" in said and said.count("vocemo train dual-channel-cnn") >= 2
    assert all(option in said for option in ("--corpus", "--protocol", "--set", "--resume", "--device"))


def test_killed_in_the_middle_and_resumed_it_ends_in_the_same_weights(
    tiny_corpus: str, tmp_path: Path
) -> None:
    epochs = ["--set", "training.epochs=12", "--set", "training.patience=50", "--quiet"]
    killed, unbroken = RunFolder(tmp_path / "killed"), RunFolder(tmp_path / "unbroken")
    process = subprocess.Popen(
        [sys.executable, "-m", "vocemo.cli.main", *arguments(tiny_corpus, killed.path, *epochs)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        deadline = time.monotonic() + 60
        while len(killed.history()) < 3:
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline, "no epoch within a minute"
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    command = ["python", "-m", "vocemo.cli.main", *arguments(tiny_corpus, killed.path, *epochs)]
    assert shlex.split(killed.info().made["command"]) == command
    assert not killed.complete and 3 <= len(killed.history()) < 12
    assert main(arguments(tiny_corpus, killed.path, *epochs, "--resume")) == 0
    assert main(arguments(tiny_corpus, unbroken.path, *epochs)) == 0
    assert fabricate_run.same(fabricate_run.weights(killed.weights), fabricate_run.weights(unbroken.weights))
    assert killed.predictions.read_bytes() == unbroken.predictions.read_bytes()
    timeless = [
        [dataclasses.replace(record, seconds=0.0, energy_j=None) for record in folder.history()]
        for folder in (killed, unbroken)
    ]
    assert timeless[0] == timeless[1]
    assert not list(killed.path.glob("*.partial"))
