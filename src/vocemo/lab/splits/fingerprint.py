"""What a recording sounds like, in a form that survives what people do to recordings.

Both forms are made from one map: the spectrum on a logarithmic frequency axis, each band less its
neighbours, so that harmonics and formants remain, and level, filters and a floor of noise do not.

Landmarks are pairs of peaks of the map, each pair one number (both frequencies and the time between them). A
copy that is louder, cut, later, filtered, noisy or encoded with loss keeps many of them, all at one offset.
Source: Wang, ISMIR 2003, "An Industrial Strength Audio Search Algorithm".

Patterns are the map from where speech begins to where it ends, in as many steps whatever its length, without
what moves slowly. A copy at another tempo has the same pattern; at another pitch, some bands higher or lower.
Where speech begins depends on how much of it counts, so that there is a pattern for each of three levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from vocemo import audio
from vocemo.errors import AudioError
from vocemo.lab.corpora.clip import Clip

RATE_HZ = 8_000
FRAME = 512  # 64 ms: the harmonics of a low voice stand apart
HOP = 128  # 16 ms
LOWEST_HZ = 150.0  # below, rooms hum and telephones are deaf
BANDS_PER_OCTAVE = 24
BANDS = 108  # up to 3.4 kHz
_FLOOR_DB = 35.0  # below the loudest; a level that noise of 10 dB drowns is not compared
_BESIDE = 8.0  # bands: of a third of an octave either way

_PEAK_DB = 4.0  # above its neighbours
_PEAKS_A_S = 30
_FOLLOWING = 6  # peaks that each is paired with
_LONGEST_PAIR = 64  # frames, about a second

STEPS = 64
PITCHES = BANDS // 2  # a semitone each
_SPEECH_DB = (8.0, 14.0, 20.0)  # below the loud frames
_SLOW = 2.5  # steps
_FEWEST_FRAMES = 20  # 0.3 s: less has no pattern of its own
_HASHED_S = 120.0  # a call of an hour is known by two minutes of it


@dataclass(frozen=True, eq=False)  # known by identity, so that what is compared is remembered
class Fingerprint:
    """Of one clip.

    `landmarks` and `times`: (n,) each pair of peaks and the frame that it begins in. `patterns`: (3, steps,
    pitches), float16 to keep a corpus in memory.
    """

    landmarks: NDArray[np.int64]
    times: NDArray[np.int64]
    patterns: NDArray[np.float16]


def fingerprint(clip: Clip) -> Fingerprint | None:
    """The clip's fingerprint; None where it cannot be read, or is too short or silent to have one."""
    try:
        state = clip.path.stat()
    except OSError:
        return None
    return _remembered(clip.path, clip.start_s, clip.end_s, state.st_size, state.st_mtime_ns)


# The folds of a cross-validation hold the same clips, so each is read for the first fold alone.
@lru_cache(maxsize=2**15)
def _remembered(
    path: Path, start_s: float | None, end_s: float | None, size: int, modified_ns: int
) -> Fingerprint | None:
    try:
        sound = audio.decode(path)
    except AudioError:
        return None
    start = round((start_s or 0.0) * sound.sample_rate)
    stop = None if end_s is None else round(end_s * sound.sample_rate)
    part = sound.samples[start:stop][: round(_HASHED_S * sound.sample_rate)]
    return of_samples(part, sound.sample_rate)


def of_samples(samples: NDArray[np.float32], sample_rate: int) -> Fingerprint | None:
    """The fingerprint of samples (N,) at a rate in Hz; None where there is too little to tell it by."""
    heard = np.asarray(soxr.resample(samples, sample_rate, RATE_HZ, quality="LQ"), np.float32)
    if len(heard) < _FEWEST_FRAMES * HOP or not np.abs(heard).max() > 0:
        return None
    power = _power(heard)
    map_db = _contrast(power)
    landmarks, times = _landmarks(map_db)
    return Fingerprint(landmarks, times, _patterns(map_db, power))


