"""Sounds that are no speech, made by equation: what a recogniser of emotion must not be sure of.

Each kind is a function of a random generator that gives one sound; levels, pitches, rates and lengths differ
from sound to sound. They are for measuring alone: nothing is ever fitted to them.

    hiss (quiet noise), white, pink, brown, pulsed (noise that swells at the rate of syllables), hum, tone,
    chirp, clicks, dtmf, chords, melody, drums, engine, rain

>>> found = make("hum", 3, seed=0)
>>> len(found), found[0].dtype.name, bool(abs(found[0]).max() <= 1.0)
(3, 'float32', True)
>>> make("speech", 1, seed=0)
Traceback (most recent call last):
    ...
vocemo.errors.UnknownNameError: unknown kind of sound 'speech'; ...
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vocemo.errors import UnknownNameError, UsageError

RATE_HZ = 16_000
SHORTEST_S, LONGEST_S = 2.0, 6.0  # as long as acted utterances are
LOUDEST_DBFS, SOFTEST_DBFS = -9.0, -35.0  # of the mean square
HISS_DBFS = (-66.0, -55.0)  # a microphone in a quiet room: above what passes for silence

Sound = NDArray[np.float64]
Rng = np.random.Generator

# The frequencies of the keypad in Hz; ITU-T recommendation Q.23.
_DTMF_LOW_HZ, _DTMF_HIGH_HZ = (697.0, 770.0, 852.0, 941.0), (1209.0, 1336.0, 1477.0, 1633.0)
_MAJOR, _MINOR = (0, 4, 7), (0, 3, 7)  # semitones of a triad
_SCALE = (0, 2, 4, 5, 7, 9, 11, 12)  # the major scale's


def make(kind: str, count: int, seed: int) -> list[NDArray[np.float32]]:
    """Sounds of a kind, each (N,) float32 within -1 and 1 at RATE_HZ, N from 2 s to 6 s.

    Equal arguments give equal sounds, and another seed, kind or place in the list another one.

    Raises UnknownNameError for a kind that is none of KINDS, UsageError for a negative count.
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of sound", kind, KINDS)
    if count < 0:
        raise UsageError(f"{count} sounds of kind {kind}; there must be 0 or more")
    sounds = []
    for number in range(count):
        rng = np.random.default_rng([seed, zlib.crc32(kind.encode()), number])
        time_s = np.arange(round(rng.uniform(SHORTEST_S, LONGEST_S) * RATE_HZ)) / RATE_HZ
        raw = KINDS[kind](rng, time_s)
        span_db = HISS_DBFS if kind == "hiss" else (SOFTEST_DBFS, LOUDEST_DBFS)
        level = 10 ** (rng.uniform(*span_db) / 20) / np.sqrt(np.mean(np.square(raw)))
        sounds.append(np.clip(level * raw, -1.0, 1.0).astype(np.float32))
    return sounds


