"""Which examples an epoch holds: clips as they are, and kept variants of them by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vocemo.lab.recipe import Enlarge


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
        by_emotion: dict[str, list[int]] = {}
        for row, emotion in enumerate(emotions):
            by_emotion.setdefault(emotion, []).append(row)
        wanted = (1 + pool) * max((len(rows) for rows in by_emotion.values()), default=0)
        for rows in by_emotion.values():
            for row, share in zip(rows, _dealt(wanted, len(rows)), strict=True):
                shapes[row] = share
    return tuple(Example(row, number) for row, count in enumerate(shapes) for number in range(count))


def _dealt(total: int, places: int) -> list[int]:
    """A total in whole shares that differ by one at most.

    The larger shares lie evenly among the others: clips in order are clips by speaker, and none gains more.
    """
    return [total * (i + 1) // places - total * i // places for i in range(places)]
