"""Messages of Protocol Buffers, of which an ONNX file is one, taken apart and put together again.

A message is fields one after another: a number and a wire type, then a varint (0), eight bytes (1), a length
and so many bytes (2: text, packed numbers, or another message), or four bytes (5).
Source: the encoding page of protobuf.dev; onnx.proto.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fuzzing.damage import EXTREMES, damaged

MODEL_GRAPH, MODEL_METADATA = 7, 14  # fields of ModelProto
_DEEPEST = 7


@dataclass(frozen=True)
class Field:
    """A field of a message; `value` is the bytes behind its number and wire type, without a length."""

    number: int
    wire: int
    value: bytes


def varint(value: int) -> bytes:
    """A whole number, seven bits a byte, the lowest first."""
    out = bytearray()
    value %= 2**64
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a varint of more than ten bytes")


def parsed(data: bytes) -> list[Field] | None:
    """The fields of a message, None where the bytes are none."""
    fields, at = [], 0
    try:
        while at < len(data):
            key, at = _read(data, at)
            number, wire = key >> 3, key & 7
            if not 0 < number < 2**16 or wire not in (0, 1, 2, 5):
                return None
            start = at
            if wire == 0:
                _, at = _read(data, at)
            elif wire == 2:
                size, start = _read(data, at)
                at = start + size
            else:
                at += 8 if wire == 1 else 4
            if at > len(data):
                return None
            fields.append(Field(number, wire, data[start:at]))
    except (IndexError, ValueError):
        return None
    return fields


def serialised(fields: list[Field]) -> bytes:
    """The bytes of a message."""
    parts = []
    for each in fields:
        parts.append(varint(each.number << 3 | each.wire))
        if each.wire == 2:
            parts.append(varint(len(each.value)))
        parts.append(each.value)
    return b"".join(parts)


def altered(data: bytes, rng: np.random.Generator, depth: int = 0) -> bytes:
    """A message of which one field, at any depth, is changed, doubled, moved or gone."""
    fields = parsed(data) if depth < _DEEPEST else None
    if not fields:
        return damaged(data, rng)
    graph = [index for index, each in enumerate(fields) if depth == 0 and each.number == MODEL_GRAPH]
    index = graph[0] if graph and rng.random() < 0.8 else int(rng.integers(len(fields)))
    chosen, way = fields[index], rng.random()
    if way < 0.05:
        del fields[index]
    elif way < 0.1:
        fields.insert(int(rng.integers(len(fields) + 1)), chosen)
    elif way < 0.13:
        fields.append(fields.pop(index))
    elif way < 0.16:
        fields[index] = Field(int(rng.integers(1, 30)), chosen.wire, chosen.value)
    elif chosen.wire == 2:
        fields[index] = Field(chosen.number, 2, altered(chosen.value, rng, depth + 1))
    elif chosen.wire == 0:
        fields[index] = Field(chosen.number, 0, varint(_number(rng)))
    else:
        fields[index] = Field(chosen.number, chosen.wire, rng.bytes(len(chosen.value)))
    return serialised(fields)


def _number(rng: np.random.Generator) -> int:
    """A small or extreme number, now and then below zero."""
    value = int(rng.integers(20)) if rng.random() < 0.5 else EXTREMES[int(rng.integers(len(EXTREMES)))]
    return -value if rng.random() < 0.3 else value


def with_metadata(model: bytes, key: bytes, text: bytes) -> bytes:
    """An ONNX file with this text under a metadata key, everything else as it is."""
    entry = Field(MODEL_METADATA, 2, serialised([Field(1, 2, key), Field(2, 2, text)]))
    others = [each for each in parsed(model) or [] if each.number != MODEL_METADATA]
    return serialised([*others, entry])


def metadata(model: bytes, key: bytes) -> bytes:
    """The text under a metadata key of an ONNX file."""
    for each in parsed(model) or []:
        entry = parsed(each.value) if each.number == MODEL_METADATA else None
        if entry and entry[0].value == key:
            return entry[1].value
    raise KeyError(key)
