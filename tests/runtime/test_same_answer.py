"""The model inside the package says the same of a recording however it comes, from 0.2 s to a minute.

Alone, in any batch, in any order, padded, from bytes, a file or samples, whole or as a stream: within 1e-4.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vocemo import audio
from vocemo.prepare import prepare
from vocemo.runtime.prediction import Failure, Prediction, Segment
from vocemo.runtime.predictor import Predictor, load

SAMPLES = Path(__file__).parents[2] / "samples"
RATE_HZ = 16_000
LENGTHS_S = (0.2, 0.5, 1.0, 3.0, 8.0, 20.0, 60.0)
WAYS = ("file", "bytes", "open file", "samples", "integers", "channels")
CLOSE = 1e-4


@dataclass(frozen=True)
class Clip:
    """A recording as samples of 16 bits, as a file, and what is said of it alone."""

    samples: np.ndarray
    path: Path
    alone: Prediction

    def as_given(self, way: str) -> object:
        """The recording as `predict` takes it."""
        return {
            "file": lambda: self.path,
            "bytes": lambda: self.path.read_bytes(),
            "open file": lambda: io.BytesIO(self.path.read_bytes()),
            "samples": lambda: self.samples,
            "integers": lambda: np.round(self.samples * 32_768).astype(np.int16),
            "channels": lambda: np.stack([self.samples, self.samples]),
        }[way]()


@pytest.fixture(scope="module")
def model() -> Predictor:
    return load(device="cpu")


def spoken(seconds: float) -> np.ndarray:
    """Utterances of every emotion, one after another, with their pauses; a short one within speech."""
    parts = [audio.decode(path, RATE_HZ).samples for path in sorted(SAMPLES.glob("*.flac"))]
    return np.tile(np.concatenate(parts), 3)[RATE_HZ:][: round(seconds * RATE_HZ)]


def made(seconds: float) -> np.ndarray:
    """A voice of pulses at a wandering pitch and level, in noise."""
    rng = np.random.default_rng(round(seconds * 10))
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    phase = np.cumsum(180 + 60 * np.sin(2 * np.pi * 0.4 * time_s)) / RATE_HZ
    voice = sum(np.cos(2 * np.pi * k * phase) / k for k in range(1, 15))
    return 0.08 * (0.2 + np.sin(2 * np.pi * 0.9 * time_s) ** 2) * voice + 0.003 * rng.standard_normal(
        len(time_s)
    )


@pytest.fixture(scope="module")
def clips(model: Predictor, tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    """Spoken and made, of each length, the shortest first."""
    folder, found = tmp_path_factory.mktemp("clips"), []
    for seconds, make in itertools.product(LENGTHS_S, (spoken, made)):
        samples = (np.round(make(seconds) * 32_768) / 32_768).astype(np.float32)
        path = folder / f"{make.__name__}-{seconds}.{'flac' if make is spoken else 'wav'}"
        audio.write(path, samples, RATE_HZ)
        found.append(Clip(samples, path, model.predict(samples, RATE_HZ)))
    return found


def check(one: Prediction | Failure, other: Prediction) -> None:
    """The same answer, and the same segments."""
    assert isinstance(one, Prediction), one
    assert (one.emotion, one.uncertain, one.warnings) == (other.emotion, other.uncertain, other.warnings)
    assert one.duration_s == other.duration_s
    assert one.confidence == pytest.approx(other.confidence, abs=CLOSE)
    assert dict(one.probabilities) == pytest.approx(dict(other.probabilities), abs=CLOSE)
    assert one.out_of_domain == pytest.approx(other.out_of_domain, abs=CLOSE)
    check_segments(one.segments, other.segments)


def check_segments(some: Sequence[Segment], others: Sequence[Segment]) -> None:
    """Each segment the same."""
    assert [(each.start_s, each.end_s, each.emotion, each.uncertain) for each in some] == [
        (each.start_s, each.end_s, each.emotion, each.uncertain) for each in others
    ]
    for one, other in zip(some, others, strict=True):
        assert dict(one.probabilities) == pytest.approx(dict(other.probabilities), abs=CLOSE)
        assert one.out_of_domain == pytest.approx(other.out_of_domain, abs=CLOSE)


def test_the_clips_are_such_that_answers_can_differ(clips: list[Clip]) -> None:
    """Neither silence nor one emotion: else all of what is below would hold of any model."""
    assert all(clip.alone.emotion for clip in clips)
    assert len({clip.alone.emotion for clip in clips}) >= 3
    assert [bool(clip.alone.segments) for clip in clips] == [
        len(clip.samples) > 8 * RATE_HZ for clip in clips
    ]
    largest = [max(clip.alone.probabilities.values()) for clip in clips]
    assert min(largest) < 0.9


def test_a_file_its_bytes_and_its_samples_say_the_same(model: Predictor, clips: list[Clip]) -> None:
    for clip, way in itertools.product(clips, WAYS):
        rate = RATE_HZ if way in ("samples", "integers", "channels") else None
        check(model.predict(clip.as_given(way), rate), clip.alone)


@settings(max_examples=12)
@given(
    chosen=st.lists(
        st.tuples(st.integers(0, 2 * len(LENGTHS_S) - 1), st.sampled_from(WAYS)), min_size=1, max_size=20
    ),
    jobs=st.sampled_from([1, 3]),
)
@example(chosen=[(k, "samples") for k in range(14)], jobs=1)
@example(chosen=[(k, "file") for k in reversed(range(14))], jobs=3)
def test_no_company_and_no_order_changes_an_answer(
    model: Predictor, clips: list[Clip], chosen: list[tuple[int, str]], jobs: int
) -> None:
    given = [clips[number].as_given(way) for number, way in chosen]
    for (number, _), answer in zip(chosen, model.predict_many(given, RATE_HZ, jobs=jobs), strict=True):
        check(answer, clips[number].alone)


@settings(max_examples=15)
@given(
    number=st.integers(0, 9),
    beyond=st.integers(0, 200_000),
    rows=st.integers(1, 4),
    filled=st.sampled_from([0.0, 0.5, 1e4]),
    seed=st.integers(0, 1000),
)
def test_what_lies_behind_a_clip_is_not_heard(
    model: Predictor, clips: list[Clip], number: int, beyond: int, rows: int, filled: float, seed: int
) -> None:
    prepared = prepare(clips[number].samples, RATE_HZ, model.info.preparation)
    rng = np.random.default_rng(seed)
    row = int(rng.integers(rows))
    batch = (filled * rng.standard_normal((rows, prepared.length + beyond))).astype(np.float32)
    lengths = rng.integers(RATE_HZ // 10, batch.shape[1] + 1, rows)
    batch[row, : prepared.length], lengths[row] = prepared.samples[: prepared.length], prepared.length
    said = model.bundle.run(batch, lengths)["probabilities"][row]
    np.testing.assert_allclose(said, list(clips[number].alone.probabilities.values()), atol=CLOSE)


@pytest.fixture(scope="module")
def timelines(model: Predictor, clips: list[Clip]) -> list[list[Segment]]:
    return [model.timeline(clip.samples, RATE_HZ) for clip in clips]


def test_a_timeline_is_the_same_from_a_file_and_among_many(
    model: Predictor, clips: list[Clip], timelines: list[list[Segment]]
) -> None:
    mixed = [clip.path if number % 2 else clip.path.read_bytes() for number, clip in enumerate(clips)]
    for answer, expected in zip(model.predict_many(mixed, timeline=True), timelines, strict=True):
        assert isinstance(answer, Prediction)
        check_segments(answer.segments, expected)
    assert len(timelines[-2]) > 10 and len({each.emotion for each in timelines[-2]}) > 3


def pushed(model: Predictor, clip: Clip, sizes: Sequence[int]) -> list[Segment]:
    """The segments of a stream that was given the clip in pieces of these sizes, again and again."""
    stream, at = model.stream(RATE_HZ), 0
    for size in itertools.cycle(sizes):
        if at >= len(clip.samples):
            break
        stream.push(clip.samples[at : at + size])
        at += size
    stream.finish()
    return stream.segments


@settings(max_examples=10)
@given(
    number=st.integers(0, 2 * len(LENGTHS_S) - 3),
    sizes=st.lists(st.integers(1, 50_000), min_size=1, max_size=6).filter(lambda sizes: np.mean(sizes) > 300),
)
@example(number=0, sizes=[1])
@example(number=1, sizes=[7, 1])
@example(number=10, sizes=[320])
@example(number=11, sizes=[511, 513, 1])
def test_a_stream_in_pieces_of_any_size_is_the_timeline(
    model: Predictor, clips: list[Clip], timelines: list[list[Segment]], number: int, sizes: list[int]
) -> None:
    check_segments(pushed(model, clips[number], sizes), timelines[number])


@pytest.mark.parametrize("sizes", [[320], [100_000, 1]])
def test_a_stream_of_a_minute_is_the_timeline(
    model: Predictor, clips: list[Clip], timelines: list[list[Segment]], sizes: list[int]
) -> None:
    for number in (-2, -1):
        check_segments(pushed(model, clips[number], sizes), timelines[number])


def test_a_file_at_another_rate_is_its_samples_and_its_stream(model: Predictor, tmp_path: Path) -> None:
    """44.1 kHz in two channels, as telephones and cameras record."""
    samples = audio.resample(spoken(20.0), RATE_HZ, 44_100)
    both = (np.round(np.stack([samples, 0.5 * samples]) * 32_768) / 32_768).astype(np.float32)
    audio.write(tmp_path / "a.wav", both, 44_100)
    check(model.predict(tmp_path / "a.wav"), model.predict(both, 44_100))
    stream = model.stream(44_100)
    for at in range(0, both.shape[1], 4_410):
        stream.push(both[:, at : at + 4_410])
    stream.finish()
    offline = model.timeline(tmp_path / "a.wav")
    check_segments(stream.segments, offline)
    assert len(offline) > 3
