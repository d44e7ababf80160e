"""What lies below a folder, read from names alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from vocemo.errors import CorpusError
from vocemo.lab.corpora.clip import Clip, Refused, speaker_of
from vocemo.lab.corpora.corpus import Corpus, Labels, Scan

LOSSLESS_SUFFIXES = (".wav", ".flac", ".aif", ".aiff", ".aifc", ".au", ".caf", ".w64")
LOSSY_SUFFIXES = (".ogg", ".oga", ".opus", ".mp3", ".m4a", ".mp4", ".webm")
AUDIO_SUFFIXES = frozenset(LOSSLESS_SUFFIXES + LOSSY_SUFFIXES)


def is_audio_name(path: Path) -> bool:
    """Whether a name looks like audio; hidden files (macOS leaves `._name.wav`) do not.

    >>> is_audio_name(Path("a.WAV")), is_audio_name(Path("._a.wav")), is_audio_name(Path("a.txt"))
    (True, False, False)
    """
    return path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".")


def files_below(root: Path) -> Iterator[Path]:
    """Every file below a folder, by name; links to folders are followed, each folder once.

    Errors: CorpusError when the folder is not there, or is none.
    """
    if not root.exists():
        raise CorpusError(f"no such folder: {root}")
    if not root.is_dir():
        raise CorpusError(f"not a folder: {root}")
    seen: set[tuple[int, int]] = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        status = Path(folder).stat()
        identity = (status.st_dev, status.st_ino)
        if identity in seen:
            folders.clear()
            continue
        seen.add(identity)
        folders.sort()
        for name in sorted(files):
            yield Path(folder, name)


def is_companion(corpus: Corpus, root: Path, path: Path) -> bool:
    """Whether a file is known to lie beside the recordings of a release."""
    return matches(root, path, corpus.companions)


def matches(root: Path, path: Path, patterns: Iterable[str]) -> bool:
    """Whether a path, from the root on or from any folder below it on, fits one of the patterns.

    >>> matches(Path("data"), Path("data/emodb/LabSilb/03a01Fa.txt"), ["labsilb/*"])
    True
    """
    relative = path.relative_to(root).as_posix().lower()
    return any(
        fnmatch(relative, pattern.lower()) or fnmatch(relative, f"*/{pattern.lower()}")
        for pattern in patterns
    )


def _preference(corpus: Corpus, root: Path, path: Path) -> tuple[bool, bool, int, str]:
    """The order in which copies of one recording are preferred.

    First what the release counts as its recordings, then lossless files, then those nearest to the root.
    """
    relative = path.relative_to(root)
    return (
        is_companion(corpus, root, path),
        path.suffix.lower() not in LOSSLESS_SUFFIXES,
        len(relative.parts),
        relative.as_posix(),
    )


def scan(corpus: Corpus, root: Path) -> Scan:
    """Sort the files below a folder by what the corpus's grammar says of their names.

    The clips come in the order of their regular names, whatever the layout, so that the same seed
    splits every copy of a corpus alike.

    Errors: CorpusError when the folder is not there.
    """
    if corpus.parse is None:
        raise ValueError(f"corpus '{corpus.name}' has no grammar of names")
    found: dict[str, list[tuple[Path, Labels]]] = {}
    refused: list[Refused] = []
    other: list[Path] = []
    top = root.resolve().name  # a sub-folder may be given whose own name tells the speaker
    for path in files_below(root):
        if not is_audio_name(path):
            other.append(path)
            continue
        labels = corpus.parse(PurePosixPath(top, path.relative_to(root).as_posix()))
        if not isinstance(labels, Labels):
            refused.append(Refused(path, labels.reason))
        elif corpus.channel in (None, labels.channel):
            found.setdefault(labels.name, []).append((path, labels))
    clips: dict[str, Clip] = {}
    copies: list[tuple[str, Path]] = []
    for name in sorted(found):
        (path, labels), *further = sorted(found[name], key=lambda entry: _preference(corpus, root, entry[0]))
        clips[name] = _clip(corpus, path, labels)
        copies.extend((name, copy) for copy, _ in further if not is_companion(corpus, root, copy))
    return Scan(clips, tuple(copies), tuple(refused), tuple(other))


def _clip(corpus: Corpus, path: Path, labels: Labels) -> Clip:
    return Clip(
        path=path,
        corpus=corpus.speaker_key,
        emotion=labels.emotion,
        speaker=speaker_of(corpus.speaker_key, labels.speaker),
        sex=labels.sex,
        intensity=labels.intensity,
        sentence=labels.sentence,
        take=labels.take,
        channel=labels.channel,
        language=corpus.language,
    )


def describe(root: Path, found: Scan, limit: int = 4) -> str:
    """What lies in a folder, in a few words, for a message.

    >>> describe(Path("x"), Scan({}))
    'it is empty'
    """
    if found.refused:
        first = found.refused[0]
        count = len(found.refused)
        files = "one audio file" if count == 1 else f"{count} audio files"
        return f"found {files}, such as '{first.path.relative_to(root)}' ({first.reason})"
    if not found.other:
        return "it is empty"
    names = sorted({path.relative_to(root).parts[0] for path in found.other})
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f"found no audio file, but {', '.join(names[:limit])}{more}"
