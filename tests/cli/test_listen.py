"""`vocemo listen`: a recording that is played, a microphone, and how either ends."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import fabricate_bundle
import fabricate_sounddevice
from vocemo import audio
from vocemo.cli.live_view import LiveView
from vocemo.cli.main import main
from vocemo.runtime.live import Chunk, Listening, Player
from vocemo.runtime.predictor import load

SPOKEN = Path(__file__).parents[2] / "samples" / "synthetic-angry.flac"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def listen(bundle: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> tuple[int, str, str]:
        status = main(["listen", "--model", str(bundle), *map(str, arguments)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def events(listen: Run) -> list[dict[str, Any]]:
    status, out, _ = listen("--input", SPOKEN, "--speed", 0, "--format", "jsonl")
    assert status == 0
    return [json.loads(line) for line in out.splitlines()]


def test_events_are_those_of_a_stream(events: list[dict[str, Any]], bundle: Path) -> None:
    predictor = load(bundle)
    stream = predictor.stream()  # at the model's own rate
    expected = [*stream.push(audio.decode(SPOKEN, predictor.info.preparation.sample_rate).samples)]
    expected += stream.finish()
    assert len(events) >= 3
    assert [(e["start_s"], e["end_s"], e["emotion"], e["changed"]) for e in events] == [
        (round(e.start_s, 3), round(e.end_s, 3), e.emotion, e.changed) for e in expected
    ]
    for told, event in zip(events, expected, strict=True):
        assert told["probabilities"] == pytest.approx(dict(event.probabilities), abs=1e-5)
        assert 0.0 <= told["latency_s"] < 1.0


def test_csv_and_the_table_say_the_same(listen: Run, events: list[dict[str, Any]]) -> None:
    _, out, _ = listen("--input", SPOKEN, "--speed", 0, "--format", "csv", "--top", 1)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["emotion"] for row in rows] == [each["emotion"] or "" for each in events]
    for row, each in zip(rows, events, strict=True):
        shown = [name for name in fabricate_bundle.EMOTIONS if row[name]]
        best = max(each["probabilities"], key=each["probabilities"].get) if each["emotion"] else None
        assert shown == ([best] if best else [])
    _, table, said = listen("--input", SPOKEN, "--speed", 0)
    changes = [each["emotion"] or "no" for each in events if each["changed"]]
    assert [line.split()[1] for line in table.splitlines()] == changes
    assert said.startswith("Heard 3.3 s")


def test_a_file_gets_the_events_and_quiet_says_nothing(listen: Run, tmp_path: Path) -> None:
    target = tmp_path / "events.jsonl"
    assert listen("--input", SPOKEN, "--speed", 0, "--quiet", "--output", target) == (0, "", "")
    assert [json.loads(line) for line in target.read_text().splitlines()]


def test_it_ends_after_so_many_seconds(listen: Run) -> None:
    _, _, said = listen("--input", SPOKEN, "--speed", 0, "--seconds", 1)
    assert said.startswith("Heard 1.0 s")


def test_it_plays_as_fast_as_it_sounds(listen: Run) -> None:
    begun = time.monotonic()
    listen("--input", SPOKEN, "--speed", 2, "--seconds", 1)
    assert time.monotonic() - begun >= 0.5


def test_one_channel_is_heard_alone(listen: Run, events: list[dict[str, Any]], tmp_path: Path) -> None:
    voice = audio.decode(SPOKEN)
    both = tmp_path / "call.wav"
    samples = np.stack([np.zeros_like(voice.samples), voice.samples], axis=1)
    soundfile.write(both, samples, voice.sample_rate, subtype="FLOAT")
    status, out, _ = listen("--input", both, "--channel", 1, "--speed", 0, "--format", "jsonl")
    told = [json.loads(line) for line in out.splitlines()]
    assert status == 0 and [each["emotion"] for each in told] == [each["emotion"] for each in events]
    for mine, theirs in zip(told, events, strict=True):
        assert mine["probabilities"] == pytest.approx(theirs["probabilities"], abs=1e-4)
    assert listen("--input", both, "--channel", 0, "--speed", 0, "--format", "jsonl")[1] == ""
    kept = tmp_path / "events.jsonl"
    status, _, said = listen("--input", both, "--channel", 2, "--output", kept)
    assert status == 2 and "has no channel 2; it has 2" in said and not kept.exists()


def test_what_cannot_be_played_is_said(listen: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("no sound")
    for given, status, reason in [
        (("--input", tmp_path / "nowhere.wav"), 1, "no such file"),
        (("--input", tmp_path / "notes.wav"), 1, "is text, not audio"),
        (("--input", SPOKEN, "--microphone", "1"), 2, "give one of the two"),
        (("--input", SPOKEN, "--hop", "9"), 2, "a hop of 9.0 s"),
    ]:
        code, out, said = listen(*given)
        assert (code, out) == (status, "") and reason in said and len(said.splitlines()) == 1


def test_nothing_is_written_over_for_a_recording_that_cannot_be_played(listen: Run, tmp_path: Path) -> None:
    kept = tmp_path / "events.jsonl"
    kept.write_text("of yesterday")
    assert listen("--input", tmp_path / "nowhere.wav", "--output", kept)[0] == 1
    assert kept.read_text() == "of yesterday"
    recording = tmp_path / "voice.flac"
    recording.write_bytes(SPOKEN.read_bytes())
    status, _, said = listen("--input", recording, "--output", recording)
    assert status == 2 and "is one of the recordings" in said
    assert recording.read_bytes() == SPOKEN.read_bytes()


def test_microphones_are_listed(listen: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fabricate_sounddevice.install(monkeypatch, [fabricate_sounddevice.device("Headset", 1)], default=0)
    assert listen("--microphones") == (0, "  0  Headset  (1 channels, 44100 Hz, the default)\n", "")
    fabricate_sounddevice.install(monkeypatch, [])
    assert listen("--microphones")[0] == 1
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    status, _, said = listen("--microphones")
    assert status == 2 and "vocemo[mic]" in said


def test_a_muted_microphone_is_said_once_and_one_that_vanishes_leaves_what_was_heard(
    listen: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sound = fabricate_sounddevice.install(monkeypatch, [fabricate_sounddevice.device("Headset", 1, 16_000)])
    monkeypatch.setattr("vocemo.runtime.microphone.STALLED_S", 0.2)
    voice = audio.decode(SPOKEN, 16_000).samples
    heard = np.concatenate([np.zeros(6 * 16_000, np.float32), voice])

    def start(stream: Any) -> None:
        for place in range(0, len(heard), 320):
            stream.say(heard[place : place + 320, None])

    monkeypatch.setattr(sound.InputStream, "start", start)
    target = tmp_path / "events.jsonl"
    status, _, said = listen("--output", target)
    assert status == 1
    assert said.count("nothing but digital silence") == 1
    assert "Heard 9.3 s" in said and "has sent nothing" in said.splitlines()[-1]
    assert json.loads(target.read_text().splitlines()[-1])["emotion"] is None


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_ctrl_c_ends_it_with_what_was_heard(listen: Run, tmp_path: Path) -> None:
    target = tmp_path / "events.jsonl"
    before = signal.getsignal(signal.SIGINT)
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    status, _, said = listen("--input", SPOKEN, "--output", target)
    assert status == 130 and said.startswith("Heard ") and target.is_file()
    assert signal.getsignal(signal.SIGINT) is before


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_view_shows_what_is_heard(bundle: Path) -> None:
    predictor = load(bundle)
    rate = predictor.info.preparation.sample_rate
    listening = Listening(predictor.stream(rate), rate)
    view = LiveView(Terminal(), listening, "Listening to a test")
    shown = []
    for chunk in Player(str(SPOKEN), rate, speed=0.0).chunks():
        moment = listening.hear(chunk)
        view.show(moment, now_s=0.0)
        if moment.events:
            shown.append((moment.events[-1][0], view.picture(moment).plain))
    event, picture = shown[0]
    assert picture.splitlines()[0] == "Listening to a test"
    line = next(each for each in picture.splitlines() if each.startswith(str(event.emotion)))
    assert f"{event.confidence:.0%} sure" in line
    for emotion in fabricate_bundle.EMOTIONS:
        assert f"{event.probabilities[emotion]:6.1%}" in picture and emotion in picture
    assert "speech" in picture and "ms late" in picture
    assert "overruns" not in picture and "silence" not in picture
    moment = listening.hear(Chunk(np.zeros(4 * rate, np.float32), 0.0, lost=rate))
    last = view.picture(moment).plain
    assert "1 overruns, 1.00 s lost" in last and "digital silence" in last and "sure" not in last
