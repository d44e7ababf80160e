"""Every kind of leak, planted in a small corpus on disk, is refused or named by the commands that train."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

import fabricate
import fabricate_run
from fabricate_voices import RATE_HZ, Recordings, utterance
from vocemo import audio
from vocemo.cli import training
from vocemo.cli.main import main
from vocemo.errors import LeakError
from vocemo.lab import augment
from vocemo.lab.corpora import Manifest, read
from vocemo.lab.evaluate import Predictions, Results
from vocemo.lab.run import RunFolder
from vocemo.lab.splits import PROTOCOLS, Fold, enforce, folds

Samples = NDArray[np.float32]
RNG = 5


def arguments(verb: str, specs: list[str], out: Path, *more: str) -> list[str]:
    corpora = [argument for spec in specs for argument in ("--corpus", spec)]
    seeds = ("--seeds", "1") if verb == "crossval" else ()
    given = [verb, fabricate_run.RECIPE, *corpora, "--out", str(out), "--device", "cpu", "--quiet", *seeds]
    return [*given, *fabricate_run.settings("training.epochs=1"), *more]


def refused(capsys: pytest.CaptureFixture[str], verb: str, specs: list[str], out: Path, *more: str) -> str:
    """What is said where a run is refused; nothing of it is left."""
    assert main(arguments(verb, specs, out, *more)) == 1
    said = capsys.readouterr().err
    assert "the split breaks the promise of its protocol" in said and "LEAK: " in said
    assert not out.exists()
    return said


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Curves and matrices of each fold cost more than what is asked for here; tests of the verbs see them."""
    monkeypatch.setattr(training, "draw", lambda *given: None)


@pytest.fixture
def people(tmp_path: Path, all_people: Path) -> Recordings:
    """A table of six speakers, in a folder of its own, that every test may spoil."""
    own = Recordings(tmp_path / "people")
    shutil.copytree(all_people, own.folder, dirs_exist_ok=True)
    own.rows = [tuple(line.split(",")) for line in (own.folder / "mine.csv").read_text().splitlines()[1:]]
    return own


@pytest.fixture(scope="module")
def all_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Recordings(tmp_path_factory.mktemp("people"))
    made.people()
    assert made.spec
    return made.folder


def test_without_a_leak_nothing_is_said(people: Recordings) -> None:
    for fold in folds(read(people.spec), "loso"):
        assert enforce(fold).findings == ()


# One of the test's speaker's own recordings, in a table that divides itself.
@pytest.mark.parametrize(("split", "part"), [("train", "train"), ("validation", "validation")])
def test_a_test_speaker_whom_a_table_puts_elsewhere(
    capsys: pytest.CaptureFixture[str], people: Recordings, tmp_path: Path, split: str, part: str
) -> None:
    people.add("more.flac", "sad", "s0", utterance(900), split=split)
    assert main(arguments("train", [people.spec], tmp_path / "run", "--protocol", "as-given")) == 0
    captured = capsys.readouterr()
    assert "This split LEAKS: speakers overlap" in captured.err and "LEAKY" in captured.out
    audit = json.loads(RunFolder(tmp_path / "run").audit.read_text())
    assert not audit["passed"]
    assert f"1 of 1 test speakers is also in {part}: table/s0" in audit["findings"][0]["message"]
    # And the figures that come of it carry the word.
    assert main(["evaluate", str(tmp_path / "run"), "--out", str(tmp_path)]) == 0
    assert Results.read(tmp_path / "results.json").leaky


def test_a_protocol_of_ones_own_whose_validation_is_of_the_test(people: Recordings) -> None:
    clips = read(people.spec).clips
    part = [tuple(c for c in clips if c.speaker == f"table/s{n}") for n in range(6)]
    with pytest.raises(LeakError, match="1 of 1 test speakers is also in validation"):
        enforce(Fold("mine", 0, part[2] + part[3], part[1] + part[0][:2], part[0][2:], leaky=False))


