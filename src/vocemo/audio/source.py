"""One seekable binary file and one name for whatever was given: a path, bytes or a file object."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from vocemo.errors import AudioError, AudioNotFoundError, NotAudioError, UsageError

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO

SPOOL_BYTES = 64 * 2**20  # what a pipe delivers stays in memory up to this size, on disk beyond it


@dataclass(frozen=True)
class OpenSource:
    """A seekable binary file that stands at its beginning, its size, and its name for messages."""

    file: BinaryIO
    size: int  # bytes
    name: str

    def head(self, count: int, offset: int = 0) -> bytes:
        """Up to `count` bytes from `offset`; the file then stands at its beginning again."""
        self.file.seek(offset)
        data = self.file.read(count)
        self.file.seek(0)
        return data


@contextmanager
def opened(source: Source) -> Iterator[OpenSource]:
    """Open a source for reading.

    source: path, bytes, or file object opened in binary mode. A file object is read from where it
        stands and is not closed; one that cannot seek, such as a pipe, is copied first.
    errors: AudioNotFoundError, NotAudioError (a directory), AudioError (it may not be read),
        UsageError (no path, no bytes, no binary file).
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        with io.BytesIO(source) as buffer:
            yield _sized(buffer, "the given bytes")
    elif isinstance(source, (str, os.PathLike)):
        with _open_path(source) as file:
            if file.seekable():
                yield _sized(file, str(os.fspath(source)))
            else:
                with _spooled(file, str(os.fspath(source))) as copy:
                    yield copy
    elif callable(getattr(source, "read", None)):
        name = getattr(source, "name", None)
        label = name if isinstance(name, str) and name else "the given file object"
        if _at_beginning(source):
            yield _sized(source, label)
        else:
            with _spooled(source, label) as copy:
                yield copy
    else:
        raise UsageError(
            f"audio cannot be read from {type(source).__name__}; valid: a path, bytes, "
            "or a file object opened in binary mode"
        )


def _open_path(source: str | os.PathLike[str]) -> BinaryIO:
    path = Path(source)
    try:
        return path.open("rb")
    except IsADirectoryError:
        raise NotAudioError(f"{path}: is a directory, not an audio file") from None
    except FileNotFoundError:
        raise AudioNotFoundError(f"{path}: no such file") from None
    except PermissionError:
        if path.is_dir():  # Windows refuses a directory with this error
            raise NotAudioError(f"{path}: is a directory, not an audio file") from None
        raise AudioError(f"{path}: may not be read (permission denied)") from None
    except ValueError:  # a NUL character
        raise AudioNotFoundError(f"{str(source)!r}: no such file; this cannot be a path") from None
    except OSError as error:
        raise AudioNotFoundError(f"{path}: cannot be opened ({error.strerror})") from None


def _at_beginning(file: BinaryIO) -> bool:
    """Whether decoders may seek in a file object as it is: their position 0 must be its own."""
    try:
        return file.seekable() and file.tell() == 0 and isinstance(file.read(0), bytes)
    except (AttributeError, OSError):
        return False


def _sized(file: BinaryIO, name: str) -> OpenSource:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return OpenSource(file, size, name)


@contextmanager
def _spooled(file: BinaryIO, name: str) -> Iterator[OpenSource]:
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as spool:
        try:
            shutil.copyfileobj(file, spool)
        except TypeError:
            raise UsageError(f"{name}: is opened in text mode; open it in binary mode ('rb')") from None
        except OSError as error:
            raise AudioError(f"{name}: cannot be read ({error.strerror or error})") from None
        yield _sized(cast(BinaryIO, spool), name)
