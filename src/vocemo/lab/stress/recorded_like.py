"""Noise like that of a room or a street, made and not recorded: nothing has to be fetched for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vocemo.lab.augment.add_noise import coloured_noise
from vocemo.lab.augment.transform import Samples
from vocemo.lab.stress.degradation import SeedParameters
from vocemo.lab.stress.mixing import mixed

RUMBLE_DB = -3.0  # of brown noise against the pink
SWAY_DB = 4.0  # standard deviation of the level's changes
SWAY_EVERY_S = 0.5
HUM_DB = -6.0
MAINS_HZ = (50.0, 60.0)
HARMONICS = (1, 2, 3, 5)  # of the mains, each k as 1 / k in amplitude
KNOCKS_A_SECOND = 1.0
KNOCK_PEAK_DB = (6.0, 18.0)  # above the RMS of the pink noise
KNOCK_DECAY_S = (0.01, 0.1)  # until it is 1 / e


@dataclass(frozen=True)
class RecordedLikeNoise:
    """Pink and brown noise whose level sways, mains hum, and knocks; see `recorded_like_noise`."""

    snr_db: float

    def draw(self, rng: np.random.Generator, speaker: str) -> SeedParameters:
        """The noise's seed."""
        return SeedParameters.drawn(rng)

    def apply(self, samples: Samples, sample_rate: int, parameters: SeedParameters) -> Samples:
        """The samples with noise, (N,) -> (N,)."""
        noise = recorded_like_noise(len(samples), sample_rate, parameters.rng)
        return mixed(samples, sample_rate, noise, self.snr_db)


def recorded_like_noise(length: int, sample_rate: int, rng: np.random.Generator) -> Samples:
    """The sum of four sounds, (length,); its level is any.

    Pink noise (power as 1/f), as most backgrounds have it over time, with brown noise (1/f^2, traffic and
    ventilation) 3 dB below; both by a level whose decibels are normal with a deviation of 4 every half
    second, linear between. Hum of 50 or 60 Hz with harmonics, 6 dB below. Knocks, one a second on average,
    of pink noise that decays within 10 to 100 ms, 6 to 18 dB above at their beginning.

    >>> recorded_like_noise(8_000, 16_000, np.random.default_rng(0)).shape
    (8000,)
    """
    pink = _unit(coloured_noise(length, sample_rate, "pink", rng))
    brown = _unit(coloured_noise(length, sample_rate, "brown", rng))
    time_s = np.arange(length) / sample_rate
    noise = (pink + _gain(RUMBLE_DB) * brown) * _sway(time_s, rng)
    noise += _gain(HUM_DB) * _unit(_hum(time_s, rng))
    for start in np.flatnonzero(rng.random(length) < KNOCKS_A_SECOND / sample_rate):
        noise[start:] += _knock(length - int(start), sample_rate, rng)
    return noise.astype(np.float32)


def _sway(time_s: NDArray[np.float64], rng: np.random.Generator) -> Samples:
    knots_s = np.arange(0.0, time_s[-1] + 2 * SWAY_EVERY_S if len(time_s) else 1.0, SWAY_EVERY_S)
    sway_db = np.interp(time_s, knots_s, rng.normal(0.0, SWAY_DB, len(knots_s)))
    return np.asarray(10 ** (sway_db / 20), np.float32)


def _hum(time_s: NDArray[np.float64], rng: np.random.Generator) -> Samples:
    mains_hz = MAINS_HZ[int(rng.integers(len(MAINS_HZ)))]
    phases = rng.uniform(0, 2 * np.pi, len(HARMONICS))
    parts = [
        np.sin(2 * np.pi * k * mains_hz * time_s + phase) / k
        for k, phase in zip(HARMONICS, phases, strict=True)
    ]
    return np.asarray(np.sum(parts, axis=0), np.float32)


def _knock(room: int, sample_rate: int, rng: np.random.Generator) -> Samples:
    """A knock of no more than so many samples."""
    peak_db, decay_s = rng.uniform(*KNOCK_PEAK_DB), rng.uniform(*KNOCK_DECAY_S)
    length = max(1, round(7 * decay_s * sample_rate))  # until it is 1 / 1000
    sound = _unit(coloured_noise(length, sample_rate, "pink", rng))
    fall = np.exp(-np.arange(length) / (decay_s * sample_rate))
    knock = np.zeros(room, np.float32)
    knock[: min(length, room)] = (_gain(peak_db) * sound * fall)[:room]
    return knock


def _unit(samples: Samples) -> Samples:
    """The samples with an RMS of 1; silence stays."""
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0
    return samples / np.float32(rms) if rms > 0 else samples


def _gain(level_db: float) -> np.float32:
    return np.float32(10 ** (level_db / 20))
