"""One file over HTTP: resumed where it was cut, checked when it is there."""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from vocemo.errors import DownloadError
from vocemo.lab.corpora.corpus import Archive

CHUNK_BYTES = 1 << 18
TIMEOUT_S = 60.0  # without a single byte
RETRIES = 5  # in a row, without a single byte
PAUSE_S = 1.0  # before the first further try, then twice as long each time
RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})

Progress = Callable[[int, int | None], None]  # bytes so far, bytes in all where the server says


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that has come whole."""

    path: Path
    size_bytes: int
    sha256: str
    verified: bool  # against a checksum that the publisher gives


class _Interrupted(Exception):
    """The transfer stopped before its end, and may go on."""


def download(
    archive: Archive,
    target: Path,
    *,
    progress: Progress | None = None,
    retries: int = RETRIES,
    pause_s: float = PAUSE_S,
    timeout_s: float = TIMEOUT_S,
) -> Downloaded:
    """Download a file to `target`, going on from `target.part` where an earlier run stopped.

    The part is continued only while the server still offers the same file (ETag or
    date, and size). A file that is already there and matches is left as it is.

    Errors: DownloadError when the server refuses, when it stops answering, when the content is not
    the published one (then the part is removed), or when the disk has no room.

    Source: RFC 9110, sections 13.1.5 (If-Range) and 14 (range requests).
    """
    if target.exists():
        present = _Sums.of(target)
        if present.unlike(archive) is None:
            return present.downloaded(archive, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _transfer(archive, part, progress, timeout_s)
            break
        except _Interrupted as error:
            came = (part.stat().st_size if part.exists() else 0) > before
            failures = 0 if came else failures + 1
            if failures > retries:
                raise DownloadError(
                    f"{archive.url}: {error}; gave up after {retries} more tries "
                    f"(what came is kept, and the next run goes on from there)"
                ) from error
            time.sleep(pause_s * 2 ** max(0, failures - 1))
    return _checked(archive, part, target)


def _transfer(archive: Archive, part: Path, progress: Progress | None, timeout_s: float) -> None:
    """One request. Errors: DownloadError when it cannot succeed, _Interrupted when it may later."""
    if urlsplit(archive.url).scheme not in ("http", "https"):
        raise DownloadError(f"not an HTTP address: {archive.url}")
    notes = part.with_name(part.name + ".json")
    have, known = _resumable(part, notes)
    headers = {"User-Agent": "vocemo", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if known.validator:
            headers["If-Range"] = known.validator
    request = urllib.request.Request(archive.url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as response:
            total = _total_bytes(response, have)
            resumed = response.status == http.client.PARTIAL_CONTENT
            if resumed and not _continues(response, have, known):
                part.unlink()
                raise _Interrupted("the server's file has changed since the transfer began")
            _require_room(part, (total or 0) - (have if resumed else 0), archive)
            notes.write_text(json.dumps({"validator": _validator(response), "total": total}))
            done = have if resumed else 0
            with part.open("ab" if resumed else "wb") as sink:
                while chunk := response.read(CHUNK_BYTES):
                    sink.write(chunk)
                    done += len(chunk)
                    if progress is not None:
                        progress(done, total)
    except urllib.error.HTTPError as error:
        _refused(archive, part, error, have, known)
        return
    except (OSError, http.client.HTTPException) as error:
        raise _Interrupted(str(getattr(error, "reason", error)) or type(error).__name__) from error
    if total is not None and done < total:
        raise _Interrupted(f"the connection ended after {done:,} of {total:,} bytes")


@dataclass(frozen=True, slots=True)
class _Known:
    """What was noted of the server's file when the transfer began."""

    validator: str | None = None
    total: int | None = None


def _resumable(part: Path, notes: Path) -> tuple[int, _Known]:
    """Bytes that an earlier run left, and what it noted of the server's file."""
    try:
        noted = json.loads(notes.read_text())
        return part.stat().st_size, _Known(noted["validator"], noted["total"])
    except (OSError, ValueError, KeyError, TypeError):
        part.unlink(missing_ok=True)  # without notes nobody knows what it is a part of
        return 0, _Known()


def _validator(response: http.client.HTTPResponse) -> str | None:
    """What tells whether the server's file is still the same: a strong ETag, else the date."""
    etag: str | None = response.headers.get("ETag")
    if etag and not etag.startswith("W/"):
        return etag
    return response.headers.get("Last-Modified")


def _total_bytes(response: http.client.HTTPResponse, have: int) -> int | None:
    """Size of the whole file, as far as the server says."""
    if response.status == http.client.PARTIAL_CONTENT:
        size = response.headers.get("Content-Range", "").rpartition("/")[2]
        return int(size) if size.isdigit() else None
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _continues(response: http.client.HTTPResponse, have: int, known: _Known) -> bool:
    """Whether a partial answer begins where the part ends, in a file of the size that was noted."""
    span, _, size = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    return span.startswith(f"{have}-") and known.total in (None, int(size) if size.isdigit() else None)


def _refused(archive: Archive, part: Path, error: urllib.error.HTTPError, have: int, known: _Known) -> None:
    """Judge a status of 400 and above. Errors: DownloadError, _Interrupted; none when all is there."""
    if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and have:
        if known.total == have:
            return  # the earlier run had everything but the check
        part.unlink(missing_ok=True)
        raise _Interrupted("the server's file has changed since the transfer began") from error
    reason = f"the server answers {error.code} ({error.reason})"
    if error.code in RETRIED_STATUS:
        raise _Interrupted(reason) from error
    raise DownloadError(f"{archive.url}: {reason}") from error


def _require_room(part: Path, needed_bytes: int, archive: Archive) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed_bytes > free:
        raise DownloadError(
            f"{archive.name} needs {needed_bytes:,} bytes; {free:,} are free in {part.parent}"
        )


@dataclass(frozen=True, slots=True)
class _Sums:
    """What identifies the content of a file."""

    size_bytes: int
    md5: str
    sha256: str

    @classmethod
    def of(cls, file: Path) -> _Sums:
        """Read a file once."""
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        with file.open("rb") as opened:
            while chunk := opened.read(CHUNK_BYTES):
                sha256.update(chunk)
                md5.update(chunk)
        return cls(file.stat().st_size, md5.hexdigest(), sha256.hexdigest())

    def unlike(self, archive: Archive) -> str | None:
        """In what this is not the published file; None where it is, as far as is published."""
        for what, came, published in (
            ("size", self.size_bytes, archive.size_bytes),
            ("MD5", self.md5, archive.md5 and archive.md5.lower()),
            ("SHA-256", self.sha256, archive.sha256 and archive.sha256.lower()),
        ):
            if published is not None and came != published:
                return f"its {what} is {came}, the publisher's {published}"
        return None

    def downloaded(self, archive: Archive, path: Path) -> Downloaded:
        """The result of a transfer."""
        return Downloaded(path, self.size_bytes, self.sha256, bool(archive.md5 or archive.sha256))


def _checked(archive: Archive, part: Path, target: Path) -> Downloaded:
    """Compare a whole file with what is published, and put it in its place."""
    sums = _Sums.of(part)
    part.with_name(part.name + ".json").unlink(missing_ok=True)
    wrong = sums.unlike(archive)
    if wrong is not None:
        part.unlink()
        raise DownloadError(f"{archive.url}: not the published file: {wrong}; it has been removed")
    part.replace(target)
    return sums.downloaded(archive, target)
