"""Where somebody speaks in a recording, and how loudly there: the active speech level.

A level over the whole recording falls with every second of silence around the voice, and a noise that is
set by it falls too. Levels and ratios here count the active part alone, found after method B of ITU-T
Recommendation P.56 (12/2011): active is what lies above a threshold that itself lies a margin of 15.9 dB
below the level of what is active, with the 0.2 s behind it. Two things are other than there: the envelope is
the RMS of frames of 32 ms (`prepare.signal.frame_rms`), not two smoothings of 30 ms; and nothing counts
behind the last word, so that silence behind a recording changes nothing at all.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vocemo.lab.augment.transform import Samples
from vocemo.prepare.signal import HOP_S, frame_rms, hop_samples

MARGIN_DB = 15.9  # P.56: between the level of active speech and the threshold of activity
HANGOVER_S = 0.2  # P.56: so much of a pause is part of the speech
_LOWEST_DB = 60.0  # below the loudest frame: where the search for the threshold begins
_STEP_DB = 0.5  # by which thresholds go up


def active_speech(samples: Samples, sample_rate: int) -> NDArray[np.bool_]:
    """Which samples belong to active speech, (N,) -> (N,); none of silence.

    >>> tone = np.sin(np.arange(16_000) * 0.3, dtype=np.float32)
    >>> padded = np.concatenate([np.zeros(16_000, np.float32), tone, np.zeros(32_000, np.float32)])
    >>> found = active_speech(padded, 16_000)
    >>> first, last = np.flatnonzero(found)[[0, -1]]
    >>> round(float(first / 16_000), 1), round(float(last / 16_000), 1)
    (1.0, 2.0)
    """
    levels = frame_rms(samples, sample_rate)
    loudest = float(levels.max(initial=0.0))
    if loudest == 0:
        return np.zeros(len(samples), np.bool_)
    hangover = round(HANGOVER_S / HOP_S)
    power = np.square(levels)
    total = float(power.sum())
    threshold_db = 20 * math.log10(loudest) - _LOWEST_DB
    active = _active(levels, 10 ** (threshold_db / 20), hangover)
    while threshold_db < 20 * math.log10(loudest):
        active = _active(levels, 10 ** (threshold_db / 20), hangover)
        level_db = 10 * math.log10(total / np.count_nonzero(active))
        if level_db - threshold_db <= MARGIN_DB:
            break
        threshold_db += _STEP_DB
    hop = hop_samples(sample_rate)
    # Frame t is centred on sample t * hop; behind the last one's centre may lie up to a hop.
    return np.repeat(np.append(active, active[-1]), hop)[hop // 2 : hop // 2 + len(samples)]


def active_power(samples: Samples, active: NDArray[np.bool_]) -> float:
    """Mean square of the active samples; 0 where none is."""
    chosen = samples[active]
    return float(np.mean(np.square(chosen, dtype=np.float64))) if len(chosen) else 0.0


def active_level_dbov(samples: Samples, sample_rate: int) -> float:
    """The active speech level in dB relative to the power of a full-scale square wave; -inf for silence.

    >>> tone = 0.1 * np.sin(np.arange(16_000) * 0.3, dtype=np.float32)
    >>> round(active_level_dbov(tone, 16_000), 2)
    -23.01
    """
    power = active_power(samples, active_speech(samples, sample_rate))
    return 10 * math.log10(power) if power > 0 else -math.inf


def _active(levels: NDArray[np.float64], threshold: float, hangover: int) -> NDArray[np.bool_]:
    """The frames at or above a threshold, and before the last of them those so closely behind another."""
    above = np.flatnonzero(levels >= threshold)
    frames = np.arange(above[-1] + 1)
    latest = above[np.searchsorted(above, frames, side="right") - 1]
    active = np.zeros(len(levels), np.bool_)
    active[above[0] : above[-1] + 1] = (frames - latest <= hangover)[above[0] :]
    return active
