"""Many recordings in few runs of the graph."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

MOST_CLIPS = 16  # in one run of the graph,
MOST_S = 9.0  # and seconds, padding included: what a core's caches bear, and the memory too
_FIRST_GROUP, _LARGEST_GROUP = 4, 64  # recordings read ahead: few at first, so that answers come at once

Each = TypeVar("Each")
Begun = TypeVar("Begun")


def growing_groups(sources: Iterable[Each]) -> Iterator[list[Each]]:
    """Sources in groups that double from a few to many."""
    left, size = iter(sources), _FIRST_GROUP
    while group := list(itertools.islice(left, size)):
        yield group
        size = min(2 * size, _LARGEST_GROUP)


def one_ahead(groups: Iterable[Each], begin: Callable[[Each], Begun]) -> Iterator[Begun]:
    """What `begin` makes of each group, given out once the next is begun too: work goes on while one waits.

    Where the groups break off with an error, what was begun is given out before it is raised.

    >>> list(one_ahead(["a", "b"], lambda group: print("begin", group) or group.upper()))
    begin a
    begin b
    ['A', 'B']
    """
    begun: list[Begun] = []
    try:
        for group in groups:
            begun.append(begin(group))
            if len(begun) > 1:
                yield begun.pop(0)
    except Exception:
        yield from begun
        raise
    yield from begun


def similar(lengths: Sequence[int], most_samples: int) -> Iterator[list[int]]:
    """Indices of clips of similar length, in batches that hold no more than `most_samples` with padding.

    >>> list(similar([5, 1, 6, 2], most_samples=12))
    [[1, 3], [0, 2]]
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if batch and (len(batch) == MOST_CLIPS or (len(batch) + 1) * lengths[index] > most_samples):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
