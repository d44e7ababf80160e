"""Fabricated answers to clips of speakers, for the tests beside."""

from __future__ import annotations

import numpy as np

from vocemo.lab.evaluate import Predictions, Subject

EMOTIONS = ("neutral", "happy", "sad", "angry")


def answered(right, speakers, targets, *, seed=None, fold=None, emotions=EMOTIONS, **described):
    """Answers that are right or wrong as told, a row a clip; `described` gives columns of the clips."""
    right, targets = np.asarray(right), np.asarray(targets)
    predicted = np.where(right, targets, (targets + 1) % len(emotions))
    rows = [
        Subject(f"{n}.wav", "c", f"c/{who}", **{name: column[n] for name, column in described.items()})
        for n, who in enumerate(speakers)
    ]
    none = np.zeros(len(rows), np.int64)
    return Predictions(
        emotions,
        tuple(rows),
        targets.astype(np.int64),
        0.7 * np.eye(len(emotions))[predicted] + 0.3 / len(emotions),
        none if fold is None else np.asarray(fold),
        none if seed is None else np.full(len(rows), seed),
    )


def equal_clips(generator, speakers, each, shift_sd=0.0, classes=4, shift=None):
    """(right, names, targets) of speakers with `each` clips an emotion; odds of right drawn a speaker."""
    own = generator.normal(0, shift_sd, speakers) if shift is None else np.asarray(shift)
    chance = 1 / (1 + np.exp(-(0.5 + own)))
    names = np.arange(speakers).repeat(classes * each)
    targets = np.tile(np.arange(classes).repeat(each), speakers)
    return generator.random(len(names)) < chance[names], names, targets
