"""The measured ratio is the one asked for, and the spectrum has the colour's slope."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.augment import AddNoise, AddNoiseParameters
from vocemo.lab.augment.add_noise import COLOURS, active_power, coloured_noise

RATE_HZ = 16_000


def speech_like(seconds: float = 2.0, pause_s: float = 1.0) -> np.ndarray:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    syllables = np.sin(2 * np.pi * 180 * time_s) * (1.2 + np.sin(2 * np.pi * 3 * time_s)) / 4
    return np.concatenate([np.zeros(round(pause_s * RATE_HZ)), syllables]).astype(np.float32)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 12.5, 40.0])
def test_measured_ratio_is_the_one_asked_for(snr_db: float, colour: str) -> None:
    # The pause must not raise the ratio: the power is that of the two seconds that sound.
    samples = speech_like()
    noise = AddNoise().apply(samples, RATE_HZ, AddNoiseParameters(snr_db, colour, 7)) - samples
    active = samples[RATE_HZ:]
    measured_db = 10 * np.log10(np.mean(active.astype(float) ** 2) / np.mean(noise.astype(float) ** 2))
    assert measured_db == pytest.approx(snr_db, abs=0.2)


@given(snr_db=st.floats(-20, 60), level_db=st.floats(-80, 20), seed=st.integers(0, 2**63 - 1))
def test_the_ratio_holds_at_any_level(snr_db: float, level_db: float, seed: int) -> None:
    tone = np.sin(np.arange(8_000) * 0.2) * 10 ** (level_db / 20)
    samples = tone.astype(np.float32)
    noisy = AddNoise().apply(samples, RATE_HZ, AddNoiseParameters(snr_db, "white", seed))
    noise = noisy.astype(float) - samples
    measured_db = 10 * np.log10(np.mean(tone**2) / np.mean(noise**2))
    assert measured_db == pytest.approx(snr_db, abs=0.2)


@pytest.mark.parametrize(("colour", "exponent"), COLOURS.items())
def test_power_falls_as_the_colour_says(colour: str, exponent: float) -> None:
    noise = coloured_noise(60 * RATE_HZ, RATE_HZ, colour, np.random.default_rng(0))
    frequencies, power = signal.welch(noise, RATE_HZ, nperseg=1_024)
    inside = (frequencies > 200) & (frequencies < 7_000)
    slope = np.polyfit(np.log10(frequencies[inside]), np.log10(power[inside]), 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.05)


def test_silence_stays_silent() -> None:
    silence = np.zeros(RATE_HZ, np.float32)
    assert not AddNoise().apply(silence, RATE_HZ, AddNoiseParameters(0.0, "pink", 1)).any()


def test_active_power_leaves_pauses_out() -> None:
    samples = speech_like(2.0, 5.0)
    assert active_power(samples, RATE_HZ) == pytest.approx(active_power(samples[5 * RATE_HZ :], RATE_HZ))
    assert active_power(samples[:100], RATE_HZ) == 0


def test_every_colour_is_drawn() -> None:
    noise = AddNoise(5.0, 10.0, colours=("white", "brown"))
    drawn = [noise.draw(np.random.default_rng(n)) for n in range(100)]
    assert {d.colour for d in drawn} == {"white", "brown"}
    assert all(5 <= d.snr_db <= 10 for d in drawn)
    assert len({d.seed for d in drawn}) == 100


def test_what_cannot_be() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'pink'"):
        AddNoise(colours=("pnik",))
    with pytest.raises(UsageError, match="colours is empty"):
        AddNoise(colours=())
    with pytest.raises(UsageError, match="SNR in dB from 40 to 10"):
        AddNoise(min_snr_db=40, max_snr_db=10)
