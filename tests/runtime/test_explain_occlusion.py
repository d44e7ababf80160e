from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vocemo.errors import UsageError
from vocemo.runtime.explain_occlusion import (
    BELOW_CLIP_DB,
    Occluder,
    Occlusion,
    background,
    fade,
    spans,
    split_bands,
)
from vocemo.runtime.mel import mel_edges

RATE_HZ = 16_000


def speech_like(seconds: float = 2.0, pause_level: float = 0.003) -> np.ndarray:
    """Bursts of white noise over a background of noise below 2 kHz."""
    from scipy import signal

    rng = np.random.default_rng(0)
    count = round(seconds * RATE_HZ)
    low = signal.sosfilt(signal.butter(8, 2_000, fs=RATE_HZ, output="sos"), rng.standard_normal(count))
    bursts = (np.sin(2 * np.pi * 2 * np.arange(count) / RATE_HZ) > 0.0) * rng.standard_normal(count)
    return (pause_level * low + 0.1 * bursts).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3_000), st.integers(1, 400), st.integers(1, 400))
def test_spans_cover_everything_and_nothing_else(length: int, window: int, hop: int) -> None:
    found = spans(length, window, min(hop, window))
    covered = np.zeros(length, bool)
    for start, stop in found:
        assert 0 <= start < stop <= length
        covered[start:stop] = True
    assert covered.all()
    assert len(set(found)) == len(found)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 500), st.data())
def test_a_fade_is_one_within_and_nothing_far_away(length: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, length - 1))
    stop = data.draw(st.integers(start + 1, length))
    ramp = data.draw(st.integers(0, 40))
    weights = fade(length, start, stop, ramp)
    assert weights.shape == (length,) and (weights[start:stop] == 1.0).all()
    assert (np.delete(weights, np.arange(max(0, start - ramp), min(length, stop + ramp))) == 0.0).all()
    assert (np.diff(weights[:start]) >= 0.0).all() and (np.diff(weights[stop:]) <= 0.0).all()


@pytest.mark.parametrize("bands", [2, 12, 40])
def test_the_bands_add_up_to_the_clip(bands: int) -> None:
    clip = np.random.default_rng(1).normal(0.0, 0.1, 20_001).astype(np.float32)
    found = split_bands(clip, RATE_HZ, mel_edges(bands, RATE_HZ / 2))
    assert found.shape == (bands, 20_001)
    np.testing.assert_allclose(found.sum(0), clip, atol=1e-6)


def test_a_tone_is_in_its_own_band_without_delay() -> None:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    edges = mel_edges(12, RATE_HZ / 2)
    middle_hz = (edges[6] + edges[7]) / 2
    tone = np.sin(2 * np.pi * middle_hz * time_s)
    found = split_bands(tone, RATE_HZ, edges)
    inner = slice(2_000, -2_000)
    np.testing.assert_allclose(found[6, inner], tone[inner], atol=2e-3)
    assert np.abs(np.delete(found, 6, axis=0)[:, inner]).max() < 2e-3


def test_an_impulse_stays_where_it_is_in_every_band() -> None:
    clip = np.zeros(8_001, np.float32)
    clip[4_000] = 1.0
    for band in split_bands(clip, RATE_HZ, mel_edges(12, RATE_HZ / 2)):
        assert np.argmax(np.abs(band)) == 4_000
        np.testing.assert_allclose(band, band[::-1], atol=1e-6)  # linear phase: symmetric


def test_the_noise_has_the_level_and_spectrum_of_the_pauses() -> None:
    from scipy import signal

    clip = speech_like(4.0)
    noise = background(clip, RATE_HZ, np.random.default_rng(3))
    pause = clip[round(0.3 * RATE_HZ) : round(0.45 * RATE_HZ)]
    assert noise.shape == clip.shape
    assert 20 * np.log10(noise.std() / pause.std()) == pytest.approx(0.0, abs=2.0)
    hz, power = signal.welch(noise, RATE_HZ, nperseg=512)
    below, above = power[(hz > 100) & (hz < 1_800)].mean(), power[hz > 3_000].mean()
    assert 10 * np.log10(below / above) > 20.0


def test_a_clip_without_pauses_is_exchanged_for_something_much_softer() -> None:
    tone = np.sin(np.arange(RATE_HZ) * 0.3).astype(np.float32)
    noise = background(tone, RATE_HZ, np.random.default_rng(0))
    assert 20 * np.log10(tone.std() / noise.std()) == pytest.approx(BELOW_CLIP_DB, abs=0.01)


@pytest.mark.parametrize("count", [1, 2, 100, 511, 1_025])
def test_the_shortest_clips_have_a_background(count: int) -> None:
    clip = np.random.default_rng(0).normal(0.0, 0.1, count).astype(np.float32)
    noise = background(clip, RATE_HZ, np.random.default_rng(0))
    assert noise.shape == (count,) and np.isfinite(noise).all()
    assert not background(np.zeros(count, np.float32), RATE_HZ, np.random.default_rng(0)).any()


def test_what_is_taken_away_is_the_background_and_the_rest_is_untouched() -> None:
    clip = speech_like()
    how = Occlusion(seed=5)
    occluder = Occluder(clip, RATE_HZ, how)
    noise = background(clip, RATE_HZ, np.random.default_rng(5))
    np.testing.assert_allclose(occluder.without(), noise, atol=1e-6)
    np.testing.assert_array_equal(occluder.without(0.0), clip)
    gone = occluder.without(occluder.fade(8_000, 12_000))
    np.testing.assert_allclose(gone[8_000:12_000], noise[8_000:12_000], atol=1e-6)
    np.testing.assert_array_equal(gone[:7_800], clip[:7_800])
    np.testing.assert_array_equal(gone[12_200:], clip[12_200:])
    every = sum(occluder.without(band=band) - clip for band in range(how.bands))
    np.testing.assert_allclose(every, noise - clip, atol=1e-5)
    silent = Occluder(clip, RATE_HZ, Occlusion(neutral="silence"))
    np.testing.assert_allclose(silent.without(), 0.0, atol=1e-7)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"neutral": "beep"}, "background, silence"),
        ({"window_s": 0.0}, "window_s"),
        ({"hop_s": 0.5}, "hop_s"),
        ({"bands": 1}, "at least 2"),
        ({"parts": 0}, "at least 1"),
        ({"columns": -1}, "at least 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Occlusion(**options)
