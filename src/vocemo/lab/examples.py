"""Which examples an epoch holds, clips as they are and kept variants by number, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vocemo.lab.recipe_options import Enlarge, Sampling


@dataclass(frozen=True, slots=True)
class Example:
    """A training clip in one shape."""

    row: int  # the clip, as its place in the list of clips
    variant: int | None  # 0: the clip as it is; None: drawn each time, itself or one of its variants


def examples(emotions: Sequence[str], pool: int, enlarge: Enlarge) -> tuple[Example, ...]:
    """What one epoch over clips of these emotions holds, in the clips' order.

    `none` is each clip once. `all` is each clip and its variants 1 to `pool`. `balance` brings every emotion
    to as many examples as the most frequent one has with all its variants: each clip as it is, and variants
    dealt evenly over the emotion's clips. A rarer emotion takes numbers beyond `pool` for that: a variant is
    made by its number, so that any number works.

    >>> [(e.row, e.variant) for e in examples(["happy", "happy", "sad"], pool=1, enlarge="balance")]
    [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2), (2, 3)]
    """
    if enlarge == "none":
        return tuple(Example(row, None) for row in range(len(emotions)))
    shapes = [1 + pool] * len(emotions)  # of each clip: itself and its variants
    if enlarge == "balance":
        by_emotion = _places(emotions)
        wanted = (1 + pool) * max((len(rows) for rows in by_emotion), default=0)
        for rows in by_emotion:
            for row, share in zip(rows, _dealt(wanted, len(rows)), strict=True):
                shapes[row] = share
    return tuple(Example(row, number) for row, count in enumerate(shapes) for number in range(count))


def counts(emotions: Sequence[str], sampling: Sampling) -> dict[str, int]:
    """How many examples of each emotion an epoch holds, drawn from examples of these emotions.

    >>> counts(["happy", "happy", "happy", "sad"], "balanced")
    {'happy': 2, 'sad': 2}
    """
    held = Counter(emotions)
    return dict(held) if sampling == "shuffled" else dict.fromkeys(held, _share(len(emotions), len(held)))


def order(emotions: Sequence[str], sampling: Sampling, rng: np.random.Generator) -> NDArray[np.int64]:
    """An epoch over examples of these emotions, as their places: (sum of `counts`,).

    `shuffled` is each example once. `balanced` is as many of each emotion, about as many in all as there are
    examples: of a frequent emotion each at most once, of a rare one each as often as it takes, to within one.
    """
    if sampling == "shuffled":
        return rng.permutation(len(emotions))
    by_emotion = _places(emotions)
    share = _share(len(emotions), len(by_emotion))
    drawn: list[int] = []
    for places in by_emotion:
        whole, rest = divmod(share, len(places))
        drawn += places * whole
        drawn += [places[i] for i in rng.permutation(len(places))[:rest]]
    return rng.permutation(np.array(drawn, np.int64))


def _share(examples: int, emotions: int) -> int:
    return max(1, round(examples / max(emotions, 1)))


def _places(emotions: Sequence[str]) -> list[list[int]]:
    """Where each emotion stands, a list an emotion."""
    by_emotion: dict[str, list[int]] = {}
    for place, emotion in enumerate(emotions):
        by_emotion.setdefault(emotion, []).append(place)
    return list(by_emotion.values())


def _dealt(total: int, places: int) -> list[int]:
    """A total in whole shares that differ by one at most.

    The larger shares lie evenly among the others: clips in order are clips by speaker, and none gains more.
    """
    return [total * (i + 1) // places - total * i // places for i in range(places)]
