"""The metadata of a TFLite file, read from its bytes by the format's own rules, without any library.

A FlatBuffer is tables that point to one another. A table begins with the distance back to its vtable, a
list of 16-bit places of its fields (0: the field is absent); a field that is a table, a string or a
vector holds the distance forward to it. Of TFLite's schema two vectors of tables matter here:

    Model.buffers   field 4, Buffer {data: bytes, offset and size: where in the file it lies instead}
    Model.metadata  field 6, Metadata {name: string, buffer: which of the buffers}

Sources: the FlatBuffers internals page (flatbuffers.dev); TFLite's schema.fbs, version 3.
"""

from __future__ import annotations

import struct

from vocemo.errors import BundleError

IDENTIFIER = b"TFL3"
_BUFFERS, _METADATA = 4, 6  # fields of Model
_NAME, _BUFFER = 0, 1  # fields of Metadata
_DATA, _OFFSET, _SIZE = 0, 1, 2  # fields of Buffer


def metadata(content: bytes) -> dict[str, bytes]:
    """The metadata entries of a TFLite file by name.

    Raises BundleError where the bytes are no TFLite file, or a broken one.

    >>> metadata(b"not a model")
    Traceback (most recent call last):
        ...
    vocemo.errors.BundleError: no TFLite file: it does not say TFL3
    """
    if content[4:8] != IDENTIFIER:
        raise BundleError("no TFLite file: it does not say TFL3")
    try:
        model = _forward(content, 0)
        buffers = _tables(content, model, _BUFFERS)
        entries, held = {}, 0
        for entry in _tables(content, model, _METADATA):
            name = _field(content, entry, _NAME)
            number = _field(content, entry, _BUFFER)
            buffer = buffers[_unsigned(content, number) if number else 0]
            if name:
                word, text = _bytes(content, _forward(content, name)), _content_of(content, buffer)
                held += len(word) + len(text)
                if held > len(content):  # entries may share their bytes, and would fill any memory
                    raise ValueError("its metadata hold more than the file does")
                entries[word.decode()] = text
        return entries
    except (struct.error, IndexError, ValueError) as error:
        raise BundleError(f"a broken TFLite file: {error}") from error


def _content_of(content: bytes, buffer: int) -> bytes:
    """What a Buffer holds: its own vector, or a stretch of the file behind the tables."""
    data = _field(content, buffer, _DATA)
    if data:
        return _bytes(content, _forward(content, data))
    offset, size = _field(content, buffer, _OFFSET), _field(content, buffer, _SIZE)
    if not offset or not size:
        return b""
    first: int = struct.unpack_from("<Q", content, offset)[0]
    count: int = struct.unpack_from("<Q", content, size)[0]
    return _stretch(content, first, count)


def _unsigned(content: bytes, place: int) -> int:
    value: int = struct.unpack_from("<I", content, place)[0]
    return value


def _forward(content: bytes, place: int) -> int:
    return place + _unsigned(content, place)


def _field(content: bytes, table: int, number: int) -> int:
    """Where a table's field stands, 0 where it is absent."""
    vtable = table - struct.unpack_from("<i", content, table)[0]
    if vtable < 0:
        raise ValueError(f"a table at {table} has its fields listed before the file begins")
    size = struct.unpack_from("<H", content, vtable)[0]
    entry = 4 + 2 * number
    if entry >= size:
        return 0
    relative: int = struct.unpack_from("<H", content, vtable + entry)[0]
    return table + relative if relative else 0


def _tables(content: bytes, table: int, number: int) -> list[int]:
    """Where the tables of a vector stand."""
    place = _field(content, table, number)
    if not place:
        return []
    vector = _forward(content, place)
    count = _unsigned(content, vector)
    if count > len(content) // 4:
        raise ValueError(f"a vector of {count} in {len(content)} bytes")
    return [_forward(content, vector + 4 * (1 + index)) for index in range(count)]


def _bytes(content: bytes, vector: int) -> bytes:
    return _stretch(content, vector + 4, _unsigned(content, vector))


def _stretch(content: bytes, first: int, count: int) -> bytes:
    if first + count > len(content):
        raise ValueError(f"{count} bytes at {first} of {len(content)}")
    return content[first : first + count]
