"""The protocol for somebody who named none."""

from __future__ import annotations

from vocemo.lab.corpora.clip import Manifest
from vocemo.lab.splits.fold import speaker_is_known

_ENOUGH_FOR_SHARES = 10  # speakers; below, each is left out in turn


def strictest(manifest: Manifest) -> str:
    """A protocol on unseen speakers wherever the corpus knows who speaks; otherwise `random`, which leaks.

    RAVDESS speech has published folds; a corpus that says itself what each clip is for is taken at its word.
    """
    if all(clip.split for clip in manifest):
        return "as-given"
    if not all(speaker_is_known(clip) for clip in manifest) or len(manifest.speakers) < 2:
        return "random"
    if manifest.corpora == ("ravdess",) and any(clip.channel == "speech" for clip in manifest):
        return "emobox-6"
    return "speakers-70-20-10" if len(manifest.speakers) >= _ENOUGH_FOR_SHARES else "loso"
