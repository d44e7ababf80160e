"""Recordings that are broken: each function takes the originals and a generator, and gives a file's bytes."""

from __future__ import annotations

import struct

import numpy as np

from fuzzing.damage import EXTREMES, cut, damaged, level, number
from fuzzing.ogg import sealed
from fuzzing.originals import Originals

_TYPES = (0, 1, 2, 3, 6, 7, 17, 49, 80, 85, 0x2000, 0xFFFE, 0xFFFF)  # of WAVEFORMATEX
_GUID = b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
_LOUD = (32768.0, 2.0**31, -1e10, 9e11, -9e11, 1e-310, 1e-40, -0.0)  # far beyond full scale, and answered
_LARGE = (*_LOUD, 3.4e38, -3.4e38, 1e30, -1e30, 1e20)
_ABSURD = (*_LARGE, np.nan, np.inf, -np.inf, 1e300, -1e300)
_SAMPLES_FROM = 4160  # bytes, behind every header
_MAGICS = (
    *(b"RIFF\x24\x08\0\0WAVEfmt ", b"FORM\0\0\0\x24AIFFCOMM", b"fLaC\0\0\0\x22", b"OggS\0\x02", b"ID3\x03\0"),
    *(b"caff\0\x01\0\0desc", b".snd\0\0\0\x18", b"NIST_1A\n   1024\n", b"Creative Voice File\x1a\x1a\0"),
    *(
        b"\0\0\0\x20ftypM4A ",
        b"\0\0\0\x08moov",
        b"\x1a\x45\xdf\xa3",
        b"\xff\xfb\x90\x64",
        b"\xff\xf1\x50\x80",
    ),
    *(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", b"RIFF\0\0\x01\0AVI LIST", b"#!AMR\n", b"FLV\x01\x04\0\0\0\x09"),
    *(b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0", b"RF64\xff\xff\xff\xffWAVEds64", b"G", b""),
)


def _any(found: dict[str, bytes], rng: np.random.Generator, *beginnings: str) -> bytes:
    names = [name for name in found if name.startswith(beginnings or ("",))]
    return found[names[int(rng.integers(len(names)))]]


def in_any_way(given: Originals, rng: np.random.Generator) -> bytes:
    """A recording damaged anywhere, in any way."""
    return damaged(_any(given.recordings, rng), rng)


def in_numbers(given: Originals, rng: np.random.Generator) -> bytes:
    """A recording with absurd numbers, most of them in its header: sizes, rates, channels, counts."""
    return damaged(_any(given.recordings, rng), rng, (number,))


def cut_off(given: Originals, rng: np.random.Generator) -> bytes:
    """A recording without its end."""
    return damaged(_any(given.recordings, rng), rng, (cut,))


def spliced(given: Originals, rng: np.random.Generator) -> bytes:
    """The beginning of one recording and the end of another, often of another format."""
    one, other = _any(given.recordings, rng), _any(given.recordings, rng)
    first, rest = int(rng.integers(len(one))), int(rng.integers(len(other)))
    joined = one[:first] + other[rest:]
    return damaged(joined, rng) if rng.random() < 0.3 else joined


def behind_checksums(given: Originals, rng: np.random.Generator) -> bytes:
    """An Ogg file damaged within its pages, whose checksums are right: what is wrong reaches the decoder."""
    return sealed(damaged(_any(given.recordings, rng, "OGG", "ogg"), rng, (number, level, number)))


def with_wav_header(given: Originals, rng: np.random.Generator) -> bytes:
    """A WAV whose header says anything: codec, channels, rate, bits, sizes, in any form of RIFF."""

    def some(*values: int, of: int) -> int:
        """Mostly the first, which is right or common."""
        way = rng.random()
        chosen = values[:1] if way < 0.7 else values if way < 0.9 else EXTREMES
        value: int = chosen[int(rng.integers(len(chosen)))] % 2**of
        return value

    kind = some(_TYPES[int(rng.integers(len(_TYPES)))], 1, 3, of=16)
    channels = some(1 + int(rng.integers(8)), 0, 255, 1024, 65_535, of=16)
    rate = some(16_000, 0, 1, 1000, 44_100, 768_000, 2**31 - 1, of=32)
    bits = some(8 * int(rng.integers(1, 5)), 0, 1, 4, 7, 12, 20, 64, of=16)
    align = some(channels * bits // 8, 0, 1, of=16)
    form = struct.pack("<HHIIHH", kind, channels, rate, some(rate * align, 0, of=32), align, bits)
    if kind == 0xFFFE or rng.random() < 0.2:
        form += (
            struct.pack("<HHIH", some(22, 0, of=16), bits, some(3, 0, of=32), some(1, 0, 3, 6, of=16)) + _GUID
        )
    payload = _any(given.recordings, rng)[: int(rng.integers(4000))]
    order = b"RIFF" if rng.random() < 0.8 else (b"RIFX", b"RF64", b"BW64")[int(rng.integers(3))]
    chunks = b"fmt " + struct.pack("<I", some(len(form), 16, 18, 40, of=32)) + form
    if rng.random() < 0.3:
        chunks += b"fact" + struct.pack("<II", some(4, of=32), some(0, len(payload), of=32))
    chunks += b"data" + struct.pack("<I", some(len(payload), 0, 2**32 - 1, of=32)) + payload
    return order + struct.pack("<I", some(4 + len(chunks), 0, of=32)) + b"WAVE" + chunks


def not_numbers(given: Originals, rng: np.random.Generator) -> bytes:
    """A recording of floats, some of which are no numbers, or far beyond full scale."""
    name = ("WAV-FLOAT", "WAV-DOUBLE", "WAVEX-FLOAT", "AIFF-FLOAT", "AU-FLOAT", "CAF-FLOAT")[
        int(rng.integers(6))
    ]
    changed = bytearray(given.recordings[name])
    kind = "<f8" if name == "WAV-DOUBLE" else ">f4" if name[:2] in ("AI", "AU", "CA") else "<f4"
    values = (_LOUD, _LOUD, _LARGE, _ABSURD)[int(rng.integers(4))]
    start = len(changed) % 4 + _SAMPLES_FROM
    samples = np.frombuffer(changed, kind, (len(changed) - start) // int(kind[2]), start)
    for place in rng.integers(len(samples), size=int(2 ** rng.uniform(0, 12))):
        with np.errstate(over="ignore"):
            samples[place] = values[int(rng.integers(len(values)))]
    return bytes(changed)


def anything(given: Originals, rng: np.random.Generator) -> bytes:
    """Random bytes, most behind what a format begins with."""
    beginning = _MAGICS[int(rng.integers(len(_MAGICS)))]
    size = int(2 ** rng.uniform(0, 14))
    rest = rng.bytes(size) if rng.random() < 0.8 else bytes([int(rng.integers(256))]) * size
    return beginning + rest
