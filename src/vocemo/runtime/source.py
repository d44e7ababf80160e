"""What a recording may come as, and its samples a piece at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TypeAlias, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vocemo import audio
from vocemo.audio.faults import Faults
from vocemo.errors import UsageError
from vocemo.prepare.signal import as_floats, as_mono

Source: TypeAlias = audio.Source | ArrayLike


def is_encoded(source: Source) -> TypeGuard[audio.Source]:
    """Whether a source is a file, or the bytes of one, and not samples."""
    return isinstance(source, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(source, "read")


def name_of(source: Source) -> str | None:
    """The path of a source, None where it has none."""
    return os.fspath(source) if isinstance(source, str | os.PathLike) else None


def pieces(source: Source, sample_rate: int | None, rate: int) -> Iterator[audio.Audio]:
    """A source as mono samples at `rate`, in Hz, a piece at a time; warnings stand in the last piece.

    sample_rate: Hz, of a source that is samples, (N,) or (channels, N), floats with full scale 1 or integers.
    Raises an AudioError, and UsageError for samples without a rate or a file with one.
    """
    if is_encoded(source):
        if sample_rate is not None:
            raise UsageError(f"a sample rate ({sample_rate}) goes with samples; a file carries its own")
        return audio.decode_chunks(source, rate)
    if sample_rate is None:
        raise UsageError("samples need their sample_rate in Hz, given none")
    channels = as_floats(np.asarray(source))
    mono, faults = as_mono(channels), Faults()
    faults.push(channels.T, mono)
    return iter([audio.Audio(audio.resample(mono, sample_rate, rate), rate, tuple(faults.warnings()))])


def stretches(
    source: Source, sample_rate: int | None, rate: int, wanted: Sequence[tuple[int, int]]
) -> list[NDArray[np.float32]]:
    """The mono samples of a source at `rate`, in Hz, from start to stop for each (start, stop) wanted.

    Reads no further than the last and holds no others. Raises as `pieces` does.
    """
    held = [list[NDArray[np.float32]]() for _ in wanted]
    position, last = 0, max(stop for _, stop in wanted)
    for piece in pieces(source, None if is_encoded(source) else sample_rate, rate):
        for kept, (start, stop) in zip(held, wanted, strict=True):
            part = piece.samples[max(start - position, 0) : max(stop - position, 0)]
            if len(part):
                kept.append(part.copy())
        position += len(piece.samples)
        if position >= last:
            break
    return [np.concatenate(kept) for kept in held]
