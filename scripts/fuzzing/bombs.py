"""Small files that hold, or say that they hold, a great deal: heard a chunk at a time, they stay small."""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import soundfile

from fuzzing.damage import damaged, number
from fuzzing.originals import Originals

MANY_BYTES = 2**24
MINUTE_S = 60


def bomb(given: Originals, rng: np.random.Generator) -> bytes:
    """One of them, now and then with a number in its header made absurd."""
    data = _BOMBS[int(rng.integers(len(_BOMBS)))](given, rng)
    return damaged(data, rng, (number,)) if rng.random() < 0.3 else data


@functools.cache
def _archives() -> tuple[bytes, ...]:
    zeros = bytes(MANY_BYTES)
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in range(8):
            archive.writestr(f"{member}.wav", zeros)
    with tarfile.open(fileobj=tarred, mode="w:gz") as bundle:
        about = tarfile.TarInfo("a.wav")
        about.size = len(zeros)
        bundle.addfile(about, io.BytesIO(zeros))
    plain = gzip.decompress(tarred.getvalue())[:65_536]
    return (
        zipped.getvalue(),
        tarred.getvalue(),
        plain,
        gzip.compress(zeros),
        bz2.compress(zeros),
        lzma.compress(zeros),
    )


def _archive(given: Originals, rng: np.random.Generator) -> bytes:
    """An archive of zeros by itself, or as the samples, tail or tag of a recording."""
    found = _archives()
    archive = found[int(rng.integers(len(found)))]
    wav = given.recordings["WAV-PCM_16"]
    return (archive, wav[:44] + archive, given.recordings["FLAC-PCM_16"] + archive, _tag(archive) + wav)[
        int(rng.integers(4))
    ]


@functools.cache
def _silence(container: str, rate: int, channels: int, minutes: int) -> bytes:
    """Silence without end: a few bytes a block."""
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", rate, channels, format=container) as file:
        for _ in range(minutes):
            file.write(np.zeros((MINUTE_S * rate, channels), np.int16))
    return buffer.getvalue()


def _long_silence(given: Originals, rng: np.random.Generator) -> bytes:
    return _silence(
        *(("FLAC", 8_000, 1, 20), ("FLAC", 48_000, 8, 1), ("FLAC", 655_350, 1, 1))[int(rng.integers(3))]
    )


def _tag(body: bytes, flags: int = 0) -> bytes:
    """An ID3v2.4 tag of one picture."""
    frame = b"APIC" + _sevens(len(body)) + struct.pack(">H", flags) + body
    return b"ID3\x04\0\0" + _sevens(len(frame)) + frame


def _sevens(count: int) -> bytes:
    """A number in four bytes of seven bits each."""
    return bytes(count >> shift & 0x7F for shift in (21, 14, 7, 0))


@functools.cache
def _packed() -> bytes:
    return zlib.compress(bytes(MANY_BYTES), 9)


def _packed_tag(given: Originals, rng: np.random.Generator) -> bytes:
    """A tag whose picture is compressed zeros, before an MP3 or before nothing that is one."""
    size = int(rng.choice([MANY_BYTES, 2**28 - 1, 10]))
    body = _sevens(size) + _packed()
    sound = given.recordings["MP3-MPEG_LAYER_III"] if rng.random() < 0.5 else rng.bytes(2000)
    return _tag(body, flags=0x0009) + sound


def _packed_index(given: Originals, rng: np.random.Generator) -> bytes:
    """An MP4 whose index is compressed zeros."""
    size = int(rng.choice([MANY_BYTES, 2**31 - 1, 2**32 - 1]))
    inner = _atom(b"dcom", b"zlib") + _atom(b"cmvd", struct.pack(">I", size) + _packed())
    return _atom(b"ftyp", b"qt  \0\0\0\0qt  ") + _atom(b"moov", _atom(b"cmov", inner))


def _atom(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + name + body


def _nested(given: Originals, rng: np.random.Generator) -> bytes:
    """Atoms within atoms within atoms, or lists within lists."""
    depth, data = int(2 ** rng.uniform(3, 12)), b""
    if rng.random() < 0.5:
        for _ in range(depth):
            data = _atom((b"moov", b"trak", b"udta", b"meta")[int(rng.integers(4))], data)
        return _atom(b"ftyp", b"M4A \0\0\0\0M4A ") + data
    for _ in range(depth):
        data = b"LIST" + struct.pack("<I", 4 + len(data)) + b"INFO" + data
    return b"RIFF" + struct.pack("<I", 4 + len(data)) + b"WAVE" + data


def _many_chunks(given: Originals, rng: np.random.Generator) -> bytes:
    """A header, and then chunks of no length as far as the file goes."""
    head = (b"RIFF\xff\xff\xff\xffWAVE", b"FORM\x7f\xff\xff\xffAIFF", b"RF64\xff\xff\xff\xffWAVE")[
        int(rng.integers(3))
    ]
    chunk = (b"\0" * 8, b"JUNK\0\0\0\0", b"fmt \0\0\0\0")[int(rng.integers(3))]
    return head + chunk * int(2 ** rng.uniform(4, 20))


def _small_frames(given: Originals, rng: np.random.Generator) -> bytes:
    """An MP3 of the shortest frames that there are: MPEG 2.5, layer III, 8 kbit/s at 12 kHz."""
    frame = bytes([0xFF, 0xE3, 0x14, 0xC4]) + bytes(44)
    return frame * int(2 ** rng.uniform(4, 14))


def _promises(given: Originals, rng: np.random.Generator) -> bytes:
    """A FLAC whose header promises more samples, channels, or metadata than any file has."""
    flac = bytearray(given.recordings["FLAC-PCM_16"])
    flac[18:26] = rng.bytes(8) if rng.random() < 0.5 else b"\xff" * 8
    blocks = b"".join(
        bytes([kind]) + b"\xff\xff\xff" + rng.bytes(40) for kind in rng.integers(1, 7, 3).tolist()
    )
    return bytes(flac[:42]) + (blocks if rng.random() < 0.5 else b"") + bytes(flac[42:])


_BOMBS: tuple[Callable[[Originals, np.random.Generator], bytes], ...] = (
    *(_archive, _long_silence, _packed_tag, _packed_index, _nested, _many_chunks, _small_frames, _promises),
)
