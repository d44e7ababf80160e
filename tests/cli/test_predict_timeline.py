"""`vocemo predict --timeline`: each format read back by its own rules."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fabricate_bundle
from vocemo import audio

Run = Callable[..., tuple[int, str, str]]
SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Spoken samples with silence around them."""
    voice = audio.decode(SAMPLES / "synthetic-angry.flac")
    quiet = np.zeros(2 * voice.sample_rate, np.float32)
    path = tmp_path_factory.mktemp("call") / "call.wav"
    audio.write(path, np.concatenate([quiet, voice.samples, quiet, voice.samples, quiet]), voice.sample_rate)
    return path


@pytest.fixture
def told(predict: Run, call: Path) -> dict[str, object]:
    status, out, _ = predict(call, "--timeline", "--format", "json")
    assert status == 0
    (answer,) = json.loads(out)
    return answer


def spoken(answer: dict[str, object]) -> list[dict[str, object]]:
    return [each for each in answer["segments"] if each["emotion"] is not None]


def test_json_covers_the_recording_and_knows_silence(told: dict[str, object]) -> None:
    segments = told["segments"]
    assert (segments[0]["start_s"], segments[-1]["end_s"]) == (0.0, told["duration_s"])
    assert segments[0]["emotion"] is None and segments[0]["end_s"] > 1.5
    assert len(spoken(told)) >= 2
    # The answer is the mean of what was spoken.
    lengths = [each["end_s"] - each["start_s"] for each in spoken(told)]
    for emotion, value in told["probabilities"].items():
        mean = np.average([each["probabilities"][emotion] for each in spoken(told)], weights=lengths)
        assert value == pytest.approx(mean, abs=1e-3)


def test_csv_has_a_line_a_segment(predict: Run, call: Path, told: dict[str, object]) -> None:
    _, out, _ = predict(call, "--timeline", "--format", "csv")
    lines = list(csv.DictReader(io.StringIO(out)))
    assert [line["emotion"] for line in lines] == [each["emotion"] or "" for each in told["segments"]]
    for line, each in zip(lines, told["segments"], strict=True):
        assert (float(line["start_s"]), float(line["end_s"])) == (each["start_s"], each["end_s"])
        assert line["uncertain"] == "false" and line["path"] == str(call)
        for emotion in fabricate_bundle.EMOTIONS:
            assert line[emotion] == (str(each["probabilities"][emotion]) if each["emotion"] else "")


def test_top_is_each_segments_own(predict: Run, call: Path, told: dict[str, object]) -> None:
    _, out, _ = predict(call, "--timeline", "--format", "csv", "--top", "2")
    _, as_json, _ = predict(call, "--timeline", "--format", "json", "--top", "2")
    (answer,) = json.loads(as_json)
    for line, each in zip(csv.DictReader(io.StringIO(out)), answer["segments"], strict=True):
        shown = {name: float(line[name]) for name in fabricate_bundle.EMOTIONS if line[name]}
        assert shown == each["probabilities"]
        assert len(shown) == (2 if each["emotion"] else 0)
        assert not each["emotion"] or each["emotion"] in shown


def test_what_is_wrong_is_said_in_every_format(predict: Run, call: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.wav"
    cut.write_bytes(call.read_bytes()[: call.stat().st_size // 2])
    for format in ("table", "json", "jsonl", "csv"):
        _, out, err = predict(cut, "--timeline", "--format", format)
        assert "truncated" in out and not err
    for format in ("srt", "audacity"):
        _, out, err = predict(cut, "--format", format)
        assert "truncated" in err and "truncated" not in out
        assert predict(cut, "--format", format, "--quiet")[2] == ""


def test_subtitles_are_subrip(predict: Run, call: Path, told: dict[str, object]) -> None:
    _, out, _ = predict(call, "--format", "srt")
    blocks = out.strip().split("\n\n")
    assert len(blocks) == len(spoken(told))
    time = r"(\d\d):(\d\d):(\d\d),(\d{3})"
    for number, (block, each) in enumerate(zip(blocks, spoken(told), strict=True), start=1):
        first, when, label = block.split("\n")
        parts = [int(part) for part in re.fullmatch(f"{time} --> {time}", when).groups()]
        start_s, end_s = (h * 3600 + m * 60 + s + ms / 1000 for h, m, s, ms in (parts[:4], parts[4:]))
        assert int(first) == number
        assert (start_s, end_s) == pytest.approx((each["start_s"], each["end_s"]), abs=1e-3)
        assert label.startswith(each["emotion"])


def test_audacity_reads_its_labels(predict: Run, call: Path, told: dict[str, object]) -> None:
    _, out, _ = predict(call, "--format", "audacity")
    lines = [line.split("\t") for line in out.splitlines()]
    times = [(float(start), float(end)) for start, end, _ in lines]
    assert times == [pytest.approx((each["start_s"], each["end_s"]), abs=1e-3) for each in spoken(told)]


def test_the_table_says_when(predict: Run, call: Path) -> None:
    status, out, _ = predict(call, "--timeline")
    assert status == 0
    after = out[out.index("Timeline:") :]
    assert re.search(r"00:00\.000 - 00:0[12]\.\d{3}  no speech", after)
    assert re.search(r"\d\d:\d\d\.\d{3} - \d\d:\d\d\.\d{3}  \w+ +\d+\.\d\d%", after)


def test_silence_is_no_speech_and_no_error(predict: Run, tmp_path: Path) -> None:
    audio.write(tmp_path / "quiet.wav", np.zeros(32_000, np.float32), 16_000)
    status, out, _ = predict(tmp_path / "quiet.wav", "--timeline")
    assert status == 0
    assert "nobody speaks" in out and "00:00.000 - 00:02.000  no speech" in out
    status, out, _ = predict(tmp_path / "quiet.wav", "--format", "srt")
    assert (status, out) == (0, "")


def test_several_recordings_go_where_they_can(predict: Run, call: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_text("no recording")
    status, out, err = predict(call, tmp_path / "broken.wav", call, "--timeline", "--format", "jsonl")
    assert status == 1 and "broken.wav" in err
    answers = [json.loads(line) for line in out.splitlines()]
    assert len(answers) == 2 and answers[0] == answers[1]
    status, _, err = predict(call, call, "--format", "srt")
    assert status == 2 and "holds one recording" in err
    status, _, err = predict(call, "--timeline", "--explain", tmp_path / "why.png")
    assert status == 2 and "--explain" in err


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_picture(predict: Run, call: Path, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"course.{suffix}"
    status, _, _ = predict(call, "--timeline", "--plot", target)
    assert status == 0
    start = {"png": b"\x89PNG", "svg": b"<?xml"}[suffix]
    assert target.read_bytes().startswith(start)
