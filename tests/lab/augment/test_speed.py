"""Faster is shorter: by stretching at the same pitch, by resampling at a higher one."""

from __future__ import annotations

import numpy as np
import pytest

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.augment import Speed, SpeedParameters

RATE_HZ = 16_000


def tone(frequency_hz: float, seconds: float = 2.0) -> np.ndarray:
    return 0.5 * np.sin(
        2 * np.pi * frequency_hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ, dtype=np.float32
    )


def peak_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples)))
    return float(np.argmax(spectrum)) * RATE_HZ / (8 * len(samples))


@pytest.mark.parametrize("rate", [0.5, 0.8, 0.93, 1.0, 1.25, 2.0])
@pytest.mark.parametrize(("method", "raises_pitch"), [("stretch", False), ("resample", True)])
def test_length_and_pitch(method: str, raises_pitch: bool, rate: float) -> None:
    faster = Speed(method=method).apply(tone(220), RATE_HZ, SpeedParameters(rate))
    assert len(faster) == pytest.approx(2 * RATE_HZ / rate, abs=1)
    assert peak_hz(faster) == pytest.approx(220 * rate if raises_pitch else 220, rel=0.005)
    assert np.sqrt(np.mean(faster**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("method", ["stretch", "resample"])
@pytest.mark.parametrize("rate", [0.8, 1.25])
def test_what_sounds_at_t_sounds_at_t_over_rate(method: str, rate: float) -> None:
    samples = np.zeros(3 * RATE_HZ, np.float32)
    samples[30_000:31_600] = tone(300, 0.1) * np.hanning(1_600)
    faster = Speed(method=method).apply(samples, RATE_HZ, SpeedParameters(rate))
    centre = np.average(np.arange(len(faster)), weights=faster**2)
    assert centre == pytest.approx(30_800 / rate, abs=0.01 * RATE_HZ)


@pytest.mark.parametrize("method", ["stretch", "resample"])
@pytest.mark.parametrize("length", [1, 2, 10, 100, 1_000])
def test_clips_of_a_moment(method: str, length: int) -> None:
    faster = Speed(method=method).apply(tone(220)[:length], RATE_HZ, SpeedParameters(1.25))
    assert len(faster) == pytest.approx(length / 1.25, abs=1)
    assert np.isfinite(faster).all()


def test_what_cannot_be() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'stretch'"):
        Speed(method="stretched")
    with pytest.raises(UsageError, match=r"rate from 1\.2 to 0\.9"):
        Speed(min_rate=1.2, max_rate=0.9)
    with pytest.raises(UsageError, match=r"valid: 0\.5"):
        Speed(min_rate=0.0)
