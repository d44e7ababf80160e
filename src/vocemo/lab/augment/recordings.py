"""Recordings below a folder, decoded to a rate once and kept as long as memory lasts."""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from vocemo import audio
from vocemo.errors import AudioError, NotAudioError, UsageError
from vocemo.lab.augment.transform import Samples

# One store for the process: the folds of a cross-validation read the same noises.
_KEPT_BYTES = 2**30


@dataclass(frozen=True)
class Recordings:
    """What can be heard in a folder: names from the folder on, in order."""

    folder: Path
    names: tuple[str, ...]

    def samples(self, name: str, sample_rate: int) -> Samples:
        """One recording as mono samples at a rate in Hz, (N,). Never write to them.

        Raises UsageError where it is no longer there, or cannot be decoded.
        """
        path = self.folder / name
        try:
            state = path.stat()
            return _STORE.samples((path, state.st_size, state.st_mtime_ns, sample_rate))
        except (OSError, AudioError) as error:
            raise UsageError(f"noise {path} cannot be used: {error}") from error

    def digest(self) -> str:
        """A digest of all names and contents: it changes where anything of what is heard does."""
        total = hashlib.sha256()
        for name in self.names:
            state = (self.folder / name).stat()
            total.update(
                f"{name}\0{_digest(self.folder / name, state.st_size, state.st_mtime_ns)}\0".encode()
            )
        return total.hexdigest()


def below(folder: str, what: str) -> Recordings:
    """The recordings below a folder, however deep; what is no audio is passed over, hidden files too.

    what: who asks, for messages. Raises UsageError where there is no such folder, or no recording in it.
    """
    if not isinstance(folder, str) or not folder:
        raise UsageError(f"{what}: folder is {folder!r}; valid: a folder of recordings, in quotation marks")
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise UsageError(f"{what}: there is no folder '{folder}' (from {Path.cwd()} on)")
    names: list[str] = []
    for parent, folders, files in os.walk(root, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in (Path(parent, name) for name in files if not name.startswith(".")):
            if not path.is_file():  # a link to nowhere, a pipe
                continue
            state = path.stat()
            if _is_audio(path, state.st_size, state.st_mtime_ns):
                names.append(path.relative_to(root).as_posix())
    if not names:
        raise UsageError(f"{what}: there is no recording in '{folder}'")
    return Recordings(root, tuple(sorted(names)))


@lru_cache(maxsize=2**16)
def _is_audio(path: Path, size: int, modified_ns: int) -> bool:
    try:
        audio.probe(path)
    except NotAudioError:
        return False
    except AudioError as error:
        raise UsageError(f"noise {path} cannot be used: {error}") from error
    return True


@lru_cache(maxsize=2**16)
def _digest(path: Path, size: int, modified_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Store:
    """Decoded recordings in bounded memory; past the bound they are decoded each time."""

    def __init__(self, memory_bytes: int) -> None:
        self._left = memory_bytes
        self._kept: dict[tuple[Path, int, int, int], Samples] = {}
        self._lock = threading.Lock()

    def samples(self, key: tuple[Path, int, int, int]) -> Samples:
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        path, _, _, sample_rate = key
        made = np.ascontiguousarray(audio.decode(path, sample_rate).samples)
        made.flags.writeable = False
        with self._lock:
            if key not in self._kept and made.nbytes <= self._left:
                self._left -= made.nbytes
                self._kept[key] = made
        return made


_STORE = _Store(_KEPT_BYTES)
