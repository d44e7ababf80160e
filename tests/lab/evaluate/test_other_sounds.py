from itertools import pairwise

import numpy as np
import pytest

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.evaluate import other_sounds
from vocemo.lab.evaluate.other_sounds import KINDS, RATE_HZ, make
from vocemo.prepare import Preparation, prepare


@pytest.mark.parametrize("kind", KINDS)
def test_every_sound_is_one_that_a_recogniser_would_answer(kind):
    sounds = make(kind, 6, seed=3)
    for sound in sounds:
        assert sound.dtype == np.float32 and np.isfinite(sound).all() and np.abs(sound).max() <= 1
        assert 2 * RATE_HZ <= len(sound) <= 6 * RATE_HZ
        assert not prepare(sound, RATE_HZ, Preparation(sample_rate=RATE_HZ)).silent
    assert len({sound.tobytes() for sound in sounds}) == 6


@pytest.mark.parametrize("kind", KINDS)
def test_equal_arguments_give_equal_sounds_and_others_others(kind):
    one, again, other = make(kind, 2, seed=0), make(kind, 3, seed=0), make(kind, 2, seed=1)
    for first, second in zip(one, again, strict=False):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(one[0][:1000], other[0][:1000])


@pytest.mark.parametrize(("kind", "db_an_octave"), [("white", 0.0), ("pink", -3.01), ("brown", -6.02)])
def test_the_noises_have_their_colours(kind, db_an_octave):
    power = np.zeros(5)
    for sound in make(kind, 10, seed=0):
        spectrum = np.abs(np.fft.rfft(sound)) ** 2
        frequency_hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
        edges = 100 * 2.0 ** np.arange(6)
        bands = [spectrum[(frequency_hz >= a) & (frequency_hz < b)].mean() for a, b in pairwise(edges)]
        power += np.array(bands) / np.sum(bands)
    assert np.polyfit(np.arange(5), 10 * np.log10(power), 1)[0] == pytest.approx(db_an_octave, abs=0.4)


def test_keys_of_a_telephone_are_pairs_of_the_keypads_tones():
    sound = make("dtmf", 1, seed=0)[0]
    first = sound[: int(0.07 * RATE_HZ)]
    spectrum = np.abs(np.fft.rfft(first * np.hanning(len(first)), 1 << 15))
    frequency_hz = np.fft.rfftfreq(1 << 15, 1 / RATE_HZ)
    for tones in (other_sounds._DTMF_LOW_HZ, other_sounds._DTMF_HIGH_HZ):
        near = (frequency_hz > min(tones) - 60) & (frequency_hz < max(tones) + 60)
        loudest_hz = frequency_hz[near][spectrum[near].argmax()]
        assert min(abs(loudest_hz - tone) for tone in tones) < 15


def test_what_there_is_not_is_said():
    with pytest.raises(UnknownNameError, match="white"):
        make("whit", 1, seed=0)
    with pytest.raises(UsageError, match="0 or more"):
        make("white", -1, seed=0)
