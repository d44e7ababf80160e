"""How a member of a committee learns: from which clips and views, how much of each, how mixed, how fast.

Networks that learn alike err alike. What makes a committee better than its best member is that they do not
(Krogh & Vedelsby 1995, "Neural Network Ensembles, Cross Validation, and Active Learning", equation 6: its
error is the mean of theirs, less what they differ by).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from vocemo.errors import UsageError

OF_A_LESSON = ("learning_rate_factor", "views", "mixup", "clip_weights")  # keys of a member's table
_NEEDS_BATCHES = OF_A_LESSON[1:]


@dataclass(frozen=True)
class Lesson:
    """What a member has of its own; the defaults are what the recipe says for all.

    views: which of a clip's kept views, the first, from 0, and one past the last. mixup: alpha of its own
    batches. clip_weights: what a clip counts for in its loss, by the name of the clip's corpus or its channel
    ("speech", "song"), or by both; 1 for what is not named.
    """

    learning_rate_factor: float = 1.0
    views: tuple[int, int] | None = None
    mixup: float | None = None
    clip_weights: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, member: Mapping[str, Any], *, own_batches: bool) -> Self:
        """The lesson of a member's table. Raises UsageError for values that are none."""
        for key in _NEEDS_BATCHES:
            if member.get(key) is not None and not own_batches:
                raise UsageError(
                    f"a member of the committee has {key} of its own, and all learn from the same batches: "
                    "set model.own_batches=true"
                )
        mixup = member.get("mixup")
        return cls(
            _number(member, "learning_rate_factor", 1.0, above=True),
            _views(member),
            None if mixup is None else _number(member, "mixup", 0.0),
            _weights(member),
        )

    def views_of(self, count: int) -> tuple[int, int]:
        """Which of so many kept views: the first, and one past the last."""
        return self.views or (0, count)

    def weight(self, corpus: str, channel: str) -> float:
        """What a clip of a corpus and channel counts for.

        >>> own = Lesson(clip_weights={"emodb": 0.4, "song": 0.5})
        >>> own.weight("ravdess", "speech"), own.weight("ravdess", "song"), own.weight("emodb", "speech")
        (1.0, 0.5, 0.4)
        """
        return self.clip_weights.get(corpus, 1.0) * self.clip_weights.get(channel, 1.0)


def _number(member: Mapping[str, Any], key: str, default: float, *, above: bool = False) -> float:
    given = member.get(key, default)
    if not _is_number(given) or given < 0 or (above and given == 0):
        valid = "above 0" if above else "0 or more"
        raise UsageError(f"{member['name']} of the committee has {key} {given!r}; valid: {valid}")
    return float(given)


def _is_number(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given)


def _views(member: Mapping[str, Any]) -> tuple[int, int] | None:
    given = member.get("views")
    if given is None:
        return None
    whole = isinstance(given, Sequence) and all(type(number) is int for number in given)
    if not whole or len(given) != 2 or not 0 <= given[0] < given[1]:
        raise UsageError(
            f"{member['name']} of the committee has views {given!r}; valid: two whole numbers, the first "
            "view, from 0, and one past the last"
        )
    return given[0], given[1]


def _weights(member: Mapping[str, Any]) -> dict[str, float]:
    given = member.get("clip_weights")
    if given is None:
        return {}
    # Above 0: a batch all of whose clips count for nothing has no mean.
    if not isinstance(given, Mapping) or not all(_is_number(each) and each > 0 for each in given.values()):
        raise UsageError(
            f"{member['name']} of the committee has clip_weights {given!r}; valid: a table of numbers "
            "above 0 by corpus or channel, as {song = 0.5}"
        )
    return {str(name): float(each) for name, each in given.items()}
