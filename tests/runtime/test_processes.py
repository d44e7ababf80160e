"""Many recordings over several processes: the answers of one, and an end that leaves nothing behind."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import fabricate_bundle
import vocemo
from vocemo.cli.main import main
from vocemo.errors import BundleError, UsageError, VocemoError
from vocemo.runtime import processes
from vocemo.runtime.prediction import Failure, Prediction
from vocemo.runtime.predictor import Predictor, load
from vocemo.runtime.source import OneChannel


def test_the_answers_are_those_of_one_process_in_order(
    tiny: Predictor, recording: Callable[..., Path]
) -> None:
    files = [recording(f"{number}.wav", seconds=0.5 + number / 4) for number in range(9)]
    data = files[3].read_bytes()
    samples = np.random.default_rng(0).standard_normal(16_000).astype(np.float32) / 10

    def sources() -> list[object]:
        return [*files, "gone.wav", data, io.BytesIO(data), OneChannel(str(files[0]), 0)]

    # A rate goes with samples alone, which stand by themselves.
    for given, rate in ((sources, None), (lambda: [samples, samples[:4_000]], 16_000)):
        one = list(tiny.predict_many(given(), rate, jobs=1))
        several = list(tiny.predict_many(given(), rate, processes=2))
        assert len(several) == len(one)
        for mine, theirs in zip(several, one, strict=True):
            assert type(mine) is type(theirs) and mine.path == theirs.path
            if isinstance(mine, Prediction) and isinstance(theirs, Prediction):
                assert mine.emotion == theirs.emotion and mine.channel == theirs.channel
                assert mine.warnings == theirs.warnings
                for emotion, probability in theirs.probabilities.items():
                    assert mine.probabilities[emotion] == pytest.approx(probability, abs=1e-4)
            else:
                assert str(mine) == str(theirs)
    assert not multiprocessing.active_children()


def test_a_timeline_and_a_threshold_go_with_them(recording: Callable[..., Path], tmp_path: Path) -> None:
    path = fabricate_bundle.write(tmp_path / "tiny.onnx")
    model = load(path, threshold=0.999)
    files = [recording(f"{number}.wav", seconds=4.0) for number in range(3)]
    options = vocemo.TimelineOptions(window_s=1.0, hop_s=0.5)
    one, several = (list(model.predict_many(files, processes=count, timeline=options)) for count in (1, 2))
    for mine, theirs in zip(several, one, strict=True):
        assert isinstance(mine, Prediction) and isinstance(theirs, Prediction)
        assert mine.segments and len(mine.segments) == len(theirs.segments)
        assert mine.uncertain == theirs.uncertain


def test_sources_are_read_as_answers_are_wanted(tiny: Predictor, recording: Callable[..., Path]) -> None:
    file, read = recording("a.wav", seconds=0.5), 0

    def sources() -> Iterator[Path]:
        nonlocal read
        for _ in range(5_000):
            read += 1
            yield file

    answers = tiny.predict_many(sources(), processes=2)
    assert isinstance(next(answers), Prediction)
    assert read < 1_000
    answers.close()
    assert not multiprocessing.active_children()


def test_large_files_come_in_small_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "MOST_BYTES", 100)
    paths = [tmp_path / f"{size}-{number}" for number, size in enumerate((10, 20, 500, 10, 10, 90, 10))]
    for path in paths:
        path.write_bytes(bytes(int(path.name.split("-")[0])))
    groups = list(processes._by_size([[*paths, b"bytes", tmp_path / "gone"], [b""]]))
    assert [each for group in groups for each in group] == [*paths, b"bytes", tmp_path / "gone", b""]
    assert [len(group) for group in groups] == [2, 3, 4, 1] or max(map(len, groups)) <= 4


def test_what_cannot_be_is_said(tiny: Predictor, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="processes is 1 or more, given 0"):
        list(tiny.predict_many([], processes=0))
    assert list(tiny.predict_many([], processes=2)) == []


DYING = """
import os, signal, sys, multiprocessing, threading, time
import vocemo
def kill():
    while not multiprocessing.active_children():
        time.sleep(0.01)
    time.sleep(0.3)
    os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)
if __name__ == "__main__":
    threading.Thread(target=kill, daemon=True).start()
    try:
        for _ in vocemo.load().predict_many([sys.argv[1]] * 100_000, processes=2):
            pass
    except vocemo.VocemoError as error:
        print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_process_that_dies_is_an_error_and_no_hang(tmp_path: Path, recording: Callable[..., Path]) -> None:
    script = tmp_path / "dying.py"
    script.write_text(DYING)
    command = [sys.executable, str(script), str(recording("a.wav", seconds=1.0))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "has died" in done.stdout, done.stderr


def test_a_process_that_cannot_begin_says_why(recording: Callable[..., Path], tmp_path: Path) -> None:
    path = fabricate_bundle.write(tmp_path / "tiny.onnx")
    model = load(path)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(BundleError, match=r"tiny\.onnx"):
        list(model.predict_many([recording("a.wav", seconds=1.0)] * 3, processes=2))
    assert not multiprocessing.active_children()


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("answers", [0, 1])
def test_ctrl_c_ends_all_of_them_without_a_word(
    answers: int, tmp_path: Path, recording: Callable[..., Path]
) -> None:
    """While the processes are begun, and when there are answers."""
    voice, folder, out = recording("a.wav", seconds=20.0), tmp_path / "many", tmp_path / "out.jsonl"
    folder.mkdir()
    for number in range(100):
        (folder / f"{number}.wav").symlink_to(voice)
    # A shell begins what it runs in the background with Ctrl-C ignored, these tests with all else.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{heard}; import sys; from vocemo.cli.main import main; sys.exit(main(sys.argv[1:]))"
    options = ["--jobs", "2", "--format", "jsonl", "--quiet", "--output", str(out)]
    running = subprocess.Popen(
        [sys.executable, "-c", program, "predict", str(folder), *options],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not (out.is_file() and out.read_bytes().count(b"\n") >= answers) and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGINT)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 130 and not said, said
    until = time.monotonic() + 20
    with pytest.raises(ProcessLookupError):  # nobody is left; multiprocessing's own helper goes last
        while time.monotonic() < until:
            os.killpg(running.pid, 0)
            time.sleep(0.05)


def test_where_there_are_no_semaphores_threads_answer(
    recording: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice, folder, out = recording("a.wav", seconds=20.0), tmp_path / "many", tmp_path / "out.jsonl"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number}.wav").symlink_to(voice)

    class Without:
        def Event(self) -> None:
            raise OSError(38, "Function not implemented")

    monkeypatch.setattr(multiprocessing, "get_context", lambda *_: Without())
    assert main(["predict", str(folder), "--jobs", "2", "--format", "jsonl", "--output", str(out)]) == 0
    assert out.read_bytes().count(b"\n") == 60


def test_a_failure_of_one_is_one_failure(tiny: Predictor, recording: Callable[..., Path]) -> None:
    good = recording("good.wav", seconds=0.5)
    answers = list(tiny.predict_many([good, "none.wav", good], processes=2))
    assert isinstance(answers[1], Failure) and isinstance(answers[1].error, VocemoError)
    assert all(isinstance(answers[place], Prediction) for place in (0, 2))
