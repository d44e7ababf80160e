"""Pitch against the frequency that was synthesised, and against librosa's pYIN on real clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vocemo import audio
from vocemo.errors import UsageError
from vocemo.lab.explore.pitch import PitchOptions, track_pitch

RATE_HZ = 16_000


def voice(f0_hz: np.ndarray, rng: np.random.Generator, rate: int = RATE_HZ) -> np.ndarray:
    """Harmonics of a given course up to 3.4 kHz, with a formant at 600 Hz and a little noise."""
    phase = 2 * np.pi * np.cumsum(f0_hz) / rate
    samples = 0.005 * rng.standard_normal(len(f0_hz))
    for number in range(1, int(3_400 / f0_hz.max()) + 1):
        strength = (0.1 + 1 / (1 + ((number * f0_hz - 600) / 120) ** 2)) / number
        samples += strength * np.sin(number * phase)
    return (0.3 * samples / np.abs(samples).max()).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(st.floats(70, 600), st.sampled_from([8_000, 16_000, 44_100]), st.integers(0, 2**32 - 1))
def test_a_steady_voice_has_the_pitch_that_it_was_made_with(f0_hz: float, rate: int, seed: int) -> None:
    made = voice(np.full(rate // 2, f0_hz), np.random.default_rng(seed), rate)
    track = track_pitch(made, rate)
    inner = track.f0_hz[5:-5]
    assert not np.isnan(inner).any()
    np.testing.assert_allclose(np.median(inner), f0_hz, rtol=0.005)
    np.testing.assert_allclose(inner, f0_hz, rtol=0.02)


def test_a_gliding_voice_is_followed() -> None:
    course = 120 * 2 ** np.linspace(0, 1, 2 * RATE_HZ)
    track = track_pitch(voice(course, np.random.default_rng(0)), RATE_HZ)
    inside = slice(5, -5)
    expected = np.interp(track.time_s, np.arange(len(course)) / RATE_HZ, course)
    np.testing.assert_allclose(track.f0_hz[inside], expected[inside], rtol=0.02)


def test_frames_stand_at_multiples_of_the_hop_whatever_the_rate() -> None:
    for rate in (8_000, 11_025, 16_000, 48_000):
        track = track_pitch(np.zeros(2 * rate, np.float32), rate, PitchOptions(hop_s=0.02))
        np.testing.assert_allclose(track.time_s, 0.02 * np.arange(101))
        assert not track.voiced.any()


def test_noise_and_silence_have_no_pitch() -> None:
    noise = np.random.default_rng(1).standard_normal(RATE_HZ).astype(np.float32)
    assert track_pitch(0.1 * noise, RATE_HZ).voiced.mean() < 0.05
    assert not track_pitch(np.full(RATE_HZ, 0.25, np.float32), RATE_HZ).voiced.any()
    assert track_pitch(np.zeros(1, np.float32), RATE_HZ).f0_hz.shape == (1,)


def test_level_changes_nothing() -> None:
    made = voice(np.full(RATE_HZ, 200.0), np.random.default_rng(0))
    np.testing.assert_allclose(
        track_pitch(made, RATE_HZ).f0_hz, track_pitch(made / 128, RATE_HZ).f0_hz, rtol=1e-4
    )


def test_parts_of_a_long_recording_join(monkeypatch: pytest.MonkeyPatch) -> None:
    made = voice(120 * 2 ** np.linspace(0, 1, 3 * RATE_HZ), np.random.default_rng(0))
    whole = track_pitch(made, RATE_HZ)
    monkeypatch.setattr("vocemo.lab.explore.pitch.FRAMES_AT_ONCE", 17)
    np.testing.assert_allclose(track_pitch(made, RATE_HZ).f0_hz, whole.f0_hz, rtol=1e-5)


def test_what_cannot_be_tracked_is_said() -> None:
    with pytest.raises(UsageError, match="min_hz < max_hz"):
        PitchOptions(min_hz=400, max_hz=300)
    with pytest.raises(UsageError, match=r"\(N,\)"):
        track_pitch(np.zeros((2, 100), np.float32), RATE_HZ)


def test_pitch_agrees_with_pyin_on_real_clips(corpora_dir: Path) -> None:
    import librosa

    paths = [
        *sorted(corpora_dir.glob("ravdess/Audio_Speech*/*/*.flac"))[5::480],
        *sorted(corpora_dir.glob("emodb/wav/*.flac"))[::200],
    ]
    errors, frames, found = 0, 0, []
    for path in paths:
        samples = audio.decode(path, RATE_HZ).samples
        theirs, _, sure = librosa.pyin(
            samples, fmin=60, fmax=750, sr=RATE_HZ, frame_length=1024, hop_length=160, resolution=0.1
        )
        ours = track_pitch(samples, RATE_HZ).f0_hz[: len(theirs)]
        theirs, sure = theirs[: len(ours)], sure[: len(ours)]
        firm = ~np.isnan(theirs) & (sure > 0.3)
        found.append(1 - np.isnan(ours[firm]).mean())
        both = firm & ~np.isnan(ours)
        frames += both.sum()
        errors += (np.abs(np.log2(ours[both] / theirs[both])) > np.log2(1.2)).sum()
    assert frames > 150
    assert errors / frames < 0.02  # gross errors: more than a fifth off
    assert np.mean(found) > 0.9
