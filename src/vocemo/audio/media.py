"""The audio track of MP4 (m4a), WebM and other media, by FFmpeg through PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from vocemo.audio.content import AAC, AMR, MP3, MP4, MPEG_TS, OGG, Content
from vocemo.audio.layout import NamelessFile
from vocemo.audio.pages import ogg_is_cut
from vocemo.audio.reader import Block, check_header, truncation
from vocemo.audio.source import OpenSource
from vocemo.errors import EmptyAudioError, MissingExtraError, NotAudioError

if TYPE_CHECKING:
    import av
    from av.audio.resampler import AudioResampler

PLANES_WITHOUT_END_MARK = 8  # AV_NUM_DATA_POINTERS
SLACK_S = 0.1  # lengths in media headers count the codec's delay; less than this is no truncation


def load_av(source: OpenSource, content: Content) -> ModuleType:
    """PyAV, or the error that says how to install it."""
    try:
        import av
    except ImportError:
        raise MissingExtraError(f"{source.name}: reading {content.container}", "media") from None
    return av


class MediaReader:
    """The first audio track of a media file."""

    def __init__(self, source: OpenSource, content: Content) -> None:
        """Read the header and a first packet; errors: MissingExtraError, EmptyAudioError, NotAudioError."""
        av = load_av(source, content)
        self._av = av
        self._name = source.name
        self._content = content
        self._cut = content is OGG and ogg_is_cut(source)
        self.container = content.container
        self.warnings: list[str] = []
        try:
            self._media = av.open(
                NamelessFile(source.file), mode="r", format=content.demuxer, metadata_errors="ignore"
            )
        except (av.FFmpegError, ValueError, OSError) as error:  # a header may point before the file
            raise NotAudioError(
                f"{source.name}: looks like {content.container}, but cannot be decoded; it may be cut off "
                f"or damaged ({getattr(error, 'strerror', None) or error})"
            ) from error
        tracks = self._media.streams.audio
        if not tracks:
            self._media.close()
            raise NotAudioError(f"{source.name}: a {content.container} file without an audio track")
        self._track = tracks[0]
        self._interleavers: dict[tuple[str, str, int], AudioResampler] = {}
        self._pending = self._decoded()
        # What the header says may be half the truth: HE-AAC doubles its rate once decoding begins.
        start = next(self._pending, None)
        if start is None:
            self._media.close()
            raise EmptyAudioError(f"{source.name}: its audio track holds no sound that can be decoded")
        rate, self._first = start
        self.encoding = str(self._track.codec_context.name)
        self.sample_rate, self.channels = rate, self._first.shape[1]
        check_header(self._name, self.sample_rate, self.channels)
        # A bare stream has no header; FFmpeg's guess by the bit rate is no promise.
        seconds = None if content in (AAC, AMR, MP3, MPEG_TS) else self._promised_s()
        self.frames: int | None = round(seconds * rate) if seconds is not None and seconds > 0 else None

    def _promised_s(self) -> float | None:
        if self._track.duration is not None and self._track.time_base is not None:
            return float(self._track.duration * self._track.time_base)
        if self._media.duration is not None:
            return float(self._media.duration / self._av.time_base)
        return None

    def _decoded(self) -> Iterator[tuple[int, Block]]:
        """(rate, frames x channels) of each packet; packets that cannot be decoded are counted."""
        self._damaged = 0
        packets = self._media.demux(self._track)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, EOFError):
                return
            except (self._av.FFmpegError, IndexError, OSError):  # PyAV: a track that was not there before
                self._damaged += 1
                return
            try:
                for frame in packet.decode():
                    for safe in self._safe(frame) if frame.samples else ():
                        yield safe.sample_rate, to_float(safe)
            except (self._av.FFmpegError, ValueError):  # PyAV: 64-bit integers, which no recording holds
                self._damaged += 1

    def _safe(self, frame: av.AudioFrame) -> list[av.AudioFrame]:
        """The frame with its channels interleaved, where PyAV cannot tell how many planes it has.

        PyAV counts planes up to an end mark for which FFmpeg has no room from eight channels on: it then
        reads memory that is not the frame's, and crashes. FFmpeg itself interleaves them without it.
        """
        if not frame.format.is_planar or frame.layout.nb_channels < PLANES_WITHOUT_END_MARK:
            return [frame]
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape not in self._interleavers:
            self._interleavers[shape] = self._av.AudioResampler(format="flt")
        interleaved: list[av.AudioFrame] = self._interleavers[shape].resample(frame)
        return interleaved

    def blocks(self, frames: int) -> Iterator[Block]:
        """See `Reader`."""
        done = 0
        held = self._first
        for rate, block in self._pending:
            done += len(held)
            yield held
            held = block
            if rate != self.sample_rate:
                self.warnings.append(
                    f"its sample rate changes to {rate} Hz after {done / self.sample_rate:.2f} s; "
                    "what follows is left out"
                )
                return
        # An MP4 says how much of its last frame is sound; the rest is the codec's padding.
        if self._content is MP4 and self.frames is not None and done < self.frames:
            held = held[: self.frames - done]
        done += len(held)
        yield held
        self._conclude(done)

    def _conclude(self, done: int) -> None:
        done_s = done / self.sample_rate
        promised_s = None if self.frames is None else self.frames / self.sample_rate
        if promised_s is not None and done_s < promised_s - SLACK_S:
            self.warnings.extend(truncation(done_s, promised_s))
        elif self._cut:
            self.warnings.extend(truncation(done_s, None))
        elif self._damaged:
            self.warnings.append(f"damaged: {self._damaged} packets could not be decoded")

    def close(self) -> None:
        """See `Reader`."""
        self._media.close()


def to_float(frame: av.AudioFrame) -> Block:
    """Samples of any FFmpeg format as float32 (frames, channels), full scale 1."""
    array = frame.to_ndarray()
    block = array.T if frame.format.is_planar else array.reshape(-1, frame.layout.nb_channels)
    if array.dtype.kind == "f":
        return np.ascontiguousarray(block, np.float32)
    if array.dtype == np.uint8:
        return (block.astype(np.float32) - np.float32(128)) / np.float32(128)
    # In float64, so that 32-bit samples are rounded once.
    return (block * (0.5 ** (8 * array.itemsize - 1))).astype(np.float32)
