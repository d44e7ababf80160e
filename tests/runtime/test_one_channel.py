"""One channel of a recording, wherever a recording is taken."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import vocemo
from vocemo import OneChannel, audio
from vocemo.errors import UsageError
from vocemo.runtime import plot
from vocemo.runtime.live import Player
from vocemo.runtime.prediction import Failure
from vocemo.runtime.predictor import Predictor

Recording = Callable[..., Path]
SAMPLES = Path(__file__).parents[2] / "samples"
RATE_HZ = 16_000


@pytest.fixture(params=[3.5, 9.0])
def rows(recording: Recording, request: pytest.FixtureRequest) -> np.ndarray:
    """(2, N) of two voices, a clip of them or more than the model's longest window."""
    paths = [recording("a.wav", request.param, 250), recording("b.wav", request.param, 2000, 0.05)]
    return np.stack([audio.decode(path).samples for path in paths])


@pytest.fixture
def stereo(rows: np.ndarray, tmp_path: Path) -> Path:
    path = tmp_path / "call.flac"
    audio.write(path, rows, RATE_HZ)
    return path


def same(one: vocemo.Prediction, other: vocemo.Prediction, channel: int) -> None:
    assert (one.channel, other.channel) == (channel, None)
    assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)
    assert (one.emotion, one.duration_s, one.warnings) == (other.emotion, other.duration_s, other.warnings)
    assert len(one.segments) == len(other.segments)
    for mine, theirs in zip(one.segments, other.segments, strict=True):
        assert (mine.start_s, mine.end_s, mine.emotion) == (theirs.start_s, theirs.end_s, theirs.emotion)
        assert mine.probabilities == pytest.approx(theirs.probabilities, abs=1e-6)


def test_every_way_in_takes_a_channel(tiny: Predictor, rows: np.ndarray, stereo: Path) -> None:
    for channel, row in enumerate(rows):
        alone = tiny.predict(row, RATE_HZ)
        same(tiny.predict(OneChannel(stereo, channel)), alone, channel)
        same(tiny.predict(OneChannel(stereo.read_bytes(), channel)), alone, channel)
        same(tiny.predict(OneChannel(io.BytesIO(stereo.read_bytes()), channel)), alone, channel)
        same(tiny.predict(OneChannel(rows, channel), RATE_HZ), alone, channel)
        taken = tiny.predict_timeline(OneChannel(stereo, channel))
        same(taken, tiny.predict_timeline(row, RATE_HZ), channel)
        assert tiny.timeline(OneChannel(stereo, channel)) == list(taken.segments)
        assert np.allclose(tiny.embed(OneChannel(stereo, channel)), tiny.embed(row, RATE_HZ), atol=1e-6)
        explained = tiny.explain(OneChannel(io.BytesIO(stereo.read_bytes()), channel))
        theirs = tiny.explain(row, RATE_HZ)
        assert explained.probability == pytest.approx(theirs.probability, abs=1e-6)
        assert [each.effect for each in explained.moments] == pytest.approx(
            [each.effect for each in theirs.moments], abs=1e-5
        )
    left, right = (tiny.predict(OneChannel(stereo, channel)) for channel in (0, 1))
    assert left.probabilities != pytest.approx(right.probabilities, abs=0.05)


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("timeline", [False, True])
def test_many_have_their_channels_in_order(
    tiny: Predictor, rows: np.ndarray, stereo: Path, jobs: int, timeline: bool
) -> None:
    sources = [OneChannel(stereo, 1), stereo, OneChannel(stereo, 5), OneChannel(rows, 0), OneChannel("no", 1)]
    answers = list(tiny.predict_many(sources, RATE_HZ, jobs=jobs, timeline=timeline))
    assert [each.channel for each in answers] == [1, None, 5, 0, 1]
    one = tiny.predict_timeline if timeline else tiny.predict
    same(answers[0], one(rows[1], RATE_HZ), 1)
    same(answers[3], one(rows[0], RATE_HZ), 0)
    assert isinstance(answers[2], Failure) and str(answers[2]) == (
        f"{stereo}: has no channel 5; it has 2, counted from 0"
    )
    assert isinstance(answers[4], Failure) and str(answers[4]) == "no: no such file (channel 1)"
    assert answers[0].to_dict()["channel"] == 1 and "channel" not in answers[1].to_dict()
    assert list(answers[0].to_dict())[:3] == ["path", "channel", "duration_s"]


def test_a_picture_and_a_player_take_it(stereo: Path, rows: np.ndarray) -> None:
    low, high = plot.envelope(OneChannel(stereo, 1))
    assert (low.min(), high.max()) == (rows[1].min(), rows[1].max())
    player = Player(OneChannel(stereo, 1), RATE_HZ, speed=0.0)
    assert player.name == str(stereo)
    chunks = [chunk.samples for chunk in player.chunks()]
    assert len(chunks[0]) == RATE_HZ // 50 and np.array_equal(np.concatenate(chunks), rows[1])


def test_what_is_no_channel_is_refused(tiny: Predictor, stereo: Path, rows: np.ndarray) -> None:
    for channel in (2, -1):
        with pytest.raises(UsageError, match="it has 2"):
            tiny.predict(OneChannel(stereo, channel))
        with pytest.raises(UsageError, match=r"samples of shape \(2, .*it has 2"):
            tiny.predict(OneChannel(rows, channel), RATE_HZ)
    with pytest.raises(UsageError, match="one channel already"):
        OneChannel(OneChannel(stereo, 0), 0)
    with pytest.raises(UsageError, match="sample_rate"):
        tiny.predict(OneChannel(rows, 0))
    with pytest.raises(UsageError, match="carries its own"):
        tiny.predict(OneChannel(stereo, 0), RATE_HZ)


def test_it_goes_to_another_process_and_comes_back(stereo: Path) -> None:
    asked = OneChannel(stereo, 1)
    assert pickle.loads(pickle.dumps(asked)) == asked != OneChannel(stereo, 0)


def test_two_voices_in_turn_have_timelines_of_their_own() -> None:
    model = vocemo.load()
    voices = [audio.decode(SAMPLES / f"synthetic-{name}.flac", RATE_HZ).samples for name in ("angry", "sad")]
    turns = np.zeros((2, sum(map(len, voices))), np.float32)
    turns[0, : len(voices[0])], turns[1, len(voices[0]) :] = voices
    change_s = len(voices[0]) / RATE_HZ
    first, second = (model.timeline(OneChannel(turns, channel), RATE_HZ) for channel in (0, 1))
    assert first[-1].emotion is None and first[-1].start_s < change_s + 0.1
    assert second[0].emotion is None and second[0].end_s > change_s - 0.1
    for own in (first, second):
        assert any(each.emotion for each in own) and own[-1].end_s == pytest.approx(turns.shape[1] / RATE_HZ)
    # Heard together, one of them speaks nearly always.
    both = model.timeline(turns, RATE_HZ)
    spoken_s = [
        sum(each.end_s - each.start_s for each in own if each.emotion) for own in (both, first, second)
    ]
    assert spoken_s[0] > max(spoken_s[1:]) + 0.5
