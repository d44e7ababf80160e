"""The pitch of tones, the timing of clicks, and the voice of a real recording."""

from __future__ import annotations

import numpy as np
import pytest

from vocemo.errors import UsageError
from vocemo.lab.augment import PitchShift, PitchShiftParameters

RATE_HZ = 16_000


def tone(frequency_hz: float, seconds: float = 2.0, rate_hz: int = RATE_HZ) -> np.ndarray:
    return 0.5 * np.sin(
        2 * np.pi * frequency_hz * np.arange(round(seconds * rate_hz)) / rate_hz, dtype=np.float32
    )


def peak_hz(samples: np.ndarray, rate_hz: int = RATE_HZ) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples)))
    return float(np.argmax(spectrum)) * rate_hz / (8 * len(samples))


@pytest.mark.parametrize("rate_hz", [16_000, 22_050])
@pytest.mark.parametrize("semitones", [12, 4, 2, -2, -4, -12])
def test_a_tone_moves_by_so_many_semitones(semitones: float, rate_hz: int) -> None:
    shifted = PitchShift().apply(tone(220, rate_hz=rate_hz), rate_hz, PitchShiftParameters(semitones))
    # Within a fifth of a semitone.
    assert peak_hz(shifted, rate_hz) == pytest.approx(220 * 2 ** (semitones / 12), rel=0.0116)


def test_an_octave_up_is_440_hz() -> None:
    shifted = PitchShift().apply(tone(220), RATE_HZ, PitchShiftParameters(12.0))
    assert peak_hz(shifted) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("semitones", [-3.0, 3.0])
def test_length_timing_and_level_stay(semitones: float) -> None:
    samples = np.zeros(3 * RATE_HZ, np.float32)
    for start in (8_000, 30_000):
        samples[start : start + 1_600] = tone(300, 0.1) * np.hanning(1_600)
    shifted = PitchShift().apply(samples, RATE_HZ, PitchShiftParameters(semitones))
    assert len(shifted) == len(samples)
    halves = samples**2, shifted**2
    for part in (slice(0, 20_000), slice(20_000, None)):
        before, after = (np.average(np.arange(len(e[part])), weights=e[part]) for e in halves)
        assert after == pytest.approx(before, abs=0.01 * RATE_HZ)
    assert np.mean(shifted**2) == pytest.approx(np.mean(samples**2), rel=0.3)


def test_draws_lie_within_the_range() -> None:
    drawn = [PitchShift(3.0).draw(np.random.default_rng(n)).semitones for n in range(200)]
    assert -3 <= min(drawn) < -2.5
    assert 2.5 < max(drawn) <= 3


@pytest.mark.parametrize("semitones", [-1.0, 25.0, float("nan")])
def test_a_range_that_is_none(semitones: float) -> None:
    with pytest.raises(UsageError, match="semitones"):
        PitchShift(semitones)
