from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocemo.errors import NonFiniteAudioError
from vocemo.prepare import Preparation, prepare, windows
from vocemo.runtime.windows import audible, cut, level_db

RATE_HZ = 16_000
HOW = Preparation(trim_below_peak_db=30.0, level="rms")
TONE = (0.1 * np.sin(np.arange(RATE_HZ) / 5)).astype(np.float32)


@given(
    n=st.integers(0, 200),
    window=st.integers(1, 40),
    chunk_lengths=st.lists(st.integers(0, 90), min_size=1, max_size=8),
)
def test_a_stream_is_cut_as_the_whole_is(n: int, window: int, chunk_lengths: list[int]) -> None:
    samples = np.arange(n, dtype=np.float32)
    chunks, at = [], 0
    while at < n:
        step = chunk_lengths[len(chunks) % len(chunk_lengths)] or 1
        chunks.append(samples[at : at + step])
        at += step
    got = [(start, start + len(part)) for start, part in cut(chunks, window)]
    assert got == windows(n, 1, window, window)
    for start, part in cut(chunks, window):
        np.testing.assert_array_equal(part, samples[start : start + len(part)])


def test_level_of_a_sine_is_three_decibels_below_its_peak() -> None:
    sine = np.sin(2 * np.pi * np.arange(1000) / 100).astype(np.float32)
    assert abs(level_db(sine) + 3.0103) < 1e-3
    assert level_db(np.zeros(5, np.float32)) == -np.inf
    assert level_db(np.zeros(0, np.float32)) == -np.inf


def test_what_is_heard_in_a_window_is_prepared() -> None:
    heard, expected = audible(TONE, RATE_HZ, HOW), prepare(TONE, RATE_HZ, HOW)
    assert heard is not None and heard.length == expected.length
    assert np.array_equal(heard.samples, expected.samples)


@pytest.mark.parametrize("nothing", [np.zeros(RATE_HZ, np.float32), 1e-5 * TONE, TONE[:20]])
def test_silence_and_less_than_the_model_needs_are_left_out(nothing: np.ndarray) -> None:
    assert audible(nothing, RATE_HZ, HOW) is None


def test_what_is_no_sound_at_all_is_an_error_still() -> None:
    with pytest.raises(NonFiniteAudioError):
        audible(np.full(RATE_HZ, np.nan, np.float32), RATE_HZ, HOW)
