"""Active speech against ITU-T P.56 as its text has it, and ratios by it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabricate_speech import RATE, p56_level_db, speech
from vocemo.lab.stress.active_speech import active_level_dbov, active_power, active_speech


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("level_db", [-15.0, -40.0])
def test_the_level_is_that_of_the_recommendation(seed: int, level_db: float) -> None:
    samples = speech(seed=seed, level_db=level_db)
    padded = np.concatenate([np.zeros(RATE, np.float32), samples, np.zeros(RATE, np.float32)])
    assert active_level_dbov(padded, RATE) == pytest.approx(p56_level_db(padded), abs=0.5)


@settings(max_examples=12, deadline=None)
@given(before_s=st.floats(0, 3), after_s=st.floats(0, 5), seed=st.integers(0, 9))
def test_silence_around_a_voice_changes_nothing(before_s: float, after_s: float, seed: int) -> None:
    samples = speech(1.0, seed)
    padded = np.concatenate(
        [np.zeros(round(before_s * RATE), np.float32), samples, np.zeros(round(after_s * RATE), np.float32)]
    )
    assert active_level_dbov(padded, RATE) == pytest.approx(active_level_dbov(samples, RATE), abs=0.2)


def test_pauses_are_left_out_and_short_ones_are_not() -> None:
    tone = np.sin(np.arange(RATE) * 0.3).astype(np.float32)
    gap, pause = np.zeros(RATE // 10, np.float32), np.zeros(2 * RATE, np.float32)
    active = active_speech(np.concatenate([tone, gap, tone, pause, tone]), RATE)
    assert active.dtype == np.bool_
    assert active[: 2 * RATE + len(gap)].all()  # 0.1 s is part of the speech
    assert active[-RATE + 256 :].all()
    inside = active[2 * RATE + len(gap) : -RATE]
    assert inside.sum() / RATE == pytest.approx(0.2, abs=0.05)  # the hangover alone


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100])
@pytest.mark.parametrize("length", [0, 1, 100, 12_345])
def test_every_length_has_as_many_flags(length: int, rate: int) -> None:
    samples = np.random.default_rng(0).standard_normal(length).astype(np.float32)
    assert active_speech(samples, rate).shape == (length,)


def test_silence_has_no_speech() -> None:
    assert not active_speech(np.zeros(RATE, np.float32), RATE).any()
    assert active_level_dbov(np.zeros(RATE, np.float32), RATE) == -np.inf
    assert active_power(np.ones(3, np.float32), np.zeros(3, np.bool_)) == 0.0
