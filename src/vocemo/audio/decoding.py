"""From a path, bytes or a file object to float32 mono samples at a rate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vocemo.audio.channels import check_channel, downmix
from vocemo.audio.content import MP3, Content, sniff
from vocemo.audio.faults import Faults
from vocemo.audio.reader import Reader, SoundFileReader, Undecodable
from vocemo.audio.resampling import Resampler, check_rate
from vocemo.audio.sound import no_sound
from vocemo.audio.source import OpenSource, Source, opened
from vocemo.errors import (
    EmptyAudioError,
    MissingExtraError,
    NonFiniteAudioError,
    NotAudioError,
    TooShortAudioError,
    UsageError,
)

BLOCK_SAMPLES = 2**20  # over all channels: 4 MiB, 22 s of mono at 48 kHz, so that most clips are one block


@dataclass(frozen=True, eq=False)
class Audio:
    """Mono samples, float32 (N,), full scale 1; their rate in Hz; what should be known of them."""

    samples: NDArray[np.float32]
    sample_rate: int
    warnings: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate


@dataclass(frozen=True)
class AudioInfo:
    """What a recording is, before it is decoded."""

    duration_s: float
    sample_rate: int  # Hz
    channels: int
    container: str  # "WAV", "MP4"
    encoding: str  # "PCM_16", "aac"


def decode(source: Source, sample_rate: int | None = None, channel: int | None = None) -> Audio:
    """A whole recording as mono samples.

    source: path, bytes, or file object opened in binary mode (a pipe too). Its content alone tells
        what it is; the suffix of its name is not looked at. sample_rate: Hz, None for its own.
    channel: the one that is taken, from 0, and remarked on; None for the mean over all.
    Returns float32 (N,), integers scaled so that full scale is 1.
    Data that is cut off or damaged is answered as far as it goes, with a warning.
    errors: AudioNotFoundError, NotAudioError, EmptyAudioError, NonFiniteAudioError,
        TooShortAudioError (less than one sample at the rate asked for), MissingExtraError (m4a, mp4,
        webm without the extra `media`), UsageError (no such channel or rate).

    >>> decode(b"Dear Sir or Madam")
    Traceback (most recent call last):
        ...
    vocemo.errors.NotAudioError: the given bytes: is text, not audio
    """
    parts: list[NDArray[np.float32]] = []
    with opened(source) as file, _reader(file) as reader:
        rate = reader.sample_rate if sample_rate is None else check_rate(sample_rate)
        parts.extend(_mono(file.name, reader, rate, channel))
        samples = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return Audio(samples, rate, tuple(reader.warnings))


def decode_chunks(
    source: Source, sample_rate: int | None = None, chunk_s: float = 30.0, channel: int | None = None
) -> Iterator[Audio]:
    """A recording in chunks, in memory that does not grow with its length.

    source, sample_rate, channel, errors: as `decode`; errors come with the first chunk that they concern.
    chunk_s: seconds a chunk; only the last may be shorter. The chunks joined are, bit for bit, what `decode`
        gives. Warnings stand in the last chunk: before it, nobody knows of them.
    """
    if not chunk_s > 0:
        raise UsageError(f"chunk_s {chunk_s!r}; valid: more than 0 seconds")
    return _chunks(source, sample_rate, chunk_s, channel)


def _chunks(source: Source, sample_rate: int | None, chunk_s: float, channel: int | None) -> Iterator[Audio]:
    with opened(source) as file, _reader(file) as reader:
        rate = reader.sample_rate if sample_rate is None else check_rate(sample_rate)
        size = max(1, round(chunk_s * rate))
        held: list[NDArray[np.float32]] = []
        count = 0
        for part in _mono(file.name, reader, rate, channel):
            held.append(part)
            count += len(part)
            if count > size:  # one sample more is held back: so the last chunk is known to be the last
                joined = np.concatenate(held)
                start = 0
                while count - start > size:
                    yield Audio(joined[start : start + size].copy(), rate)
                    start += size
                held, count = [joined[start:].copy()], count - start
        yield Audio(np.concatenate(held), rate, tuple(reader.warnings))


def probe(source: Source) -> AudioInfo:
    """Length, rate, channels, container and encoding, from the headers where they tell.

    source, errors: as `decode`, but for samples that are not numbers: none is looked at.
    """
    with opened(source) as file, _reader(file) as reader:
        frames = reader.frames
        if frames is None:
            frames = sum(len(block) for block in reader.blocks(_block_frames(reader)))
        if not frames:
            raise EmptyAudioError(f"{file.name}: holds no audio")
        return AudioInfo(
            frames / reader.sample_rate,
            reader.sample_rate,
            reader.channels,
            reader.container,
            reader.encoding,
        )


@contextmanager
def _reader(file: OpenSource) -> Iterator[Reader]:
    reader = _open_reader(file, sniff(file))
    try:
        yield reader
    finally:
        reader.close()


def _open_reader(file: OpenSource, content: Content) -> Reader:
    reason = ""
    if content.soundfile:
        try:
            return SoundFileReader(file, content)
        except Undecodable as error:
            reason = (
                "" if content is MP3 else f" ({str(error).rstrip('.')})"
            )  # its own word here is misleading
    if content.demuxer is not None:
        from vocemo.audio.media import MediaReader

        file.file.seek(0)
        try:
            return MediaReader(file, content)
        except MissingExtraError:
            if not content.soundfile:
                raise
    raise NotAudioError(
        f"{file.name}: looks like {content.container}, but cannot be decoded{reason}; "
        "it may be cut off or damaged"
    )


def _mono(name: str, reader: Reader, rate: int, channel: int | None) -> Iterator[NDArray[np.float32]]:
    """Mono blocks at a rate; at least one, and none empty."""
    if channel is not None:
        check_channel(channel, reader.channels, name)
    resampler = Resampler(reader.sample_rate, rate)
    done = said = 0
    faults = Faults()
    for block in reader.blocks(_block_frames(reader)):
        if channel is not None:
            if block.shape[1] <= channel:  # a stream may go on with fewer
                reader.warnings.append(
                    f"its channels change to {block.shape[1]} after {done / reader.sample_rate:.2f} s; "
                    "what follows is left out"
                )
                break
            # A copy: a view would keep the other channels in memory.
            block = np.ascontiguousarray(block[:, channel : channel + 1])
        mono = downmix(block)
        if fault := no_sound(mono):
            at_s = (done + fault[0]) / reader.sample_rate
            raise NonFiniteAudioError(f"{name}: a sample at {at_s:.3f} s is {fault[1]}")
        done += len(mono)
        faults.push(block, mono)
        part = resampler.push(mono)
        if len(part):
            said += len(part)
            yield part
    reader.warnings += faults.warnings()
    if not done:
        cut = f" ({reader.warnings[-1]})" if reader.warnings else ""
        raise EmptyAudioError(f"{name}: holds no audio{cut}")
    if rate != reader.sample_rate:
        part = resampler.push(np.empty(0, np.float32), last=True)
        if len(part):
            said += len(part)
            yield part
    if not said:
        raise TooShortAudioError(
            f"{name}: its {done} samples at {reader.sample_rate} Hz are less than one sample at {rate} Hz"
        )


def _block_frames(reader: Reader) -> int:
    return max(1, BLOCK_SAMPLES // reader.channels)
