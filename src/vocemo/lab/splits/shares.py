"""Taking a share of clips: by emotion, by whole speakers, by whole sentences."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import numpy as np

from vocemo.lab.corpora.clip import Clip
from vocemo.lab.splits.fold import speaker_is_known

Item = TypeVar("Item")


def stratified(
    items: Sequence[Item],
    share: float,
    rng: np.random.Generator,
    stratum: Callable[[Item], Hashable],
) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Draw a share of the items, the same share of each stratum, at random.

    The number drawn is the share of the whole, rounded; each stratum gives its share to within
    one (largest remainders), and never its last item. Both answers keep the order of the items.

    items: in an order of their own, since the draw depends on it.
    share: of the items, in (0, 1).

    Returns: (drawn, rest).

    >>> words = ["a1", "a2", "a3", "a4", "b1", "b2", "b3", "b4"]
    >>> drawn, rest = stratified(words, 0.5, np.random.default_rng(0), lambda w: w[0])
    >>> sorted(w[0] for w in drawn), len(rest)
    (['a', 'a', 'b', 'b'], 4)
    """
    members: dict[Hashable, list[int]] = {}
    for i, item in enumerate(items):
        members.setdefault(stratum(item), []).append(i)
    groups = list(members.values())
    exact = np.array([len(g) * share for g in groups])
    limit = np.array([len(g) - 1 for g in groups])
    counts = np.minimum(np.floor(exact).astype(int), limit)
    wanted = max(1, round(len(items) * share))
    # Largest remainders first; ties go to the larger stratum, then to the first.
    for i in sorted(range(len(groups)), key=lambda i: (counts[i] - exact[i], -len(groups[i]), i)):
        if counts.sum() < wanted and counts[i] < limit[i]:
            counts[i] += 1
    drawn = {g[j] for g, n in zip(groups, counts, strict=True) for j in rng.permutation(len(g))[:n]}
    return (
        tuple(item for i, item in enumerate(items) if i in drawn),
        tuple(item for i, item in enumerate(items) if i not in drawn),
    )


def by_emotion(
    clips: Sequence[Clip], share: float, rng: np.random.Generator
) -> tuple[tuple[Clip, ...], tuple[Clip, ...]]:
    """Draw a share of the clips of each emotion: (drawn, rest)."""
    return stratified(clips, share, rng, lambda c: c.emotion)


def hold_out(
    clips: Sequence[Clip], share: float, rng: np.random.Generator
) -> tuple[tuple[Clip, ...], tuple[Clip, ...]]:
    """Draw a share for validation in the most independent way that the clips allow: (drawn, rest).

    Whole speakers where a corpus has several (of each corpus alike); whole sentences where it has one;
    and clips by emotion where neither is known.
    """
    corpora: dict[str, list[Clip]] = {}
    for c in clips:
        corpora.setdefault(c.corpus, []).append(c)
    held: set[Clip] = set()
    for own in corpora.values():
        unit = _unit(own)
        if unit is None:
            held.update(by_emotion(own, share, rng)[0])
            continue
        units = sorted({unit(c) for c in own})
        count = min(len(units) - 1, max(1, round(share * len(units))))
        chosen = {units[i] for i in rng.permutation(len(units))[:count]}
        held.update(c for c in own if unit(c) in chosen)
    return tuple(c for c in clips if c in held), tuple(c for c in clips if c not in held)


def _unit(clips: Sequence[Clip]) -> Callable[[Clip], str] | None:
    """What the clips can be kept apart by: speaker, else sentence, else nothing."""
    if all(speaker_is_known(c) for c in clips) and len({c.speaker for c in clips}) > 1:
        return lambda c: c.speaker
    if all(c.sentence for c in clips) and len({c.sentence for c in clips}) > 1:
        return lambda c: c.sentence or ""
    return None
