"""Sound with the spectrum, syllables and pauses of speech, and its level by the text of ITU-T P.56."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from vocemo.lab.stress.babble import speech_like_noise

RATE = 16_000


def speech(seconds: float = 4.0, seed: int = 0, level_db: float = -20.0) -> np.ndarray:
    """Noise with the spectrum and the syllables of speech, with pauses."""
    rng = np.random.default_rng(seed)
    made = speech_like_noise(round(seconds * RATE), RATE, rng)
    for start in np.arange(0.8, seconds, 1.5):
        made[round(start * RATE) : round((start + 0.5) * RATE)] *= 1e-3
    return (made / np.sqrt(np.mean(made**2)) * 10 ** (level_db / 20)).astype(np.float32)


def p56_level_db(samples: np.ndarray) -> float:
    """Method B by its own words: two smoothings of 30 ms, hangover of 0.2 s, thresholds by halves of 6 dB."""
    g = np.exp(-1 / (RATE * 0.03))
    envelope = np.abs(samples.astype(np.float64))
    for _ in range(2):
        envelope = lfilter([1 - g], [1, -g], envelope)
    energy, hang = np.sum(samples.astype(np.float64) ** 2), round(0.2 * RATE)
    before: tuple[float, float] | None = None
    for power in range(-15, 1):
        threshold = 2.0**power
        latest = np.maximum.accumulate(np.where(envelope >= threshold, np.arange(len(samples)), -hang - 1))
        count = np.count_nonzero(np.arange(len(samples)) - latest <= hang)
        if not count:
            break
        level_db, threshold_db = 10 * np.log10(energy / count), 20 * np.log10(threshold)
        margin_db = level_db - threshold_db
        if before is not None and margin_db <= 15.9:
            share = (before[1] - 15.9) / (before[1] - margin_db)
            return before[0] + share * (level_db - before[0])
        before = (level_db, margin_db)
    raise AssertionError("no threshold lies 15.9 dB below")
