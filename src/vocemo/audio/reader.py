"""What every decoder offers, and the one of libsndfile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from vocemo.audio.content import FLAC, MP3, OGG, Content
from vocemo.audio.layout import NamelessFile, PatchedFile, layout_of
from vocemo.audio.pages import mp3_walk, ogg_is_cut
from vocemo.audio.resampling import HIGHEST_HZ, LOWEST_HZ
from vocemo.audio.source import OpenSource
from vocemo.errors import EmptyAudioError, NotAudioError

Block = NDArray[np.float32]  # (frames, channels)

BEYOND_FRAMES = 2**16  # read at a time where the header does not tell, or told less than there is
NEGLIGIBLE_S = 0.01  # headers that promise this much too much come from careless writers, not from cuts


class Reader(Protocol):
    """An open recording."""

    container: str
    encoding: str
    sample_rate: int
    channels: int
    frames: int | None  # as far as the header, or the size of the file, tells
    warnings: list[str]  # complete once `blocks` has ended

    def blocks(self, frames: int) -> Iterator[Block]:
        """Every sample in order, in blocks of about `frames` frames or fewer; a block is the receiver's."""

    def close(self) -> None:
        """Let the decoder go; the file stays open."""


class Undecodable(Exception):
    """libsndfile does not know this codec; another decoder may."""


class SoundFileReader:
    """WAV, FLAC, OGG (Vorbis, Opus), MP3, AIFF and others, by libsndfile."""

    def __init__(self, source: OpenSource, content: Content) -> None:
        """Read the header; errors: EmptyAudioError, NotAudioError, Undecodable."""
        self._name = source.name
        self._content = content
        self.warnings: list[str] = []
        self._layout = layout_of(source, content)
        mp3 = mp3_walk(source) if content is MP3 else None
        self._cut = (content is OGG and ogg_is_cut(source)) or (mp3 is not None and mp3.cut)
        # From here on the file's position is the decoder's own.
        self._file = file = self._sound_file(source)
        self.container = content.container
        self.encoding: str = file.subtype
        self.sample_rate: int = file.samplerate
        self.channels: int = file.channels
        check_header(self._name, self.sample_rate, self.channels)
        # A FLAC that was written to a pipe does not know its length.
        self.frames: int | None = file.frames if 0 < file.frames < 2**62 else None
        self._promised = self.frames
        if mp3 is not None:  # without a header that counts frames, libsndfile guesses by the bit rate
            self.frames, self._promised = mp3.samples, None

    def _sound_file(self, source: OpenSource) -> soundfile.SoundFile:
        layout = self._layout
        file: NamelessFile | PatchedFile = NamelessFile(source.file)
        if layout is not None and layout.missing_data:
            raise EmptyAudioError(
                f"{source.name}: a {self._content.container} header with no audio behind it"
            )
        if layout is not None and layout.unfinished:
            self.warnings.append("unfinished: its header gives no length; read to the end of the file")
            file = PatchedFile(source.file, layout.size_field, b"\xff\xff\xff\xff")
        try:
            opened = soundfile.SoundFile(file)
        except soundfile.LibsndfileError as error:
            raise Undecodable(str(error.error_string)) from error
        # SoundFile seeks after every read of a file that can seek, to where it already stands. An MP3
        # decoder loses its bit reservoir and the overlap of its transform by that: a click between blocks.
        opened.seekable = lambda: False
        return opened

    def blocks(self, frames: int) -> Iterator[Block]:
        """See `Reader`."""
        coded = self._content in (FLAC, OGG, MP3)
        done = 0
        damaged = False
        while not damaged:
            # A short recording is one block that fits it; the frame more shows that nothing follows.
            left = (self.frames or 0) - done
            size = min(frames, left + 1) if left > 0 else min(frames, BEYOND_FRAMES)
            buffer = np.empty((size, self.channels), np.float32)
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
        promised = self._promised
        if self._layout is not None and self._layout.truncated and self._layout.available:
            promised = round(done * self._layout.declared / self._layout.available)
        if promised is not None and done < promised:
            self.warnings.extend(truncation(done / self.sample_rate, promised / self.sample_rate))
        elif self._cut or (damaged and self.frames is not None):
            # libsndfile ends a FLAC of unknown length with an error, cut or not.
            self.warnings.extend(truncation(done / self.sample_rate, None))

    def close(self) -> None:
        """See `Reader`."""
        self._file.close()


def truncation(done_s: float, promised_s: float | None) -> list[str]:
    """The warning for a recording that ends, or breaks, before it should; none for a hair's breadth."""
    if promised_s is not None and promised_s - done_s < NEGLIGIBLE_S:
        return []
    promise = "" if promised_s is None else f" of the {promised_s:.2f} s that its header promises"
    return [f"truncated or damaged: only {done_s:.2f} s{promise} can be decoded"]


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
