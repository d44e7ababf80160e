"""Coded recordings: whether the last page or frame is whole, and how many frames there are."""

from __future__ import annotations

from dataclasses import dataclass

from vocemo.audio.content import ID3_HEADER_BYTES, id3_size
from vocemo.audio.source import OpenSource


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


TAGS = (b"TAG", b"APET", b"LYRI", b"ID3", b"3DI")  # what may follow the last frame
FIRST_FRAME_BYTES = 200  # the counting headers stand behind at most 36 bytes of side information

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


@dataclass(frozen=True)
class Mp3Walk:
    """What an MP3 file holds by its frames."""

    samples: int  # a channel
    cut: bool  # the last frame goes beyond the end of the file, or frames are followed by something else


@dataclass(frozen=True)
class Mp3Frame:
    """One frame by its header."""

    length: int  # bytes
    samples: int  # a channel


def mp3_walk(source: OpenSource) -> Mp3Walk | None:
    """Count the frames of an MP3 file by their headers alone.

    None if the first frame counts them (Xing, Info, VBRI): then the decoder knows. A file that is cut
    exactly between two frames cannot be told from a whole one.
    """
    file, head = source.file, source.head(ID3_HEADER_BYTES)
    position = ID3_HEADER_BYTES + id3_size(head) if head.startswith(b"ID3") else 0
    first = source.head(FIRST_FRAME_BYTES, position)
    if any(mark in first for mark in (b"Xing", b"Info", b"VBRI")):
        return None
    samples, last, damaged = 0, 0, False
    while position + 4 <= source.size:
        file.seek(position)
        header = file.read(4)
        frame = mp3_frame(header)
        if frame is None:
            damaged = not header.startswith(TAGS)
            break
        position += frame.length
        samples, last = samples + frame.samples, frame.samples
    file.seek(0)
    if not samples:
        return None
    beyond = position > source.size
    return Mp3Walk(samples - last if beyond else samples, beyond or damaged)


def mp3_frame(header: bytes) -> Mp3Frame | None:
    """The MPEG audio frame that begins with these four bytes, or None.

    >>> mp3_frame(bytes([0xFF, 0xFB, 0x90, 0x00]))  # MPEG-1 layer III, 128 kbit/s, 44.1 kHz
    Mp3Frame(length=417, samples=1152)
    """
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bitrate, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer == 0 or bitrate in (0, 15) or rate == 3:
        return None
    bits, rate_hz = 1000 * _KBPS[version == 3, layer][bitrate], _RATES_HZ[version][rate]
    if layer == 3:  # the code of layer I
        return Mp3Frame((12 * bits // rate_hz + padding) * 4, 384)
    samples = 576 if layer == 1 and version != 3 else 1152
    return Mp3Frame(samples // 8 * bits // rate_hz + padding, samples)
