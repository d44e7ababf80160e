"""The clips of several corpora that one matrix can use: those of the emotions that all of them have."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vocemo.emotions import in_order
from vocemo.errors import LeakError, UnknownNameError, UsageError
from vocemo.lab.corpora.clip import Clip, Manifest
from vocemo.lab.recipe import Recipe
from vocemo.lab.splits.fold import speakers

_NAMED = 6  # a message names so many speakers, and counts the rest


@dataclass(frozen=True)
class Part:
    """One corpus of a matrix: its clips of the shared emotions."""

    name: str  # in the matrix: the corpus's, with its place's where two have the same
    spec: str  # as given: "emodb:DATA/emodb"
    clips: tuple[Clip, ...]
    dropped: Mapping[str, int]  # emotion -> clips left out, since not all corpora or the recipe have it

    @property
    def speakers(self) -> int:
        """How many there are; 0 where a clip does not say who speaks."""
        own = Manifest(self.clips)
        return len(own.speakers) if own.speakers_known else 0


@dataclass(frozen=True)
class Gathered:
    """What a matrix is made of."""

    recipe: Recipe  # with outputs for the shared emotions alone
    parts: tuple[Part, ...]  # in the order given

    @property
    def emotions(self) -> tuple[str, ...]:
        """The shared emotions, in the recipe's order."""
        return self.recipe.emotions

    @property
    def remarks(self) -> tuple[str, ...]:
        """What cannot be measured, and why."""
        why = {0: "not every clip says who speaks", 1: "one speaker alone speaks in it"}
        return tuple(
            f"{part.name} cannot be tested on unseen speakers of its own: {why[part.speakers]}"
            for part in self.parts
            if part.speakers in why
        )


def gather(
    recipe: Recipe, given: Sequence[tuple[str, Manifest]], emotions: Sequence[str] | None = None
) -> Gathered:
    """Keep the clips of the emotions that the recipe and all corpora have, after the recipe's relabelling.

    given: each corpus as its spec, such as "emodb:DATA/emodb", and what was read there.
    emotions: which of the shared ones to use; None: all.

    Raises UsageError for fewer than two corpora or two emotions, or an emotion that a corpus lacks;
    UnknownNameError for one that the recipe lacks; LeakError where two corpora have speakers in common.

    >>> from vocemo.lab import recipe as recipes
    >>> def corpus(name, *emotions):
    ...     clips = (Clip(Path(f"{name}-{e}.wav"), name, e, f"{name}/ann") for e in emotions)
    ...     return (f"{name}:there", Manifest(tuple(clips)))
    >>> given = [corpus("a", "sad", "happy", "calm"), corpus("b", "happy", "sad")]
    >>> found = gather(recipes.load("mfcc-cnn"), given)
    >>> found.emotions, found.parts[0].dropped
    (('happy', 'sad'), {'calm': 1})
    """
    if len(given) < 2:
        raise UsageError(
            f"a matrix takes two corpora or more, but was given {len(given)}: name each by a --corpus of its "
            "own, such as --corpus emodb:DATA/emodb --corpus aesdd:DATA/aesdd"
        )
    names = _names([spec for spec, _ in given])
    manifests = [manifest.relabelled(recipe.relabel) for _, manifest in given]
    _refuse_shared_speakers(names, manifests)
    chosen = _chosen(recipe, dict(zip(names, manifests, strict=True)), emotions)
    parts = tuple(
        Part(
            name=name,
            spec=spec,
            clips=manifest.where(lambda clip: clip.emotion in chosen).clips,
            dropped=_left_out(manifest, chosen),
        )
        for name, (spec, _), manifest in zip(names, given, manifests, strict=True)
    )
    return Gathered(narrowed(recipe, chosen), parts)


def narrowed(recipe: Recipe, emotions: Sequence[str]) -> Recipe:
    """The recipe with outputs for some of its emotions alone."""
    relabel = {name: counts_as for name, counts_as in recipe.relabel.items() if counts_as in emotions}
    return dataclasses.replace(recipe, emotions=tuple(emotions), relabel=relabel)


def _chosen(
    recipe: Recipe, manifests: Mapping[str, Manifest], wanted: Sequence[str] | None
) -> tuple[str, ...]:
    """The emotions of the matrix in the recipe's order."""
    has = {name: set(manifest.emotions) for name, manifest in manifests.items()}
    for emotion in wanted or ():
        if emotion not in recipe.emotions:
            raise UnknownNameError(f"emotion of recipe {recipe.name}", emotion, recipe.emotions)
        lacking = [name for name, emotions in has.items() if emotion not in emotions]
        if lacking:
            shared = [e for e in recipe.emotions if all(e in emotions for emotions in has.values())]
            raise UsageError(
                f"emotion '{emotion}' has no clip in {' and '.join(lacking)}; all corpora have: "
                f"{', '.join(shared) or 'none'}"
            )
    shared = [
        e
        for e in recipe.emotions
        if (wanted is None or e in wanted) and all(e in emotions for emotions in has.values())
    ]
    if len(shared) < 2:
        told = "; ".join(f"{name}: {', '.join(in_order(emotions))}" for name, emotions in has.items())
        raise UsageError(
            f"a matrix needs two emotions or more that recipe {recipe.name} and all corpora share, and there "
            f"{'is' if len(shared) == 1 else 'are'} {', '.join(shared) or 'none'}. {told}"
        )
    return tuple(shared)


def _left_out(manifest: Manifest, chosen: Sequence[str]) -> dict[str, int]:
    counts = Counter(clip.emotion for clip in manifest if clip.emotion not in chosen)
    return {emotion: counts[emotion] for emotion in in_order(set(counts))}


def _names(specs: Iterable[str]) -> list[str]:
    """Each corpus's name; where two have the same, with the name of its place behind it."""
    corpora = [spec.partition(":")[::2] for spec in specs]
    heads = [head for head, _ in corpora]
    names = [
        head if heads.count(head) == 1 else f"{head}-{Path(place).resolve().stem}" for head, place in corpora
    ]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UsageError(f"--corpus: {twice[0]} is given twice; a matrix takes each corpus once")
    return names


def _refuse_shared_speakers(names: Sequence[str], manifests: Sequence[Manifest]) -> None:
    """A speaker of two corpora would be trained on in one and tested in the other."""
    known = [speakers(manifest.clips) for manifest in manifests]
    for first, own in enumerate(known):
        for second in range(first + 1, len(known)):
            shared = sorted(own & known[second])
            if shared:
                more = f" and {len(shared) - _NAMED} more" if len(shared) > _NAMED else ""
                raise LeakError(
                    f"{names[first]} and {names[second]} have {len(shared)} speakers in common "
                    f"({', '.join(shared[:_NAMED])}{more}): trained on one and tested on the other, these "
                    "would be known voices. Leave one of the two out, or give both as one corpus (ravdess "
                    "is both of its channels)"
                )
