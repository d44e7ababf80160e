"""Small synthetic corpora in the real layouts, with the real grammar of file names.

Each function writes a corpus into a folder and returns the folder, so that
`read(f"ravdess:{fabricate.ravdess(tmp_path)}")` works. The sounds are speech-like: a sawtooth voice
with syllables and formants, whose pitch, melody, level, rate and spectral slope follow the emotion
and whose register and formants follow the speaker, so that a classifier learns them. Equal
arguments give equal bytes; no two names give the same sound.

    ravdess(dir)      Audio_Speech_Actors_01-24/Actor_01/03-01-01-01-01-01-01.wav
    emodb(dir)        wav/03a01Wa.wav
    aesdd(dir)        anger/a01 (1).wav
    tess(dir)         OAF_angry/OAF_back_angry.wav
    crema_d(dir)      AudioWAV/1001_DFA_ANG_XX.wav
    savee(dir)        AudioData/DC/a01.wav
    folder(dir)       happy/anna/1.wav
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from itertools import islice, product
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000

# pitch ratio, melody in octaves, level in dB, spectral slope in dB an octave, syllables a second
VOICES: dict[str, tuple[float, float, float, float, float]] = {
    "neutral": (1.00, 0.05, -22.0, -9.0, 4.0),
    "calm": (0.90, 0.08, -27.0, -14.0, 3.0),
    "happy": (1.55, 0.45, -16.0, -5.0, 5.5),
    "sad": (0.80, 0.10, -32.0, -17.0, 2.2),
    "angry": (1.35, 0.20, -9.0, -1.0, 5.0),
    "fearful": (1.90, 0.15, -20.0, -8.0, 7.0),
    "disgust": (0.70, 0.25, -18.0, -6.0, 2.8),
    "surprised": (1.75, 0.80, -14.0, -4.0, 3.5),
    "boredom": (0.85, 0.02, -25.0, -12.0, 1.8),
}
_FORMANTS_HZ = np.array([[730, 1090, 2440], [270, 2290, 3010], [570, 840, 2410], [530, 1840, 2480]])


def generator(seed: int, name: str) -> np.random.Generator:
    """A generator of its own for each name."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def voice(
    emotion: str,
    speaker: int,
    female: bool,
    rng: np.random.Generator,
    *,
    seconds: float = 1.0,
    sample_rate: int = SAMPLE_RATE_HZ,
) -> NDArray[np.float32]:
    """One utterance: samples (round(seconds * sample_rate),) float32 within -1 and 1."""
    ratio, melody, level_db, slope_db, rate = VOICES[emotion]
    jitter = rng.normal(1.0, 0.04, size=3)
    register_hz = (205.0 if female else 115.0) * (1.0 + 0.02 * (speaker % 7 - 3))
    count = max(1, round(seconds * sample_rate))
    time_s = np.arange(count) / sample_rate
    syllable = np.sin(np.pi * rate * jitter[0] * time_s + rng.uniform(0, np.pi))
    pitch_hz = register_hz * ratio * jitter[1] * np.exp2(melody * np.sin(2 * np.pi * 0.7 * rate * time_s / 2))
    phase = np.cumsum(pitch_hz) / sample_rate + rng.uniform()
    source = 2.0 * (phase % 1.0) - 1.0 + 0.02 * rng.standard_normal(count)
    spectrum = np.fft.rfft(source)
    frequency_hz = np.fft.rfftfreq(count, 1.0 / sample_rate)
    formants_hz = _FORMANTS_HZ[rng.integers(len(_FORMANTS_HZ))] * (1.15 if female else 1.0)
    formants_hz = formants_hz * (1.0 + 0.01 * (speaker % 5 - 2))
    tract = sum(1.0 / (1.0 + ((frequency_hz - f) / 120.0) ** 2) for f in formants_hz) + 0.05
    octaves = np.log2(np.maximum(frequency_hz, 100.0) / 500.0)
    spectrum *= tract * np.power(10.0, (slope_db + 6.0) * octaves / 20.0)
    samples = np.fft.irfft(spectrum, count) * (0.1 + syllable**2)
    rms = float(np.sqrt(np.mean(samples**2))) or 1.0
    samples *= 10.0 ** ((level_db + rng.normal(0.0, 1.0)) / 20.0) / rms
    return np.clip(samples, -0.99, 0.99).astype(np.float32)


def _write(path: Path, samples: NDArray[np.float32], sample_rate: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, sample_rate)


def _say(
    path: Path,
    emotion: str,
    speaker: int,
    female: bool,
    *,
    seconds: float,
    seed: int,
    sample_rate: int,
) -> None:
    """Write one utterance whose length is within a tenth of what was asked for."""
    rng = generator(seed, path.stem + path.parent.name)
    length_s = seconds * rng.uniform(0.9, 1.1)
    _write(path, voice(emotion, speaker, female, rng, seconds=length_s, sample_rate=sample_rate), sample_rate)


_RAVDESS_EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")


def ravdess(
    dir: Path,
    speakers: int | Sequence[int] = 4,
    channels: Iterable[str] = ("speech", "song"),
    clips_per_emotion: int = 2,
    seconds: float = 1.0,
    suffix: str = ".wav",
    *,
    seed: int = 0,
    sample_rate: int = SAMPLE_RATE_HZ,
    emotions: Sequence[str] = _RAVDESS_EMOTIONS,
) -> Path:
    """RAVDESS: actors 1 to `speakers` (or those listed), up to 8 clips an emotion (neutral 4)."""
    actors = range(1, speakers + 1) if isinstance(speakers, int) else speakers
    for channel, actor, emotion in product(channels, actors, emotions):
        sung = channel == "song"
        if sung and (emotion in ("disgust", "surprised") or actor == 18):
            continue
        code = _RAVDESS_EMOTIONS.index(emotion) + 1
        variants = product((1, 2), (1, 2), (1,) if emotion == "neutral" else (1, 2))
        for repetition, statement, intensity in islice(variants, clips_per_emotion):
            codes = (3, 2 if sung else 1, code, intensity, statement, repetition, actor)
            name = "-".join(f"{number:02d}" for number in codes)
            folder = "Audio_Song_Actors_01-24" if sung else "Audio_Speech_Actors_01-24"
            path = Path(dir, folder, f"Actor_{actor:02d}", name + suffix)
            _say(path, emotion, actor, actor % 2 == 0, seconds=seconds, seed=seed, sample_rate=sample_rate)
    return Path(dir)
