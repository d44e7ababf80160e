"""`vocemo predict --by-channel`: each channel is what a mono file of it would be, in every format."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fabricate_bundle
from vocemo import audio

RATE_HZ = fabricate_bundle.RATE_HZ
SAMPLES = Path(__file__).parents[2] / "samples"
Run = Callable[..., tuple[int, str, str]]


def tones(*pitches_hz: float, seconds: float = 3.5) -> np.ndarray:
    """(channels, N): a tone each, swelling as syllables do."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    hiss = 0.05 * np.random.default_rng(0).standard_normal(len(time_s))
    swell = 0.3 * np.sin(2 * np.pi * 1.5 * time_s) ** 2
    return np.stack([(np.sin(2 * np.pi * f * time_s) + hiss) * swell for f in pitches_hz]).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A mono file, a stereo one, one of three channels, and what is none among them."""
    below = tmp_path / "calls"
    below.mkdir()
    for name, pitches_hz in {"a": [400], "b": [200, 2500], "d": [300, 1500, 3000]}.items():
        audio.write(below / f"{name}.wav", tones(*pitches_hz), RATE_HZ)
    (below / "c.wav").write_bytes(b"RIFFgarbage that is no recording at all")
    return below


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two voices in turn, each on its own channel: the right one speaks first."""
    voices = [audio.decode(SAMPLES / f"synthetic-{name}.flac", RATE_HZ).samples for name in ("sad", "angry")]
    one, other = (np.concatenate([each, np.zeros(RATE_HZ, np.float32)]) for each in voices)
    turns = np.zeros((2, 2 * len(one) + len(other)), np.float32)
    turns[1, : len(one)], turns[0, len(one) : -len(one)], turns[1, -len(one) :] = one, other, one
    path = tmp_path_factory.mktemp("turns") / "call.wav"
    audio.write(path, turns, RATE_HZ)
    return path


def lines(out: str) -> list[dict]:
    return [json.loads(line) for line in out.splitlines()]


def of(answers: list[dict]) -> list[tuple[str, int | None]]:
    return [(Path(each["path"]).name, each.get("channel")) for each in answers]


ALL = [("a.wav", None), ("b.wav", 0), ("b.wav", 1), ("d.wav", 0), ("d.wav", 1), ("d.wav", 2)]


def test_each_channel_has_the_answer_of_its_mono_file(predict: Run, folder: Path, tmp_path: Path) -> None:
    status, out, err = predict(folder, "--by-channel", "--format", "jsonl")
    answers = lines(out)
    assert status == 1 and of(answers) == ALL
    assert [line for line in err.splitlines() if "c.wav" in line] and "Predicting: 4 of 4 files" in err
    for each in answers:
        name, channel = of([each])[0]
        mono = tmp_path / "mono.wav"
        audio.write(mono, audio.decode(folder / name, channel=channel).samples, RATE_HZ)
        (alone,) = lines(predict(mono, "--format", "jsonl")[1])
        assert each["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-5)
        assert list(each)[:2] == (["path", "duration_s"] if channel is None else ["path", "channel"])
    assert answers[1]["emotion"] != answers[2]["emotion"]
    assert json.loads(predict(folder, "--by-channel", "--format", "json")[1]) == answers


def test_csv_has_a_column_for_it(predict: Run, folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(predict(folder, "--by-channel", "--format", "csv")[1])))
    assert list(rows[0])[:3] == ["path", "channel", "duration_s"]
    told = [(Path(row["path"]).name, int(row["channel"]) if row["channel"] else None) for row in rows]
    assert told == ALL
    given = ("--timeline", "--format", "csv", "--quiet")
    segments = list(csv.DictReader(io.StringIO(predict(folder, "--by-channel", *given)[1])))
    assert list(segments[0])[:3] == ["path", "channel", "start_s"]
    assert {(Path(row["path"]).name, row["channel"]) for row in segments} == {
        (name, "" if channel is None else str(channel)) for name, channel in ALL
    }
    for more in ((), given):
        assert "channel" not in predict(folder, "--format", "csv", *more)[1].splitlines()[0]


def test_the_table_names_the_speakers(predict: Run, folder: Path) -> None:
    _, out, _ = predict(folder, "--by-channel", "--quiet")
    heads = [line for line in out.splitlines() if line.startswith(str(folder))]
    assert heads == [
        str(folder / "a.wav"),
        f"{folder / 'b.wav'}, left",
        f"{folder / 'b.wav'}, right",
        *(f"{folder / 'd.wav'}, channel {channel} of 3" for channel in range(3)),
    ]
    _, out, _ = predict(folder / "b.wav", "--by-channel")
    assert out.splitlines()[2] == f"{folder / 'b.wav'}, left" and out.count("Predicted emotion") == 2


def test_labels_of_both_speakers_are_in_the_order_of_time(predict: Run, call: Path) -> None:
    left, right = lines(predict(call, "--by-channel", "--timeline", "--format", "jsonl")[1])
    spoken = sorted(
        (each["start_s"], each["end_s"], side, each["emotion"])
        for side, answer in (("left", left), ("right", right))
        for each in answer["segments"]
        if each["emotion"]
    )
    assert [side for _, _, side, _ in spoken][:1] == ["right"] == [side for _, _, side, _ in spoken][-1:]
    assert "left" in {side for _, _, side, _ in spoken}
    _, out, _ = predict(call, "--by-channel", "--format", "srt", "--quiet")
    blocks = [block.split("\n") for block in out.strip().split("\n\n")]
    assert [int(number) for number, *_ in blocks] == list(range(1, len(spoken) + 1))
    assert [label.partition(" (")[0] for *_, label in blocks] == [
        f"{who}: {what}" for *_, who, what in spoken
    ]
    _, out, _ = predict(call, "--by-channel", "--format", "audacity", "--quiet")
    labels = [line.split("\t") for line in out.splitlines()]
    for (start, end, label), (start_s, end_s, who, what) in zip(labels, spoken, strict=True):
        assert (float(start), float(end)) == pytest.approx((start_s, end_s), abs=1e-3)
        assert label.startswith(f"{who}: {what} (")
    # Where one speaks, the other is silent.
    (first,) = [each for each in left["segments"] if each["emotion"]][:1]
    assert left["segments"][0]["emotion"] is None
    at_s = first["start_s"] + 0.5
    silent = [each for each in right["segments"] if each["start_s"] < at_s < each["end_s"]]
    assert [each["emotion"] for each in silent] == [None]


