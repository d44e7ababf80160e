"""Unpacking an archive that comes from the network: nothing leaves the target, nothing swells."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from vocemo.errors import DownloadError

LIMIT_BYTES = 64 * 10**9  # the largest corpus here unpacks to under 2 GB
LIMIT_RATIO = 200.0  # recordings shrink to a third; a bomb of zeros to a thousandth
CHUNK_BYTES = 1 << 20
LEFTOVERS = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


def safe_path(name: str) -> PurePosixPath:
    """The path of an archive's member, if it stays below the target.

    Errors: DownloadError for one that does not.

    >>> safe_path("Actor_01/a.wav").as_posix()
    'Actor_01/a.wav'
    >>> safe_path("../../etc/passwd")
    Traceback (most recent call last):
        ...
    vocemo.errors.DownloadError: unsafe path in the archive: '../../etc/passwd'
    """
    path = PurePosixPath(name.replace("\\", "/"))
    drive = any(":" in part for part in path.parts[:1])
    if not path.parts or path.is_absolute() or ".." in path.parts or drive or "\0" in name:
        raise DownloadError(f"unsafe path in the archive: {name!r}")
    return path


def unpack(
    archive: Path,
    target: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    limit_bytes: int = LIMIT_BYTES,
) -> tuple[Path, ...]:
    """Unpack a ZIP archive below a folder, and return the files written, in the archive's order.

    Every member is judged before the first is written. `progress` is called with the number of
    bytes written and of all.

    Errors: DownloadError, with nothing written, for what is no ZIP archive, an encrypted one, a
    member whose path is absolute or leaves the target, a link, two members of one name, and for
    more content than `limit_bytes`, than 200 times the archive's size or than the disk has room for;
    DownloadError as well for a member that does not decompress to what the archive declares.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _judged(opened, archive, target, limit_bytes)
            return _written(opened, members, target, progress)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DownloadError(f"{archive.name} is no intact ZIP archive ({error})") from error


def _judged(
    opened: zipfile.ZipFile, archive: Path, target: Path, limit_bytes: int
) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    members: list[tuple[zipfile.ZipInfo, PurePosixPath]] = []
    seen: set[str] = set()
    for info in opened.infolist():
        path = safe_path(info.filename)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise DownloadError(f"a link or device in the archive: {info.filename!r}")
        if info.flag_bits & 0x1:
            raise DownloadError(f"{archive.name} is encrypted")
        if info.is_dir() or any(part in LEFTOVERS for part in path.parts):
            continue
        # Names that differ in case alone are one file on many disks.
        if path.as_posix().casefold() in seen:
            raise DownloadError(f"twice in the archive: {info.filename!r}")
        seen.add(path.as_posix().casefold())
        members.append((info, path))
    declared = sum(info.file_size for info, _ in members)
    most = min(limit_bytes, max(CHUNK_BYTES, LIMIT_RATIO * archive.stat().st_size))
    if declared > most:
        raise DownloadError(f"{archive.name} would unpack to {declared:,} bytes, more than {most:,.0f}")
    target.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(target).free
    if declared > free:
        raise DownloadError(f"{archive.name} unpacks to {declared:,} bytes; {free:,} are free in {target}")
    return members


def _written(
    opened: zipfile.ZipFile,
    members: list[tuple[zipfile.ZipInfo, PurePosixPath]],
    target: Path,
    progress: Callable[[int, int], None] | None,
) -> tuple[Path, ...]:
    total = sum(info.file_size for info, _ in members)
    top = target.resolve()
    written: list[Path] = []
    done = 0
    for info, relative in members:
        path = target / relative
        # A link that already lies in the target could lead out of it.
        if not path.parent.resolve().is_relative_to(top):
            raise DownloadError(f"'{relative.parent}' leads out of {target}")
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(path.name + ".part")
        half.unlink(missing_ok=True)
        with opened.open(info) as source, half.open("xb") as sink:
            while chunk := source.read(CHUNK_BYTES):
                sink.write(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(done, total)
            size = sink.tell()
        if size != info.file_size:
            half.unlink()
            raise DownloadError(f"{info.filename!r} is {size:,} bytes, not the declared {info.file_size:,}")
        half.replace(path)
        written.append(path)
    return tuple(written)
