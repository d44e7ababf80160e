"""Stitched recordings are what they say they are; timelines are told by counting frames."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vocemo.errors import CorpusError
from vocemo.lab.evaluate.stitched import GAP_S, Stitched, Stretch, scored, stitched
from vocemo.runtime.prediction import Segment

RATE = 8_000


def clip(seconds: float, pitch_hz: float, quiet_s: float = 0.4) -> np.ndarray:
    time_s = np.arange(round(seconds * RATE)) / RATE
    quiet = np.zeros(round(quiet_s * RATE), np.float32)
    return np.concatenate([quiet, np.sin(2 * np.pi * pitch_hz * time_s, dtype=np.float64), quiet]).astype(
        "f4"
    )


CLIPS = [
    (emotion, clip(1.0 + k / 4, 200 + 50 * k)) for k, emotion in enumerate(["sad", "angry", "sad", "happy"])
]


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(0, 1_000))
def test_the_truth_is_where_it_sounds(blocks: int, seed: int) -> None:
    made = stitched(CLIPS, RATE, blocks, np.random.default_rng(seed))
    sounding = np.zeros(len(made.samples), bool)
    for stretch in made.truth:
        first, after = round(stretch.start_s * RATE), round(stretch.end_s * RATE)
        assert np.sqrt(np.mean(made.samples[first:after] ** 2)) > 0.5
        sounding[first:after] = True
    assert np.abs(made.samples[~sounding]).max() < 0.01
    assert np.abs(made.samples[~sounding]).max() > 0  # no recording is digitally silent
    emotions = [emotion for emotion, _ in itertools.groupby(stretch.emotion for stretch in made.truth)]
    assert len(emotions) == blocks
    gaps = [b.start_s - a.end_s for a, b in itertools.pairwise(made.truth)]
    assert all(gap >= GAP_S[0] - 1e-3 for gap in gaps)


def test_one_emotion_has_no_change() -> None:
    with pytest.raises(CorpusError, match="two emotions"):
        stitched(CLIPS[:1], RATE, 3, np.random.default_rng(0))


def recording() -> Stitched:
    truth = (Stretch(1.0, 3.0, "sad"), Stretch(3.2, 5.0, "angry"), Stretch(7.0, 9.0, "happy"))
    return Stitched(np.zeros(10 * RATE, np.float32), RATE, truth)


def told(*stretches: tuple[float, float, str | None]) -> list[Segment]:
    return [Segment(a, b, emotion, 0.0 if emotion is None else 1.0, {}) for a, b, emotion in stretches]


def test_the_truth_itself_is_right() -> None:
    made = recording()
    found = scored([(made, told(*((s.start_s, s.end_s, s.emotion) for s in made.truth)))])
    assert (found.frame_accuracy, found.speech_accuracy, found.eder, found.changes_found) == (1, 1, 0, 1)


def test_shares_by_hand() -> None:
    # 0.5 s missed, 2 s of angry called sad, 1 s of silence called sad; of two changes the second is found.
    found = scored(
        [
            (
                recording(),
                told(
                    (0.0, 1.5, None),
                    (1.5, 6.0, "sad"),
                    (6.0, 7.0, None),
                    (7.0, 9.0, "happy"),
                    (9.0, 10.0, None),
                ),
            )
        ]
    )
    assert found.missed == pytest.approx(0.05)
    assert found.false_alarm == pytest.approx((0.2 + 1.0) / 10)
    assert found.confused == pytest.approx(0.18)
    assert found.eder == pytest.approx(0.05 + 0.12 + 0.18)
    assert found.frame_accuracy == pytest.approx(1 - found.eder)
    assert found.speech_accuracy == pytest.approx(1 - (0.5 + 1.8) / 5.8, abs=1e-3)
    assert found.changes_found == 0.5


def test_a_change_half_a_second_off_is_found_and_one_farther_off_is_not() -> None:
    for at, found in ((2.5, 1), (2.45, 0), (3.7, 1), (3.75, 0)):
        made = Stitched(
            np.zeros(6 * RATE, np.float32), RATE, (Stretch(0.0, 3.0, "sad"), Stretch(3.2, 6.0, "angry"))
        )
        assert scored([(made, told((0.0, at, "sad"), (at, 6.0, "angry")))]).changes_found == found


def test_a_long_silence_finds_no_changes_within_it() -> None:
    truth = tuple(Stretch(3.0 * k, 3.0 * k + 2.5, emotion) for k, emotion in enumerate(("sad", "angry") * 4))
    made = Stitched(np.zeros(24 * RATE, np.float32), RATE, truth)
    found = scored([(made, told((0.0, 2.0, "sad"), (2.0, 22.0, None), (22.0, 24.0, "angry")))])
    assert found.changes_found == pytest.approx(1 / 7)


def test_of_nothing_nothing_is_right() -> None:
    assert scored([]).eder == 0.0
