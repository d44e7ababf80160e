"""Counts and lists as a sentence has them."""

from __future__ import annotations

from collections.abc import Sequence

LISTED = 6  # names, before the rest is counted


def many(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun.

    >>> many(1, "clip"), many(1200, "clip"), many(2, "woman", "women")
    ('1 clip', '1,200 clips', '2 women')
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def speakers(count: int) -> str:
    """How many speak, where 0 is that nobody says.

    >>> speakers(24), speakers(1), speakers(0)
    ('24 speakers', '1 speaker', 'unknown speakers')
    """
    return many(count, "speaker") if count else "unknown speakers"


def listed(names: Sequence[str], most: int = LISTED) -> str:
    """One name or more in a row, the last joined by "and"; what is beyond `most` is counted.

    >>> listed(["sad"]), listed(["sad", "angry", "calm"]), listed(["a", "b", "c", "d"], most=2)
    ('sad', 'sad, angry and calm', 'a, b and 2 more')
    """
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def capital(text: str) -> str:
    """The text with its first letter as a sentence has it; the others stay.

    >>> capital("disgust in RAVDESS")
    'Disgust in RAVDESS'
    """
    return text[:1].upper() + text[1:]
