"""The emotion vocabulary and how a corpus's own names map to it.

The eight names and their order are those of RAVDESS (Livingstone & Russo 2018,
doi:10.1371/journal.pone.0196391). A label outside the eight (boredom in EMO-DB) keeps its own
name: it is kept or dropped by a recipe, never relabelled in silence.
"""

from __future__ import annotations

EMOTIONS: tuple[str, ...] = (
    "neutral",
    "calm",
    "happy",
    "sad",
    "angry",
    "fearful",
    "disgust",
    "surprised",
)

# Nouns, adjectives and common spellings that corpora and users' folders carry.
_SYNONYMS: dict[str, str] = {
    "neutrality": "neutral",
    "calmness": "calm",
    "happiness": "happy",
    "joy": "happy",
    "joyful": "happy",
    "sadness": "sad",
    "anger": "angry",
    "fear": "fearful",
    "anxiety": "fearful",
    "disgusted": "disgust",
    "surprise": "surprised",
    "pleasant_surprise": "surprised",
    "pleasant_surprised": "surprised",
    "bored": "boredom",
}


def canonical(label: str) -> str:
    """The vocabulary's name for a label; a label it does not know comes back in lower case.

    >>> canonical("Happiness"), canonical("Pleasant surprise"), canonical("boredom")
    ('happy', 'surprised', 'boredom')
    """
    key = "_".join(label.strip().lower().replace("-", " ").replace("_", " ").split())
    return _SYNONYMS.get(key, key)


def in_order(labels: set[str] | frozenset[str]) -> tuple[str, ...]:
    """Labels in the vocabulary's order, those outside it after it by name.

    >>> in_order({"sad", "boredom", "neutral"})
    ('neutral', 'sad', 'boredom')
    """
    known = tuple(e for e in EMOTIONS if e in labels)
    return known + tuple(sorted(labels.difference(EMOTIONS)))