def _coloured(rng: Rng, count: int, slope: float) -> Sound:
    """Noise whose amplitude goes with frequency to the power of `slope`: 0 white, -1/2 pink, -1 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency_hz = np.maximum(np.fft.rfftfreq(count, 1 / RATE_HZ), 20.0)
    return np.asarray(np.fft.irfft(spectrum * frequency_hz**slope, count))


def _white(rng: Rng, time_s: Sound) -> Sound:
    return _coloured(rng, len(time_s), 0.0)


def _pink(rng: Rng, time_s: Sound) -> Sound:
    return _coloured(rng, len(time_s), -0.5)


def _brown(rng: Rng, time_s: Sound) -> Sound:
    return _coloured(rng, len(time_s), -1.0)


def _pulsed(rng: Rng, time_s: Sound) -> Sound:
    """Pink noise with a slow envelope of 2 to 7 Hz, where speech has its syllables."""
    envelope = np.maximum(0.0, np.sin(2 * np.pi * rng.uniform(2, 7) * time_s + rng.uniform(0, 6)))
    return _coloured(rng, len(time_s), -0.5) * (0.03 + envelope ** rng.uniform(0.5, 2))


def _hum(rng: Rng, time_s: Sound) -> Sound:
    """The mains, 50 or 60 Hz with its harmonics, above a little noise."""
    base_hz = float(rng.choice([50.0, 60.0]))
    sound = 0.01 * rng.standard_normal(len(time_s))
    for harmonic in range(1, 12):
        sound += rng.uniform(0, 1) / harmonic * np.sin(2 * np.pi * base_hz * harmonic * time_s)
    return sound


def _tone(rng: Rng, time_s: Sound) -> Sound:
    frequency_hz = float(np.exp(rng.uniform(np.log(100), np.log(5000))))
    return np.asarray(np.sin(2 * np.pi * frequency_hz * time_s) + 1e-3 * rng.standard_normal(len(time_s)))


def _chirp(rng: Rng, time_s: Sound) -> Sound:
    """Sweeps up or down, one after the other."""
    start_hz, end_hz = np.exp(rng.uniform(np.log(100), np.log(6000), 2))
    share = time_s * rng.uniform(0.3, 2) % 1.0
    frequency_hz = start_hz * (end_hz / start_hz) ** share
    return np.sin(2 * np.pi * np.cumsum(frequency_hz) / RATE_HZ)


def _clicks(rng: Rng, time_s: Sound) -> Sound:
    """A ratchet, a clock, a keyboard: short pulses, regular or not."""
    sound = 1e-4 * rng.standard_normal(len(time_s))
    gap_s = rng.uniform(0.03, 0.6)
    steps = gap_s * rng.uniform(1 - (jitter := rng.uniform(0, 0.8)), 1 + jitter, 400)
    decay = np.exp(-np.arange(200) / rng.uniform(5, 60))
    for start in (np.cumsum(steps) * RATE_HZ).astype(int):
        end = min(len(sound), start + len(decay))
        if start < end:
            sound[start:end] += (rng.standard_normal(len(decay)) * decay)[: end - start]
    sound[: len(decay)] += decay[: len(sound)]  # one at least
    return sound


def _dtmf(rng: Rng, time_s: Sound) -> Sound:
    """Keys of a telephone, each as long as the pause behind it."""
    sound = 1e-3 * rng.standard_normal(len(time_s))
    key = round(rng.uniform(0.07, 0.25) * RATE_HZ)
    for start in range(0, len(time_s), 2 * key):
        held = time_s[start : start + key]
        for frequency_hz in (rng.choice(_DTMF_LOW_HZ), rng.choice(_DTMF_HIGH_HZ)):
            sound[start : start + key] += np.sin(2 * np.pi * frequency_hz * held)
    return sound


def _note(rng: Rng, frequency_hz: float, time_s: Sound, brightness: float, decay: float) -> Sound:
    """A plucked or struck note: harmonics that fade, the higher the sooner."""
    note = np.zeros(len(time_s))
    for harmonic in range(1, 9):
        if harmonic * frequency_hz < RATE_HZ / 2:
            fading = np.exp(-time_s * decay * (1 + 0.3 * harmonic))
            note += (
                brightness**harmonic
                * fading
                * np.sin(2 * np.pi * harmonic * frequency_hz * time_s + rng.uniform(0, 6))
            )
    return note * np.minimum(1.0, time_s / 0.01)


def _chords(rng: Rng, time_s: Sound) -> Sound:
    sound = np.zeros(len(time_s))
    root_hz, brightness, decay = rng.uniform(100, 300), rng.uniform(0.3, 0.8), rng.uniform(0.3, 3)
    length = round(rng.uniform(0.4, 1.5) * RATE_HZ)
    for start in range(0, len(time_s), length):
        shift = int(rng.choice(_SCALE))
        for semitone in _MAJOR if rng.random() < 0.5 else _MINOR:
            part = time_s[start:] - time_s[start]
            frequency_hz = root_hz * 2 ** ((semitone + shift) / 12)
            sound[start:] += _note(rng, frequency_hz, part, brightness, decay)
    return sound


def _melody(rng: Rng, time_s: Sound) -> Sound:
    """One note after another of a scale, as a flute or a whistle plays it, with vibrato."""
    root_hz, brightness = rng.uniform(180, 700), rng.uniform(0.1, 0.7)
    length_s = rng.uniform(0.15, 0.6)
    steps = np.cumsum(rng.integers(-2, 3, int(LONGEST_S / 0.15) + 1))
    place = (time_s / length_s).astype(int)
    semitone = np.take(_SCALE, steps[place] % len(_SCALE))
    vibrato = 1 + rng.uniform(0, 0.01) * np.sin(2 * np.pi * rng.uniform(4, 7) * time_s)
    phase = 2 * np.pi * np.cumsum(root_hz * 2 ** (semitone / 12) * vibrato) / RATE_HZ
    within = time_s / length_s % 1.0
    envelope = np.minimum(1.0, within / 0.1) * np.minimum(1.0, (1 - within) / rng.uniform(0.1, 0.5))
    return np.asarray(
        envelope * np.sum([brightness**k * np.sin((k + 1) * phase) for k in range(6)], axis=0)
        + 1e-3 * rng.standard_normal(len(time_s))
    )


def _drums(rng: Rng, time_s: Sound) -> Sound:
    """A beat of a drum whose pitch falls, a snare of noise and a cymbal of high noise."""
    sound = np.zeros(len(time_s))
    beat = round(rng.uniform(0.2, 0.5) * RATE_HZ)
    high = np.diff(_white(rng, time_s), prepend=0.0)
    for number, start in enumerate(range(0, len(time_s), beat)):
        part = time_s[start:] - time_s[start]
        if number % 2 == 0:
            fall_hz = 50 + 100 * np.exp(-part * 30)
            sound[start:] += 2 * np.exp(-part * 8) * np.sin(2 * np.pi * np.cumsum(fall_hz) / RATE_HZ)
        else:
            sound[start:] += np.exp(-part * 15) * _white(rng, part)
        sound[start:] += 0.3 * np.exp(-part * 40) * high[start:]
    return sound


def _engine(rng: Rng, time_s: Sound) -> Sound:
    """Firing of cylinders, a train of pulses that wanders in speed, dull, above rumble."""
    speed_hz = rng.uniform(25, 120) * (1 + 0.1 * np.sin(2 * np.pi * rng.uniform(0.05, 0.6) * time_s))
    phase = np.cumsum(speed_hz) / RATE_HZ
    pulses = np.exp(-rng.uniform(3, 10) * (phase % 1.0)) * (1 + 0.3 * np.sin(np.pi * phase))
    rumble = _brown(rng, time_s)
    return np.asarray(pulses - pulses.mean() + rng.uniform(0.05, 0.5) * rumble / rumble.std())


def _rain(rng: Rng, time_s: Sound) -> Sound:
    """Very many drops, each a click, above pink noise."""
    drops = (rng.random(len(time_s)) < rng.uniform(0.002, 0.03)) * rng.exponential(1.0, len(time_s))
    sound = np.convolve(drops, np.exp(-np.arange(60) / 8) * np.cos(np.arange(60)), "same")
    floor = _pink(rng, time_s)
    return np.asarray(sound / sound.std() + rng.uniform(0.2, 1.0) * floor / floor.std())


KINDS: dict[str, Callable[[Rng, Sound], Sound]] = {
    "hiss": _white,
    "white": _white,
    "pink": _pink,
    "brown": _brown,
    "pulsed": _pulsed,
    "hum": _hum,
    "tone": _tone,
    "chirp": _chirp,
    "clicks": _clicks,
    "dtmf": _dtmf,
    "chords": _chords,
    "melody": _melody,
    "drums": _drums,
    "engine": _engine,
    "rain": _rain,
}
