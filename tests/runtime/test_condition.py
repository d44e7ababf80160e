"""Remarks on recordings: a telephone's band, noise, and nothing on what is fine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from vocemo import audio
from vocemo.audio.flat_tops import FlatTops
from vocemo.runtime.condition import SoundCondition
from vocemo.runtime.predictor import Predictor

SAMPLES = Path(__file__).parents[2] / "samples"


def remarks(samples: np.ndarray, rate: int = 16_000) -> list[str]:
    condition = SoundCondition(rate)
    condition.push(samples.astype(np.float32))
    return [each.split(":")[0] for each in condition.remarks()]


def syllables(rate: int = 16_000, seconds: float = 4.0, seed: int = 0) -> np.ndarray:
    """Noise of all frequencies that swells and pauses, at about -20 dBFS, over a room at -70."""
    random = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate)) / rate
    swell = np.maximum(np.sin(2 * np.pi * 1.3 * time_s), 0.0)
    return 0.2 * swell * random.standard_normal(len(time_s)) + 3e-4 * random.standard_normal(len(time_s))


@pytest.mark.parametrize("rate", [16_000, 22_050, 32_000, 48_000])
def test_what_is_fine_is_not_remarked_on(rate: int) -> None:
    assert remarks(syllables(rate), rate) == []


@pytest.mark.parametrize("rate", [16_000, 32_000])
def test_a_telephone_s_band_is(rate: int) -> None:
    band = signal.butter(12, (300, 3_400), "bandpass", fs=rate, output="sos")
    assert remarks(signal.sosfilt(band, syllables(rate)), rate) == ["narrow-band"]


def test_a_model_of_8_khz_cannot_tell_a_band_and_does_not() -> None:
    assert remarks(syllables(8_000), 8_000) == []


@pytest.mark.parametrize(("noise_db", "noisy"), [(-45, False), (-30, True), (-24, True)])
def test_noise_is_remarked_on_by_how_far_speech_stands_above_it(noise_db: float, noisy: bool) -> None:
    clean = syllables()
    noise = 10 ** (noise_db / 20) * np.random.default_rng(1).standard_normal(len(clean))
    assert remarks(clean + noise) == (["noisy"] if noisy else [])


@pytest.mark.parametrize("seconds", [1.0, 1.6, 3.0])
def test_speech_that_was_cut_tightly_is_not_noisy(seconds: float) -> None:
    found = audio.decode(SAMPLES / "synthetic-angry.flac", 16_000).samples
    middle, half = len(found) // 2, round(8_000 * seconds)
    assert remarks(found[middle - half : middle + half]) == []


def test_silence_and_a_moment_are_not_remarked_on() -> None:
    assert remarks(np.zeros(64_000)) == []
    assert remarks(1e-5 * np.random.default_rng(0).standard_normal(64_000)) == []
    assert remarks(0.1 * np.random.default_rng(0).standard_normal(6_000)) == []


@settings(max_examples=20)
@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=5), st.integers(0, 3))
def test_pieces_make_no_difference(sizes: list[int], seed: int) -> None:
    samples = syllables(seed=seed).astype(np.float32)
    whole, parts, place = SoundCondition(16_000), SoundCondition(16_000), 0
    whole.push(samples)
    while place < len(samples):
        for size in sizes:
            parts.push(samples[place : place + size])
            place += size
    for name in ("_frames", "_power", "_in_low", "_in_high"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), rel=1e-9)


def test_answers_carry_the_remarks(tiny: Predictor, tmp_path: Path) -> None:
    rate = tiny.info.preparation.sample_rate
    noise = np.random.default_rng(0).normal(0, 0.1, 40 * rate).astype(np.float32)
    for seconds in (3, 40):  # whole, and in windows
        assert any("noisy" in each for each in tiny.predict(noise[: seconds * rate], rate).warnings)
    loud = np.clip(20 * noise[: 3 * rate], -1.0, 1.0)
    audio.write(tmp_path / "clipped.wav", loud, rate)
    (told,) = [each for each in tiny.predict(tmp_path / "clipped.wav").warnings if "clipped" in each]
    share = np.mean(np.abs(loud) >= 0.999)
    assert 0.0 < float(told.split(": ")[1].split("%")[0]) / 100 <= share


def test_samples_carry_the_remarks_of_a_file_that_holds_them(tiny: Predictor, tmp_path: Path) -> None:
    rate = 44_100
    low = signal.sosfilt(signal.butter(4, 800, fs=rate, output="sos"), syllables(rate))
    loud, reversed_ = np.clip(20 * low, -0.9, 0.9), np.stack([low, -low])
    for channels in (loud[None], np.stack([loud, 0.1 * low]), reversed_, 1_000 * loud[None]):
        samples = channels.astype(np.float32)
        soundfile.write(tmp_path / "a.wav", samples.T, rate, "FLOAT")
        told = tiny.predict(tmp_path / "a.wav").warnings
        assert tiny.predict(samples, rate).warnings == told
        assert any(word in " ".join(told) for word in ("clipped", "cancel", "far beyond"))
    whole_numbers = np.round(32_767 * loud).astype(np.int16)
    assert any("clipped" in each for each in tiny.predict(whole_numbers, rate).warnings)
    assert any("clipped" in each for each in tiny.predict_timeline(whole_numbers, rate).warnings)


def test_one_peak_is_not_clipping(tiny: Predictor, tmp_path: Path) -> None:
    rate = tiny.info.preparation.sample_rate
    time_s = np.arange(3 * rate) / rate
    audio.write(tmp_path / "loud.wav", np.sin(2 * np.pi * 500 * time_s).astype(np.float32), rate)
    assert not any("clipped" in each for each in tiny.predict(tmp_path / "loud.wav").warnings)


@pytest.mark.parametrize("softer", [1.0, 0.3, 0.001])
def test_flat_tops_are_found_wherever_they_stand(softer: float) -> None:
    low = signal.sosfilt(signal.butter(4, 800, fs=16_000, output="sos"), syllables())
    loud = np.clip(20 * low, -1.0, 1.0).astype(np.float32)
    share = np.mean(np.abs(loud) == 1.0)
    tops = FlatTops()
    for block in np.array_split(softer * loud, 7):
        tops.push(block)
    expected = 0.0 if softer < 0.005 else share
    assert tops.clipped_share == pytest.approx(expected, rel=0.1) and share > 0.01


@pytest.mark.parametrize("hz", [50, 200, 3_000])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_peak_of_its_own_is_no_flat_top(hz: float, bits: int) -> None:
    time_s = np.arange(48_000) / 48_000
    swelling = 0.9 * np.sin(2 * np.pi * hz * time_s) * np.sin(np.pi * time_s) ** 2
    steps = 2 ** (bits - 1)
    tops = FlatTops()
    tops.push((np.round(swelling * steps) / steps).astype(np.float32))
    assert tops.clipped_share < (0.03 if bits == 8 else 1e-9)


@pytest.mark.parametrize("name", ["happy", "sad", "angry", "neutral"])
def test_the_spoken_samples_are_fine(name: str) -> None:
    found = audio.decode(SAMPLES / f"synthetic-{name}.flac")
    assert remarks(found.samples, found.sample_rate) == []
