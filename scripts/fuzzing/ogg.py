"""Ogg pages: their checksums made right again, so that a decoder reads what was altered (RFC 3533, 6)."""

from __future__ import annotations

from collections.abc import Iterator

HEADER_BYTES = 27
_CRC, _SERIAL = slice(22, 26), slice(14, 18)


def _table() -> tuple[int, ...]:
    values = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
        values.append(value)
    return tuple(values)


_TABLE = _table()


def pages(data: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Where the pages begin and end, as far as one follows the other."""
    start = 0
    while data[start : start + 4] == b"OggS" and start + HEADER_BYTES <= len(data):
        segments = data[start + 26]
        stop = start + HEADER_BYTES + segments + sum(data[start + HEADER_BYTES :][:segments])
        yield start, min(stop, len(data))
        start = stop


def sealed(data: bytes) -> bytes:
    """The same with right checksums."""
    mended = bytearray(data)
    for start, stop in pages(mended):
        page = mended[start:stop]
        page[_CRC] = bytes(4)
        crc = 0
        for byte in page:
            crc = (crc << 8 & 0xFFFFFFFF) ^ _TABLE[crc >> 24 ^ byte]
        page[_CRC] = crc.to_bytes(4, "little")
        mended[start:stop] = page
    return bytes(mended)


def with_serial(data: bytes, serial: int) -> bytes:
    """The same, its one stream under another number: encoders draw theirs."""
    changed = bytearray(data)
    for start, _ in pages(changed):
        changed[start + _SERIAL.start : start + _SERIAL.stop] = serial.to_bytes(4, "little")
    return sealed(bytes(changed))
