"""Arrays kept on the disk from one training to the next, under keys that say all that they depend on.

An entry is a file with its arrays in NumPy's format, one after another, and a digest of them behind:
DIR/k1/k2.npy, k1 the first two digits of the key. It is written beside its place and moved there, so that
another process sees it whole or not at all; one whose digest is not its own is removed, and made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vocemo.errors import UsageError

Arrays = tuple[NDArray[np.generic], ...]

_DIGEST_BYTES = 32
_PARTIAL = ".partial-"
_ABANDONED_S = 3_600.0  # a partial file of this age is nobody's any more
_ROOM_AFTER_CLEARING = 0.9  # of the limit is kept, so that clearing is seldom
_LOOKED_AFTER = 1 / 16  # of the limit written here, what other processes wrote is counted in again


class DiskCache:
    """Entries below a folder, of no more bytes in all than a limit: what was used longest ago goes first.

    Safe for several threads and processes on one folder. Raises UsageError where the folder cannot be made
    or written to; a disk that is full later only means that nothing more is kept.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder = folder
        self._limit = limit_bytes
        self._lock = threading.Lock()
        self._full = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise UsageError(f"the cache {folder} cannot be written to: {error.strerror or error}") from error
        self._since_looked = 0
        self._clear()

    def get(self, key: str) -> Arrays | None:
        """What is kept under a key; None where nothing is, or where it is broken."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        arrays = _read(data)
        if arrays is None:
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # used just now
        return arrays

    def put(self, key: str, *arrays: NDArray[np.generic]) -> None:
        """Keep arrays of any shapes under a key."""
        data = _written(arrays)
        if self._full or len(data) > self._limit:
            return
        path = self._path(key)
        partial: Path | None = None
        try:
            path.parent.mkdir(exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=_PARTIAL, delete=False) as file:
                partial = Path(file.name)
                file.write(data)
            partial.replace(path)
        except OSError as error:
            if partial is not None:
                partial.unlink(missing_ok=True)
            self._full = True
            warnings.warn(
                f"the cache {self.folder} takes no more ({error.strerror or error}); training goes on",
                stacklevel=2,
            )
            return
        with self._lock:
            self._bytes += len(data)
            self._since_looked += len(data)
            if self._bytes > self._limit or self._since_looked > self._limit * _LOOKED_AFTER:
                self._clear()

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key[2:]}.npy"

    def _clear(self) -> None:
        """Remove what is beyond the limit; other processes write too, so what is there now counts."""
        entries = sorted(self._entries())
        self._bytes, self._since_looked = sum(size for _, size, _ in entries), 0
        if self._bytes <= self._limit:
            return
        for _, size, path in entries[:-1]:
            if self._bytes <= self._limit * _ROOM_AFTER_CLEARING:
                break
            with contextlib.suppress(OSError):
                path.unlink()
            self._bytes -= size

    def _entries(self) -> list[tuple[float, int, Path]]:
        """Each entry's last use, bytes and path; partial files that nobody writes any more are removed."""
        found = []
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            try:
                state = path.stat()
                if path.name.startswith(_PARTIAL):
                    if time.time() - state.st_mtime > _ABANDONED_S:
                        path.unlink()
                elif path.suffix == ".npy":
                    found.append((state.st_mtime, state.st_size, path))
            except OSError:  # gone in the meantime
                continue
        return found


def _written(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    for array in arrays:
        np.save(buffer, array, allow_pickle=False)
    data = buffer.getvalue()
    return data + hashlib.sha256(data).digest()


def _read(data: bytes) -> Arrays | None:
    body, digest = data[:-_DIGEST_BYTES], data[-_DIGEST_BYTES:]
    if len(digest) < _DIGEST_BYTES or hashlib.sha256(body).digest() != digest:
        return None
    buffer, arrays = io.BytesIO(body), list[NDArray[np.generic]]()
    while buffer.tell() < len(body):
        arrays.append(np.load(buffer, allow_pickle=False))
    return tuple(arrays)
