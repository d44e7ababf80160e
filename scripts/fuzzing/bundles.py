"""Bundles that are broken: each function takes the originals and a generator, and gives a file's bytes.

An .onnx bundle has no checksum: what is altered in its description or graph is read as it stands. That of a
.tflite bundle is made right again where its description is altered, so that what lies behind it is reached.
"""

from __future__ import annotations

import copy
import json
import pickle
import struct
from typing import Any

import numpy as np

from fuzzing import protobuf
from fuzzing.bombs import bomb
from fuzzing.damage import damaged
from fuzzing.originals import Originals
from vocemo.bundle import METADATA_KEY, seal

_KEY = METADATA_KEY.encode()
_DEEP = 100_000
# In the place of any value, key or element of a description.
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 0.5, -0.0, 1e-320, 1e18, 1e300, -1e300, 10**18, -(10**18), 10**400),
    *(float("nan"), float("inf"), float("-inf"), "", "x", "happy", "1", "nan", "\0", "\ud800", "ü" * 5000),
    *([], [[]], [None], ["happy", "sad"], ["a"] * 1000, {}, {"a": {}}, {"level": "peak"}, [1, 2], [{}]),
)
_TEXTS: tuple[bytes, ...] = (
    *(b"", b"null", b"[]", b"{}", b"{", b"NaN", b"\xff\xfe\x00", b"\xef\xbb\xbf{}", b'"' + b"a" * 10**6),
    *(
        b"[" * _DEEP,
        b'{"a":' * _DEEP,
        b"9" * 10_000,
        b'{"format":' + b"9" * 10_000 + b"}",
        b'{"name":"\xff"}',
    ),
    *(b'{"name": "x", "emotions": ["a", "b"], "results": ' + b"[" * _DEEP + b"]" * _DEEP + b"}",),
)


def _any(found: dict[str, bytes], rng: np.random.Generator) -> bytes:
    names = list(found)
    return found[names[int(rng.integers(len(names)))]]


def in_bytes(given: Originals, rng: np.random.Generator) -> bytes:
    """An ONNX file damaged anywhere, in any way, or joined of two."""
    data = _any(given.onnx, rng)
    if rng.random() < 0.1:
        other = _any(given.onnx, rng)
        data = data[: int(rng.integers(len(data)))] + other[int(rng.integers(len(other))) :]
    return damaged(data, rng)


def in_fields(given: Originals, rng: np.random.Generator) -> bytes:
    """An ONNX file that parses, with fields of its graph altered: shapes, attributes, names, operators."""
    data = _any(given.onnx, rng)
    for _ in range(int(rng.integers(1, 4))):
        data = protobuf.altered(data, rng)
    return data


def in_description(given: Originals, rng: np.random.Generator) -> bytes:
    """A sound graph whose description is altered: values, types, keys more and less, text that is none."""
    data = _any(given.onnx, rng)
    return protobuf.with_metadata(data, _KEY, described(protobuf.metadata(data, _KEY), rng))


def of_tflite(given: Originals, rng: np.random.Generator) -> bytes:
    """A TFLite file damaged anywhere, or whose description is altered and the file sealed again.

    A graph that is altered and sealed again is not among them: LiteRT does not survive it.
    """
    data = _any(given.tflite, rng)
    start = data.find(b'{"attribution"')
    if rng.random() < 0.5:
        stop = data.index(b"}", data.rfind(b'"weights"')) + 1
        text = described(data[start:stop], rng)[: stop - start]
        body = data[: data.rindex(seal.MARK)]
        return seal.sealed(body[:start] + text.ljust(stop - start) + body[stop:])  # it says how long it is
    return damaged(data, rng)


def foreign(given: Originals, rng: np.random.Generator) -> bytes:
    """Something else under a bundle's name: a recording, an archive, a pickle, random bytes."""
    way = int(rng.integers(4))
    if way == 0:
        return _any(given.recordings, rng)
    if way == 1:
        return bomb(given, rng)
    if way == 2:
        return damaged(pickle.dumps({"weights": [1.0] * 50}), rng)
    head = (b"", b"\x08\x09\x12", b"\x1c\0\0\0TFL3", struct.pack("<I", 8) + b"TFL3")[int(rng.integers(4))]
    return head + rng.bytes(int(2 ** rng.uniform(0, 14)))


def described(text: bytes, rng: np.random.Generator) -> bytes:
    """A description that is altered in one to three places, or text in its place."""
    if rng.random() < 0.1:
        return _TEXTS[int(rng.integers(len(_TEXTS)))]
    if rng.random() < 0.1:
        return damaged(text, rng)
    found = json.loads(text)
    if rng.random() < 0.9:
        found["results"] = found["results"][:0]  # else nearly all of what is altered would lie there
    for _ in range(int(rng.integers(1, 4))):
        _alter(found, rng)
    if rng.random() < 0.1:
        found["results"] = [_value(rng)]
    return json.dumps(found, ensure_ascii=bool(rng.random() < 0.5)).encode("utf-8", "surrogatepass")


def _alter(found: Any, rng: np.random.Generator) -> None:
    """Change one entry of nested objects and lists, at any depth."""
    keys: list[Any] = list(found) if isinstance(found, dict) else list(range(len(found)))
    if not keys:
        return
    key = keys[int(rng.integers(len(keys)))]
    if isinstance(found[key], dict | list) and found[key] and rng.random() < 0.7:
        return _alter(found[key], rng)
    way = rng.random()
    if way < 0.15:
        del found[key]
    elif way < 0.25 and isinstance(found, dict):
        found[("extra", "", "format", "length_s", "name")[int(rng.integers(5))]] = _value(rng)
    elif way < 0.4 and isinstance(found, list):
        found.append(copy.deepcopy(found[key]))
    else:
        found[key] = _like(found[key], rng) if rng.random() < 0.5 else _value(rng)


def _like(value: Any, rng: np.random.Generator) -> Any:
    """Another value of the same type, which may well be one that a bundle can have."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float) and abs(value) < 1e300:  # a whole number may be beyond any other
        return type(value)(value * 2 ** rng.uniform(-4, 4))
    if isinstance(value, str):
        return ("peak", "rms", "none", "start", "stationary", "int8", "x", value * 2)[int(rng.integers(8))]
    return _value(rng)


def _value(rng: np.random.Generator) -> Any:
    if rng.random() < 0.2:  # a number of any size
        return float(rng.choice([-1.0, 1.0]) * 10 ** rng.uniform(-3, 12))
    return copy.deepcopy(_VALUES[int(rng.integers(len(_VALUES)))])