def rewrite(
    change: Callable[[Samples], Samples], name: str, rate: int = RATE_HZ
) -> Callable[[Path, Path], Path]:
    def made(source: Path, folder: Path) -> Path:
        audio.write(folder / name, change(audio.decode(source, RATE_HZ).samples), rate)
        return folder / name

    return made


def twin(source: Path, folder: Path) -> Path:
    return Path(shutil.copy(source, folder / "another.flac"))


@pytest.mark.parametrize(
    "copy",
    [twin, rewrite(lambda x: x, "another.wav"), rewrite(lambda x: x, "another.aiff")],
    ids=["the same bytes", "wav", "aiff"],
)
def test_the_same_recording_of_another_speaker_by_its_table(
    capsys: pytest.CaptureFixture[str],
    people: Recordings,
    tmp_path: Path,
    copy: Callable[[Path, Path], Path],
) -> None:
    name = copy(people.folder / "r003.flac", people.folder).name
    people.rows.append((name, "sad", "s4", "train"))
    for verb in ("train", "crossval"):
        said = refused(capsys, verb, [people.spec], tmp_path / "run", "--protocol", "loso")
        assert "the same recording is under 2 names" in said and name in said
        assert "table/s0, table/s4 share recordings, so they are one voice" in said


def drawn(**transform: object) -> Callable[[Samples], Samples]:
    return lambda x: augment.chain([transform])(x, RATE_HZ, np.random.default_rng(RNG))


# At the tempo and pitch of the original: whoever is said to speak, it is the same recording.
@pytest.mark.parametrize(
    "copy",
    [
        rewrite(lambda x: soxr.resample(0.3 * x, RATE_HZ, 22_050), "q.flac", 22_050),
        rewrite(lambda x: soxr.resample(x, RATE_HZ, 8_000), "q.flac", 8_000),
        rewrite(drawn(name="gain", min_db=-15.0, max_db=-10.0), "q.flac"),
        rewrite(drawn(name="noise", min_snr_db=15.0, max_snr_db=15.0), "q.flac"),
        rewrite(drawn(name="time-shift", max_shift_s=0.3), "q.flac"),
        rewrite(lambda x: x[4_000:24_000], "q.flac"),
        rewrite(lambda x: x, "q.mp3"),
    ],
    ids=["resampled", "8 kHz", "gain", "noise", "later", "cut", "mp3"],
)
def test_a_copy_under_an_innocent_name_of_another_speaker(
    capsys: pytest.CaptureFixture[str],
    people: Recordings,
    tmp_path: Path,
    copy: Callable[[Path, Path], Path],
) -> None:
    name = copy(people.folder / "r003.flac", people.folder).name
    people.rows.append((name, "sad", "s4", "train"))
    said = refused(capsys, "crossval", [people.spec], tmp_path / "run", "--protocol", "loso")
    assert "derived copies" in said and "one recording each by their sound" in said
    assert name in said and "r003.flac" in said


WARPED = {
    "pitch down": lambda x: augment.PitchShift(12.0).apply(x, RATE_HZ, augment.PitchShiftParameters(-2.0)),
    "pitch up": lambda x: augment.PitchShift(12.0).apply(x, RATE_HZ, augment.PitchShiftParameters(3.0)),
    "slower": lambda x: augment.Speed().apply(x, RATE_HZ, augment.SpeedParameters(0.8)),
    "faster": lambda x: augment.Speed().apply(x, RATE_HZ, augment.SpeedParameters(1.2)),
    "played faster": lambda x: soxr.resample(x, RATE_HZ, RATE_HZ / 2 ** (2 / 12)),
}


