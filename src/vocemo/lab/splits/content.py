"""Finding clips with the same decoded samples, reading as little as will do.

Most clips are told apart by their length, most of the others by their first quarter second; only what is
left is decoded whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

import soundfile

from vocemo.errors import CorpusError
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.corpora.digest import content_digest

_OPENING_S = 0.25


def alike(clips: Sequence[Clip]) -> list[tuple[Clip, ...]]:
    """Groups of two or more clips of different names and the same content, in the order given.

    A file that cannot be read is like no other: that it is broken is for `corpora check` to say.
    """
    groups: Iterable[list[Clip]] = [list({c.key: c for c in clips}.values())]
    for same in (_length, _opening, _content):
        groups = [g for group in groups for g in _divided(group, same)]
    return [tuple(g) for g in groups]


def _divided(group: list[Clip], same: Callable[[Clip], Hashable]) -> list[list[Clip]]:
    divided: dict[Hashable, list[Clip]] = defaultdict(list)
    for clip in group:
        mark = same(clip)
        if mark is not None:
            divided[mark].append(clip)
    return [g for g in divided.values() if len(g) > 1]


def _length(clip: Clip) -> int | None:
    """In tenths of a millisecond, so that one rounding is like another."""
    if clip.start_s is not None and clip.end_s is not None:
        return round((clip.end_s - clip.start_s) * 10_000)
    if clip.duration_s is not None:
        return round(clip.duration_s * 10_000)
    try:
        return round(float(soundfile.info(clip.path).duration) * 10_000)
    except (OSError, soundfile.SoundFileError):
        return None


def _opening(clip: Clip) -> str | None:
    start_s = clip.start_s or 0.0
    end_s = start_s + _OPENING_S
    return _content(
        replace(clip, start_s=start_s, end_s=end_s if clip.end_s is None else min(end_s, clip.end_s))
    )


def _content(clip: Clip) -> str | None:
    try:
        state = clip.path.stat()
    except OSError:
        return None
    return _remembered(clip, state.st_size, state.st_mtime_ns)


# The folds of a cross-validation hold the same clips, so each is read for the first fold alone.
@lru_cache(maxsize=2**16)
def _remembered(clip: Clip, size: int, modified_ns: int) -> str | None:
    try:
        return content_digest(clip)
    except CorpusError:
        return None
