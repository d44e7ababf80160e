"""Protocols for any corpus that names its speakers."""

from __future__ import annotations

import numpy as np

from vocemo.lab.corpora.clip import Manifest
from vocemo.lab.splits.fold import Fold
from vocemo.lab.splits.protocol import need_speakers, protocol
from vocemo.lab.splits.shares import hold_out, stratified

# Of the training speaker's sentences, where no second training speaker could validate.
_VALIDATION_SHARE = 0.2


@protocol("loso", "leave one speaker out: a fold for each speaker", speaker_independent=True)
def leave_one_speaker_out(manifest: Manifest, seed: int) -> list[Fold]:
    """Each speaker is the test once; the next speaker validates (after the last, the first).

    With two speakers, a share of the training speaker's sentences, drawn by the seed, validates.
    """
    names = need_speakers(manifest, "loso", at_least=2)
    folds = []
    for i, tested in enumerate(names):
        test = tuple(c for c in manifest if c.speaker == tested)
        rest = tuple(c for c in manifest if c.speaker != tested)
        if len(names) == 2:
            validation, train = hold_out(rest, _VALIDATION_SHARE, np.random.default_rng(seed))
        else:
            validating = names[(i + 1) % len(names)]
            validation = tuple(c for c in rest if c.speaker == validating)
            train = tuple(c for c in rest if c.speaker != validating)
        folds.append(Fold("loso", i, train, validation, test, leaky=False))
    return folds


@protocol(
    "speakers-70-20-10",
    "train 70 %, validation 20 %, test 10 % of the speakers (10 or more)",
    speaker_independent=True,
)
def speakers_70_20_10(manifest: Manifest, seed: int) -> list[Fold]:
    """One fold of whole speakers, drawn by the seed, each sex alike where it is known."""
    names = need_speakers(manifest, "speakers-70-20-10", at_least=10)
    sex = {c.speaker: c.sex for c in manifest}
    rng = np.random.default_rng(seed)
    tested, rest = stratified(names, 0.1, rng, sex.__getitem__)
    validating, training = stratified(rest, round(0.2 * len(names)) / len(rest), rng, sex.__getitem__)
    train, validation, test = (
        tuple(c for c in manifest if c.speaker in part) for part in (training, validating, tested)
    )
    return [Fold("speakers-70-20-10", 0, train, validation, test, leaky=False)]
