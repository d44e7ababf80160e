"""Augmented copies that somebody brings as files: known by name, and where sound can show it, by sound.

A name says so where it is another recording's name with words of augmentation before or behind it
(`a01.wav`, `a01_noise.wav`, `a01_pitch+2.wav`, `aug3-a01.wav`). A name alone proves nothing, so the samples
are compared: a copy that is louder, later, cut or noisier correlates with its original at some lag, as no two
recordings of speech do. One that was stretched or shifted in pitch does not; it remains a suspicion.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vocemo import audio
from vocemo.errors import AudioError
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.splits.fold import speaker_is_known

# What a copy is called by, and what stands beside such a word.
_WORDS = re.compile(
    "aug(mented|mentation)?|(white)?nois(e|y|ed)|wn|pitch(ed|shift|shifted)?|shift(ed)?|(time)?stretch(ed)?|speed|speedup"
    "|sped|slow(ed|er)?|fast(er)?|tempo|gain|louder|quieter|volume|reverb|echo|perturbed|vtlp|copy|variant"
)
_BESIDE = re.compile(
    "time|white|pink|brown|background|up|down|high|low|by|rate|snr|db|st|semitones?|x|v|n|p|s"
)

_WORD, _BESIDE_ONE, _NUMBER, _OTHER = "a word of augmentation", "what stands beside one", "a number", "other"

_RATE_HZ = 8_000
_HUM_BELOW_HZ = 70.0  # two rooms hum alike
# One voice that says one sentence twice in one emotion: 0.54 at most among RAVDESS's 719 pairs of takes, 0.13
# at the median. A clip and itself in white noise of 5 dB: 0.74 at least.
_SAME_ABOVE = 0.6


def root(stem: str) -> str:
    """The name that a recording's name is made from; itself where no word of augmentation is in it.

    >>> root("03-01-05-01-02-01-12_noise_15dB"), root("a01-pitch+2"), root("aug3_a01"), root("a01_2")
    ('03-01-05-01-02-01-12', 'a01', 'a01', 'a01_2')
    """
    pieces = re.split(r"([\s_.\-+()]+)", stem)
    names = pieces[::2]
    said = [_says(name) for name in names]
    end = len(names)
    while end > 1 and said[end - 1] != _OTHER:
        end -= 1
    if _WORD in said[end:]:  # of numbers before the first word nobody knows that they are not the recording's
        while said[end] == _NUMBER:
            end += 1
        return "".join(pieces[: 2 * end - 1])
    start = 0
    while start < len(names) - 1 and said[start] != _OTHER:
        start += 1
    if _WORD in said[:start]:
        while said[start - 1] == _NUMBER:
            start -= 1
        return "".join(pieces[2 * start :])
    return stem


def _says(name: str) -> str:
    letters = re.sub(r"[0-9]+", " ", name.lower()).split()
    if not letters:
        return _NUMBER
    if not all(_WORDS.fullmatch(word) or _BESIDE.fullmatch(word) for word in letters):
        return _OTHER
    return _WORD if any(_WORDS.fullmatch(word) for word in letters) else _BESIDE_ONE


def families(clips: Iterable[Clip]) -> list[tuple[Clip, ...]]:
    """Groups of clips whose names say that they are one recording and copies of it, of equal emotion."""
    named: dict[tuple[str, str], dict[str, Clip]] = defaultdict(dict)
    for clip in clips:
        named[root(clip.path.stem), clip.emotion][clip.key] = clip
    return [
        tuple(group.values())
        for (name, _), group in named.items()
        if len(group) > 1 and any(clip.path.stem != name for clip in group.values())
    ]


def may_be_one(one: Clip, other: Clip) -> bool:
    """Whether they can be one recording: of no two speakers of one corpus, and no two parts of one file."""
    told = speaker_is_known(one) and speaker_is_known(other) and one.corpus == other.corpus
    return one.path != other.path and not (told and one.speaker != other.speaker)


def sound_alike(one: Clip, other: Clip) -> bool:
    """Whether two clips hold the same sound, at whatever level and offset, noise added or not."""
    a, b = _heard(one), _heard(other)
    if a is None or b is None:
        return False
    length = 1 << (len(a) + len(b)).bit_length()
    product = np.fft.rfft(a, length) * np.conj(np.fft.rfft(b, length))
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return norm > 0 and float(np.abs(np.fft.irfft(product, length)).max()) / norm > _SAME_ABOVE


def pairs_apart(group: tuple[Clip, ...], parts: dict[str, list[str]]) -> list[tuple[Clip, Clip]]:
    """The pairs of a family that stand in different parts, and may be one recording."""
    return [(a, b) for a, b in combinations(group, 2) if parts[a.key] != parts[b.key] and may_be_one(a, b)]


@lru_cache(maxsize=512)
def _read(path: Path, start_s: float | None, end_s: float | None) -> NDArray[np.float32] | None:
    try:
        whole = audio.decode(path, _RATE_HZ).samples
    except AudioError:
        return None
    part = whole[round((start_s or 0) * _RATE_HZ) : None if end_s is None else round(end_s * _RATE_HZ)]
    if not len(part):
        return None
    spectrum = np.fft.rfft(part)
    spectrum[: round(_HUM_BELOW_HZ * len(part) / _RATE_HZ) + 1] = 0
    return np.fft.irfft(spectrum, len(part)).astype(np.float32)


def _heard(clip: Clip) -> NDArray[np.float32] | None:
    return _read(clip.path, clip.start_s, clip.end_s)
