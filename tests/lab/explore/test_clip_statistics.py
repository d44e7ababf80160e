"""The measures of a clip against their equations and librosa."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from vocemo.audio.flat_tops import clipped_samples
from vocemo.lab.explore.clip_statistics import LEAST_DBFS, measure, samples_digest
from vocemo.prepare.signal import hop_samples

RATE_HZ = 16_000


def spoken(seconds: float = 1.0, pause_s: float = 1.0, noise: float = 1e-3) -> np.ndarray:
    """A tone between two pauses that hold noise."""
    rng = np.random.default_rng(0)
    pause = np.zeros(round(pause_s * RATE_HZ))
    tone = 0.5 * np.sin(2 * np.pi * 150 * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)
    samples = np.concatenate([pause, tone, pause])
    return (samples + noise * rng.standard_normal(len(samples))).astype(np.float32)


def test_levels_are_those_of_the_equations() -> None:
    samples = spoken()
    found = measure(samples, RATE_HZ)
    wide = samples.astype(np.float64)
    assert found.rms_dbfs == pytest.approx(20 * np.log10(np.sqrt(np.mean(wide**2))), abs=1e-6)
    assert found.peak_dbfs == pytest.approx(20 * np.log10(np.abs(wide).max()), abs=1e-6)
    assert found.speech_dbfs == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.3)  # pauses do not count
    assert found.noise_floor_dbfs == pytest.approx(-60, abs=0.5)
    assert found.snr_db == pytest.approx(found.speech_dbfs - found.noise_floor_dbfs)
    assert found.duration_s == 3.0
    assert found.sounding_s == pytest.approx(1.0, abs=0.05)
    assert found.f0_median_hz == pytest.approx(150, rel=0.005)
    assert found.voiced_share > 0.95
    assert found.f0_range_semitones == pytest.approx(0, abs=0.2)


def test_the_noise_floor_is_the_tenth_percentile_of_librosas_frames() -> None:
    samples = spoken(noise=0.01)
    hop = hop_samples(RATE_HZ)
    frames = librosa.feature.rms(y=samples.astype(np.float64), frame_length=4 * hop, hop_length=hop)[0]
    expected = 20 * np.log10(np.percentile(frames, 10))
    assert measure(samples, RATE_HZ).noise_floor_dbfs == pytest.approx(expected, abs=1e-4)


def test_more_gain_moves_levels_and_nothing_else() -> None:
    soft, loud = measure(spoken() / 4, RATE_HZ), measure(spoken(), RATE_HZ)
    for name in ("rms_dbfs", "speech_dbfs", "peak_dbfs", "noise_floor_dbfs"):
        assert getattr(loud, name) - getattr(soft, name) == pytest.approx(20 * np.log10(4), abs=1e-4)
    assert soft.f0_median_hz == pytest.approx(loud.f0_median_hz, rel=1e-4)
    assert soft.voiced_share == pytest.approx(loud.voiced_share)


@pytest.mark.parametrize("samples", [np.zeros(4_000, np.float32), np.full(1, 1e-6, np.float32)])
def test_silence_has_levels_and_no_pitch(samples: np.ndarray) -> None:
    found = measure(samples, RATE_HZ)
    assert found.silent
    assert found.rms_dbfs >= LEAST_DBFS
    assert (found.f0_median_hz, found.voiced_share, found.sounding_s, found.clipped_samples) == (
        None,
        0,
        0,
        0,
    )


def by_hand(samples: np.ndarray) -> int:
    """Flat tops counted one sample after another."""
    total = run = 0
    before = 0.0
    for value in [*samples.tolist(), 0.0]:
        if abs(value) >= 0.999 and run and np.sign(value) == np.sign(before):
            run += 1
        else:
            total += run if run >= 3 else 0
            run = int(abs(value) >= 0.999)
        before = value
    return total


def test_clipping_is_counted_as_by_hand() -> None:
    rng = np.random.default_rng(3)
    for gain in (0.5, 1.0, 1.5, 4.0):
        wave = np.sin(np.linspace(0, 40, 900)) + 0.1 * rng.standard_normal(900)
        clipped = np.clip(gain * wave, -1, 32767 / 32768).astype(np.float32)
        assert clipped_samples(clipped) == by_hand(clipped)
    assert clipped_samples(np.clip(4 * wave, -1, 1).astype(np.float32)) > 100


def test_the_digest_tells_samples_and_rates_apart() -> None:
    samples = spoken()
    assert samples_digest(samples, 16_000) == samples_digest(samples.copy(), 16_000)
    assert samples_digest(samples, 16_000) != samples_digest(samples, 8_000)
    changed = samples.copy()
    changed[7] += np.float32(2**-15)
    assert samples_digest(samples, 16_000) != samples_digest(changed, 16_000)
