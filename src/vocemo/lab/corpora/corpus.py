"""What vocemo knows of a corpus: where it comes from, how its files are named, what should be there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from vocemo.lab.corpora.clip import Channel, Clip, Refused, Sex


@dataclass(frozen=True, slots=True)
class Labels:
    """What the name of one file says.

    `name` is the file's identity in every release of the corpus: its regular name without suffix, so
    that copies in two folders or two containers are known as one.
    """

    name: str
    emotion: str
    speaker: str
    sex: Sex | None = None
    intensity: str | None = None
    sentence: str | None = None
    take: str | None = None
    channel: Channel = "speech"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a name is none of the corpus's."""

    reason: str


@dataclass(frozen=True)
class Expected:
    """What the publisher's release holds, in clips."""

    total: int
    speakers: int
    by_emotion: Mapping[str, int]
    by_channel: Mapping[str, int]


@dataclass(frozen=True)
class Archive:
    """One file that the publisher offers, with its checksum where one is published."""

    name: str
    url: str
    folder: str = ""  # where its content goes, below the folder that was asked for
    size_bytes: int | None = None
    md5: str | None = None
    channel: Channel | None = None  # of a corpus in parts, the one that it holds
    sha256: str | None = None


@dataclass(frozen=True)
class Listing:
    """A data set that its publisher offers file by file, in a Dataverse (https://dataverse.org)."""

    server: str
    persistent_id: str


@dataclass(frozen=True)
class Scan:
    """What lies in one place, from names alone: nothing has been decoded yet."""

    clips: Mapping[str, Clip]  # by the name that identifies the recording, in its order
    copies: tuple[tuple[str, Path], ...] = ()  # further files under a name that `clips` already has
    refused: tuple[Refused, ...] = ()  # audio files whose names are none of the corpus's
    other: tuple[Path, ...] = ()  # files that are not audio
    absent: tuple[Refused, ...] = ()  # files that were announced, but are not there


def _no_names(present: frozenset[str]) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True)
class Corpus:
    """One corpus: its origin, its grammar, what should be there and where to get it.

    `key` stands before each speaker's id; parts of one corpus share it, since they share speakers.
    `names` gives the names that a complete copy holds, from those that are present (a corpus whose
    sentences are not listed here completes the ones it finds). `known_flaws` are the release's own:
    names that cannot be read there. `known_duplicates` are recordings that it holds under two names.
    """

    name: str
    title: str
    summary: str
    language: str | None
    licence: str
    citation: str
    doi: str | None
    homepage: str | None
    layout: str
    parse: Callable[[PurePosixPath], Labels | Refusal] | None = None
    scan: Callable[[Path], Scan] | None = None
    key: str = ""
    channel: Channel | None = None
    expected: Expected | None = None
    names: Callable[[frozenset[str]], frozenset[str]] = _no_names
    sentences: Mapping[str, str] = field(default_factory=dict)
    known_flaws: Mapping[str, str] = field(default_factory=dict)
    known_duplicates: tuple[frozenset[str], ...] = ()
    companions: tuple[str, ...] = ()  # patterns of files that belong to a release and are no clips
    archives: tuple[Archive, ...] = ()
    listing: Listing | None = None
    names_repeat: bool = False  # one file name may stand for several recordings, in several folders
    obtain: str = ""  # where to go when no file can be had directly
    people: str = ""  # who speaks, as the corpus's own description says
    setting: str = ""  # how it was recorded, likewise

    @property
    def speaker_key(self) -> str:
        """The name that stands before each speaker's id."""
        return self.key or self.name

    @property
    def fetchable(self) -> bool:
        """Whether the publisher offers files that can be downloaded directly."""
        return bool(self.archives) or self.listing is not None
