"""A tone colour against tones whose gain is known."""

from __future__ import annotations

import numpy as np
import pytest

from vocemo.errors import UsageError
from vocemo.lab.augment import Tone, ToneParameters

RATE = 16_000


@pytest.mark.parametrize(("hz", "gain_db"), [(500.0, -4.0), (2_000.0, 6.0), (1_250.0, 1.0), (6_250.0, -1.5)])
def test_a_tone_is_as_much_louder_as_the_line_between_two_points_says(hz: float, gain_db: float) -> None:
    tone = np.sin(2 * np.pi * hz * np.arange(RATE) / RATE).astype(np.float32)
    gains = ToneParameters((0.0, -4.0, 6.0, 3.0, -6.0))  # at 0, 500, 2,000, 4,500 and 8,000 Hz
    toned = Tone().apply(tone, RATE, gains)
    assert toned.dtype == np.float32
    assert 20 * np.log10(toned.std() / tone.std()) == pytest.approx(gain_db, abs=0.05)
    assert np.corrcoef(toned, tone)[0, 1] == pytest.approx(1.0, abs=1e-4)  # no delay


def test_gains_are_normal_in_decibels() -> None:
    rng = np.random.default_rng(0)
    drawn = np.array([Tone(deviation_db=2.0).draw(rng).gains_db for _ in range(500)])
    assert drawn.std(axis=0) == pytest.approx(2.0, rel=0.15)
    assert drawn.mean(axis=0) == pytest.approx(0.0, abs=0.4)


@pytest.mark.parametrize("length", [0, 1, 2, 999])
def test_samples_are_as_many_and_the_given_ones_as_they_were(length: int) -> None:
    samples = np.ones(length, np.float32)
    toned = Tone().apply(samples, RATE, ToneParameters((6.0,) * 5))
    assert len(toned) == length
    assert np.all(samples == 1)


def test_a_deviation_below_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="tone: deviation in dB"):
        Tone(deviation_db=-1.0)