@pytest.mark.parametrize("change", WARPED.values(), ids=list(WARPED))
def test_a_copy_at_another_tempo_or_pitch(
    capsys: pytest.CaptureFixture[str],
    people: Recordings,
    tmp_path: Path,
    change: Callable[[Samples], Samples],
) -> None:
    copied = change(audio.decode(people.folder / "r003.flac", RATE_HZ).samples)
    # In another corpus nobody can say that it is another voice: refused.
    other = tmp_path / "folder" / "sad" / "zoe" / "1.flac"
    other.parent.mkdir(parents=True)
    audio.write(other, copied, RATE_HZ)
    specs = [people.spec, f"folder:{tmp_path / 'folder'}"]
    said = refused(capsys, "train", specs, tmp_path / "run", "--protocol", "loso", "--fold", "1")
    assert "one recording each by their sound, changed" in said or "whatever their names" in said
    assert str(other) in said and "r003.flac" in said
    # Of a speaker whom the same table calls another: named, and left to people to judge.
    people.add("q.flac", "sad", "s4", copied)
    noted = enforce(folds(read(people.spec), "loso")[0])
    named = {key for finding in noted.notes if finding.kind == "sounds of copies" for key in finding.items}
    assert named == {str(people.folder / "q.flac"), str(people.folder / "r003.flac")}


@pytest.mark.parametrize("changed", [False, True])
def test_one_speaker_under_two_corpora(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, changed: bool
) -> None:
    released = fabricate.ravdess(tmp_path / "ravdess", fabricate_run.ACTORS, ("speech",), 1, 1.5)
    mine = Recordings(tmp_path / "mine")
    for number, path in enumerate(sorted(released.rglob("Actor_01/*.wav"))):
        samples, rate = audio.decode(path, RATE_HZ).samples, RATE_HZ
        if changed:
            samples, rate = soxr.resample(samples, RATE_HZ, 24_000) * np.float32(0.9), 24_000
        mine.add(f"{number}.flac", "sad", "guest", samples, sample_rate=rate)
    specs = [f"ravdess-speech:{released}", mine.spec]
    said = refused(capsys, "crossval", specs, tmp_path / "run", "--protocol", "emobox-6")
    assert "ravdess/01, table/guest share recordings, so they are one voice; it is in train and test" in said


def test_what_the_test_sounds_like_changes_the_tests_answers_and_nothing_else(
    people: Recordings, tmp_path: Path
) -> None:
    spec = people.spec
    more = ("--protocol", "as-given", "--set", "training.epochs=4", "--set", "training.patience=2")
    assert main(arguments("train", [spec], tmp_path / "one", *more)) == 0
    for number in range(8):
        audio.write(people.folder / f"r{number:03d}.flac", utterance(500 + number, 1.1), RATE_HZ)
    assert main(arguments("train", [spec], tmp_path / "other", *more)) == 0
    one, other = RunFolder(tmp_path / "one"), RunFolder(tmp_path / "other")
    # Weights hold the statistics of the normalisation as well.
    assert fabricate_run.same(fabricate_run.weights(one.weights), fabricate_run.weights(other.weights))
    assert one.validation_predictions.read_bytes() == other.validation_predictions.read_bytes()
    chosen = [
        [getattr(folder.outcome(), name) for name in ("temperature", "best_epoch", "epochs", "parameters")]
        for folder in (one, other)
    ]
    assert chosen[0] == chosen[1]
    if hasattr(one.outcome(), "thresholds"):
        assert one.outcome().thresholds == other.outcome().thresholds
    histories = [
        [dataclasses.replace(record, seconds=0.0, energy_j=None) for record in folder.history()]
        for folder in (one, other)
    ]
    assert histories[0] == histories[1]
    answers = [Predictions.read(folder.predictions) for folder in (one, other)]
    assert not np.allclose(answers[0].probabilities, answers[1].probabilities)


def luna(folder: Path) -> str:
    """An actor of each test fold of luna-5."""
    return f"ravdess-speech:{fabricate.ravdess(folder / 'luna', (2, 3, 10, 8, 1), ('speech',), 1, 0.5)}"


