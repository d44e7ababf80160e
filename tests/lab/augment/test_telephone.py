"""The telephone: mu-law against its equation, and the band that is drawn."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fabricate_speech import RATE, speech
from vocemo.errors import UsageError
from vocemo.lab.augment import TelephoneCall, TelephoneParameters
from vocemo.lab.augment.telephone import compress, expand


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.float32, st.integers(1, 50), elements=st.floats(-1.5, 1.5, width=32)))
def test_mu_law_is_the_equation(samples: np.ndarray) -> None:
    for x, code, back in zip(samples, compress(samples), expand(compress(samples)), strict=True):
        f = math.log(1 + 255 * min(abs(float(x)), 1)) / math.log(256)
        assert abs(abs(int(code)) - 127 * f) <= 0.5 + 1e-6
        assert int(code) == 0 or (code > 0) == (x > 0)
        assert abs(float(back)) == pytest.approx(
            (256 ** (abs(int(code)) / 127) - 1) / 255, rel=1e-5, abs=1e-9
        )


def test_mu_law_is_the_table_of_g711_within_a_step() -> None:
    x = np.linspace(-0.99, 0.99, 4001).astype(np.float32)
    file = io.BytesIO()
    soundfile.write(file, x, 8_000, format="WAV", subtype="ULAW")
    by_table, _ = soundfile.read(io.BytesIO(file.getvalue()), dtype="float32")
    step = math.log(256) / 127 * (np.abs(x) + 1 / 255)
    assert (np.abs(expand(compress(x)) - by_table) <= 1.2 * step).all()


@pytest.mark.parametrize("amplitude", [0.9, 0.3, 0.1])
def test_mu_law_keeps_the_ratio_that_theory_gives(amplitude: float) -> None:
    # 6.02 n + 4.77 - 20 log10(ln(1 + mu)) for n bits (Jayant & Noll 1984): 38 dB.
    x = amplitude * np.sin(np.arange(80_000) * 0.7311)
    error = expand(compress(x.astype(np.float32))) - x
    ratio_db = 10 * np.log10(np.mean(x**2) / np.mean(error**2))
    assert ratio_db == pytest.approx(6.02 * 8 + 4.77 - 20 * math.log10(math.log(256)), abs=1.5)


@pytest.mark.parametrize("rate", [16_000, 32_000])
@pytest.mark.parametrize("edges", [(150.0, 3_800.0), (350.0, 3_000.0)])
def test_the_drawn_band_passes_and_nothing_else(edges: tuple[float, float], rate: int) -> None:
    noise = np.random.default_rng(0).standard_normal(8 * rate).astype(np.float32) * 0.05
    heard = TelephoneCall().apply(noise, rate, TelephoneParameters(*edges))
    power = np.abs(np.fft.rfft(heard)) ** 2 / np.abs(np.fft.rfft(noise)) ** 2
    hz = np.fft.rfftfreq(len(noise), 1 / rate)

    def gain_db(low: float, high: float) -> float:
        return float(10 * np.log10(np.median(power[(hz > low) & (hz < high)])))

    inside = gain_db(edges[0] + 150, edges[1] - 150)
    # What lies outside the band is missing from the loudness, so that the band is raised by as much.
    assert inside == pytest.approx(10 * math.log10(rate / 2 / (edges[1] - edges[0])), abs=0.5)
    assert gain_db(4_400, rate / 2) < inside - 60
    if edges[0] > 200:
        assert gain_db(20, edges[0] - 200) < inside - 25


@given(st.integers(1, 4_000), st.sampled_from([8_000, 16_000, 22_050, 44_100]))
@settings(max_examples=25, deadline=None)
def test_length_and_loudness_stay(length: int, rate: int) -> None:
    samples = speech(1.0)[4_000 : 4_000 + length]
    heard = TelephoneCall().apply(samples, rate, TelephoneParameters(300.0, 3_400.0))
    assert heard.shape == samples.shape and heard.dtype == np.float32 and np.isfinite(heard).all()
    if heard.any():
        assert np.mean(heard.astype(float) ** 2) == pytest.approx(
            np.mean(samples.astype(float) ** 2), rel=1e-3
        )


def test_silence_stays_silent() -> None:
    silence = np.zeros(RATE, np.float32)
    assert not TelephoneCall().apply(silence, RATE, TelephoneParameters(300.0, 3_400.0)).any()


@pytest.mark.parametrize("length", [1, 2, 3])
def test_less_than_a_sample_of_the_line_stays_as_it_is(length: int) -> None:
    few = np.full(length, 0.1, np.float32)
    heard = TelephoneCall().apply(few, 44_100, TelephoneParameters(300.0, 3_400.0))
    assert heard.shape == (length,) and np.isfinite(heard).all()


def test_bands_are_drawn_from_the_whole_range() -> None:
    drawn = [TelephoneCall().draw(np.random.default_rng(n)) for n in range(200)]
    assert 150 <= min(d.low_hz for d in drawn) < 155 and 345 < max(d.low_hz for d in drawn) <= 350
    assert 3_000 <= min(d.high_hz for d in drawn) < 3_020 and 3_780 < max(d.high_hz for d in drawn) <= 3_800


def test_what_cannot_be() -> None:
    with pytest.raises(UsageError, match="lower edge in Hz from 400 to 350"):
        TelephoneCall(min_low_hz=400.0)
    with pytest.raises(UsageError, match="upper edge in Hz from 3000 to 5000"):
        TelephoneCall(max_high_hz=5_000.0)
