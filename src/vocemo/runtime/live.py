"""Sound that comes as time goes by: here a clock meets a stream, which has none.

A source gives chunks, each with the moment at which its last sample was heard; `Listening` pushes them to a
stream, and says how long after its window an event came, what was lost, and whether anything is heard at all.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vocemo.errors import UsageError
from vocemo.runtime.source import Source, name_of, pieces
from vocemo.runtime.stream import Event, Stream

CHUNK_S = 0.02  # short beside the 100 ms in which an event is to come
DEAD_S = 3.0  # for so long nothing louder than
DEAD_DB = -80.0  # this below full scale: no room is as quiet; muted devices and refused permissions are
_LATENCIES = 1000  # events that latency is told of
_LONGEST_GAP_S = 60.0  # of lost samples that silence is put for in one piece


@dataclass(frozen=True)
class Chunk:
    """Samples as a source gives them, (n,) or (channels, n); `lost` samples before them never came.

    heard_at_s: when the last of them was heard, on the source's clock.
    """

    samples: NDArray[np.floating]
    heard_at_s: float
    lost: int = 0


class LiveSource(Protocol):
    """What sound comes from: a microphone, a file that is played, a test."""

    name: str
    sample_rate: int  # Hz

    def chunks(self) -> Iterator[Chunk]:
        """What is heard, as it is heard."""


class Player:
    """A recording, given out as fast as it would sound.

    Args:
        source: a path, bytes or an open binary file.
        sample_rate: to give it out at, in Hz.
        speed: 2 is twice as fast as it sounds, 0 as fast as it is taken.
        clock, sleep: time, for tests.

    Raises UsageError for a speed that is none, and an AudioError where it cannot be decoded.
    """

    def __init__(
        self,
        source: Source,
        sample_rate: int,
        *,
        speed: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not 0.0 <= speed < math.inf:
            raise UsageError(f"speed is 0 (as fast as can be) or more, given {speed}")
        self.name, self.sample_rate = name_of(source) or "recording", sample_rate
        self._source, self._speed, self._clock, self._sleep = source, speed, clock, sleep

    def chunks(self) -> Iterator[Chunk]:
        """The recording, 20 ms at a time. Nothing is lost: who takes it late gets it late."""
        given, begun = 0, self._clock()
        for piece in pieces(self._source, None, self.sample_rate, CHUNK_S):
            given += len(piece.samples)
            yield Chunk(piece.samples, self._due(begun, given))

    def _due(self, begun: float, given: int) -> float:
        """Wait until so many samples have sounded; gives when that was."""
        if not self._speed:
            return self._clock()
        due = begun + given / self.sample_rate / self._speed
        wait = due - self._clock()
        if wait > 0:
            self._sleep(wait)
        return due


@dataclass(frozen=True)
class Moment:
    """Where a live stream stands: seconds heard, the last chunk's level below full scale, whether somebody
    speaks, and the events that it brought, each with how long after the end of its stretch it came.
    """

    time_s: float
    level_db: float
    speaking: bool
    events: tuple[tuple[Event, float], ...]

    @property
    def latencies_s(self) -> tuple[float, ...]:
        """How late each event was that came while speech went on: what is told of latency.

        The end of speech and its last window are left out: neither is known before a pause has followed.
        """
        ends = {event.end_s for event, _ in self.events if event.emotion is None}
        return tuple(latency_s for event, latency_s in self.events if event.end_s not in ends)


class Listening:
    """Pushes what a source gives to a stream, and keeps count.

    `overruns` are the gaps in which samples were lost, `lost_s` how long they were: silence stands for them,
    so that times stay true. `dead` says that nothing but digital silence has come for 3 s.
    """

    def __init__(self, stream: Stream, sample_rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream, self._rate, self._clock = stream, sample_rate, clock
        self.overruns, self.lost_s = 0, 0.0
        self._latencies_s: deque[float] = deque(maxlen=_LATENCIES)
        self._quiet = 0  # samples since the last that was none

    @property
    def dead(self) -> bool:
        """Whether nothing comes but digital silence."""
        return self._quiet >= DEAD_S * self._rate

    def latency_s(self, quantile: float = 0.5) -> float | None:
        """How long after the end of its window an event comes while speech goes on (`Moment.latencies_s`), of
        the last 1,000 events; None before the first.
        """
        return float(np.quantile(self._latencies_s, quantile)) if self._latencies_s else None

    def hear(self, chunk: Chunk) -> Moment:
        """Take what was heard."""
        events = self._fill(chunk.lost) if chunk.lost else []
        events += self.stream.push(chunk.samples)
        peak = float(np.abs(chunk.samples).max()) if chunk.samples.size else 0.0
        self._quiet = 0 if peak > 10 ** (DEAD_DB / 20) else self._quiet + chunk.samples.shape[-1]
        return self._moment(events, chunk.heard_at_s)

    def finish(self) -> Moment:
        """Say that nothing follows."""
        return self._moment(self.stream.finish(), self._clock())

    def _fill(self, lost: int) -> list[Event]:
        """Silence in the place of what was lost."""
        self.overruns += 1
        self.lost_s += lost / self._rate
        events: list[Event] = []
        longest = round(_LONGEST_GAP_S * self._rate)
        for place in range(0, lost, longest):
            events += self.stream.push(np.zeros(min(longest, lost - place), np.float32))
        return events

    def _moment(self, events: list[Event], heard_at_s: float) -> Moment:
        """With each event's latency: what had been heard after its window, and how long the answer took."""
        late_s, stream = max(0.0, self._clock() - heard_at_s), self.stream
        told = tuple((each, stream.time_s - each.end_s + late_s) for each in events)
        moment = Moment(stream.time_s, stream.level_db, stream.speaking, told)
        self._latencies_s.extend(moment.latencies_s)
        return moment
