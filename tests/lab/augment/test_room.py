"""Rooms: the response against its equation, and the augmentation that draws them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import fftconvolve

from fabricate_speech import RATE, speech
from vocemo.errors import UsageError
from vocemo.lab.augment import Room, RoomParameters
from vocemo.lab.augment.room import convolved, room_response


def schroeder_rt60_s(response: np.ndarray, rate: int) -> float:
    """From the decay of what is left of the energy between -5 and -35 dB (ISO 3382-1, T30)."""
    left = np.cumsum((response.astype(np.float64) ** 2)[::-1])[::-1]
    decay_db = 10 * np.log10(left / left[0])
    chosen = (decay_db <= -5) & (decay_db >= -35)
    slope = np.polyfit(np.flatnonzero(chosen) / rate, decay_db[chosen], 1)[0]
    return -60 / float(slope)


@pytest.mark.parametrize("rt60_s", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("rate", [16_000, 22_050])
def test_the_reverberation_time_is_measured_back(rt60_s: float, rate: int) -> None:
    found = [
        schroeder_rt60_s(room_response(rt60_s, rate, np.random.default_rng(n), 0.0), rate) for n in range(8)
    ]
    assert np.mean(found) == pytest.approx(rt60_s, rel=0.03)
    assert max(abs(each - rt60_s) for each in found) < 0.12 * rt60_s


@pytest.mark.parametrize("ratio_db", [-6.0, 0.0, 6.0])
def test_the_direct_to_reverberant_ratio_is_what_was_asked(ratio_db: float) -> None:
    response = room_response(0.6, RATE, np.random.default_rng(0), ratio_db).astype(np.float64)
    assert response[0] == 1.0
    assert -10 * np.log10(np.sum(response[1:] ** 2)) == pytest.approx(ratio_db, abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9_000), st.integers(1, 9_000))
def test_convolution_is_scipys(length: int, other: int) -> None:
    rng = np.random.default_rng(length)
    x, h = (rng.standard_normal(n).astype(np.float32) for n in (length, other))
    np.testing.assert_allclose(convolved(x, h), fftconvolve(x, h)[:length], atol=2e-3)


@given(st.floats(0.05, 3), st.floats(-20, 40), st.integers(0, 2**63 - 1), st.integers(1, 9_000))
@settings(max_examples=25, deadline=None)
def test_length_and_loudness_stay(rt60_s: float, direct_db: float, seed: int, length: int) -> None:
    samples = speech(1.0)[:length]
    heard = Room().apply(samples, RATE, RoomParameters(rt60_s, direct_db, seed))
    assert heard.shape == samples.shape and heard.dtype == np.float32
    assert np.mean(heard.astype(float) ** 2) == pytest.approx(np.mean(samples.astype(float) ** 2), rel=1e-4)


def test_it_is_the_convolution_with_the_drawn_response() -> None:
    samples, drawn = speech(1.0), RoomParameters(0.4, 2.0, 5)
    response = room_response(0.4, RATE, np.random.default_rng(5), 2.0)
    expected = fftconvolve(samples, response)[: len(samples)]
    heard = Room().apply(samples, RATE, drawn)
    assert np.corrcoef(heard, expected)[0, 1] > 0.999999


def test_far_more_direct_sound_is_hardly_a_room() -> None:
    samples = speech(1.0)
    np.testing.assert_allclose(
        Room().apply(samples, RATE, RoomParameters(0.5, 60.0, 1)), samples, atol=0.01 * np.abs(samples).max()
    )


def test_silence_stays_silent() -> None:
    assert not Room().apply(np.zeros(500, np.float32), RATE, RoomParameters(0.5, 0.0, 1)).any()


def test_rooms_are_drawn_from_the_whole_range() -> None:
    rooms = [Room(0.3, 0.5, -1.0, 4.0).draw(np.random.default_rng(n)) for n in range(200)]
    times, ratios = [room.rt60_s for room in rooms], [room.direct_to_reverberant_db for room in rooms]
    assert 0.3 <= min(times) < 0.31 and 0.49 < max(times) <= 0.5
    assert -1 <= min(ratios) < -0.8 and 3.8 < max(ratios) <= 4
    assert len({room.seed for room in rooms}) == 200


def test_what_cannot_be() -> None:
    with pytest.raises(UsageError, match=r"RT60 in s from 1 to 0\.5"):
        Room(min_rt60_s=1.0, max_rt60_s=0.5)
    with pytest.raises(UsageError, match="direct-to-reverberant dB from 0 to 90"):
        Room(min_direct_db=0.0, max_direct_db=90.0)
