"""How far a file goes against how far its headers say that it goes."""

from __future__ import annotations

import io
import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from vocemo.audio.content import ID3_HEADER_BYTES, _id3_size
from vocemo.audio.source import OpenSource

UNKNOWN_SIZE = 0xFFFFFFFF  # what a writer to a pipe leaves in the header


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
    while position + 8 <= source.size:
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


def ogg_is_cut(source: OpenSource) -> bool:
    """Whether an Ogg file lacks the page that ends its stream (RFC 3533, section 6)."""
    longest_page = 27 + 255 + 255 * 255
    tail_start = max(0, source.size - 2 * longest_page)
    tail = source.head(source.size - tail_start, tail_start)
    position = tail.rfind(b"OggS")
    if position < 0 or position + 27 > len(tail):
        return True
    segments = tail[position + 26]
    table = tail[position + 27 : position + 27 + segments]
    complete = len(table) == segments and position + 27 + segments + sum(table) <= len(tail)
    return not complete or not tail[position + 5] & 4


# Kilobits a second by [version is 1][layer], layers III, II, I (ISO/IEC 11172-3, 2.4.2.3; 13818-3).
_KBPS = {
    (True, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (False, 1): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
}
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
MP3_WALK_BYTES = 256 * 2**20  # longer files are not walked


def mp3_is_cut(source: OpenSource) -> bool:
    """Whether the last frame of an MP3 file goes beyond its end.

    Frames are walked by their headers alone. A file that is cut exactly between two frames, and
    has no header that counts them, cannot be told from a whole one.
    """
    if source.size > MP3_WALK_BYTES:
        return False
    data = source.head(source.size)
    end = source.size - (128 if data[-128:-125] == b"TAG" else 0)
    position = ID3_HEADER_BYTES + _id3_size(data) if data.startswith(b"ID3") else 0
    while position + 4 <= end:
        length = mp3_frame_bytes(data[position : position + 4])
        if length is None:
            return False  # no longer in step: a tag at the end, or damage, of which the decoder tells
        position += length
    return position > end


def mp3_frame_bytes(header: bytes) -> int | None:
    """Length of the MPEG audio frame that begins with these four bytes; None if none does.

    >>> mp3_frame_bytes(bytes([0xFF, 0xFB, 0x90, 0x00]))  # MPEG-1 layer III, 128 kbit/s, 44.1 kHz
    417
    """
    if header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bitrate, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer == 0 or bitrate in (0, 15) or rate == 3:
        return None
    bits, rate_hz = 1000 * _KBPS[version == 3, layer][bitrate], _RATES_HZ[version][rate]
    if layer == 3:
        return (12 * bits // rate_hz + padding) * 4
    frame_samples = 576 if layer == 1 and version != 3 else 1152
    return frame_samples // 8 * bits // rate_hz + padding


class PatchedFile(io.RawIOBase):
    """A file as it is, but for a few bytes that read differently."""

    def __init__(self, file: BinaryIO, offset: int, patch: bytes) -> None:
        super().__init__()
        self._file, self._offset, self._patch = file, offset, patch

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Seek in the file itself."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Position in the file itself."""
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        """Bytes of the file, patched."""
        start = self._file.tell()
        data = bytearray(self._file.read(size))
        for i, byte in enumerate(self._patch, self._offset - start):
            if 0 <= i < len(data):
                data[i] = byte
        return bytes(data)
