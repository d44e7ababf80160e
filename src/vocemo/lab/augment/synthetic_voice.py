"""Voices that nobody has: pulses and breath behind formants that move from syllable to syllable.

They say nothing, and sound like talk in the next room. Made rather than recorded, they need no corpus beside
the one that is trained on, and none of its speakers is heard under another.

Source: the source-filter model, Fant (1960), "Acoustic Theory of Speech Production".
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vocemo import audio
from vocemo.lab.augment.transform import Samples

RATE_HZ = 16_000
LENGTH_S = 8.0
VOICES = 64  # different ones

_BLOCK = 512  # samples, 32 ms, by halves
_STEP = _BLOCK // 2
_PITCH_HZ = (85.0, 260.0)
_PITCH_SWAYS = 0.2  # octaves, the deviation of a voice's pitch around its own
_SWAYS_BELOW_HZ = 3.0
_SYLLABLE_S = (0.1, 0.26)
_LEVELS_DB = (-6.0, 0.0)
_PAUSES, _UNVOICED = 0.1, 0.2  # shares of the syllables
_BREATH, _HISS, _FLOOR = 0.05, 0.2, 0.02  # amplitudes, beside the pulses of a vowel
# Lowest and highest first to fourth formant of vowels in running speech, and their widths, in Hz.
_FORMANTS_HZ = ((280.0, 850.0), (850.0, 2_400.0), (2_200.0, 3_100.0), (3_200.0, 4_000.0))
_WIDTHS_HZ = (80.0, 110.0, 160.0, 250.0)
_HISS_HZ, _HISS_WIDTH_HZ = (2_500.0, 6_500.0), 1_500.0
_TILT_FROM_HZ = 600.0  # from here on the source falls by 6 dB an octave


@lru_cache(maxsize=VOICES)
def synthetic_voice(number: int, sample_rate: int) -> Samples:
    """Eight seconds of the voice of this number at a mean square of 1, (8 sample_rate,), read-only."""
    made = audio.resample(_spoken(np.random.default_rng([number, VOICES])), RATE_HZ, sample_rate)
    voice: Samples = (made / np.sqrt(np.mean(np.square(made, dtype=np.float64)))).astype(np.float32)
    voice.flags.writeable = False
    return voice


def _spoken(rng: np.random.Generator) -> Samples:
    length = round(LENGTH_S * RATE_HZ)
    blocks = length // _STEP + 1
    window = np.sqrt(
        np.hanning(_BLOCK + 1)[:-1]
    )  # before and behind the filter: squared, its halves add up to 1
    source, breath = _pulses(length + _BLOCK, rng), rng.standard_normal(length + _BLOCK)
    levels, filters, voiced = _syllables(blocks, rng)
    spoken = np.zeros(length + _BLOCK)
    for block in range(blocks):
        place = slice(block * _STEP, block * _STEP + _BLOCK)
        if spoken[place].shape != window.shape:
            break
        excitation = source[place] * voiced[block] + breath[place] * (1 - voiced[block] * (1 - _BREATH))
        spectrum = np.fft.rfft(excitation * window) * filters[block] * levels[block]
        spoken[place] += np.fft.irfft(spectrum, _BLOCK) * window
    return spoken[:length].astype(np.float32)


def _pulses(length: int, rng: np.random.Generator) -> NDArray[np.floating]:
    """A pulse a period, with a mean square of 1, whose pitch sways slowly."""
    low_hz, high_hz = np.log2(_PITCH_HZ)
    sway = _slow(length, rng) * _PITCH_SWAYS
    phase = np.cumsum(2 ** (rng.uniform(low_hz, high_hz) + sway)) / RATE_HZ
    pulses = np.diff(np.floor(phase), prepend=0.0)
    return np.asarray(pulses / np.sqrt(np.mean(np.square(pulses))))


def _slow(length: int, rng: np.random.Generator) -> NDArray[np.floating]:
    """Gaussian noise below 3 Hz, with a deviation of 1."""
    hz = np.fft.rfftfreq(length, 1 / RATE_HZ)
    heights = (hz > 0) & (hz <= _SWAYS_BELOW_HZ)
    noise = np.fft.irfft(heights * (rng.standard_normal(len(hz)) + 1j * rng.standard_normal(len(hz))), length)
    return np.asarray(noise / noise.std())


def _syllables(
    blocks: int, rng: np.random.Generator
) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.floating]]:
    """Levels (blocks,), filters (blocks, bins) and the voiced share (blocks,), from syllable to syllable."""
    hz = np.fft.rfftfreq(_BLOCK, 1 / RATE_HZ)
    # A longer or shorter vocal tract moves all formants of a voice together.
    tract = rng.uniform(0.9, 1.15)
    levels, voiced, hisses = np.zeros(blocks), np.ones(blocks), np.zeros(blocks)
    centres, targets = list[float](), list[list[float]]()
    first = 0
    while first < blocks:
        last = min(first + max(2, round(rng.uniform(*_SYLLABLE_S) * RATE_HZ / _STEP)), blocks)
        place = slice(first, last)
        centres.append((first + last - 1) / 2)
        targets.append([tract * rng.uniform(low, high) for low, high in _FORMANTS_HZ])
        hisses[place] = rng.uniform(*_HISS_HZ)
        arc = np.sin(np.pi * (np.arange(last - first) + 0.5) / (last - first))
        levels[place] = arc * 10 ** (rng.uniform(*_LEVELS_DB) / 20) * (rng.random() >= _PAUSES)
        voiced[place] = rng.random() >= _UNVOICED
        first = last
    vowels = 1 / (1 + hz / _TILT_FROM_HZ)[None] * np.ones((blocks, 1))
    for targets_hz, width_hz in zip(np.transpose(targets), _WIDTHS_HZ, strict=True):
        formant_hz = np.interp(np.arange(blocks), centres, targets_hz)  # from vowel to vowel
        vowels = vowels * _resonance(hz[None], formant_hz[:, None], width_hz)
    hiss = _resonance(hz[None], hisses[:, None], _HISS_WIDTH_HZ) * hz[None]
    filters = np.where(voiced[:, None] > 0, _even(vowels) + _FLOOR, _HISS * _even(hiss))
    return levels, filters, voiced


def _even(filters: NDArray[np.floating]) -> NDArray[np.floating]:
    """Filters that let as much power of a flat spectrum pass, (blocks, bins) -> (blocks, bins)."""
    return np.asarray(filters / np.sqrt(np.mean(np.square(filters), axis=1, keepdims=True)))


def _resonance(
    hz: NDArray[np.floating], centre_hz: NDArray[np.floating], width_hz: float
) -> NDArray[np.floating]:
    """The magnitude of a resonator of two poles, 1 at 0 Hz."""
    return np.asarray(centre_hz**2 / np.hypot(centre_hz**2 - hz**2, width_hz * hz))
