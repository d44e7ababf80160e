"""Live sound by a clock of the test's own: nothing waits, nothing is lost unsaid."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from vocemo import audio
from vocemo.errors import AudioNotFoundError, UsageError
from vocemo.runtime.live import CHUNK_S, DEAD_S, Chunk, Listening, Moment, Player
from vocemo.runtime.predictor import Predictor
from vocemo.runtime.stream import Event

SPOKEN = Path(__file__).parents[2] / "samples" / "synthetic-angry.flac"


class Clock:
    """Time that passes when somebody sleeps, and when told."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def player(clock: Clock, speed: float = 1.0, rate: int = 16_000) -> Player:
    return Player(str(SPOKEN), rate, speed=speed, clock=clock, sleep=clock.sleep)


@pytest.mark.parametrize("speed", [1.0, 4.0])
def test_a_recording_is_played_as_fast_as_it_sounds(clock: Clock, speed: float) -> None:
    given = list(player(clock, speed).chunks())
    whole = audio.decode(SPOKEN, 16_000).samples
    assert np.array_equal(np.concatenate([each.samples for each in given]), whole)
    ends = np.cumsum([len(each.samples) for each in given]) / 16_000 / speed
    assert [each.heard_at_s for each in given] == pytest.approx(100.0 + ends)
    assert clock.now_s == pytest.approx(100.0 + len(whole) / 16_000 / speed)
    assert max(len(each.samples) for each in given) == round(CHUNK_S * 16_000)


def test_who_is_late_waits_for_nothing_and_loses_nothing(clock: Clock) -> None:
    total = 0
    for number, each in enumerate(player(clock).chunks()):
        total += len(each.samples)
        if number == 3:
            clock.now_s += 1.0  # busy for a second
            slept = len(clock.slept)
        if 3 < number < 50:
            assert len(clock.slept) == slept
    assert total == len(audio.decode(SPOKEN, 16_000).samples)


def test_as_fast_as_can_be_never_sleeps(clock: Clock) -> None:
    assert list(player(clock, speed=0.0).chunks()) and not clock.slept


def test_speeds_and_recordings_that_are_none() -> None:
    for speed in (-1.0, math.inf, math.nan):
        with pytest.raises(UsageError, match="speed"):
            Player(str(SPOKEN), 16_000, speed=speed)
    with pytest.raises(AudioNotFoundError):
        list(Player("nowhere.wav", 16_000).chunks())


def test_latency_is_what_came_after_the_window_and_how_long_the_answer_took(
    tiny: Predictor, clock: Clock
) -> None:
    rate = tiny.info.preparation.sample_rate
    listening = Listening(tiny.stream(rate), rate, clock)
    assert listening.latency_s() is None
    told = []
    for chunk in player(clock, rate=rate).chunks():
        clock.now_s += 0.005  # what the answer takes
        told += [(listening.stream.time_s, *pair) for pair in listening.hear(chunk).events]
    spoken = [(at_s - event.end_s, latency_s) for at_s, event, latency_s in told if event.emotion]
    assert len(spoken) >= 2
    for after_s, latency_s in spoken:
        assert latency_s == pytest.approx(after_s + 0.005, abs=1e-6)
    # In speech an event waits for no more than the frame and the chunk that its window ends in.
    assert 0.0 < listening.latency_s(0.0) <= listening.latency_s(1.0) < 0.1


def test_what_is_known_a_pause_later_says_nothing_of_latency() -> None:
    def event(end_s: float, emotion: str | None) -> Event:
        return Event(end_s - 0.5, end_s, emotion, 0.5, {}, changed=True)

    told = ((event(1.0, "sad"), 0.04), (event(1.5, "sad"), 0.35), (event(1.5, None), 0.36))
    assert Moment(1.9, -60.0, False, told).latencies_s == (0.04,)


def test_what_is_lost_is_counted_and_leaves_times_true(tiny: Predictor, clock: Clock) -> None:
    listening = Listening(tiny.stream(8_000), 8_000, clock)
    noise = np.random.default_rng(0).normal(0, 0.1, 160).astype(np.float32)
    listening.hear(Chunk(noise, clock()))
    assert (listening.overruns, listening.lost_s) == (0, 0.0)
    moment = listening.hear(Chunk(noise, clock(), lost=8_000 * 150))  # longer than a piece of silence
    assert (listening.overruns, listening.lost_s) == (1, 150.0)
    assert moment.time_s == pytest.approx(150.04)
    listening.hear(Chunk(noise, clock(), lost=80))
    assert (listening.overruns, listening.lost_s) == (2, pytest.approx(150.01))


@pytest.mark.parametrize(("level", "dead"), [(0.0, True), (5e-5, True), (2e-4, False)])
def test_a_muted_microphone_is_told_from_a_quiet_room(
    tiny: Predictor, clock: Clock, level: float, dead: bool
) -> None:
    listening = Listening(tiny.stream(8_000), 8_000, clock)
    quiet = np.full((2, 400), level, np.float32)  # two channels
    for _ in range(round(DEAD_S / 0.05) - 1):
        listening.hear(Chunk(quiet, clock()))
        assert not listening.dead
    listening.hear(Chunk(quiet, clock()))
    assert listening.dead is dead
    listening.hear(Chunk(np.full((2, 400), 0.1, np.float32), clock()))
    assert not listening.dead


def test_the_end_brings_what_was_held_back(tiny: Predictor, clock: Clock) -> None:
    rate = tiny.info.preparation.sample_rate
    listening = Listening(tiny.stream(rate), rate, clock)
    for chunk in player(clock, rate=rate).chunks():
        listening.hear(chunk)
    listening.finish()
    assert [(each.start_s, each.emotion) for each in listening.stream.segments] == [
        (each.start_s, each.emotion) for each in tiny.timeline(SPOKEN)
    ]
