"""The published speaker-independent folds of RAVDESS speech.

Test and validation are speech. Song trains, but for the songs of the test and validation actors.
Clips of other corpora, where they are given beside RAVDESS, train in every fold.
"""

from __future__ import annotations

from vocemo.errors import UsageError
from vocemo.lab.corpora.clip import Clip, Manifest
from vocemo.lab.splits.fold import Fold
from vocemo.lab.splits.protocol import protocol

Actors = tuple[frozenset[int], ...]

# Ma et al., "EmoBox", Interspeech 2024.
EMOBOX_6: Actors = (
    frozenset({1, 11, 20, 21}),
    frozenset({4, 10, 12, 14}),
    frozenset({8, 9, 19, 23}),
    frozenset({3, 5, 7, 24}),
    frozenset({2, 15, 16, 18}),
    frozenset({6, 13, 17, 22}),
)

# Luna-Jimenez et al., Applied Sciences 12(1), 2022, doi:10.3390/app12010327.
LUNA_5: Actors = (
    frozenset({2, 5, 14, 15, 16}),
    frozenset({3, 6, 7, 13, 18}),
    frozenset({10, 11, 12, 19, 20}),
    frozenset({8, 17, 21, 23, 24}),
    frozenset({1, 4, 9, 22}),
)


@protocol(
    "emobox-6", "RAVDESS speech, the six folds of EmoBox: four test actors each", speaker_independent=True
)
def emobox_6(manifest: Manifest, seed: int) -> list[Fold]:
    """Six folds of four test actors; validation is the next fold's actors. The seed changes nothing."""
    return _by_actors("emobox-6", manifest, EMOBOX_6)


@protocol("luna-5", "RAVDESS speech, five folds of four or five test actors", speaker_independent=True)
def luna_5(manifest: Manifest, seed: int) -> list[Fold]:
    """Five folds of four or five test actors; validation is the next fold's. The seed changes nothing."""
    return _by_actors("luna-5", manifest, LUNA_5)


def _by_actors(name: str, manifest: Manifest, groups: Actors) -> list[Fold]:
    speech = [c for c in manifest if c.corpus == "ravdess" and c.channel == "speech"]
    if not speech:
        given = sorted({f"{c.corpus} {c.channel}" for c in manifest})
        raise UsageError(
            f"protocol {name} needs RAVDESS speech (ravdess:DIR or ravdess-speech:DIR), "
            f"but was given {', '.join(given)}"
        )
    folds = []
    for i, test_actors in enumerate(groups):
        validation_actors = groups[(i + 1) % len(groups)]
        held_out = {_speaker(actor) for actor in test_actors | validation_actors}
        fold = Fold(
            protocol=name,
            index=i,
            # Whatever the corpus: a table may hold other recordings of these actors.
            train=tuple(c for c in manifest if c.speaker not in held_out),
            validation=tuple(c for c in speech if _actor(c) in validation_actors),
            test=tuple(c for c in speech if _actor(c) in test_actors),
            leaky=False,
        )
        _need_actors(fold, {"test": test_actors, "validation": validation_actors}, speech)
        folds.append(fold)
    return folds


def _actor(clip: Clip) -> int:
    return int(clip.speaker.rpartition("/")[2])


def _speaker(actor: int) -> str:
    return f"ravdess/{actor:02d}"


def _need_actors(fold: Fold, held_out: dict[str, frozenset[int]], speech: list[Clip]) -> None:
    """A partial corpus will do as long as no part of the fold is empty."""
    empty = [name for name, clips in fold.parts.items() if not clips]
    if not empty:
        return
    there = {_actor(c) for c in speech}
    wanted = {**held_out, "train": frozenset(range(1, 25)) - held_out["test"] - held_out["validation"]}
    verbs = {"train": "train", "validation": "validate", "test": "test"}
    what = " or ".join(verbs[part] for part in empty)
    lacking = "; ".join(f"{part} needs one of actors {_listed(wanted[part])}" for part in empty)
    raise UsageError(
        f"protocol {fold.protocol}: fold {fold.index} has no clips to {what} with: {lacking}. "
        f"There are actors {_listed(there)}; missing: {_listed(frozenset(range(1, 25)) - there)}"
    )


def _listed(actors: frozenset[int] | set[int]) -> str:
    return ", ".join(f"{a:02d}" for a in sorted(actors)) or "none"
