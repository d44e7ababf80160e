"""A sound card that gives what it hears, chunk by chunk.

PortAudio calls from a thread of its own that must not wait: it puts chunks into a queue of bounded length,
and what finds no place there is counted as lost. python-sounddevice is imported when a microphone is asked
for, since it does not import where PortAudio is missing.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np

from vocemo.audio.channels import check_channel
from vocemo.errors import MicrophoneError, MissingExtraError, UnknownNameError
from vocemo.runtime.live import CHUNK_S, Chunk

HELD_S = 10.0  # of sound that may wait for whoever listens; what comes then is lost
STALLED_S = 2.0  # without a chunk: the device is gone
_LONGEST_DELAY_S = 2.0  # between a device and this program: drivers that tell more are wrong


@dataclass(frozen=True)
class InputDevice:
    """A microphone, as PortAudio names it."""

    index: int
    name: str
    channels: int
    sample_rate: int  # Hz, its own
    default: bool


def microphones() -> list[InputDevice]:
    """The microphones of this machine, which may be none.

    Raises MissingExtraError without python-sounddevice, MicrophoneError without PortAudio.
    """
    found = _sounddevice().query_devices()
    chosen = _default_index()
    return [
        InputDevice(
            index,
            str(each["name"]),
            int(each["max_input_channels"]),
            round(each["default_samplerate"]),
            index == chosen,
        )
        for index, each in enumerate(found)
        if each["max_input_channels"] > 0
    ]


def microphone_named(name: str | None = None) -> InputDevice:
    """A microphone by its number or a part of its name, whatever the case; by default the system's own.

    Raises UnknownNameError where none is so called, MicrophoneError where there is none at all.
    """
    known = microphones()
    if not known:
        raise MicrophoneError("this machine has no microphone; --input FILE listens to a recording instead")
    if name is None:
        return next((each for each in known if each.default), known[0])
    for each in known:
        if name in (str(each.index), each.name):
            return each
    for each in known:
        if name.lower() in each.name.lower():
            return each
    raise UnknownNameError("microphone", name, [f"{each.index} ({each.name})" for each in known])


class Microphone:
    """An open microphone: a context manager whose `chunks` are what it hears.

    device: from `microphone_named`; by default the system's own. channel: the one that is given, from 0; by
    default several are given as they are, two at most.

    Raises MicrophoneError where it cannot be opened, and from `chunks` when it vanishes; UsageError for a
    channel that it does not have.
    """

    def __init__(
        self,
        device: InputDevice | None = None,
        clock: Callable[[], float] = time.monotonic,
        channel: int | None = None,
    ) -> None:
        self._device = device or microphone_named()
        self.name, self.sample_rate = self._device.name, self._device.sample_rate
        self._clock = clock
        if channel is not None:
            channel = check_channel(channel, self._device.channels, self.name)
        self._channel = channel
        block = round(CHUNK_S * self.sample_rate)
        self._queue: queue.Queue[Chunk] = queue.Queue(round(HELD_S / CHUNK_S))
        self._lost = 0  # samples since the last chunk that found a place
        sounddevice = _sounddevice()
        try:
            self._stream: Any = sounddevice.InputStream(
                samplerate=self.sample_rate,
                blocksize=block,
                device=self._device.index,
                channels=min(self._device.channels, 2) if channel is None else channel + 1,
                dtype="float32",
                latency="low",
                callback=self._heard,
            )
        except (sounddevice.PortAudioError, ValueError) as error:
            raise MicrophoneError(f"the microphone {self.name} cannot be opened: {error}") from error

    def __enter__(self) -> Self:
        """Begin to hear."""
        try:
            self._stream.start()
        except _sounddevice().PortAudioError as error:
            raise MicrophoneError(f"the microphone {self.name} does not start: {error}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the device."""
        self._stream.close()

    def chunks(self) -> Iterator[Chunk]:
        """What is heard, without an end."""
        while True:
            try:
                yield self._queue.get(timeout=STALLED_S)
            except queue.Empty:
                raise MicrophoneError(
                    f"the microphone {self.name} has sent nothing for {STALLED_S:g} s: is it unplugged?"
                ) from None

    def _heard(self, samples: np.ndarray, frames: int, times: Any, status: Any) -> None:
        """PortAudio's callback: copies, and never waits."""
        if status.input_overflow:
            self._lost += frames  # how many it does not say: a block at least
        heard_at_s = self._clock() - _delay_s(times, frames / self.sample_rate)
        wanted = samples.T if self._channel is None else samples[:, self._channel]
        chunk = Chunk(wanted.copy(), heard_at_s, self._lost)
        try:
            self._queue.put_nowait(chunk)
        except queue.Full:
            self._lost += frames
        else:
            self._lost = 0


def _delay_s(times: Any, block_s: float) -> float:
    """How long ago the last sample of a block reached the device; 0 where the driver does not tell."""
    if not times.inputBufferAdcTime:
        return 0.0
    return float(min(max(times.currentTime - times.inputBufferAdcTime - block_s, 0.0), _LONGEST_DELAY_S))


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ModuleNotFoundError as error:
        raise MissingExtraError("the microphone", "mic") from error
    except OSError as error:  # it is there, and PortAudio is not
        raise MicrophoneError(
            f"the sound library does not load ({error}): install PortAudio, on Debian and Ubuntu by "
            "apt install libportaudio2"
        ) from error
    return sounddevice


def _default_index() -> int | None:
    sounddevice = _sounddevice()
    try:
        return int(sounddevice.query_devices(kind="input")["index"])
    except (sounddevice.PortAudioError, ValueError):  # none is chosen
        return None
