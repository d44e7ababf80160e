"""A microphone on a sound library of the tests' own: what is heard, what is lost, what vanishes."""

from __future__ import annotations

import itertools
import sys
from typing import Any

import numpy as np
import pytest

import fabricate_sounddevice
from fabricate_sounddevice import device
from vocemo.errors import MicrophoneError, MissingExtraError, UnknownNameError, UsageError
from vocemo.runtime import microphone
from vocemo.runtime.microphone import HELD_S, Microphone, microphone_named, microphones

DEVICES = [
    device("HDMI", 0),
    device("Built-in Microphone", 2, 48_000.0),
    device("USB Headset", 1, 16_000.0),
]


@pytest.fixture
def sound(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(microphone, "STALLED_S", 0.05)
    return fabricate_sounddevice.install(monkeypatch, DEVICES, default=2)


def block(channels: int = 1, frames: int = 320) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, (frames, channels)).astype(np.float32)


def test_what_cannot_hear_is_no_microphone(sound: Any) -> None:
    assert [(each.index, each.name, each.default) for each in microphones()] == [
        (1, "Built-in Microphone", False),
        (2, "USB Headset", True),
    ]


@pytest.mark.parametrize(
    ("name", "index"), [(None, 2), ("1", 1), ("built", 1), ("USB Headset", 2), ("SET", 2)]
)
def test_a_microphone_is_found_by_number_or_part_of_its_name(
    sound: Any, name: str | None, index: int
) -> None:
    assert microphone_named(name).index == index


def test_a_wrong_name_is_answered_with_those_there_are(sound: Any) -> None:
    with pytest.raises(UnknownNameError, match=r"1 \(Built-in Microphone\), 2 \(USB Headset\)"):
        microphone_named("hdmi")


def test_without_a_chosen_one_the_first_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    fabricate_sounddevice.install(monkeypatch, DEVICES)
    assert microphone_named().index == 1


def test_without_any_there_is_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    fabricate_sounddevice.install(monkeypatch, DEVICES[:1])
    with pytest.raises(MicrophoneError, match="--input"):
        microphone_named()


def test_what_is_heard_is_given_in_order_with_its_time(sound: Any) -> None:
    said = [block(2), 2 * block(2)]
    with Microphone(microphone_named("1"), clock=lambda: 7.0) as opened:
        stream = sound.InputStream.opened
        assert stream.started and stream.options["samplerate"] == opened.sample_rate == 48_000
        assert (stream.options["channels"], stream.options["blocksize"]) == (2, 960)
        stream.say(said[0], late_s=0.25)
        stream.say(said[1], late_s=None)
        heard = list(itertools.islice(opened.chunks(), 2))
    assert stream.closed
    for chunk, samples in zip(heard, said, strict=True):
        assert np.array_equal(chunk.samples, samples.T) and chunk.lost == 0
    assert [each.heard_at_s for each in heard] == pytest.approx([6.75, 7.0])


def test_one_channel_is_heard_alone(sound: Any) -> None:
    said = block(2)
    with Microphone(microphone_named("1"), channel=1) as opened:
        stream = sound.InputStream.opened
        assert stream.options["channels"] == 2
        stream.say(said)
        (heard,) = itertools.islice(opened.chunks(), 1)
    assert np.array_equal(heard.samples, said[:, 1])
    with pytest.raises(UsageError, match="USB Headset: has no channel 1; it has 1"):
        Microphone(microphone_named("2"), channel=1)


def test_what_finds_no_place_is_counted_as_lost(sound: Any) -> None:
    with Microphone(microphone_named("2")) as opened:
        stream = sound.InputStream.opened
        places = round(HELD_S / 0.02)
        for _ in range(places + 3):  # nobody listens
            stream.say(block())
        chunks = opened.chunks()
        assert [next(chunks).lost for _ in range(places)] == [0] * places
        stream.say(block())
        assert next(chunks).lost == 3 * 320
        stream.say(block())
        assert next(chunks).lost == 0
        stream.say(block(), overflow=True)  # the driver lost some before that
        assert next(chunks).lost == 320


def test_a_microphone_that_vanishes_is_named(sound: Any) -> None:
    with (
        Microphone(microphone_named("2")) as opened,
        pytest.raises(MicrophoneError, match=r"USB Headset has sent nothing.*unplugged"),
    ):
        list(opened.chunks())


def test_one_that_does_not_open_is_named(sound: Any) -> None:
    sound.InputStream.refuses = True
    with pytest.raises(MicrophoneError, match=r"USB Headset cannot be opened: Invalid number of channels"):
        Microphone()


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingExtraError, match=r"vocemo\[mic\]"):
        microphones()

    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice")
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(MicrophoneError, match="PortAudio library not found"):
        microphones()
