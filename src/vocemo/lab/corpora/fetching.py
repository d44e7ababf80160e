"""Fetching a corpus from its publisher: download, check, unpack."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vocemo.errors import CorpusError, DownloadError, UsageError
from vocemo.lab.corpora import tree
from vocemo.lab.corpora.corpus import Archive, Corpus, Listing
from vocemo.lab.corpora.download import PAUSE_S, RETRIES, TIMEOUT_S, Downloaded, Progress, download
from vocemo.lab.corpora.registry import CORPORA
from vocemo.lab.corpora.unpack import safe_path, unpack


@dataclass(frozen=True, slots=True)
class Step:
    """How far a fetch is: `doing` is "download" or "unpack", amounts are bytes."""

    doing: str
    name: str
    done: int
    total: int | None


Bring = Callable[[Archive, Path, Progress], Downloaded]


def _silence(step: Step) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Fetched:
    """What a fetch brought; no file where all was there before."""

    corpus: str
    directory: Path
    files: tuple[Downloaded, ...]
    clips: int


def fetch(
    corpus: str | Corpus,
    directory: Path,
    *,
    progress: Callable[[Step], None] | None = None,
    keep_archives: bool = False,
    retries: int = RETRIES,
    pause_s: float = PAUSE_S,
    timeout_s: float = TIMEOUT_S,
) -> Fetched:
    """Bring a corpus from its publisher's public address into a folder.

    A run that was broken off goes on where it stopped; what is complete is not fetched again. Beside each
    archive's content its SHA-256 is kept, in `<archive>.sha256`, as `sha256sum` writes it.

    Errors: UnknownNameError for the name; UsageError where the publisher offers no direct file: it says
    where to go; DownloadError for a transfer or an archive that is not what was published.

    >>> fetch("savee", Path("data"))
    Traceback (most recent call last):
        ...
    vocemo.errors.UsageError: corpus 'savee' cannot be fetched from here: register at \
http://kahlan.eps.surrey.ac.uk/savee/Download.html and unpack AudioData.zip there
    """
    corpus = CORPORA[corpus] if isinstance(corpus, str) else corpus
    if not corpus.fetchable:
        raise UsageError(f"corpus '{corpus.name}' cannot be fetched from here: {corpus.obtain}")
    directory.mkdir(parents=True, exist_ok=True)

    def bring(archive: Archive, target: Path, report: Progress) -> Downloaded:
        return download(
            archive, target, progress=report, retries=retries, pause_s=pause_s, timeout_s=timeout_s
        )

    tell = progress or _silence
    if corpus.listing is not None:
        files = _fetch_listed(corpus, corpus.listing, directory, bring, tell, timeout_s)
    else:
        files = [
            _fetch_archive(archive, directory, bring, tell, keep_archives)
            for archive in corpus.archives
            if not _is_there(corpus, archive, directory)
        ]
    clips = tree.scan(corpus, directory).clips
    if not clips:
        raise CorpusError(f"what came from {corpus.homepage} holds no clips of corpus '{corpus.name}'")
    return Fetched(corpus.name, directory, tuple(files), len(clips))


def _is_there(corpus: Corpus, archive: Archive, directory: Path) -> bool:
    """Whether an earlier run unpacked this archive, and nothing of it has gone since."""
    record = _record(archive, directory)
    if not record.exists() or (archive.sha256 or "") not in record.read_text():
        return False
    part = corpus if archive.channel is None else replace(corpus, channel=archive.channel)
    present = frozenset(tree.scan(part, directory / archive.folder).clips)
    wanted = corpus.names(present) - corpus.known_flaws.keys()
    if archive.channel is not None:
        wanted = frozenset(CORPORA[f"{corpus.speaker_key}-{archive.channel}"].names(present))
    return bool(present) and wanted <= present


def _record(archive: Archive, directory: Path) -> Path:
    return directory / f"{archive.name}.sha256"


def _fetch_archive(
    archive: Archive, directory: Path, bring: Bring, tell: Callable[[Step], None], keep: bool
) -> Downloaded:
    """Download one archive and unpack it where its content belongs."""

    def downloading(done: int, total: int | None) -> None:
        tell(Step("download", archive.name, done, archive.size_bytes if total is None else total))

    def unpacking(done: int, total: int) -> None:
        tell(Step("unpack", archive.name, done, total))

    came = bring(archive, directory / archive.name, downloading)
    unpack(came.path, directory / archive.folder, progress=unpacking)
    _record(archive, directory).write_text(f"{came.sha256}  {archive.name}\n")
    if not keep:
        came.path.unlink()
    return came


def _fetch_listed(
    corpus: Corpus,
    listing: Listing,
    directory: Path,
    bring: Bring,
    tell: Callable[[Step], None],
    timeout_s: float,
) -> list[Downloaded]:
    """Every audio file of a Dataverse data set that is not yet there."""
    archives = listed(listing, timeout_s)
    total = sum(archive.size_bytes or 0 for archive in archives)
    files = []
    before = 0
    for archive in archives:

        def downloading(done: int, _: int | None, before: int = before) -> None:
            tell(Step("download", f"{corpus.name}, {len(archives):,} files", before + done, total))

        target = directory / archive.folder / archive.name
        if not target.exists() or target.stat().st_size != archive.size_bytes:
            files.append(bring(archive, target, downloading))
        before += archive.size_bytes or 0
        downloading(0, None, before)
    return files


def listed(listing: Listing, timeout_s: float = TIMEOUT_S) -> list[Archive]:
    """The audio files of a Dataverse data set, each with its size and MD5.

    Errors: DownloadError when the server does not answer with such a list, or offers no file.

    Source: Dataverse native API, `GET /api/datasets/:persistentId/versions/:latest/files`.
    """
    query = f"persistentId={quote(listing.persistent_id, safe=':/')}"
    url = f"{listing.server}/api/datasets/:persistentId/versions/:latest/files?{query}"
    request = urllib.request.Request(url, headers={"User-Agent": "vocemo", "Accept": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as response:
            entries = json.load(response)["data"]
            archives = [_entry(listing, entry) for entry in entries if not entry.get("restricted")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise DownloadError(f"{url}: no list of files ({reason})") from error
    audio = [archive for archive in archives if tree.is_audio_name(Path(archive.name))]
    if not audio:
        raise DownloadError(f"{url}: no audio file among {len(archives)}")
    return audio


def _entry(listing: Listing, entry: dict[str, Any]) -> Archive:
    file = entry["dataFile"]
    name = safe_path(entry["label"])
    folder = entry.get("directoryLabel") or ""
    return Archive(
        name=name.name,
        url=f"{listing.server}/api/access/datafile/{int(file['id'])}",
        size_bytes=int(file["filesize"]),
        md5=file.get("md5"),
        folder=safe_path(folder).as_posix() if folder else "",
    )
