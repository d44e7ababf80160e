"""Uncompressed recordings: how far the file goes against how far its header says that it goes."""

from __future__ import annotations

import errno
import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from vocemo.audio.content import AIFF, AU, W64, WAV, Content
from vocemo.audio.source import OpenSource

UNKNOWN_SIZE = 0xFFFFFFFF  # what a writer to a pipe leaves in the header
FARTHEST = 2**40  # bytes; a file on a disk can be sought as far as the disk allows, one in memory anywhere
MOST_CHUNKS = 10_000  # before the samples; a file of zeros behind its first bytes would be chunks throughout


@dataclass(frozen=True)
class Layout:
    """The samples of a RIFF or IFF file: what its header declares and what the file holds, in bytes."""

    size_field: int  # where the declared size stands; 0 if there is no data chunk
    declared: int
    available: int  # from the chunk's first byte to the end of the file, at most `declared`
    unfinished: bool  # declared empty, though bytes follow that the whole file's size does not explain

    @property
    def missing_data(self) -> bool:
        """Not a byte of audio."""
        return self.available == 0 and not self.unfinished

    @property
    def truncated(self) -> bool:
        """Fewer bytes than declared."""
        return self.available < self.declared


def layout_of(source: OpenSource, content: Content) -> Layout | None:
    """The layout of an uncompressed recording; None for containers that do not say."""
    if content in (WAV, AIFF):
        return iff_layout(source)
    if content is AU:
        return au_layout(source)
    if content is W64:
        return w64_layout(source)
    return None


def iff_layout(source: OpenSource) -> Layout:
    """Walk the chunks of a WAV (RIFF, RIFX, RF64) or AIFF file up to its samples.

    source: Microsoft & IBM, Multimedia Programming Interface and Data Specifications 1.0 (1991);
        EBU Tech 3306 (RF64); Apple, Audio Interchange File Format 1.3 (1989).
    """
    form = source.head(12)
    order = ">" if form[:4] in (b"FORM", b"RIFX") else "<"
    wanted, extra = (b"SSND", 8) if form[:4] == b"FORM" else (b"data", 0)
    (form_size,) = struct.unpack(f"{order}I", form[4:8])
    long_size: int | None = None
    position = 12
    for _ in range(MOST_CHUNKS):
        if position + 8 > source.size:
            break
        head = source.head(8 + 28, position)
        name, (size,) = head[:4], struct.unpack(f"{order}I", head[4:8])
        if name == b"ds64" and len(head) >= 24:
            (long_size,) = struct.unpack("<Q", head[16:24])
        if name == wanted:
            start = position + 8 + extra
            present = max(0, source.size - start)
            if size == UNKNOWN_SIZE:
                size = present if long_size is None else long_size
            unfinished = size == 0 and present > 0 and form_size + 8 < source.size
            declared = max(0, size - extra)
            return Layout(position + 4, declared, min(present, declared), unfinished)
        position += 8 + size + size % 2
    return Layout(0, 0, 0, False)


def au_layout(source: OpenSource) -> Layout:
    """The header of a Sun/NeXT file: where its samples begin and how many bytes they are."""
    head = source.head(12).ljust(12, b"\0")
    start, size = struct.unpack(">II", head[4:12])
    present = max(0, source.size - start)
    declared = present if size == UNKNOWN_SIZE else size
    return Layout(8, declared, min(present, declared), False)


def w64_layout(source: OpenSource) -> Layout:
    """Walk the chunks of a Sony Wave64 file: names of 16 bytes, sizes of 8 that count both."""
    position = 40
    for _ in range(MOST_CHUNKS):
        if position + 24 > source.size:
            break
        head = source.head(24, position)
        (size,) = struct.unpack("<Q", head[16:])
        if head[:4] == b"data":
            present = source.size - position - 24
            declared = max(0, size - 24)
            return Layout(position + 16, declared, min(present, declared), False)
        position += max(24, size + -size % 8)
    return Layout(0, 0, 0, False)


class NamelessFile:
    """A file as a decoder is to see it: without a name, by whose suffix it might be misled.

    Where a damaged header points to no place of any file it stays where it is, on a disk and in memory.
    Of what is raised instead a decoder's binding prints the trace.
    """

    def __init__(self, file: BinaryIO) -> None:
        """`file` is read, never closed."""
        self.read = file.read
        self.tell = file.tell
        self._seek = file.seek
        if hasattr(file, "readinto"):
            self.readinto = file.readinto

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """The new position; below zero, as FFmpeg takes it, where there is no such place."""
        if whence == os.SEEK_CUR:
            offset += self.tell()
        elif whence == os.SEEK_END:
            offset += self._seek(0, os.SEEK_END)
        return self._seek(offset) if 0 <= offset <= FARTHEST else -errno.EINVAL


class PatchedFile:
    """A file as it is, but for a few bytes that read differently."""

    def __init__(self, file: BinaryIO, offset: int, patch: bytes) -> None:
        """`patch` is read in the place of what stands at `offset`."""
        self._file, self._offset, self._patch = file, offset, patch
        self.seek = NamelessFile(file).seek
        self.tell = file.tell

    def read(self, size: int = -1) -> bytes:
        """Bytes of the file, patched."""
        start = self._file.tell()
        data = bytearray(self._file.read(size))
        for i, byte in enumerate(self._patch, self._offset - start):
            if 0 <= i < len(data):
                data[i] = byte
        return bytes(data)
