"""What every decoder offers, and the one of libsndfile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from vocemo.audio.content import AIFF, FLAC, MP3, OGG, WAV, Content
from vocemo.audio.layout import PatchedFile, iff_layout, mp3_is_cut, ogg_is_cut
from vocemo.audio.resampling import HIGHEST_HZ, LOWEST_HZ
from vocemo.audio.source import OpenSource
from vocemo.errors import EmptyAudioError, NotAudioError

Block = NDArray[np.float32]  # (frames, channels)


class Reader(Protocol):
    """An open recording."""

    container: str
    encoding: str
    sample_rate: int
    channels: int
    frames: int | None  # as far as the header, or the size of the file, tells
    warnings: list[str]  # complete once `blocks` has ended

    def blocks(self, frames: int) -> Iterator[Block]:
        """Every sample in order, in blocks of at most about `frames` frames; a block may be overwritten."""

    def close(self) -> None:
        """Let the decoder go; the file stays open."""


class Undecodable(Exception):
    """libsndfile does not know this codec; another decoder may."""


class SoundFileReader:
    """WAV, FLAC, OGG (Vorbis, Opus), MP3, AIFF and others, by libsndfile."""

    def __init__(self, source: OpenSource, content: Content) -> None:
        self._name = source.name
        self._content = content
        self.warnings: list[str] = []
        self._layout = iff_layout(source) if content in (WAV, AIFF) else None
        self._cut = (content is OGG and ogg_is_cut(source)) or (content is MP3 and mp3_is_cut(source))
        # From here on the file's position is the decoder's own.
        self._file = file = self._sound_file(source)
        self.container = content.container
        self.encoding: str = file.subtype
        self.sample_rate: int = file.samplerate
        self.channels: int = file.channels
        check_header(self._name, self.sample_rate, self.channels)
        # A FLAC that was written to a pipe does not know its length.
        self.frames: int | None = file.frames if 0 < file.frames < 2**62 else None

    def _sound_file(self, source: OpenSource) -> soundfile.SoundFile:
        layout = self._layout
        file: BinaryIO | PatchedFile = source.file
        if layout is not None and layout.missing_data:
            raise EmptyAudioError(
                f"{source.name}: a {self._content.container} header with no audio behind it"
            )
        if layout is not None and layout.unfinished:
            self.warnings.append("unfinished: its header gives no length; read to the end of the file")
            file = PatchedFile(source.file, layout.size_field, b"\xff\xff\xff\xff")
        try:
            return soundfile.SoundFile(file)
        except soundfile.LibsndfileError as error:
            raise Undecodable(str(error.error_string)) from error

    def blocks(self, frames: int) -> Iterator[Block]:
        """See `Reader`."""
        buffer = np.empty((frames, self.channels), np.float32)
        coded = self._content in (FLAC, OGG, MP3)
        done = 0
        damaged = False
        while not damaged:
            if coded:
                buffer.fill(np.nan)  # so that what was decoded before an error can be told
            try:
                block = self._file.read(out=buffer)
            except soundfile.LibsndfileError:
                damaged = True
                block = buffer[: _decoded(buffer)] if coded else buffer[:0]
            if not len(block):
                break
            done += len(block)
            yield block
        self._conclude(done, damaged)

    def _conclude(self, done: int, damaged: bool) -> None:
        layout = self._layout
        promised = self.frames
        if layout is not None and layout.truncated:
            promised = round(done * layout.declared / layout.available) if layout.available else None
        if promised is not None and done < promised:
            self.warnings.append(truncation(done / self.sample_rate, promised / self.sample_rate))
        elif damaged or self._cut or (layout is not None and layout.truncated):
            self.warnings.append(truncation(done / self.sample_rate, None))

    def close(self) -> None:
        """See `Reader`."""
        self._file.close()


def truncation(done_s: float, promised_s: float | None) -> str:
    """The warning for a recording that ends, or breaks, before it should."""
    promise = "" if promised_s is None else f" of the {promised_s:.2f} s that its header promises"
    return f"truncated or damaged: only {done_s:.2f} s{promise} can be decoded"


def check_header(name: str, sample_rate: int, channels: int) -> None:
    """Refuse a header that cannot be true before memory is spent on it."""
    if not LOWEST_HZ <= sample_rate <= HIGHEST_HZ:
        raise NotAudioError(
            f"{name}: its header claims a sample rate of {sample_rate} Hz; valid: {LOWEST_HZ} to {HIGHEST_HZ}"
        )
    if channels < 1:
        raise EmptyAudioError(f"{name}: its header claims {channels} channels")


def _decoded(buffer: Block) -> int:
    """Frames at the start of a buffer that a decoder has written."""
    unwritten = np.isnan(buffer[:, -1])
    return int(unwritten.argmax()) if unwritten.any() else len(buffer)
