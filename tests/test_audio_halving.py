"""Half the sample rate: the equation, a stream against one block, tones, and what it is late."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from vocemo.audio.halving import BETA, REACH, Halver

RATE = 32_000
RANDOM = np.random.default_rng(0)


def halved(samples: np.ndarray) -> np.ndarray:
    return Halver().push(samples.astype(np.float32), last=True)


def tone(hz: float) -> np.ndarray:
    return np.cos(2 * np.pi * hz * np.arange(RATE) / RATE)


@pytest.mark.parametrize("length", [0, 1, 2, 46, 47, 48, 95, 96, 1_000, 1_001])
def test_it_is_the_filter_of_scipy_and_every_second_sample(length: int) -> None:
    samples = RANDOM.normal(size=length)
    taps = signal.firwin(2 * REACH + 1, 0.5, window=("kaiser", BETA))
    expected = np.convolve(samples, taps)[REACH : REACH + length : 2] if length else np.zeros(0)
    assert halved(samples).dtype == np.float32
    np.testing.assert_allclose(halved(samples), expected, atol=2e-4)


@given(st.lists(st.integers(0, 400), max_size=12))
def test_blocks_of_any_size_are_one(sizes: list[int]) -> None:
    samples = RANDOM.normal(size=sum(sizes)).astype(np.float32)
    stream, cuts = Halver(), np.cumsum([0, *sizes])
    parts = [stream.push(samples[a:b]) for a, b in itertools.pairwise(cuts)]
    parts.append(stream.push(samples[:0], last=True))
    np.testing.assert_allclose(np.concatenate(parts), halved(samples), atol=1e-6)


@pytest.mark.parametrize("hz", [0, 100, 3_000, 7_000])
def test_what_the_lower_rate_has_passes(hz: float) -> None:
    np.testing.assert_allclose(halved(tone(hz))[100:-100], tone(hz)[::2][100:-100], atol=1e-3)


@pytest.mark.parametrize("hz", [9_000, 10_000, 13_000, 15_990])
def test_what_it_has_not_is_80_db_down(hz: float) -> None:
    assert np.abs(halved(tone(hz))[100:-100]).max() < 1e-4


def test_a_live_sample_is_heard_a_millisecond_and_a_half_later() -> None:
    stream, chunk = Halver(), np.ones(640, np.float32)
    come = sum(len(stream.push(chunk)) for _ in range(50))
    assert 50 * 320 - come == REACH // 2  # samples of 16 kHz
