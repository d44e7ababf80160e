"""Babble: the ratio asked for, and voices that sound like people as far as figures can tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from fabricate_speech import RATE, speech
from vocemo.errors import UsageError
from vocemo.lab.augment import Babble, BabbleParameters
from vocemo.lab.augment.add_noise import active_power
from vocemo.lab.augment.synthetic_voice import LENGTH_S, VOICES, synthetic_voice

SOME = range(0, VOICES, 8)


@given(
    snr_db=st.floats(-10, 40),
    voices=st.lists(st.tuples(st.integers(0, VOICES - 1), st.floats(0, 1)), min_size=1, max_size=6),
)
@settings(max_examples=25, deadline=None)
def test_measured_ratio_is_the_one_asked_for(snr_db: float, voices: list[tuple[int, float]]) -> None:
    samples = speech(2.0)
    noise = Babble().apply(samples, RATE, BabbleParameters(snr_db, tuple(voices))).astype(float) - samples
    measured_db = 10 * np.log10(active_power(samples, RATE) / np.mean(noise**2))
    assert measured_db == pytest.approx(snr_db, abs=0.1)


def test_what_is_added_are_the_drawn_voices() -> None:
    samples = speech(2.0)
    noise = Babble().apply(samples, RATE, BabbleParameters(0.0, ((3, 0.0), (7, 0.0)))) - samples
    both = synthetic_voice(3, RATE)[: len(samples)] + synthetic_voice(7, RATE)[: len(samples)]
    assert np.corrcoef(noise, both)[0, 1] > 0.99999


@pytest.mark.parametrize("rate", [16_000, 32_000])
def test_a_voice_is_eight_seconds_of_unit_power_and_always_the_same(rate: int) -> None:
    voice = synthetic_voice(5, rate)
    assert voice.shape == (LENGTH_S * rate,) and voice.dtype == np.float32
    assert np.mean(voice.astype(float) ** 2) == pytest.approx(1.0, rel=1e-4)
    synthetic_voice.cache_clear()
    np.testing.assert_array_equal(synthetic_voice(5, rate), voice)
    assert not voice.flags.writeable
    assert abs(np.corrcoef(voice, synthetic_voice(6, rate))[0, 1]) < 0.1


def test_voices_have_a_pitch_within_that_of_people() -> None:
    found = []
    for number in SOME:
        voice = synthetic_voice(number, RATE).astype(float)
        frames = np.lib.stride_tricks.sliding_window_view(voice, 1_024)[::512]
        loud = frames[np.argsort((frames**2).mean(1))[-60:]]
        likeness = np.array([np.correlate(f, f, "full")[1_023:] / (f @ f) for f in loud])
        lags = np.arange(RATE // 320, RATE // 70)
        assert np.median(likeness[:, lags].max(1)) > 0.4  # of noise 0.15
        found.append(RATE / np.median(lags[likeness[:, lags].argmax(1)]))
    assert min(found) < 150 < max(found)


def test_long_term_spectrum_falls_as_that_of_speech() -> None:
    # Byrne et al. (1994), figure 2: the octave around 500 Hz lies some 15 dB above that around 2 kHz,
    # and that above the octave around 6 kHz by some 5 to 10, per band.
    power = sum(signal.welch(synthetic_voice(n, RATE), RATE, nperseg=1_024)[1] for n in SOME)
    hz = np.fft.rfftfreq(1_024, 1 / RATE)

    def band_db(low: float, high: float) -> float:
        return float(10 * np.log10(power[(hz >= low) & (hz < high)].sum()))

    assert 5 < band_db(354, 707) - band_db(1_414, 2_828) < 25
    assert 0 < band_db(1_414, 2_828) - band_db(4_500, 7_500) < 25


def test_levels_sway_as_syllables_do() -> None:
    # Houtgast & Steeneken (1985): the envelope of speech varies little above 16 Hz.
    spectra = []
    for number in SOME:
        envelope = np.sqrt(np.mean(synthetic_voice(number, RATE).reshape(-1, 160).astype(float) ** 2, axis=1))
        spectra.append(np.abs(np.fft.rfft(envelope / envelope.mean() - 1)) ** 2)
    power, hz = np.mean(spectra, 0), np.fft.rfftfreq(800, 0.01)
    assert power[(hz > 2) & (hz < 8)].mean() > 4 * power[(hz > 16) & (hz < 40)].mean()


def test_silence_stays_silent_and_short_clips_pass() -> None:
    drawn = BabbleParameters(0.0, ((1, 0.5),))
    assert not Babble().apply(np.zeros(500, np.float32), RATE, drawn).any()
    for length in (1, 2, 100):
        heard = Babble().apply(np.full(length, 0.1, np.float32), RATE, drawn)
        assert heard.shape == (length,) and np.isfinite(heard).all()


def test_every_number_of_talkers_is_drawn_and_nobody_twice() -> None:
    drawn = [Babble(5.0, 10.0, 2, 4).draw(np.random.default_rng(n)) for n in range(100)]
    assert {len(d.voices) for d in drawn} == {2, 3, 4}
    assert all(5 <= d.snr_db <= 10 for d in drawn)
    assert all(len({number for number, _ in d.voices}) == len(d.voices) for d in drawn)
    assert len({number for d in drawn for number, _ in d.voices}) == VOICES


def test_the_number_of_talkers_changes_nothing_in_later_draws() -> None:
    few, many = np.random.default_rng(0), np.random.default_rng(0)
    Babble(min_talkers=1, max_talkers=1).draw(few)
    Babble(min_talkers=8, max_talkers=8).draw(many)
    assert few.random() == many.random()


def test_what_cannot_be() -> None:
    with pytest.raises(UsageError, match="SNR in dB from 40 to 30"):
        Babble(min_snr_db=40)
    with pytest.raises(UsageError, match="3 to 2 talkers"):
        Babble(min_talkers=3, max_talkers=2)