def corpora_for(protocol: str, folder: Path, tiny_corpus: str) -> list[str]:
    if protocol in ("cross-corpus", "one-corpus"):
        emodb = fabricate.emodb(folder / "emodb", 3, 1, 0.4)
        return [tiny_corpus, f"emodb:{emodb}"]
    if protocol == "as-given":
        table = Recordings(folder / "table")
        for number in range(9):
            split = ("train", "validation", "test")[number % 3]
            table.add(
                f"{number}.flac", ("happy", "sad")[number // 3 % 2], split, utterance(number), split=split
            )
        return [table.spec]
    if protocol == "speakers-70-20-10":
        return [f"emodb:{fabricate.emodb(folder / 'emodb', 10, 1, 0.4)}"]
    if protocol == "luna-5":
        return [luna(folder)]
    return [tiny_corpus]


# Of the protocols that differ in the number of their folds alone, one.
HOLDING_OUT = sorted(
    name
    for name in PROTOCOLS
    if PROTOCOLS[name].holds_out and (name == "speaker-folds-5" or not name.startswith("speaker-folds-"))
)


@pytest.mark.parametrize("protocol", HOLDING_OUT)
def test_every_protocol_cross_validates(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, tmp_path: Path, protocol: str
) -> None:
    specs = corpora_for(protocol, tmp_path, tiny_corpus)
    assert main(arguments("crossval", specs, tmp_path / "out", "--protocol", protocol)) == 0
    results = Results.read(tmp_path / "out" / "results.json")
    assert results.protocol == protocol and results.leaky == PROTOCOLS[protocol].leaky
    assert ("LEAKY" in capsys.readouterr().out) == results.leaky
    runs = sorted((tmp_path / "out").glob("seed-0/fold-*"))
    assert len(runs) == results.folds == len(results.per_fold)
    manifest = sum((read(spec) for spec in specs), start=Manifest(()))
    for folder in map(RunFolder, runs):
        audit = json.loads(folder.audit.read_text())
        assert audit["passed"] != results.leaky and folder.complete
        if PROTOCOLS[protocol].speaker_independent:
            tested = set(results.per_fold[audit["fold"]].test_speakers)
            heard = {s.speaker for s in Predictions.read(folder.validation_predictions).subjects}
            assert tested and tested <= set(manifest.speakers) and not tested & heard


def without_times(plain: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in plain.items() if key not in ("seconds", "energy_j")}


def test_killed_in_a_fold_and_started_again_it_ends_in_the_same_figures(
    tiny_corpus: str, tmp_path: Path
) -> None:
    killed, unbroken = tmp_path / "killed", tmp_path / "unbroken"
    more = ("--protocol", "luna-5", "--set", "training.epochs=5", "--set", "training.patience=50")
    spec = luna(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "vocemo.cli.main", *arguments("crossval", [spec], killed, *more)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    second = RunFolder(killed / "seed-0" / "fold-1")
    try:
        deadline = time.monotonic() + 120
        while not second.history():
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline, "no second fold within two minutes"
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    assert not second.complete and len(second.history()) < 5
    first = (killed / "seed-0" / "fold-0" / "best.pt").stat().st_mtime_ns
    assert main(arguments("crossval", [spec], killed, *more)) == 0
    assert (killed / "seed-0" / "fold-0" / "best.pt").stat().st_mtime_ns == first
    assert main(arguments("crossval", [spec], unbroken, *more)) == 0
    assert (killed / "predictions.csv").read_bytes() == (unbroken / "predictions.csv").read_bytes()
    results = [Results.read(folder / "results.json") for folder in (killed, unbroken)]
    timeless = [
        dataclasses.replace(
            each,
            train_seconds=None,
            command="",
            per_fold=tuple(dataclasses.replace(fold, train_seconds=None) for fold in each.per_fold),
            report=json.loads(json.dumps(each.report), object_hook=without_times),
        )
        for each in results
    ]
    assert timeless[0] == timeless[1]
    plans = [json.loads((folder / "plan.json").read_text()) for folder in (killed, unbroken)]
    assert plans[0] == plans[1]