def _power(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """(frames, bands), of a logarithmic frequency axis."""
    padded = np.pad(samples, FRAME // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP] * _window()
    spectrum = np.abs(np.fft.rfft(frames, axis=1)).astype(np.float32) ** 2
    power: NDArray[np.float32] = spectrum @ _bank()
    return power


def _contrast(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """(frames, bands) in dB, each band less the bands beside it."""
    level_db = 10 * np.log10(power + 1e-12)
    level_db = np.maximum(level_db, np.percentile(level_db.max(1), 95) - _FLOOR_DB).astype(np.float32)
    contrast: NDArray[np.float32] = level_db - level_db @ _smoothing(BANDS, _BESIDE)
    return contrast


def _landmarks(map_db: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    highest = _running_maximum(_running_maximum(map_db, 4, axis=0), 5, axis=1)
    time, band = np.nonzero((map_db == highest) & (map_db > _PEAK_DB))
    most = int(_PEAKS_A_S * len(map_db) * HOP / RATE_HZ) + 1
    kept = np.sort(np.argsort(-map_db[time, band], kind="stable")[:most])
    time, band = time[kept], band[kept]
    landmarks, times = [], []
    for following in range(1, _FOLLOWING + 1):
        apart = time[following:] - time[:-following]
        near = (apart > 0) & (apart < _LONGEST_PAIR)
        pair = (band[:-following] * BANDS + band[following:]) * _LONGEST_PAIR + apart
        landmarks.append(pair[near])
        times.append(time[:-following][near])
    return np.concatenate(landmarks), np.concatenate(times)


def _running_maximum(values: NDArray[np.float32], beside: int, axis: int) -> NDArray[np.float32]:
    """The greatest within so many places to either side."""
    width = [(0, 0), (0, 0)]
    width[axis] = (beside, beside)
    greatest = np.moveaxis(np.pad(values, width, constant_values=-np.inf), axis, 0)
    covered = 1  # doubled, until the last step overlaps
    while covered < 2 * beside + 1:
        step = min(covered, 2 * beside + 1 - covered)
        greatest = np.maximum(greatest[:-step], greatest[step:])
        covered += step
    return np.moveaxis(greatest, 0, axis)


def _patterns(map_db: NDArray[np.float32], power: NDArray[np.float32]) -> NDArray[np.float16]:
    pitches = map_db.reshape(len(map_db), PITCHES, 2).mean(2)
    loud = power.sum(1)
    loud = np.convolve(np.maximum(loud - np.percentile(loud, 10), 0), np.ones(3) / 3, "same")
    patterns = np.empty((len(_SPEECH_DB), STEPS, PITCHES), np.float16)
    for number, below_db in enumerate(_SPEECH_DB):
        speech = np.flatnonzero(loud > np.percentile(loud, 95) * 10 ** (-below_db / 10))
        first, last = (speech[0], speech[-1] + 1) if len(speech) else (0, len(loud))
        if last - first < _FEWEST_FRAMES:
            first, last = 0, len(loud)
        stepped = _steps(len(map_db), int(first), int(last)) @ pitches
        quick = stepped - _smoothing(STEPS, _SLOW).T @ stepped
        patterns[number] = quick / max(float(np.linalg.norm(quick)), 1e-6)
    return patterns


def _steps(frames: int, first: int, last: int) -> NDArray[np.float32]:
    """(steps, frames): weights of the frames in each of the steps between two frames."""
    width = (last - first) / STEPS
    centres = first + (np.arange(STEPS) + 0.5) * width - 0.5
    weights = np.maximum(1 - np.abs(centres[:, None] - np.arange(frames)) / max(width, 1.0), 0)
    return np.asarray(weights / np.maximum(weights.sum(1, keepdims=True), 1e-9), np.float32)


@lru_cache(maxsize=1)
def _window() -> NDArray[np.float32]:
    return np.hanning(FRAME + 1)[:-1].astype(np.float32)


@lru_cache(maxsize=1)
def _bank() -> NDArray[np.float32]:
    """(FFT bins, bands): triangles about the bands' centres, at least a bin wide."""
    centres_hz = LOWEST_HZ * 2 ** (np.arange(BANDS) / BANDS_PER_OCTAVE)
    bins_hz = np.arange(FRAME // 2 + 1) * RATE_HZ / FRAME
    half_hz = np.maximum(centres_hz * (2 ** (1 / BANDS_PER_OCTAVE) - 1), RATE_HZ / FRAME)
    weights = np.maximum(1 - np.abs(bins_hz[:, None] - centres_hz) / half_hz, 0)
    return np.asarray(weights / weights.sum(0), np.float32)


@lru_cache(maxsize=2)
def _smoothing(size: int, sigma: float) -> NDArray[np.float32]:
    """(size, size): a Gaussian about each place, of sum 1 within the edges."""
    apart = np.arange(size)[:, None] - np.arange(size)
    weights = np.exp(-0.5 * (apart / sigma) ** 2)
    return np.asarray(weights / weights.sum(0), np.float32)
