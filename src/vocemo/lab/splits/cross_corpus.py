"""Train on all corpora but one, test on that one."""

from __future__ import annotations

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
    """A fold for each corpus, in order of name.

    The emotions are those that every corpus has, the same in every fold, so that the folds compare.
    A share of the speakers of each training corpus, drawn by the seed, validates.
    """
    corpora = sorted(manifest.corpora)
    if len(corpora) < 2:
        raise UsageError(f"protocol cross-corpus needs two corpora or more, but was given {corpora[0]} alone")
    of = {name: {c.emotion for c in manifest if c.corpus == name} for name in corpora}
    shared = set.intersection(*of.values())
    if len(shared) < 2:
        has = "; ".join(f"{name}: {', '.join(in_order(emotions))}" for name, emotions in of.items())
        raise UsageError(f"protocol cross-corpus needs two emotions that all corpora share. {has}")
    folds = []
    for i, tested in enumerate(corpora):
        clips = tuple(c for c in manifest if c.emotion in shared)
        test = tuple(c for c in clips if c.corpus == tested)
        # A table may hold other recordings of the tested corpus's speakers.
        rest = tuple(c for c in clips if c.corpus != tested and c.speaker not in speakers(test))
        if len(rest) < 2:
            raise UsageError(f"protocol cross-corpus: nothing is left to train on when {tested} is the test")
        validation, train = hold_out(rest, _VALIDATION_SHARE, np.random.default_rng(seed))
        folds.append(Fold("cross-corpus", i, train, validation, test, leaky=False))
    return folds
