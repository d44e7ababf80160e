"""A shift is a shift: the same samples elsewhere, and zeros where none are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocemo.errors import UsageError
from vocemo.lab.augment import Gain, GainParameters, TimeShift, TimeShiftParameters


@given(length=st.integers(1, 400), shift=st.integers(-200, 200))
def test_samples_move_and_zeros_come_in(length: int, shift: int) -> None:
    samples = np.arange(1, length + 1, dtype=np.float32)
    shifted = TimeShift().apply(samples, 100, TimeShiftParameters(shift / 100))
    moved = int(np.clip(shift, -(length // 2), length // 2))
    for i in range(length):
        assert shifted[i] == (samples[i - moved] if 0 <= i - moved < length else 0)


@given(length=st.integers(1, 400), shift=st.integers(-200, 200))
def test_wrap_loses_nothing(length: int, shift: int) -> None:
    samples = np.arange(1, length + 1, dtype=np.float32)
    shifted = TimeShift(wrap=True).apply(samples, 100, TimeShiftParameters(shift / 100))
    assert sorted(shifted) == sorted(samples)
    assert (np.roll(shifted, -int(np.clip(shift, -(length // 2), length // 2))) == samples).all()


def test_draws_go_both_ways_and_no_further() -> None:
    drawn = [TimeShift(0.2).draw(np.random.default_rng(n)).shift_s for n in range(200)]
    assert -0.2 <= min(drawn) < -0.15
    assert 0.15 < max(drawn) <= 0.2


def test_a_negative_range_is_none() -> None:
    with pytest.raises(UsageError, match="max_shift_s is 0 or more, not -1"):
        TimeShift(-1.0)


@given(gain_db=st.floats(-60, 60))
def test_gain_is_in_decibels_of_level(gain_db: float) -> None:
    louder = Gain().apply(np.full(8, 0.1, np.float32), 16_000, GainParameters(gain_db))
    assert 20 * np.log10(louder / 0.1) == pytest.approx(gain_db, abs=1e-4)
