"""What is there against what should be there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from vocemo.emotions import in_order
from vocemo.errors import CorpusError
from vocemo.lab.corpora import tree
from vocemo.lab.corpora.clip import Clip, Refused
from vocemo.lab.corpora.corpus import Corpus, Labels, Scan
from vocemo.lab.corpora.digest import Content, content
from vocemo.lab.corpora.reading import scan_spec

# Files that accompany recordings and are never astray.
DOCUMENTS = ("*.txt", "*.md", "*.pdf", "*.csv", "*.tsv", "*.json", "*.html", "*.xls*", "*.rtf", "licen[cs]e*")
RECORDS = ("*.sha256", "*.zip", "*.part", "*.part.json")  # what `fetch` leaves


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are of something, and how many there should be where that is known."""

    what: str
    found: int
    expected: int | None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Files of one content, or of one name.

    `copy`: one name and one content, in two places; `conflict`: one name with two contents;
    `content`: one content under two names; `known`: the same, in the publisher's own release.
    """

    kind: Literal["copy", "conflict", "content", "known"]
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class CheckReport:
    """The state of a copy of a corpus."""

    corpus: str
    root: Path
    clips: int
    duration_s: float
    missing: tuple[str, ...]
    shortfalls: tuple[Count, ...]  # where a corpus lacks more than can be named
    unreadable: tuple[Refused, ...]
    known_flaws: tuple[Refused, ...]  # unreadable in the publisher's release as well
    duplicates: tuple[Duplicate, ...]
    silent: tuple[Path, ...]
    stray: tuple[Refused, ...]
    counts: tuple[Count, ...]

    @property
    def complete(self) -> bool:
        """Nothing is missing and everything can be read."""
        return not (self.missing or self.shortfalls or self.unreadable)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-able values; paths stand as from the corpus's folder on."""

        def name(path: Path) -> str:
            return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

        def refusals(entries: Iterable[Refused]) -> list[dict[str, str]]:
            return [{"path": name(entry.path), "reason": entry.reason} for entry in entries]

        def counts(entries: Iterable[Count]) -> list[dict[str, Any]]:
            return [{"what": c.what, "found": c.found, "expected": c.expected} for c in entries]

        return {
            "corpus": self.corpus,
            "path": str(self.root),
            "complete": self.complete,
            "clips": self.clips,
            "duration_s": round(self.duration_s, 3),
            "counts": counts(self.counts),
            "missing": list(self.missing),
            "shortfalls": counts(self.shortfalls),
            "unreadable": refusals(self.unreadable),
            "known_flaws": refusals(self.known_flaws),
            "duplicates": [{"kind": d.kind, "paths": [name(p) for p in d.paths]} for d in self.duplicates],
            "silent": [name(path) for path in self.silent],
            "stray": refusals(self.stray),
        }


def check(spec: str, *, progress: Callable[[int, int], None] | None = None) -> CheckReport:
    """Compare a copy of a corpus with its publisher's release: names, counts, and every file decoded.

    `progress` is called with the number of files decoded and of all.

    Errors: UsageError or UnknownNameError for the spec; CorpusError when nothing of the corpus is there.
    """
    corpus, root, found = scan_spec(spec)
    contents: dict[str, Content] = {}
    refused: dict[str, Refused] = {}
    total = len(found.clips) + len(found.copies)
    for done, (name, clip) in enumerate(found.clips.items(), start=1):
        try:
            contents[clip.key] = content(clip)
        except CorpusError as error:
            refused[name] = Refused(clip.path, str(error))
        if progress is not None:
            progress(done, total)
    readable = {name: clip for name, clip in found.clips.items() if name not in refused}
    missing = _missing(corpus, found)
    return CheckReport(
        corpus=corpus.name,
        root=root if root.is_dir() else root.parent,
        clips=len(readable),
        duration_s=sum(contents[clip.key].duration_s for clip in readable.values()),
        missing=missing,
        shortfalls=_shortfalls(corpus, found.clips, missing),
        unreadable=tuple(r for name, r in refused.items() if name not in corpus.known_flaws),
        known_flaws=tuple(
            Refused(r.path, f"{r.reason}; {corpus.known_flaws[name]}")
            for name, r in refused.items()
            if name in corpus.known_flaws
        ),
        duplicates=(
            *_copies(found, contents, progress, total),
            *_same_content(corpus, readable, contents),
        ),
        silent=tuple(clip.path for clip in readable.values() if contents[clip.key].silent),
        stray=(*found.refused, *_astray(corpus, root, found.other)),
        counts=_counts(corpus, readable),
    )