def test_warnings_of_labels_say_whose_they_are(predict: Run, tmp_path: Path) -> None:
    rows = tones(300, 300, seconds=5.0)
    rows[1] = np.clip(10 * rows[1], -0.9, 0.9)
    audio.write(tmp_path / "call.wav", rows, RATE_HZ)
    _, _, err = predict(tmp_path / "call.wav", "--by-channel", "--format", "srt")
    assert f"{tmp_path / 'call.wav'}, right: clipped" in err and "left: clipped" not in err


def test_a_channel_that_cannot_be_answered_leaves_the_other(predict: Run, tmp_path: Path) -> None:
    rows = tones(300, 2500)
    rows[1, 10] = np.nan
    path = tmp_path / "call.wav"
    import soundfile

    soundfile.write(path, rows.T, RATE_HZ, "FLOAT")
    status, out, err = predict(path, "--by-channel", "--format", "jsonl")
    assert status == 1 and of(lines(out)) == [("call.wav", 0)]
    assert err.startswith(f"vocemo: {path}: a sample at") and "(channel 1)" in err


def test_standard_input_has_channels(bundle: Path, folder: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "vocemo.cli.main",
        "predict",
        "-",
        "--model",
        str(bundle),
        "--by-channel",
    ]
    done = subprocess.run(
        [*command, "--format", "jsonl"],
        input=(folder / "b.wav").read_bytes(),
        capture_output=True,
        check=True,
    )
    assert of(lines(done.stdout.decode())) == [("-", 0), ("-", 1)]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_cut_between_channels_loses_and_doubles_nothing(
    predict: Run, folder: Path, tmp_path: Path, form: str
) -> None:
    (folder / "c.wav").unlink()
    target = tmp_path / f"answers.{form}"
    job = (folder, "--by-channel", "--format", form, "--output", target, "--resume")
    assert predict(*job)[0] == 0
    whole = target.read_bytes()
    held = whole.splitlines(keepends=True)
    head = 1 if form == "csv" else 0
    for kept in range(len(held) + 1):
        target.write_bytes(b"".join(held[:kept]) + (held[kept][:20] if kept < len(held) else b""))
        status, _, err = predict(*job)
        assert status == 0 and target.read_bytes() == whole
        files = [0, 1, 1, 2, 2, 2, 3][max(0, kept - head)]
        assert (f"{files} held already" in err) == (files > 0)
    # The answer of a channel in the midst is asked again alone.
    target.write_bytes(b"".join(held[: head + 1] + held[head + 2 :]))
    assert predict(*job)[0] == 0
    assert sorted(target.read_bytes().splitlines()) == sorted(whole.splitlines())
    # A file that was moved is held with its channels.
    (folder / "b.wav").rename(folder / "moved.wav")
    assert predict(*job)[0] == 0 and len(target.read_bytes().splitlines()) == len(held)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("first", [True, False])
def test_lines_with_channels_and_without_do_not_mix(
    predict: Run, folder: Path, tmp_path: Path, form: str, first: bool
) -> None:
    target = tmp_path / f"answers.{form}"
    job = (folder / "b.wav", "--format", form, "--output", target, "--resume")
    assert predict(*job, *(["--by-channel"] if first else []))[0] == 0
    before = target.read_bytes()
    status, _, err = predict(*job, *([] if first else ["--by-channel"]))
    assert status == 2 and f"--by-channel is {'not ' if first else ''}given" in err
    assert target.read_bytes() == before


def test_a_line_whose_channel_is_none_is_refused(predict: Run, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "answers.jsonl"
    job = (folder / "b.wav", "--by-channel", "--format", "jsonl", "--output", target, "--resume")
    predict(*job)
    target.write_text(target.read_text("utf-8").replace('"channel": 0', '"channel": "left"'), "utf-8")
    status, _, err = predict(*job)
    assert status == 2 and "a line that is no answer" in err


def test_what_does_not_go_together(predict: Run, folder: Path, tmp_path: Path) -> None:
    status, out, err = predict(folder / "b.wav", "--by-channel", "--explain", tmp_path / "why.png")
    assert status == 2 and out == "" and "drop --by-channel" in err
    status, _, err = predict(folder / "a.wav", folder / "b.wav", "--by-channel", "--format", "srt")
    assert status == 2 and "holds one recording" in err


@pytest.mark.parametrize("given", [["--timeline"], []])
def test_the_picture_shows_every_speaker(predict: Run, call: Path, tmp_path: Path, given: list[str]) -> None:
    target = tmp_path / "picture.svg"
    assert predict(call, "--by-channel", *given, "--plot", target)[0] == 0
    said = target.read_text("utf-8")
    speakers = ("<!-- left -->", "<!-- right -->") if given else ("call.wav left", "call.wav right")
    assert all(said.count(each) == 1 for each in (*speakers, "2 speakers"))
