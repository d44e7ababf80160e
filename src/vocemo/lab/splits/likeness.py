"""Recordings that sound like one recording, whatever they are called.

By landmarks: the same pairs of peaks at one offset. By pattern: the same movement of the same harmonics at
another tempo or pitch. How alike two patterns must be depends on the clip: sung to one melody, all voices are
somewhat alike. So a clip's match is held against its other matches, by how far it stands out from them.

Thresholds are set on RAVDESS, EMO-DB and AESDD, where no pair of two speakers reaches them
(docs/protocols.md has what they find and miss).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vocemo.lab.corpora.clip import Clip
from vocemo.lab.splits.fingerprint import PITCHES, STEPS, Fingerprint, fingerprint

_SHARED_LEAST, _SHARED_SHARE = 24, 0.12  # landmarks at one offset: so many, and of the fewer ones of both
_SEMITONES = range(-4, 5)
# Correlation of patterns, and its distance from the other matches' median, in deviations as they would be if
# those were normal: measured at the 84th percentile, or at the 98th, which a second melody does not hide.
_LIKE, _APART_84 = 0.8, 4.5
_SOMEWHAT_LIKE, _APART_98 = 0.3, 10.0
_ENOUGH_OTHERS = 30  # to know that median by
_TIMES = 2**20  # more frames than two minutes have
_TESTED_AT_ONCE = 64


@dataclass(frozen=True)
class Alike:
    """Two clips that sound like one recording; `warped`: at another tempo or pitch."""

    tested: Clip
    other: Clip
    warped: bool


def sounding_alike(tested: Sequence[Clip], others: Sequence[Clip]) -> list[Alike]:
    """The pairs of a tested clip and another that sound like one recording.

    Clips of one speaker are not compared, nor those of a corpus that do not say who speaks: that they stand
    on both sides is a finding by itself, and two takes of one voice may be near copies.
    """
    asked = tuple((clip, found) for clip in tested if (found := fingerprint(clip)))
    known = tuple((clip, found) for clip in others if (found := fingerprint(clip)))
    return list(_alike(asked, known)) if asked and known else []


Known = Sequence[tuple[Clip, Fingerprint]]


# The seeds of a cross-validation share their folds.
@lru_cache(maxsize=64)
def _alike(
    asked: tuple[tuple[Clip, Fingerprint], ...], known: tuple[tuple[Clip, Fingerprint], ...]
) -> tuple[Alike, ...]:
    pairs = dict.fromkeys(_by_landmarks(asked, known), False)
    for emotion in dict.fromkeys(clip.emotion for clip, _ in asked):
        ours = [item for item in asked if item[0].emotion == emotion]
        theirs: Known = [item for item in known if item[0].emotion == emotion]
        # A copy is labelled as its original is; a small corpus has too few of one emotion to stand out from.
        theirs = theirs if len(theirs) > 2 * _ENOUGH_OTHERS else known
        for at in range(0, len(ours), _TESTED_AT_ONCE):
            for pair in _by_pattern(ours[at : at + _TESTED_AT_ONCE], theirs):
                pairs.setdefault(pair, True)
    return tuple(Alike(one, other, warped) for (one, other), warped in pairs.items())


def _comparable(tested: Clip, others: Known) -> NDArray[np.bool_]:
    return np.array([tested.speaker != clip.speaker and tested.path != clip.path for clip, _ in others])


def _by_landmarks(asked: Known, known: Known) -> list[tuple[Clip, Clip]]:
    counts = np.array([len(found.landmarks) for _, found in known])
    landmarks = np.concatenate([found.landmarks for _, found in known])
    times = np.concatenate([found.times for _, found in known])
    owners = np.repeat(np.arange(len(known)), counts)
    order = np.argsort(landmarks, kind="stable")
    landmarks, times, owners = landmarks[order], times[order], owners[order]
    pairs = []
    for clip, found in asked:
        first = np.searchsorted(landmarks, found.landmarks, "left")
        many = np.searchsorted(landmarks, found.landmarks, "right") - first
        mine = np.repeat(np.arange(len(many)), many)
        theirs = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many) + first[mine]
        offset = times[theirs] - found.times[mine] + _TIMES // 2
        place, shared = np.unique(owners[theirs] * _TIMES + offset, return_counts=True)
        # A copy that begins between two frames has its landmarks at two offsets.
        next_to = np.flatnonzero(np.diff(place) == 1)
        both = shared.copy()
        both[next_to] += shared[next_to + 1]
        most = np.zeros(len(known), np.int64)
        np.maximum.at(most, place // _TIMES, both)
        enough = (most >= _SHARED_LEAST) & (most >= _SHARED_SHARE * np.minimum(counts, len(found.landmarks)))
        pairs += [(clip, known[n][0]) for n in np.flatnonzero(enough & _comparable(clip, known)).tolist()]
    return pairs


def _by_pattern(asked: Known, known: Known) -> list[tuple[Clip, Clip]]:
    theirs = np.concatenate([found.patterns for _, found in known]).reshape(-1, STEPS * PITCHES)
    ours = np.concatenate([_at_pitches(found.patterns) for _, found in asked])
    scores = (ours @ theirs.astype(np.float32).T).reshape(
        len(asked), -1, len(known), len(theirs) // len(known)
    )
    best = scores.max((1, 3))
    pairs = []
    for (clip, _), row in zip(asked, best, strict=True):
        compared = np.flatnonzero(_comparable(clip, known))
        if len(compared):
            pairs += [(clip, known[n][0]) for n in compared[_stands_out(row[compared])].tolist()]
    return pairs


def _stands_out(scores: NDArray[np.float32]) -> NDArray[np.bool_]:
    if len(scores) < _ENOUGH_OTHERS:
        return np.zeros(len(scores), np.bool_)
    middle, one, two = np.percentile(scores, [50, 84.13, 97.72])
    apart = scores - middle
    like = (scores > _LIKE) & (apart > _APART_84 * (one - middle))
    somewhat = (scores > _SOMEWHAT_LIKE) & (apart > _APART_98 * (two - middle) / 2)
    return np.asarray(like | somewhat)


def _at_pitches(patterns: NDArray[np.float16]) -> NDArray[np.float32]:
    """(levels, steps, pitches) -> (levels * semitones, steps * pitches), each shifted and of norm 1."""
    shifted = np.zeros((len(_SEMITONES), *patterns.shape), np.float32)
    for number, up in enumerate(_SEMITONES):
        into = slice(max(up, 0), PITCHES + min(up, 0))
        out_of = slice(max(-up, 0), PITCHES + min(-up, 0))
        shifted[number, :, :, into] = patterns[:, :, out_of]
    flat = shifted.reshape(-1, STEPS * PITCHES)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6), np.float32)
