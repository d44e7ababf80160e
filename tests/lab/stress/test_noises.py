"""Noises: the ratio that was asked for, what they are made of, what they leave alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import welch

import vocemo.audio
from fabricate_speech import RATE, p56_level_db, speech
from vocemo.lab.augment import recordings
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.stress.active_speech import active_speech
from vocemo.lab.stress.babble import FEWEST, TALKERS, Babble, Voices, speech_like_noise
from vocemo.lab.stress.degradation import AnyDegradation
from vocemo.lab.stress.mixing import RecordedNoise, WhiteNoise, mixed
from vocemo.lab.stress.recorded_like import RecordedLikeNoise, recorded_like_noise
from vocemo.lab.stress.sounds import Sounds


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    """Eight speakers with two clips each, every one a tone of its own, a second of silence before it."""
    folder = tmp_path_factory.mktemp("voices")
    made = []
    for speaker in range(8):
        for take in range(2):
            path = folder / f"{speaker}-{take}.wav"
            tone = 0.3 * np.sin(2 * np.pi * (300 + 200 * speaker) * np.arange(RATE) / RATE)
            samples = np.concatenate([np.zeros(RATE), tone]).astype(np.float32)
            vocemo.audio.write(path, samples, RATE)
            made.append(Clip(path, "folder", "sad", f"folder/{speaker}"))
    return made


def noises(snr_db: float, clips: list[Clip]) -> dict[str, AnyDegradation]:
    voices = Voices.of(clips, Sounds(), np.random.default_rng(0))
    return {
        "white": WhiteNoise(snr_db),
        "babble": Babble(snr_db, voices),
        "babble without voices": Babble(snr_db, Voices()),
        "recorded-like": RecordedLikeNoise(snr_db),
        "recorded": RecordedNoise(snr_db, recordings.below(str(clips[0].path.parent), "noise")),
    }


@pytest.mark.parametrize("snr_db", [20, 10, 5, 0])
@pytest.mark.parametrize("name", ["white", "babble", "babble without voices", "recorded-like", "recorded"])
def test_the_ratio_over_the_active_part_is_what_was_asked(name: str, snr_db: int, clips: list[Clip]) -> None:
    noise = noises(snr_db, clips)[name]
    silence = np.zeros(2 * RATE, np.float32)
    samples = np.concatenate([silence, speech(), silence])
    before = samples.copy()
    worse = noise.apply(samples, RATE, noise.draw(np.random.default_rng(3), "folder/0"))
    assert worse.dtype == np.float32 and worse.shape == samples.shape
    np.testing.assert_array_equal(samples, before)
    added = (worse - samples).astype(np.float64)
    active = active_speech(samples, RATE)
    # The level of the speech by the Recommendation's own text, that of the noise where the speech is active.
    measured_db = p56_level_db(samples) - 10 * np.log10(np.mean(added[active] ** 2))
    assert measured_db == pytest.approx(snr_db, abs=0.5)
    exact_db = 10 * np.log10(np.mean(samples[active].astype(np.float64) ** 2) / np.mean(added[active] ** 2))
    assert exact_db == pytest.approx(snr_db, abs=0.1)


def test_silence_around_a_voice_makes_no_noise_fainter() -> None:
    noise = WhiteNoise(10.0)
    drawn = noise.draw(np.random.default_rng(0), "x")
    samples = speech(3.0)
    padded = np.concatenate([samples, np.zeros(20 * RATE, np.float32)])
    powers_db = [
        10 * np.log10(np.mean((noise.apply(each, RATE, drawn) - each).astype(np.float64) ** 2))
        for each in (samples, padded)
    ]
    assert powers_db[0] == pytest.approx(powers_db[1], abs=0.05)


def test_silence_and_silent_noise_change_nothing() -> None:
    silence, samples = np.zeros(RATE, np.float32), speech(1.0)
    np.testing.assert_array_equal(mixed(silence, RATE, samples, 0.0), silence)
    np.testing.assert_array_equal(mixed(samples, RATE, silence, 0.0), samples)


def test_babble_is_of_others_and_of_several(clips: list[Clip]) -> None:
    babble = Babble(0.0, Voices.of(clips, Sounds(), np.random.default_rng(0)))
    for seed in range(30):
        drawn = babble.draw(np.random.default_rng(seed), "folder/3")
        speakers = [clip.speaker for clip, _ in drawn.voices]
        assert len(set(speakers)) == len(speakers) == TALKERS and "folder/3" not in speakers
    # It sounds of the tones of those speakers and of no other; their silence is left out.
    samples = speech(2.0)
    heard = babble.apply(samples, RATE, drawn) - samples
    hz, power = welch(heard, RATE, nperseg=4096)
    tones = {300 + 200 * int(speaker.partition("/")[2]) for speaker in speakers}
    for tone in range(300, 1900, 200):
        level_db = 10 * np.log10(power[np.argmin(abs(hz - tone))] / power.max())
        assert (level_db > -10) == (tone in tones)
    assert np.abs(heard[: RATE // 2]).max() > 0.1 * np.abs(heard).max()


def test_too_few_speakers_give_noise_with_the_sway_of_speech(clips: list[Clip]) -> None:
    few = [clip for clip in clips if int(clip.speaker[-1]) < FEWEST]
    voices = Voices.of(few, Sounds(), np.random.default_rng(0))
    assert not voices.enough and Voices.of(clips, Sounds(), np.random.default_rng(0)).enough
    assert Babble(0.0, voices).draw(np.random.default_rng(0), "folder/0").voices == ()
    nameless = [Clip(Path("a.wav"), "folder", "sad", "folder/unknown")]
    assert Voices.of(nameless, Sounds(), np.random.default_rng(0)).by_speaker == {}


def test_speech_like_noise_has_the_spectrum_and_envelope_that_it_says() -> None:
    noise = speech_like_noise(60 * RATE, RATE, np.random.default_rng(0))
    hz, power = welch(noise, RATE, nperseg=4096)

    def level_db(low: float, high: float) -> float:
        return float(10 * np.log10(power[(hz > low) & (hz < high)].mean()))

    assert level_db(950, 1050) - level_db(1900, 2100) == pytest.approx(9, abs=1.5)
    assert level_db(150, 300) - level_db(300, 480) == pytest.approx(0, abs=1.5)
    assert level_db(150, 300) - level_db(10, 80) > 30
    envelope = np.sqrt(np.convolve(noise**2, np.ones(160) / 160, "same"))[::160]
    rates, depth = welch(envelope - envelope.mean(), 100, nperseg=1024)
    assert depth[(rates > 1) & (rates < 16)].mean() > 20 * depth[rates > 25].mean()


def test_recorded_like_noise_falls_with_frequency_hums_and_sways() -> None:
    noise = recorded_like_noise(60 * RATE, RATE, np.random.default_rng(1)).astype(np.float64)
    hz, power = welch(noise, RATE, nperseg=16_384)

    def level_db(tone: float) -> float:
        near = (hz > tone / 1.1) & (hz < tone * 1.1)
        return float(10 * np.log10(power[near].mean()))

    assert 3 < level_db(1_000) - level_db(4_000) < 9  # pink alone: 6 dB in two octaves
    floor = np.median(power[(hz > 40) & (hz < 70)])
    assert max(power[np.argmin(abs(hz - mains))] for mains in (50, 60)) > 6 * floor
    seconds = 10 * np.log10(np.mean(noise.reshape(-1, RATE) ** 2, axis=1))
    steady = 10 * np.log10(np.mean(np.random.default_rng(0).standard_normal((60, RATE)) ** 2, axis=1))
    assert seconds.std() > 1.5 > 10 * steady.std()


def test_a_recording_of_ones_own_is_what_is_heard(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(RATE) / RATE).astype(np.float32)
    vocemo.audio.write(tmp_path / "tone.wav", tone, RATE)
    noise = RecordedNoise(0.0, recordings.below(str(tmp_path), "noise"))
    samples = speech(2.0)
    heard = noise.apply(samples, RATE, noise.draw(np.random.default_rng(0), "x")) - samples
    hz, power = welch(heard, RATE, nperseg=2048)
    assert abs(hz[np.argmax(power)] - 1_000) < 10
