"""Rooms, telephones, MP3, levels and speeds, each against its equation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import soundfile
from scipy.signal import fftconvolve

from fabricate_speech import RATE, speech
from vocemo.lab.stress import mp3
from vocemo.lab.stress.active_speech import active_level_dbov, active_speech
from vocemo.lab.stress.level import ActiveLevel, Clipped, GainAtRecorder
from vocemo.lab.stress.mp3 import RATES_HZ, Mp3, encoded
from vocemo.lab.stress.pace import Pace
from vocemo.lab.stress.reverberation import Reverberation
from vocemo.lab.stress.telephone import Telephone

NO_RNG = np.random.default_rng(0)


def tone(hz: float, seconds: float = 1.0, rate: int = RATE, amplitude: float = 0.3) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def test_a_room_rings_on_and_keeps_the_length() -> None:
    samples = np.concatenate([tone(500), np.zeros(RATE, np.float32)])
    room = Reverberation(0.6)
    wet = room.apply(samples, RATE, room.draw(np.random.default_rng(0), "x"))
    assert wet.shape == samples.shape and wet.dtype == np.float32
    frames_db = 10 * np.log10(np.mean(wet[RATE:].reshape(10, -1).astype(np.float64) ** 2, axis=1))
    # Tenths of a second: 10 dB each. The last ones lie where the response has ended.
    assert np.diff(frames_db[1:5]).mean() == pytest.approx(-10, abs=2.5)


def through_telephone(samples: np.ndarray, rate: int = RATE) -> np.ndarray:
    line = Telephone()
    return line.apply(samples, rate, line.draw(NO_RNG, "x"))


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100])
def test_the_telephone_passes_its_band_and_nothing_else(rate: int) -> None:
    noise = np.random.default_rng(0).standard_normal(8 * rate).astype(np.float32) * 0.05
    heard = through_telephone(noise, rate)
    assert heard.shape == noise.shape
    power = np.abs(np.fft.rfft(heard)) ** 2 / np.abs(np.fft.rfft(noise)) ** 2
    hz = np.fft.rfftfreq(len(noise), 1 / rate)

    def gain_db(low: float, high: float) -> float:
        return float(10 * np.log10(np.median(power[(hz > low) & (hz < high)])))

    assert abs(gain_db(450, 3_200)) < 1.0
    assert gain_db(20, 150) < -30 and gain_db(3_600, 3_900) < -30
    assert gain_db(4_400, rate / 2) < -60
    assert -9 < gain_db(290, 310) < -3 and -9 < gain_db(3_390, 3_410) < -3  # edges: half the amplitude


def test_the_telephone_does_not_shift_and_a_level_passes_it() -> None:
    loud = speech(2.0, level_db=-20.0)
    heard = through_telephone(loud)
    lag = np.argmax(fftconvolve(heard, loud[::-1])) - (len(loud) - 1)
    assert abs(lag) <= 2
    quiet = through_telephone(loud * np.float32(0.01))
    np.testing.assert_allclose(quiet * 100, heard, atol=0.02 * np.abs(heard).max())
    np.testing.assert_array_equal(through_telephone(np.zeros(800, np.float32)), np.zeros(800))


needs_mp3 = pytest.mark.skipif(bool(mp3.unavailable()), reason=mp3.unavailable() or "it can")


@needs_mp3
@pytest.mark.parametrize("rate", RATES_HZ)
@pytest.mark.parametrize("kbits", [32, 64])
def test_an_mp3_has_its_bit_rate(rate: int, kbits: int) -> None:
    noise = np.random.default_rng(0).standard_normal(10 * rate).astype(np.float32) * 0.1
    for samples in (noise, tone(440, 10.0, rate)):  # constant: whatever is in it
        assert len(encoded(samples, rate, kbits)) * 8 / 10 / 1000 == pytest.approx(kbits, rel=0.02)


@needs_mp3
@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100])
def test_an_mp3_sounds_like_what_went_in(rate: int) -> None:
    codec = Mp3(32.0)
    samples = tone(1_000, 2.0, rate)
    heard = codec.apply(samples, rate, codec.draw(NO_RNG, "x"))
    assert heard.dtype == np.float32
    assert 0 <= len(heard) - len(samples) < 0.2 * rate
    spectrum = np.abs(np.fft.rfft(heard))
    assert np.argmax(spectrum) * rate / len(heard) == pytest.approx(1_000, abs=2)
    middle = heard[rate // 2 : rate]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.3 / math.sqrt(2), rel=0.1)


def test_without_mp3_the_condition_is_left_out_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    from vocemo.lab.stress import choose, table

    mp3.unavailable.cache_clear()
    monkeypatch.setattr(soundfile, "available_formats", lambda: {"WAV": "WAV"})
    try:
        choice = choose(table())
        assert "mp3-32" in choice.skipped and "writes no MP3" in choice.skipped["mp3-32"]
        assert "mp3-32" not in [condition.name for condition in choice.conditions]
    finally:
        mp3.unavailable.cache_clear()


def test_a_recorder_clips_and_rounds() -> None:
    x = np.array([0.05, -0.2, 0.0, 1e-6], np.float32)
    louder = GainAtRecorder(20.0)
    np.testing.assert_allclose(louder.apply(x, RATE, None), [0.5, -1.0, 0.0, 0.0], atol=2**-15)
    softer = GainAtRecorder(-20.0).apply(x, RATE, None)
    np.testing.assert_allclose(softer, x / 10, atol=2**-16)
    np.testing.assert_array_equal(softer * 2**15, np.rint(softer * 2**15))


def test_quiet_is_as_quiet_as_it_says() -> None:
    for level_db in (-15.0, -45.0):
        found = ActiveLevel(-60.0).apply(speech(level_db=level_db), RATE, None)
        assert active_level_dbov(found, RATE) == pytest.approx(-60, abs=0.1)
    silence = np.zeros(RATE, np.float32)
    np.testing.assert_array_equal(ActiveLevel(-60.0).apply(silence, RATE, None), silence)


def test_a_tenth_of_the_speech_is_clipped() -> None:
    samples = np.concatenate([np.zeros(RATE, np.float32), speech()])
    found = Clipped(0.1).apply(samples, RATE, None)
    active = active_speech(samples, RATE)
    assert np.mean(np.abs(found[active]) == np.abs(found).max()) == pytest.approx(0.1, abs=0.005)
    unclipped = np.abs(found) < np.abs(found).max()
    np.testing.assert_array_equal(found[unclipped], samples[unclipped])


@pytest.mark.parametrize("rate", [0.9, 1.1])
@pytest.mark.parametrize(("method", "moves"), [("resample", True), ("stretch", False)])
def test_speed_moves_the_pitch_and_tempo_does_not(rate: float, method: str, moves: bool) -> None:
    pace = Pace(rate, method)
    heard = pace.apply(tone(400, 2.0), RATE, pace.draw(NO_RNG, "x"))
    assert len(heard) == pytest.approx(2 * RATE / rate, abs=2)
    pitch_hz = np.argmax(np.abs(np.fft.rfft(heard * np.hanning(len(heard))))) * RATE / len(heard)
    assert pitch_hz == pytest.approx(400 * rate if moves else 400, rel=0.01)
