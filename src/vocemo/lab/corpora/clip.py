"""One labelled recording and a list of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from vocemo.emotions import in_order

Sex = Literal["female", "male"]
Channel = Literal["speech", "song"]

UNKNOWN_SPEAKER = "unknown"


def speaker_of(corpus: str, speaker: str | None) -> str:
    """A speaker's name with the corpus's before it; without a speaker, the name that stands for nobody.

    >>> speaker_of("ravdess", "01"), speaker_of("folder", None)
    ('ravdess/01', 'folder/unknown')
    """
    return f"{corpus}/{speaker or UNKNOWN_SPEAKER}"


@dataclass(frozen=True, slots=True)
class Clip:
    """One labelled recording, or the part of one from `start_s` to `end_s`."""

    path: Path
    corpus: str
    emotion: str
    speaker: str  # carries the corpus's name: "ravdess/01"
    sex: Sex | None = None
    intensity: str | None = None
    sentence: str | None = None
    take: str | None = None
    channel: Channel = "speech"
    language: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    split: str | None = None
    duration_s: float | None = None
    variant: int = 0  # an augmented copy, by number, that stands for itself; 0: the recording

    @property
    def key(self) -> str:
        """The clip's identity in caches and prediction files: its path, and the part or copy of it."""
        part = "" if self.start_s is None else f"#{self.start_s:.10g}-{self.end_s or 0:.10g}"
        copy = f"~{self.variant}" if self.variant else ""
        return f"{self.path}{part}{copy}"


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is no clip of the corpus, or that cannot be read, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Manifest:
    """Clips in a stable order, and the files beside them that were left out."""

    clips: tuple[Clip, ...]
    refused: tuple[Refused, ...] = ()

    def __len__(self) -> int:
        """Number of clips."""
        return len(self.clips)

    def __iter__(self) -> Iterator[Clip]:
        """The clips in order."""
        return iter(self.clips)

    def __add__(self, other: Manifest) -> Manifest:
        """The clips of both, this manifest's first."""
        return Manifest(self.clips + other.clips, self.refused + other.refused)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Speakers in order of name."""
        return tuple(sorted({c.speaker for c in self.clips}))

    @property
    def speakers_known(self) -> bool:
        """Whether every clip names its speaker (`speaker_of(corpus, None)` is the name of nobody)."""
        return not any(c.speaker.endswith(f"/{UNKNOWN_SPEAKER}") for c in self.clips)

    @property
    def emotions(self) -> tuple[str, ...]:
        """Emotions in the vocabulary's order."""
        return in_order({c.emotion for c in self.clips})

    @property
    def corpora(self) -> tuple[str, ...]:
        """Corpora in order of appearance."""
        return tuple(dict.fromkeys(c.corpus for c in self.clips))

    def relabelled(self, relabel: Mapping[str, str]) -> Manifest:
        """The same clips, an emotion that counts as another under the other's name."""
        if not relabel:
            return self
        clips = (replace(c, emotion=relabel.get(c.emotion, c.emotion)) for c in self.clips)
        return Manifest(tuple(clips), self.refused)

    def where(self, keep: Callable[[Clip], bool]) -> Manifest:
        """The clips for which `keep` holds."""
        return Manifest(tuple(c for c in self.clips if keep(c)), self.refused)
