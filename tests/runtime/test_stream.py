"""A stream says what the whole recording says, in pieces of any size, and does not flicker."""

from __future__ import annotations

import gc
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fabricate_bundle
from vocemo import audio
from vocemo.errors import UsageError
from vocemo.runtime.hearing import OfWindow
from vocemo.runtime.predictor import Predictor
from vocemo.runtime.stream import Event, Stream, believed

SAMPLES = Path(__file__).parents[2] / "samples"
RATE_HZ = 48_000


def conversation() -> np.ndarray:
    """Spoken samples at 48 kHz, with pauses: (N,)."""
    parts = [np.zeros(RATE_HZ // 2, np.float32)]
    for name in ("angry", "sad"):
        found = audio.decode(SAMPLES / f"synthetic-{name}.flac")
        parts += [audio.resample(found.samples, found.sample_rate, RATE_HZ), np.zeros(RATE_HZ, np.float32)]
    return np.concatenate(parts)


def run(stream: Stream, samples: np.ndarray, sizes: list[int]) -> list[tuple[float, Event]]:
    """The events, each with how much had been pushed when it came."""
    events, at = [], 0
    for size in itertools.cycle(sizes):
        if at >= len(samples):
            break
        events += [(stream.time_s, each) for each in stream.push(samples[at : at + size])]
        at += size
    return events + [(stream.time_s, each) for each in stream.finish()]


@pytest.fixture(scope="module")
def spoken() -> np.ndarray:
    return conversation()


@settings(max_examples=4, deadline=None)
@given(st.lists(st.integers(1, 40_000).filter(lambda n: n > 200), min_size=1, max_size=4))
def test_pieces_make_no_difference_and_the_end_is_the_whole_timeline(
    tiny: Predictor, spoken: np.ndarray, sizes: list[int]
) -> None:
    stream = tiny.stream(RATE_HZ)
    events = [event for _, event in run(stream, spoken, sizes)]
    at_once = tiny.stream(RATE_HZ)
    whole = [*at_once.push(spoken), *at_once.finish()]
    assert [(e.start_s, e.end_s, e.emotion, e.changed) for e in events] == [
        (e.start_s, e.end_s, e.emotion, e.changed) for e in whole
    ]
    for one, other in zip(events, whole, strict=True):
        assert one.confidence == pytest.approx(other.confidence, abs=1e-4)
    offline = tiny.timeline(spoken, RATE_HZ)
    assert len(stream.segments) == len(offline) > 2
    for one, other in zip(stream.segments, offline, strict=True):
        assert (one.start_s, one.end_s, one.emotion) == (other.start_s, other.end_s, other.emotion)
        for emotion, value in one.probabilities.items():
            assert value == pytest.approx(other.probabilities[emotion], abs=1e-4)


@pytest.fixture(scope="module")
def hesitant() -> np.ndarray:
    """Somebody who pauses for a moment, again and again, and goes on or does not."""
    voice = audio.resample(audio.decode(SAMPLES / "synthetic-angry.flac").samples, 16_000, RATE_HZ)
    spoken = voice[np.abs(voice).cumsum() > 0.01]
    parts = []
    for number, pause_s in enumerate([0.12, 0.2, 0.28, 0.6, 0.16, 0.24, 0.2, 0.12, 0.28, 1.0, 0.2, 0.6]):
        begin = RATE_HZ // 2 + number * RATE_HZ // 10
        parts += [spoken[begin : begin + RATE_HZ * 6 // 10], np.zeros(round(pause_s * RATE_HZ), np.float32)]
    return np.concatenate(parts)


@pytest.mark.parametrize("recording", ["spoken", "hesitant"])
def test_events_come_at_once_while_speech_goes_on(
    tiny: Predictor, recording: str, request: pytest.FixtureRequest
) -> None:
    samples = request.getfixturevalue(recording)
    events = run(tiny.stream(RATE_HZ), samples, [RATE_HZ // 50])  # 20 ms at a time
    ends = {event.end_s for _, event in events if event.emotion is None}
    within = [pushed_s - event.end_s for pushed_s, event in events if event.end_s not in ends]
    # No later than the frame and the piece that the window ends in, even where it ends in a pause.
    assert len(within) >= 2 and min(within) >= 0.0 and max(within) < 0.1
    # The pause that ends speech has to go by before its end is known.
    assert max(pushed_s - event.end_s for pushed_s, event in events) < 0.45
    told = [event.end_s for _, event in events if event.emotion]
    assert told == sorted(told) and len(set(told)) == len(told)


@pytest.mark.parametrize("piece_s", [0.02, 1.0, 3.0, 60.0])
def test_doubt_leaves_the_timeline_as_it_is(tiny: Predictor, hesitant: np.ndarray, piece_s: float) -> None:
    stream = tiny.stream(RATE_HZ)
    events = [event for _, event in run(stream, hesitant, [round(piece_s * RATE_HZ)])]
    ends = [event.end_s for event in events]
    assert ends == sorted(ends)
    offline = tiny.timeline(hesitant, RATE_HZ)
    assert len(stream.segments) == len(offline) > 4
    for one, other in zip(stream.segments, offline, strict=True):
        assert (one.start_s, one.end_s, one.emotion) == (other.start_s, other.end_s, other.emotion)
        assert dict(one.probabilities) == pytest.approx(dict(other.probabilities), abs=1e-4)
    # Some windows did end in a pause that ended the speech: they are events and no part of the timeline.
    spans = [(each.start_s, each.end_s) for each in offline if each.emotion]
    beyond = [e for e in events if e.emotion and not any(a <= e.start_s and e.end_s <= b for a, b in spans)]
    assert beyond


@pytest.mark.parametrize("piece_s", [0.02, 3.0, 60.0])
def test_a_stretch_shorter_than_a_window_that_ends_in_doubt_is_kept(tiny: Predictor, piece_s: float) -> None:
    voice = audio.resample(audio.decode(SAMPLES / "synthetic-angry.flac").samples, 16_000, RATE_HZ)
    begin = RATE_HZ // 2
    found = 0
    for hundredths in range(110, 150, 4):  # with the pause that ends it, longer than the window of 1.5 s
        spoken = voice[begin : begin + RATE_HZ * hundredths // 100]
        samples = np.concatenate([np.zeros(RATE_HZ, np.float32), spoken, np.zeros(RATE_HZ, np.float32)])
        stream = tiny.stream(RATE_HZ)
        run(stream, samples, [round(piece_s * RATE_HZ)])
        offline = tiny.timeline(samples, RATE_HZ)
        assert [(each.start_s, each.end_s, each.emotion) for each in stream.segments] == [
            (each.start_s, each.end_s, each.emotion) for each in offline
        ]
        found += sum(each.emotion is not None for each in offline)
    assert found >= 10


def test_a_stream_without_end_holds_the_windows_of_what_was_said_last_alone(
    tiny: Predictor, spoken: np.ndarray
) -> None:
    stream, held, timelines = tiny.stream(RATE_HZ), [], []
    for _ in range(4):
        stream.push(spoken)
        gc.collect()  # what another test has left behind would be counted once and not again
        held.append(sum(type(each) is OfWindow for each in gc.get_objects()))
        timelines.append(stream.segments)
    assert 0 < held[-1] == held[-2]
    assert all(after[: len(before) - 1] == before[:-1] for before, after in itertools.pairwise(timelines))
    stream.finish()
    heard = [(each.start_s, each.emotion) for each in stream.segments]
    assert heard == [(each.start_s, each.emotion) for each in tiny.timeline(np.tile(spoken, 4), RATE_HZ)]


def test_silence_says_nothing_and_the_end_of_speech_says_so_once(tiny: Predictor, spoken: np.ndarray) -> None:
    quiet = tiny.stream(16_000)
    assert quiet.push(np.zeros(64_000, np.float32)) == quiet.finish() == []
    assert (quiet.time_s, quiet.level_db, quiet.speaking) == (4.0, -np.inf, False)
    events = [event for _, event in run(tiny.stream(RATE_HZ), spoken, [4_800])]
    silent = [k for k, event in enumerate(events) if event.emotion is None]
    offline = [each for each in tiny.timeline(spoken, RATE_HZ) if each.emotion is not None]
    assert len(silent) >= 2
    assert all(events[k].changed and not events[k].probabilities for k in silent)
    # Told where speech ended, or where the window ended that was heard in doubt of it, within the pause.
    assert -0.04 < events[silent[-1]].end_s - offline[-1].end_s < 0.3
    assert all(b - a > 1 for a, b in itertools.pairwise(silent))


def test_an_event_says_what_the_model_said_and_what_is_believed(tiny: Predictor, spoken: np.ndarray) -> None:
    belief = None
    for _, event in run(tiny.stream(RATE_HZ), spoken, [9_600]):
        if event.emotion is None:
            belief = None
            continue
        assert list(event.probabilities) == list(fabricate_bundle.EMOTIONS)
        assert sum(event.probabilities.values()) == pytest.approx(1.0, abs=1e-5)
        belief = believed(belief, list(event.probabilities.values()), 2.5)
        assert event.emotion == fabricate_bundle.EMOTIONS[int(belief.argmax())]
        assert event.confidence == pytest.approx(belief.max())


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 6.0))
def test_the_belief_is_the_forward_variable(seed: int, change: float) -> None:
    said = np.random.default_rng(seed).dirichlet(np.ones(3), 5)
    belief = None
    for each in said:
        belief = believed(belief, each, change)
    # By summing over every way through the states.
    leaving = np.exp(-change)
    sums = np.zeros(3)
    for way in itertools.product(range(3), repeat=5):
        weight = np.prod([said[k, state] for k, state in enumerate(way)])
        weight *= np.prod([1.0 if a == b else leaving for a, b in itertools.pairwise(way)])
        sums[way[-1]] += weight
    np.testing.assert_allclose(belief, sums / sums.sum(), rtol=1e-6)


def test_one_odd_window_does_not_change_the_emotion() -> None:
    belief = None
    for said in ([0.8, 0.2], [0.8, 0.2], [0.3, 0.7]):
        belief = believed(belief, said, 2.5)
    assert belief.argmax() == 0
    for said in ([0.2, 0.8], [0.2, 0.8]):
        belief = believed(belief, said, 2.5)
    assert belief.argmax() == 1


def test_stereo_integers_and_empty_pieces_are_taken(tiny: Predictor, spoken: np.ndarray) -> None:
    both = np.stack([spoken, spoken])
    integers = np.round(spoken * 32_767).astype(np.int16)
    counts = []
    for samples in (spoken, both, integers):
        stream = tiny.stream(RATE_HZ)
        assert stream.push(samples[..., :0]) == []
        counts.append(len(stream.push(samples)) + len(stream.finish()))
        assert stream.time_s == pytest.approx(len(spoken) / RATE_HZ)
    assert counts[0] == counts[1] == counts[2] > 0


def test_nothing_follows_the_end(tiny: Predictor) -> None:
    stream = tiny.stream(RATE_HZ)
    stream.finish()
    assert stream.finish() == []
    with pytest.raises(UsageError, match="finished"):
        stream.push(np.zeros(10, np.float32))
    with pytest.raises(UsageError, match="sample rate"):
        tiny.stream(10)
