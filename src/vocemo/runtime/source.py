"""What a recording may come as, and its samples a piece at a time."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vocemo import audio
from vocemo.audio.channels import check_channel
from vocemo.audio.faults import Faults
from vocemo.errors import UsageError
from vocemo.prepare.signal import as_floats, as_mono

PIECE_S = 30.0


@dataclass(frozen=True)
class OneChannel:
    """One channel of a recording, in the recording's place: of a call, one of its speakers.

    source: what `Predictor.predict` takes; of samples, (channels, N), the row. channel: from 0, in the
    recording's own order. Where there is no such channel, whoever reads it raises UsageError.

    >>> OneChannel("call.wav", 1)
    OneChannel(source='call.wav', channel=1)
    """

    source: audio.Source | ArrayLike
    channel: int

    def __post_init__(self) -> None:
        """Refuse a channel of a channel."""
        if isinstance(self.source, OneChannel):
            raise UsageError(f"channel {self.channel} of {self.source}, which is one channel already")


Source: TypeAlias = audio.Source | ArrayLike | OneChannel


def channel_of(source: Source) -> int | None:
    """The channel that a source is alone, None where it is all of them."""
    return source.channel if isinstance(source, OneChannel) else None


def is_encoded(source: Source) -> bool:
    """Whether a source is a file, or the bytes of one, or a channel of either, and not samples."""
    return _is_file(source.source if isinstance(source, OneChannel) else source)


def name_of(source: Source) -> str | None:
    """The path of a source, None where it has none."""
    given = source.source if isinstance(source, OneChannel) else source
    return os.fspath(given) if isinstance(given, str | os.PathLike) else None


def rereadable(source: Source) -> Source:
    """The source, of a file object its bytes: who reads it more than once needs that."""
    if isinstance(source, OneChannel):
        return OneChannel(cast("audio.Source | ArrayLike", rereadable(source.source)), source.channel)
    return cast("io.BufferedIOBase", source).read() if hasattr(source, "read") else source


def pieces(
    source: Source, sample_rate: int | None, rate: int | None, piece_s: float = PIECE_S
) -> Iterator[audio.Audio]:
    """A source as mono samples at `rate`, in Hz, a piece at a time; warnings stand in the last piece.

    sample_rate: Hz, of a source that is samples, (N,) or (channels, N), floats with full scale 1 or integers.
    rate: None for the source's own. piece_s: seconds a piece; samples are one piece.
    Raises an AudioError, and UsageError for samples without a rate, a file with one, or no such channel.
    """
    channel = channel_of(source)
    given = source.source if isinstance(source, OneChannel) else source
    if _is_file(given):
        if sample_rate is not None:
            raise UsageError(f"a sample rate ({sample_rate}) goes with samples; a file carries its own")
        return audio.decode_chunks(given, rate, piece_s, channel)
    if sample_rate is None:
        raise UsageError("samples need their sample_rate in Hz, given none")
    channels = as_floats(np.asarray(given))
    if channel is not None:
        channel = check_channel(channel, len(channels), f"samples of shape {channels.shape}")
        channels = channels[channel : channel + 1]
    mono, faults = as_mono(channels), Faults()
    faults.push(channels.T, mono)
    wanted = sample_rate if rate is None else rate
    return iter([audio.Audio(audio.resample(mono, sample_rate, wanted), wanted, tuple(faults.warnings()))])


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


def _is_file(source: object) -> TypeGuard[audio.Source]:
    return isinstance(source, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(source, "read")
