"""Protocols that draw nothing: every clip trains, or the corpus says itself what each clip is for."""

from __future__ import annotations

from dataclasses import replace

from vocemo.errors import UsageError
from vocemo.lab.corpora.clip import Clip, Manifest
from vocemo.lab.splits.audit import audit
from vocemo.lab.splits.fold import Fold
from vocemo.lab.splits.protocol import protocol


@protocol("all", "every clip trains; no validation, no test: for a model that ships", holds_out=False)
def all_clips(manifest: Manifest, seed: int) -> list[Fold]:
    """One fold in which every clip trains.

    Epochs, temperature and thresholds come from a cross-validation of the same recipe.
    """
    return [Fold("all", 0, manifest.clips, (), (), leaky=False)]


@protocol(
    "as-given", "the corpus's own column 'split' (train, validation, test); the audit says whether it leaks"
)
def as_given(manifest: Manifest, seed: int) -> list[Fold]:
    """One fold as the corpus's own splits say; leaky where the audit fails."""
    parts: dict[str, list[Clip]] = {"train": [], "validation": [], "test": []}
    for clip in manifest:
        if clip.split not in parts:
            what = f"split '{clip.split}'" if clip.split else "no split"
            raise UsageError(
                f"protocol as-given needs a split for every clip (column 'split' of table:FILE.csv): "
                f"{clip.key} has {what}. Valid: train, validation, test"
            )
        parts[clip.split].append(clip)
    empty = [name for name, clips in parts.items() if not clips]
    if empty:
        raise UsageError(f"protocol as-given: no clip has split {' or '.join(empty)}")
    train, validation, test = (tuple(clips) for clips in parts.values())
    fold = Fold("as-given", 0, train, validation, test, leaky=False)
    return [replace(fold, leaky=not audit(fold).passed)]
