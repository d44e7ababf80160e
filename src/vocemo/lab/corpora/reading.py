"""Reading a corpus: a spec such as `ravdess:DATA/ravdess` in, a manifest out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import soundfile

from vocemo import audio
from vocemo.errors import CorpusError, UsageError, VocemoError
from vocemo.lab.corpora import tree
from vocemo.lab.corpora.clip import Clip, Manifest, Refused
from vocemo.lab.corpora.corpus import Corpus, Scan
from vocemo.lab.corpora.registry import CORPORA


def parse_spec(spec: str) -> tuple[Corpus, Path]:
    """The corpus and the place that a spec names.

    Errors: UsageError when the spec is not NAME:PLACE, UnknownNameError for the name.

    >>> corpus, place = parse_spec("emodb:data/emodb")
    >>> corpus.name, place.as_posix()
    ('emodb', 'data/emodb')
    """
    name, colon, place = spec.partition(":")
    if not colon or not name or not place:
        example = f"{name}:DIR" if name in CORPORA else f"ravdess:{spec or 'DIR'}"
        raise UsageError(
            f"'{spec}' does not say both the corpus and its place: write NAME:PLACE, for example {example}. "
            f"Names: {', '.join(CORPORA)}"
        )
    return CORPORA[name], Path(place).expanduser()


def scan_spec(spec: str) -> tuple[Corpus, Path, Scan]:
    """What lies at the place of a spec, from names alone.

    Errors: as `parse_spec`; CorpusError when nothing of the corpus is there.
    """
    corpus, root = parse_spec(spec)
    found = corpus.scan(root) if corpus.scan is not None else tree.scan(corpus, root)
    if not found.clips and not found.absent:
        raise CorpusError(
            f"no clips of corpus '{corpus.name}' in {root}: expected {corpus.layout}; "
            f"{tree.describe(root, found)}"
        )
    return corpus, root, found


def read(spec: str, *, durations: bool = True) -> Manifest:
    """Read the labels of every clip of a corpus.

    `spec` is NAME:PLACE. With `durations`, each file's header is read for its length; a file that
    holds no audio is left out and stands with its reason in the manifest's `refused`.

    Errors: UsageError or UnknownNameError for the spec; CorpusError when the corpus is not there, or
    a table announces files that are not.

    >>> read("ravdess:no/such/folder")
    Traceback (most recent call last):
        ...
    vocemo.errors.CorpusError: no such folder: no/such/folder
    """
    corpus, root, found = scan_spec(spec)
    if found.absent:
        first = found.absent[0]
        more = f" (and {len(found.absent) - 1} more)" if len(found.absent) > 1 else ""
        raise CorpusError(f"{first.path}: {first.reason}{more}")
    clips: Iterable[Clip] = found.clips.values()
    if not durations:
        return Manifest(tuple(clips), found.refused)
    measured: list[Clip] = []
    refused = list(found.refused)
    for clip in clips:
        try:
            measured.append(with_duration(clip))
        except CorpusError as error:
            refused.append(Refused(clip.path, str(error)))
    if not measured:
        raise CorpusError(
            f"corpus '{corpus.name}' in {root}: no file of {len(refused)} can be read; {refused[0].reason}"
        )
    return Manifest(tuple(measured), tuple(refused))


def file_duration_s(path: Path) -> float:
    """Length of a recording in seconds, from its header.

    Errors: CorpusError when there is no audio in it.
    """
    try:
        with soundfile.SoundFile(path) as file:
            frames, sample_rate = file.frames, file.samplerate
    except soundfile.LibsndfileError as error:
        return _other_container_duration_s(path, error)
    except OSError as error:
        raise CorpusError(f"cannot be opened ({error.strerror or error})") from error
    if frames <= 0:
        raise CorpusError("there is no audio in it")
    return float(frames / sample_rate)


def _other_container_duration_s(path: Path, refusal: soundfile.LibsndfileError) -> float:
    """Length of what libsndfile does not read (m4a, mp4, webm), or the reason why it is no audio."""
    try:
        return audio.probe(path).duration_s
    except VocemoError as error:
        raise CorpusError(str(error).removeprefix(f"{path}: ")) from refusal


def with_duration(clip: Clip) -> Clip:
    """The clip with its length in seconds; of a part, that part's.

    Errors: CorpusError when the file holds no audio, or ends before the part begins.
    """
    whole_s = file_duration_s(clip.path)
    start_s, end_s = clip.start_s or 0.0, whole_s if clip.end_s is None else min(clip.end_s, whole_s)
    if end_s <= start_s:
        raise CorpusError(f"it ends at {whole_s:.3f} s, before the part from {start_s:g} s")
    return replace(clip, duration_s=end_s - start_s)
