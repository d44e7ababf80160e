"""Segments of recordings whose course is known; windows that lose nothing, in any pieces."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fabricate_bundle
from vocemo import audio
from vocemo.errors import UnknownNameError, UsageError
from vocemo.prepare import Preparation
from vocemo.runtime.hearing import Heard, Hearing, OfWindow, listened
from vocemo.runtime.prediction import Segment
from vocemo.runtime.predictor import Predictor, load
from vocemo.runtime.speech import FRAME_S, Hysteresis, SpeechDetector, spans
from vocemo.runtime.speech.detector import FRAME
from vocemo.runtime.speech_windows import SpeechWindows
from vocemo.runtime.timeline import concluded
from vocemo.runtime.timeline_options import TimelineOptions

RATE_HZ = fabricate_bundle.RATE_HZ  # that of the detector too
SAMPLES = Path(__file__).parents[2] / "samples"
EXACT = Hysteresis(pause_s=4 * FRAME_S, least_s=FRAME_S, margin_s=0.0)


class Loud:
    """Stands in for the detector: a frame is speech where it is loud."""

    def stream(self) -> Loud:
        self._left = np.zeros(0, np.float32)
        return self

    def push(self, samples: np.ndarray) -> np.ndarray:
        held = np.concatenate([self._left, samples])
        count = len(held) // FRAME
        self._left = held[count * FRAME :]
        frames = held[: count * FRAME].reshape(count, FRAME)
        return (np.abs(frames).max(axis=1, initial=0.0) > 0.01).astype(np.float32)

    def finish(self) -> np.ndarray:
        return self.push(np.zeros(FRAME - len(self._left), np.float32)) if len(self._left) else self._left


@pytest.fixture
def by_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vocemo.runtime.speech_windows.SpeechDetector", Loud)


def tone(seconds: float, pitch_hz: float, level: float = 0.3) -> np.ndarray:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (level * np.sin(2 * np.pi * pitch_hz * time_s)).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def check(segments: list[Segment], duration_s: float) -> None:
    """From the start to the end of the recording, without a gap, and no two neighbours alike."""
    assert segments[0].start_s == 0.0
    assert segments[-1].end_s == pytest.approx(duration_s)
    for one, other in itertools.pairwise(segments):
        assert one.start_s < one.end_s == other.start_s
        assert one.emotion != other.emotion
    for each in segments:
        if each.emotion is None:
            assert (each.confidence, each.probabilities) == (0.0, {})
        else:
            assert sum(each.probabilities.values()) == pytest.approx(1.0, abs=1e-5)
            assert each.confidence == each.probabilities[each.emotion] == max(each.probabilities.values())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 90)), min_size=1, max_size=8),
    st.lists(st.integers(1, 40_000), min_size=1, max_size=6),
    st.integers(1, 40),
    st.integers(1, 40),
)
def test_windows_cover_all_speech_in_any_pieces(
    parts: list[tuple[bool, int]], sizes: list[int], window: int, hop: int
) -> None:
    speech = [tone(count * FRAME_S, 300.0) if loud else silence(count * FRAME_S) for loud, count in parts]
    samples = np.concatenate(speech)
    window, hop = window * FRAME, min(hop, window) * FRAME

    def run(pieces: Iterator[np.ndarray]) -> tuple[list[tuple[int, int, int]], list[tuple[int, int]]]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("vocemo.runtime.speech_windows.SpeechDetector", Loud)
            cutter = SpeechWindows(RATE_HZ, window, hop, EXACT)
        found = []
        for piece in pieces:
            found += list(cutter.push(piece))
        found += list(cutter.push(np.zeros(0, np.float32), last=True))
        for each in found:
            cut = samples[each.start : each.start + len(each.samples)]
            np.testing.assert_array_equal(each.samples, cut)
        assert cutter.total == len(samples)
        return [(each.span, each.start, each.start + len(each.samples)) for each in found], cutter.spans

    def cut() -> Iterator[np.ndarray]:
        at, turn = 0, 0
        while at < len(samples):
            size = sizes[turn % len(sizes)]
            yield samples[at : at + size]
            at, turn = at + size, turn + 1

    windows, stretches = run(cut())
    assert (sorted(windows), stretches) == (sorted(run(iter([samples]))[0]), run(iter([samples]))[1])
    loud = Loud().stream()
    chances = np.concatenate([loud.push(samples), loud.finish()])
    assert stretches == [
        (span.start * FRAME, min(span.stop * FRAME, len(samples))) for span in spans(chances, EXACT)
    ]
    for number, (start, stop) in enumerate(stretches):
        own = sorted((a, b) for span, a, b in windows if span == number)
        assert (own[0][0], own[-1][1]) == (start, stop)
        if stop - start <= window:
            assert own == [(start, stop)]
            continue
        assert all(b - a == window for a, b in own)
        steps = np.diff([a for a, _ in own])
        assert (steps[:-1] == hop).all() and 0 < steps[-1] <= hop


def test_a_cutter_holds_no_more_than_it_needs(by_level: None) -> None:
    cutter, most = SpeechWindows(RATE_HZ, 3 * RATE_HZ, RATE_HZ, Hysteresis()), 0
    for second in range(200):
        piece = silence(0.5) if second % 60 > 50 else tone(0.5, 200.0)
        list(cutter.push(piece))
        most = max(most, len(cutter._held))
    assert most < 5 * RATE_HZ


def test_a_change_of_voice_is_found_where_it_is(tiny: Predictor, by_level: None) -> None:
    parts = [silence(1.0), tone(6.0, 4_000.0), tone(7.0, 100.0), silence(2.0), tone(3.0, 4_000.0)]
    samples = np.concatenate(parts)
    found = tiny.timeline(samples, RATE_HZ)
    check(found, len(samples) / RATE_HZ)
    assert [each.emotion for each in found] == [None, "happy", "angry", None, "happy"]
    starts = [each.start_s for each in found]
    # A window that holds a little of the high tone is happy by this model: up to half a window too late.
    assert starts == pytest.approx([0.0, 1.0, 7.0, 14.0, 16.0], abs=1.5)
    assert np.delete(starts, 2) == pytest.approx([0.0, 1.0, 14.0, 16.0], abs=0.1)
    assert all(type(start) is float for start in starts)


def test_a_file_and_its_samples_say_the_same(tiny: Predictor, tmp_path: Path, by_level: None) -> None:
    samples = np.concatenate([silence(0.7), tone(5.0, 3_000.0), silence(1.0), tone(1.2, 200.0)])
    audio.write(tmp_path / "a.wav", samples, RATE_HZ)
    assert tiny.timeline(tmp_path / "a.wav") == tiny.timeline(
        audio.decode(tmp_path / "a.wav").samples, RATE_HZ
    )


def test_nothing_is_said_of_silence(tiny: Predictor) -> None:
    assert tiny.timeline(silence(4.0), RATE_HZ) == [Segment(0.0, 4.0, None, 0.0, {})]


def test_what_is_uncertain_is_called_so(tiny_path: Path, by_level: None) -> None:
    samples = np.concatenate([silence(1.0), tone(4.0, 4_000.0)])
    for threshold, uncertain in ((0.0, False), (1.0, True)):
        found = load(tiny_path, threshold=threshold).timeline(samples, RATE_HZ)
        assert [each.uncertain for each in found] == [False, uncertain]
        assert found[1].to_dict()["uncertain"] is uncertain


def test_what_sounds_like_nothing_known_is_said_of_its_stretch_alone(tmp_path: Path, by_level: None) -> None:
    path = fabricate_bundle.write(
        tmp_path / "far.onnx", fabricate_bundle.info(distance_limit=0.5), distance=True
    )
    samples = np.concatenate([tone(5.0, 200.0), silence(1.0), tone(5.0, 6_000.0)])
    near, _, far = load(path).timeline(samples, RATE_HZ)
    assert near.out_of_domain is not None and near.out_of_domain < 1.0 and not near.uncertain
    assert far.out_of_domain is not None and far.out_of_domain > 1.0 and far.uncertain


def test_a_model_of_fixed_length_hears_windows_of_that_length(tmp_path: Path, by_level: None) -> None:
    preparation = Preparation(sample_rate=RATE_HZ, remove_dc=False, length_s=2.5, offset_s=0.5, crop="start")
    path = fabricate_bundle.write(tmp_path / "fixed.onnx", fabricate_bundle.info(preparation=preparation))
    samples = np.concatenate([silence(1.0), tone(5.2, 4_000.0), tone(5.0, 100.0), silence(0.5)])
    ((_, _, windows),) = listened(load(path).answerer, [samples], TimelineOptions()).stretches
    assert {each.stop - each.start for each in windows} == {round(2.5 * RATE_HZ)}
    # What is heard of each is the whole of it: the offset is a recording's, not a window's.
    first = samples[windows[0].start : windows[0].stop]
    np.testing.assert_allclose(windows[0].probabilities, fabricate_bundle.expected(first), atol=1e-4)
    found = load(path).timeline(samples, RATE_HZ)
    check(found, len(samples) / RATE_HZ)
    assert [each.emotion for each in found] == [None, "happy", "angry", None]


def test_smoothing_is_chosen(tiny: Predictor, by_level: None) -> None:
    samples = np.concatenate([tone(5.0, 4_000.0), tone(0.8, 100.0), tone(5.0, 4_000.0)])
    fine = TimelineOptions(window_s=0.5, hop_s=0.25, smoothing="none")
    steady = TimelineOptions(window_s=0.5, hop_s=0.25, change=50.0)
    assert [each.emotion for each in tiny.timeline(samples, RATE_HZ, options=fine)] == [
        "happy",
        "angry",
        "happy",
    ]
    assert [each.emotion for each in tiny.timeline(samples, RATE_HZ, options=steady)] == ["happy"]


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"window_s": 0.0}, UsageError, "0.2 to 60"),
        ({"hop_s": 4.0}, UsageError, "hop of 4.0 s"),
        ({"smoothing": "mean"}, UnknownNameError, "hmm"),
        ({"change": -1.0}, UsageError, "nats"),
        ({"median_s": float("nan")}, UsageError, "median of nan s"),
        ({"median_s": float("inf")}, UsageError, "median of inf s"),
    ],
)
def test_values_that_are_none(options: dict[str, object], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        TimelineOptions(**options)


def test_the_packaged_model_hears_spoken_samples_between_silences() -> None:
    voice = audio.decode(SAMPLES / "synthetic-angry.flac")
    padded = np.concatenate([np.zeros(voice.sample_rate, np.float32), voice.samples])
    found = load().timeline(padded, voice.sample_rate)
    check(found, len(padded) / voice.sample_rate)
    assert SpeechDetector().probabilities(padded[: voice.sample_rate]).max() < 0.5
    assert found[0].emotion is None and found[0].end_s > 0.8


def test_one_odd_word_makes_no_recording_unfamiliar(tmp_path: Path, by_level: None) -> None:
    path = fabricate_bundle.write(
        tmp_path / "far.onnx", fabricate_bundle.info(distance_limit=0.5), distance=True
    )
    samples = np.concatenate([tone(12.0, 200.0), silence(1.0), tone(0.5, 6_000.0)])
    answer = load(path).predict_timeline(samples, RATE_HZ)
    assert [each.uncertain for each in answer.segments] == [False, False, True]
    assert answer.out_of_domain is not None and answer.out_of_domain < 0.5 and not answer.unfamiliar
    assert any("1 of " in warning for warning in answer.warnings)


def test_hours_without_a_pause_are_worked_out_in_pieces(tiny: Predictor) -> None:
    rng, hop, window = np.random.default_rng(0), 8_000, 24_000
    starts = np.arange(0, 3_000) * hop
    windows = [
        OfWindow(0, int(start), int(start) + window, rng.dirichlet(np.ones(4)).astype("f4"), None)
        for start in starts
    ]
    total = int(starts[-1]) + window
    options = TimelineOptions(smoothing="none")
    _, course = concluded(tiny.answerer, Heard(RATE_HZ, total, hop, [(0, total, windows)]), options)
    # By the definition, moment by moment.
    for place in (0, 1, 255, 256, 257, 1_500, len(course.times_s) - 1):
        centre = course.times_s[place] * RATE_HZ
        away = [abs(centre - (each.start + each.stop) / 2) / (window / 2) for each in windows]
        weights = np.array([max(1 - each, 0.1) if each <= 1 else 0.0 for each in away])
        mean = weights @ np.stack([each.probabilities for each in windows]) / weights.sum()
        np.testing.assert_allclose(course.probabilities[place], mean, atol=1e-6)


def test_a_moment_that_no_window_covers_is_known_by_the_nearest(tiny: Predictor) -> None:
    one, other = np.eye(4, dtype=np.float32)[[1, 3]]
    windows = [OfWindow(0, 0, 1_000, one, None), OfWindow(0, 9_000, 10_000, other, None)]
    _, course = concluded(
        tiny.answerer, Heard(RATE_HZ, 10_000, 500, [(0, 10_000, windows)]), TimelineOptions(smoothing="none")
    )
    assert course.probabilities.argmax(1).tolist() == [1] * 10 + [3] * 10


def test_an_array_is_heard_a_few_windows_at_a_time(
    tiny: Predictor, by_level: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = []
    asked = Hearing._answers

    def counting(self: Hearing, windows: list[object]) -> list[OfWindow]:
        waiting.append(len(windows))
        return asked(self, windows)

    monkeypatch.setattr(Hearing, "_answers", counting)
    tiny.timeline(tone(60.0, 300.0), RATE_HZ)
    assert sum(waiting) > 100 and max(waiting) == 16
