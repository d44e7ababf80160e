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

import io
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
    count = max(1, round(seconds * sample_rate))  # no prime number of samples, for a fast transform
    count -= count % 80 if count > 800 else 0
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
    limited: NDArray[np.float32] = np.clip(samples, -0.99, 0.99).astype(np.float32)
    return limited


def _write(path: Path, samples: NDArray[np.float32], sample_rate: int) -> None:
    """Write by way of memory: libsndfile waits for the disk after each file, at 5 ms apiece."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    soundfile.write(content, samples, sample_rate, format=path.suffix.lstrip("."))
    path.write_bytes(content.getvalue())


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


_EMODB_LETTERS = {
    "neutral": "N",
    "happy": "F",
    "sad": "T",
    "angry": "W",
    "fearful": "A",
    "disgust": "E",
    "boredom": "L",
}
_EMODB_SPEAKERS = {
    **{"03": False, "08": True, "09": True, "10": False, "11": False},
    **{"12": False, "13": True, "14": True, "15": False, "16": True},
}
_EMODB_TEXTS = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")


def emodb(
    dir: Path,
    speakers: int = 4,
    clips_per_emotion: int = 2,
    seconds: float = 1.0,
    suffix: str = ".wav",
    *,
    seed: int = 0,
    sample_rate: int = SAMPLE_RATE_HZ,
    emotions: Sequence[str] = tuple(_EMODB_LETTERS),
) -> Path:
    """EMO-DB: the first `speakers` of its ten, up to 20 clips an emotion (ten texts, versions a and b)."""
    for index, (speaker, female) in enumerate(islice(_EMODB_SPEAKERS.items(), speakers)):
        for emotion in emotions:
            for version, text in islice(product("ab", _EMODB_TEXTS), clips_per_emotion):
                path = Path(dir, "wav", f"{speaker}{text}{_EMODB_LETTERS[emotion]}{version}{suffix}")
                _say(path, emotion, index, female, seconds=seconds, seed=seed, sample_rate=sample_rate)
    return Path(dir)


_AESDD_FOLDERS = {
    "angry": "anger",
    "disgust": "disgust",
    "fearful": "fear",
    "happy": "happiness",
    "sad": "sadness",
}


def aesdd(
    dir: Path,
    speakers: int = 4,
    clips_per_emotion: int = 2,
    seconds: float = 1.0,
    suffix: str = ".wav",
    *,
    seed: int = 0,
    sample_rate: int = SAMPLE_RATE_HZ,
    emotions: Sequence[str] = tuple(_AESDD_FOLDERS),
) -> Path:
    """AESDD: speakers 1 to `speakers` of six, up to 20 clips an emotion."""
    for speaker, emotion, number in product(
        range(1, speakers + 1), emotions, range(1, min(clips_per_emotion, 20) + 1)
    ):
        folder = _AESDD_FOLDERS[emotion]
        path = Path(dir, folder, f"{folder[0]}{number:02d} ({speaker}){suffix}")
        _say(path, emotion, speaker, speaker % 2 == 0, seconds=seconds, seed=seed, sample_rate=sample_rate)
    return Path(dir)


_TESS_CODES = {
    "angry": "angry",
    "disgust": "disgust",
    "fearful": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "surprised": "ps",
    "sad": "sad",
}
_TESS_WORDS = ("back", "bar", "base", "bath", "bean", "beg", "bite", "boat", "bone", "book")


def tess(
    dir: Path,
    speakers: int = 2,
    clips_per_emotion: int = 2,
    seconds: float = 1.0,
    suffix: str = ".wav",
    *,
    seed: int = 0,
    sample_rate: int = SAMPLE_RATE_HZ,
    emotions: Sequence[str] = tuple(_TESS_CODES),
) -> Path:
    """TESS: one or both talkers, up to 10 clips an emotion."""
    for index, talker in enumerate(("OAF", "YAF")[:speakers]):
        for emotion, word in product(emotions, _TESS_WORDS[:clips_per_emotion]):
            code = _TESS_CODES[emotion]
            folder = f"{talker}_Pleasant_surprise" if code == "ps" else f"{talker}_{code}"
            path = Path(dir, folder, f"{talker}_{word}_{code}{suffix}")
            _say(path, emotion, index, True, seconds=seconds, seed=seed, sample_rate=sample_rate)
    return Path(dir)


_CREMA_D_CODES = {
    "angry": "ANG",
    "disgust": "DIS",
    "fearful": "FEA",
    "happy": "HAP",
    "neutral": "NEU",
    "sad": "SAD",
}
_CREMA_D_SENTENCES = ("IEO", "TIE", "IOM", "IWW", "TAI", "MTI", "IWL", "ITH", "DFA", "ITS", "TSI", "WSI")
_CREMA_D_WOMEN = (1002, 1003, 1004, 1006, 1007, 1008, 1009, 1010)


def crema_d(
    dir: Path,
    speakers: int = 4,
    clips_per_emotion: int = 2,
    seconds: float = 1.0,
    suffix: str = ".wav",
    *,
    seed: int = 0,
    sample_rate: int = SAMPLE_RATE_HZ,
    emotions: Sequence[str] = tuple(_CREMA_D_CODES),
) -> Path:
    """CREMA-D: actors 1001 to 1000 + `speakers`, at most 10; up to 14 clips an emotion (neutral 12)."""
    for actor, emotion in product(range(1001, 1001 + min(speakers, 10)), emotions):
        variants = [
            (sentence, level)
            for sentence in _CREMA_D_SENTENCES
            for level in (("LO", "MD", "HI") if sentence == "IEO" and emotion != "neutral" else ("XX",))
        ]
        for sentence, level in variants[:clips_per_emotion]:
            name = f"{actor}_{sentence}_{_CREMA_D_CODES[emotion]}_{level}{suffix}"
            path = Path(dir, "AudioWAV", name)
            female = actor in _CREMA_D_WOMEN
            _say(path, emotion, actor, female, seconds=seconds, seed=seed, sample_rate=sample_rate)
    return Path(dir)


_SAVEE_CODES = {
    "angry": "a",
    "disgust": "d",
    "fearful": "f",
    "happy": "h",
    "neutral": "n",
    "sad": "sa",
    "surprised": "su",
}


def savee(
    dir: Path,
    speakers: int = 4,
    clips_per_emotion: int = 2,
    seconds: float = 1.0,
    suffix: str = ".wav",
    *,
    seed: int = 0,
    sample_rate: int = SAMPLE_RATE_HZ,
    emotions: Sequence[str] = tuple(_SAVEE_CODES),
) -> Path:
    """SAVEE: the first `speakers` of DC, JE, JK, KL; up to 15 clips an emotion (neutral 30)."""
    for index, talker in enumerate(("DC", "JE", "JK", "KL")[:speakers]):
        for emotion in emotions:
            limit = min(clips_per_emotion, 30 if emotion == "neutral" else 15)
            for number in range(1, limit + 1):
                path = Path(dir, "AudioData", talker, f"{_SAVEE_CODES[emotion]}{number:02d}{suffix}")
                _say(path, emotion, index, False, seconds=seconds, seed=seed, sample_rate=sample_rate)
    return Path(dir)


def folder(
    dir: Path,
    speakers: Sequence[str] = ("anna", "ben"),
    clips_per_emotion: int = 2,
    seconds: float = 1.0,
    suffix: str = ".wav",
    *,
    seed: int = 0,
    sample_rate: int = SAMPLE_RATE_HZ,
    emotions: Sequence[str] = ("neutral", "happy", "sad", "angry"),
) -> Path:
    """A user's folder: DIR/emotion/speaker/file; without speakers, DIR/emotion/file."""
    for emotion in emotions:
        for index, speaker in enumerate(speakers or ("",)):
            for number in range(1, clips_per_emotion + 1):
                path = Path(dir, emotion, speaker, f"{speaker or 'clip'}{number}_{emotion}{suffix}")
                _say(
                    path, emotion, index, bool(index % 2), seconds=seconds, seed=seed, sample_rate=sample_rate
                )
    return Path(dir)
