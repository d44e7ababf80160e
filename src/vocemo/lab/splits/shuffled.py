"""Random protocols: they put the same voices into training and test, and say so."""

from __future__ import annotations

import numpy as np

from vocemo.errors import UsageError
from vocemo.lab.corpora.clip import Clip, Manifest
from vocemo.lab.splits.fold import Fold, speaker_is_known, speakers
from vocemo.lab.splits.protocol import protocol
from vocemo.lab.splits.shares import by_emotion

# Ten clips are the fewest of which 10 % is one.
_FEWEST_CLIPS = 10


@protocol("random", "stratified random 80/20; a tenth of the 80 % stops training; LEAKS speakers", leaky=True)
def random_80_20(manifest: Manifest, seed: int) -> list[Fold]:
    """20 % of each emotion is the test; a tenth of the rest validates."""
    rng = np.random.default_rng(seed)
    test, rest = by_emotion(_enough(manifest, "random"), 0.2, rng)
    validation, train = by_emotion(rest, 0.1, rng)
    return [Fold("random", 0, train, validation, test, leaky=True)]


@protocol(
    "random-as-described",
    "stratified random 80/20; the 20 % both stops training and is reported; LEAKS twice over",
    leaky=True,
)
def random_as_described(manifest: Manifest, seed: int) -> list[Fold]:
    """The same 20 % as under `random` with this seed, as validation and test at once.

    For comparison with systems that were measured so, and for nothing else.
    """
    rng = np.random.default_rng(seed)
    test, train = by_emotion(_enough(manifest, "random-as-described"), 0.2, rng)
    return [Fold("random-as-described", 0, train, test, test, leaky=True)]


@protocol(
    "random-copies",
    "augmented copies made first, then 80/20 of them as random-as-described; LEAKS three times over",
    leaky=True,
    copies=True,
)
def random_copies(manifest: Manifest, seed: int) -> list[Fold]:
    """20 % of each emotion's recordings and augmented copies together, as validation and test at once.

    Copies of one recording stand in training and in the test. For comparison with systems that augment before
    they split, and for nothing else.
    """
    rng = np.random.default_rng(seed)
    test, train = by_emotion(_enough(manifest, "random-copies"), 0.2, rng)
    return [Fold("random-copies", 0, train, test, test, leaky=True)]


@protocol(
    "random-70-20-10", "stratified random train/validation/test; LEAKS where speakers overlap", leaky=True
)
def random_70_20_10(manifest: Manifest, seed: int) -> list[Fold]:
    """10 % of each emotion is the test, 20 % validates. Leaky unless no speaker is in two parts."""
    clips = _enough(manifest, "random-70-20-10")
    rng = np.random.default_rng(seed)
    test, rest = by_emotion(clips, 0.1, rng)
    validation, train = by_emotion(rest, 0.2 * len(clips) / len(rest), rng)
    known = all(speaker_is_known(c) for c in clips)
    leaky = not known or bool(speakers(test) & (speakers(train) | speakers(validation)))
    return [Fold("random-70-20-10", 0, train, validation, test, leaky)]


def _enough(manifest: Manifest, name: str) -> tuple[Clip, ...]:
    if len(manifest) < _FEWEST_CLIPS:
        raise UsageError(
            f"protocol {name} needs {_FEWEST_CLIPS} clips or more, but was given {len(manifest)}"
        )
    return manifest.clips
