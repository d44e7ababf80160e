"""What a protocol is, and the one function that makes folds from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from vocemo.errors import CorpusError, UsageError
from vocemo.lab.corpora.clip import Clip, Manifest
from vocemo.lab.registry import Registry
from vocemo.lab.splits.fold import Fold, speaker_is_known


@dataclass(frozen=True)
class Protocol:
    """A named way to divide a corpus.

    `leaky`: its figures must carry the word wherever they stand. `speaker_independent`: it claims
    that no test speaker is in training or validation, and `enforce` holds it to that. A protocol
    that is neither (`as-given`) lets the audit decide for each fold. `holds_out`: it keeps clips from
    training, to validate and test with. `copies`: it divides augmented copies as if they were recordings.
    """

    name: str
    summary: str
    leaky: bool
    speaker_independent: bool
    make: Callable[[Manifest, int], list[Fold]]
    holds_out: bool = True
    copies: bool = False


PROTOCOLS: Registry[Protocol] = Registry("protocol")


def protocol(
    name: str,
    summary: str,
    *,
    leaky: bool = False,
    speaker_independent: bool = False,
    holds_out: bool = True,
    copies: bool = False,
) -> Callable[[Callable[[Manifest, int], list[Fold]]], Callable[[Manifest, int], list[Fold]]]:
    """A decorator that files a function (manifest, seed) -> folds as a protocol."""

    def file(make: Callable[[Manifest, int], list[Fold]]) -> Callable[[Manifest, int], list[Fold]]:
        PROTOCOLS.add(name, Protocol(name, summary, leaky, speaker_independent, make, holds_out, copies))
        return make

    return file


def folds(manifest: Manifest, protocol: str, seed: int = 0, pool: int = 0) -> list[Fold]:
    """The folds of a corpus under a protocol.

    pool: kept variants of a clip; of account only to a protocol that divides them as if they were recordings.

    The same clips, protocol and seed give the same folds, whatever the order of the manifest
    and wherever the corpus lies on the disk.

    Raises: UnknownNameError for a protocol that does not exist; UsageError where the corpus is not
    one that the protocol can divide; CorpusError for a clip that is there twice.
    """
    chosen = PROTOCOLS[protocol]
    if not len(manifest):
        raise CorpusError(f"protocol {protocol} was given no clips at all")
    _refuse_repeated(manifest)
    ordered = sorted(manifest, key=order)
    if chosen.copies:
        ordered = [replace(clip, variant=number) for clip in ordered for number in range(pool + 1)]
    made = chosen.make(Manifest(tuple(ordered)), seed)
    if chosen.holds_out:
        for fold in made:
            _refuse_empty(fold)
    return made


def order(clip: Clip) -> tuple[str, ...]:
    """A sort key that depends on the recording's name, not on the folder that the corpus lies in."""
    part = "" if clip.start_s is None else f"{clip.start_s:012.4f}"
    return (clip.corpus, clip.speaker, clip.channel, clip.emotion, clip.path.name, part, clip.key)


def need_speakers(manifest: Manifest, protocol: str, at_least: int) -> tuple[str, ...]:
    """The manifest's speakers in order; UsageError where they are unknown or too few."""
    nameless = [c for c in manifest if not speaker_is_known(c)]
    if nameless:
        raise UsageError(
            f"protocol {protocol} divides by speaker, but {len(nameless)} of {len(manifest)} clips do not "
            f"say who speaks (first: {nameless[0].path}); name them (column 'speaker' of table:FILE.csv), "
            "or use random, which leaks"
        )
    if len(manifest.speakers) < at_least:
        raise UsageError(
            f"protocol {protocol} needs {at_least} speakers or more, but {_named(manifest.corpora)} has "
            f"{len(manifest.speakers)}: {_named(manifest.speakers)}"
        )
    return manifest.speakers


def _refuse_repeated(manifest: Manifest) -> None:
    key, times = Counter(c.key for c in manifest).most_common(1)[0]
    if times > 1:
        raise CorpusError(f"{key} is listed {times} times: was one corpus named twice?")


def _refuse_empty(fold: Fold) -> None:
    empty = [name for name, clips in fold.parts.items() if not clips]
    if empty:
        raise UsageError(
            f"protocol {fold.protocol}: too few clips, {' and '.join(empty)} would be empty: "
            f"{fold.describe()}"
        )


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(names)
