"""Cross-validation over a few folds of whole speakers, for any corpus that names them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vocemo.lab.corpora.clip import Manifest
from vocemo.lab.splits.fold import Fold
from vocemo.lab.splits.protocol import need_speakers, protocol
from vocemo.lab.splits.shares import hold_out

FEWEST, MOST = 2, 10  # folds; beyond, `loso` leaves out speaker by speaker
_VALIDATION_SHARE = 0.2


def protocol_of(count: int) -> str:
    """The protocol's name for a number of folds.

    >>> protocol_of(5)
    'speaker-folds-5'
    """
    return f"speaker-folds-{count}"


def _divide(count: int) -> Callable[[Manifest, int], list[Fold]]:
    name = protocol_of(count)

    def speaker_folds(manifest: Manifest, seed: int) -> list[Fold]:
        """So many folds of whole speakers, drawn by the seed; a fold a speaker where there are fewer of them.

        Each sex is dealt out alike where it is known. A share of the other speakers, drawn by the seed,
        validates; of the sentences where one speaker alone is left to train.
        """
        names = need_speakers(manifest, name, at_least=2)
        sex = {c.speaker: c.sex or "" for c in manifest}
        shuffled = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
        dealt = sorted(shuffled, key=sex.__getitem__)
        folds = []
        for index in range(min(count, len(names))):
            tested = set(dealt[index :: min(count, len(names))])
            rest = tuple(c for c in manifest if c.speaker not in tested)
            validation, train = hold_out(rest, _VALIDATION_SHARE, np.random.default_rng([seed, index]))
            test = tuple(c for c in manifest if c.speaker in tested)
            folds.append(Fold(name, index, train, validation, test, leaky=False))
        return folds

    return speaker_folds


for _count in range(FEWEST, MOST + 1):
    protocol(
        protocol_of(_count),
        f"{_count} folds of whole speakers, each sex alike; fewer where there are fewer speakers",
        speaker_independent=True,
    )(_divide(_count))