def _missing(corpus: Corpus, found: Scan) -> tuple[str, ...]:
    """Names of the release that are not there."""
    present = frozenset(found.clips)
    named = corpus.names(present) - present - corpus.known_flaws.keys()
    return (*sorted(named), *(f"{entry.path}: {entry.reason}" for entry in found.absent))


def _shortfalls(corpus: Corpus, clips: Mapping[str, Clip], missing: tuple[str, ...]) -> tuple[Count, ...]:
    """Emotions that lack more clips than those whose names are known to be missing."""
    if corpus.expected is None or corpus.parse is None:
        return ()
    accounted = Counter(clip.emotion for clip in clips.values())
    for name in missing:
        labels = corpus.parse(PurePosixPath(name + ".wav"))
        if isinstance(labels, Labels):
            accounted[labels.emotion] += 1
    found = Counter(clip.emotion for clip in clips.values())
    return tuple(
        Count(emotion, found[emotion], expected)
        for emotion, expected in corpus.expected.by_emotion.items()
        if accounted[emotion] < expected
    )


def _copies(
    found: Scan,
    contents: dict[str, Content],
    progress: Callable[[int, int], None] | None,
    total: int,
) -> list[Duplicate]:
    """Further files under the names of clips; whether they hold the same is seen by decoding them."""
    duplicates = []
    for done, (name, path) in enumerate(found.copies, start=len(found.clips) + 1):
        clip = found.clips[name]
        try:
            same = (
                contents[clip.key].digest
                == content(Clip(path, clip.corpus, clip.emotion, clip.speaker)).digest
            )
        except (KeyError, CorpusError):
            same = False
        duplicates.append(Duplicate("copy" if same else "conflict", (clip.path, path)))
        if progress is not None:
            progress(done, total)
    return duplicates


def _same_content(
    corpus: Corpus, clips: Mapping[str, Clip], contents: Mapping[str, Content]
) -> list[Duplicate]:
    """Clips of one content under two names; silence is no content."""
    by_digest: dict[str, list[str]] = {}
    for name, clip in clips.items():
        if not contents[clip.key].silent:
            by_digest.setdefault(contents[clip.key].digest, []).append(name)
    return [
        Duplicate(
            "known" if frozenset(names) in corpus.known_duplicates else "content",
            tuple(clips[name].path for name in names),
        )
        for names in by_digest.values()
        if len(names) > 1
    ]


def _astray(corpus: Corpus, root: Path, other: Iterable[Path]) -> list[Refused]:
    """Files that are neither audio nor known to lie beside a release."""
    patterns = (*DOCUMENTS, *RECORDS, *corpus.companions)

    def belongs(path: Path) -> bool:
        return not path.name.startswith(".") and tree.matches(root, path, patterns)

    return [Refused(path, "it is no audio file") for path in other if not belongs(path)]


def _counts(corpus: Corpus, clips: Mapping[str, Clip]) -> tuple[Count, ...]:
    """Clips in all, speakers, clips of each channel and of each emotion."""
    expected = corpus.expected
    emotions = Counter(clip.emotion for clip in clips.values())
    channels = Counter(clip.channel for clip in clips.values())
    by_emotion = {} if expected is None else dict(expected.by_emotion)
    by_channel = {} if expected is None else dict(expected.by_channel)
    return (
        Count("clips", len(clips), expected.total if expected else None),
        Count("speakers", len({c.speaker for c in clips.values()}), expected.speakers if expected else None),
        *(
            Count(channel, channels[channel], by_channel.get(channel))
            for channel in ("speech", "song")
            if channels[channel] or channel in by_channel
        ),
        *(
            Count(emotion, emotions[emotion], by_emotion.get(emotion))
            for emotion in in_order(set(emotions) | set(by_emotion))
        ),
    )
