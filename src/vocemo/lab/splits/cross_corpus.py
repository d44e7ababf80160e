"""Train on some corpora, test on others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vocemo.emotions import in_order
from vocemo.errors import UsageError
from vocemo.lab.corpora.clip import Manifest
from vocemo.lab.splits.fold import Fold, speakers
from vocemo.lab.splits.protocol import protocol
from vocemo.lab.splits.shares import hold_out

_VALIDATION_SHARE = 0.2


@protocol(
    "cross-corpus",
    "train on all corpora but one, test on that one, on the emotions that all share",
    speaker_independent=True,
)
def cross_corpus(manifest: Manifest, seed: int) -> list[Fold]:
    """A fold for each corpus, in order of name: it is the test, and all others train.

    The emotions are those that every corpus has, the same in every fold, so that the folds compare.
    A share of the speakers of each training corpus, drawn by the seed, validates.
    """
    return _folds(manifest, seed, "cross-corpus", lambda corpus, own: corpus == own)


@protocol(
    "one-corpus",
    "train on one corpus, test on all others, on the emotions that all share",
    speaker_independent=True,
)
def one_corpus(manifest: Manifest, seed: int) -> list[Fold]:
    """A fold for each corpus, in order of name: it alone trains, and all others are the test.

    Emotions and validation are those of `cross_corpus`.
    """
    return _folds(manifest, seed, "one-corpus", lambda corpus, own: corpus != own)


def _folds(manifest: Manifest, seed: int, name: str, tests: Callable[[str, str], bool]) -> list[Fold]:
    """A fold for each corpus; `tests` says of any corpus whether it is tested in the fold of a corpus."""
    corpora = sorted(manifest.corpora)
    if len(corpora) < 2:
        raise UsageError(f"protocol {name} needs two corpora or more, but was given {corpora[0]} alone")
    of = {corpus: {c.emotion for c in manifest if c.corpus == corpus} for corpus in corpora}
    shared = set.intersection(*of.values())
    if len(shared) < 2:
        has = "; ".join(f"{corpus}: {', '.join(in_order(emotions))}" for corpus, emotions in of.items())
        raise UsageError(f"protocol {name} needs two emotions that all corpora share. {has}")
    folds = []
    for i, own in enumerate(corpora):
        clips = tuple(c for c in manifest if c.emotion in shared)
        test = tuple(c for c in clips if tests(c.corpus, own))
        # A table may hold other recordings of the tested corpora's speakers.
        rest = tuple(c for c in clips if not tests(c.corpus, own) and c.speaker not in speakers(test))
        if len(rest) < 2:
            tested = " and ".join(dict.fromkeys(c.corpus for c in test))
            raise UsageError(f"protocol {name}: nothing is left to train on when {tested} is the test")
        validation, train = hold_out(rest, _VALIDATION_SHARE, np.random.default_rng(seed))
        folds.append(Fold(name, i, train, validation, test, leaky=False))
    return folds
