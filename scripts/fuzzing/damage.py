"""Bytes that are not what they were: bits flipped, numbers made absurd, stretches lost, doubled, moved."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Damage = Callable[[bytearray, np.random.Generator], None]

HEAD_BYTES = 200  # where headers lie, and half of all damage
MOST_BYTES = 4 * 2**20
# Where off-by-one, sign and overflow show, for whole numbers of 1, 2, 4 and 8 bytes.
EXTREMES = sorted(
    {0, 1, 2, 3, 7, 16, 24, 100, 255, 1000}
    | {2**power + step for power in (7, 8, 15, 16, 24, 31, 32, 40, 62, 63, 64) for step in (-1, 0, 1)}
)


def place(size: int, rng: np.random.Generator) -> int:
    """A position, in half of all cases near the beginning."""
    return int(rng.integers(min(size, HEAD_BYTES) if rng.random() < 0.5 else size)) if size else 0


def _stretch(data: bytearray, rng: np.random.Generator) -> tuple[int, int]:
    start = place(len(data), rng)
    return start, min(len(data), start + int(2 ** rng.uniform(0, 12)))


def flip(data: bytearray, rng: np.random.Generator) -> None:
    """Bits the other way round."""
    for _ in range(int(2 ** rng.uniform(0, 5)) if data else 0):
        data[place(len(data), rng)] ^= 1 << int(rng.integers(8))


def scramble(data: bytearray, rng: np.random.Generator) -> None:
    """A stretch of anything."""
    start, stop = _stretch(data, rng)
    data[start:stop] = rng.bytes(stop - start)


def level(data: bytearray, rng: np.random.Generator) -> None:
    """A stretch of one byte."""
    start, stop = _stretch(data, rng)
    data[start:stop] = bytes([int(rng.choice([0, 0xFF, 0x80, 0x20]))]) * (stop - start)


def number(data: bytearray, rng: np.random.Generator) -> None:
    """A whole number as large or as small as it can be, in either order of bytes."""
    start, width = place(len(data), rng), int(rng.choice([1, 2, 4, 8]))
    value = EXTREMES[int(rng.integers(len(EXTREMES)))] % 2 ** (8 * width)
    data[start : start + width] = value.to_bytes(width, "little" if rng.random() < 0.5 else "big")


def lose(data: bytearray, rng: np.random.Generator) -> None:
    """A stretch less."""
    start, stop = _stretch(data, rng)
    del data[start:stop]


def double(data: bytearray, rng: np.random.Generator) -> None:
    """A stretch more than once."""
    start, stop = _stretch(data, rng)
    data[stop:stop] = data[start:stop] * int(rng.integers(1, 20))


def move(data: bytearray, rng: np.random.Generator) -> None:
    """A stretch elsewhere."""
    start, stop = _stretch(data, rng)
    part = data[start:stop]
    del data[start:stop]
    at = place(len(data), rng)
    data[at:at] = part


def insert(data: bytearray, rng: np.random.Generator) -> None:
    """Bytes that were not there."""
    at = place(len(data), rng)
    data[at:at] = rng.bytes(int(2 ** rng.uniform(0, 8)))


def cut(data: bytearray, rng: np.random.Generator) -> None:
    """No end."""
    del data[place(len(data), rng) :]


EVERY: tuple[Damage, ...] = (flip, scramble, level, number, number, lose, double, move, insert, cut)


def damaged(data: bytes, rng: np.random.Generator, ways: tuple[Damage, ...] = EVERY) -> bytes:
    """One to six kinds of damage, one after another."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 7))):
        ways[int(rng.integers(len(ways)))](changed, rng)
    return bytes(changed[:MOST_BYTES])
