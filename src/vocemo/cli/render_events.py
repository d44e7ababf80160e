"""Events of a live stream as text: for people a line whenever the emotion changes, for programs all."""

from __future__ import annotations

import csv
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TextIO

from vocemo.cli.render_timeline import clock
from vocemo.cli.renderer import cell
from vocemo.runtime.live import Listening
from vocemo.runtime.stream import Event

_COLUMNS = (
    "start_s",
    "end_s",
    "emotion",
    "confidence",
    "uncertain",
    "out_of_domain",
    "changed",
    "latency_s",
)


class EventRenderer(ABC):
    """Writes events as they come, each with its latency, to one stream."""

    def __init__(self, stream: TextIO, emotions: Sequence[str], top: int | None) -> None:
        """Write to the stream; the emotions stand in the model's order."""
        self._stream, self._emotions, self._top = stream, emotions, top

    def begin(self) -> None:  # noqa: B027  # a line of JSON needs no header
        """Write what stands before the first."""

    @abstractmethod
    def add(self, event: Event, latency_s: float) -> None:
        """Write an event."""


class EventTable(EventRenderer):
    """For people: when, what and how surely, where that changes."""

    def add(self, event: Event, latency_s: float) -> None:
        """Write the line."""
        if not event.changed:
            return
        when = f"{clock(event.end_s)}  "
        if event.emotion is None:
            print(f"{when}no speech", file=self._stream, flush=True)
            return
        width = max(map(len, self._emotions))
        unsure = "  (uncertain)" if event.uncertain else ""
        print(
            f"{when}{event.emotion:<{width}} {event.confidence:>7.2%}{unsure}", file=self._stream, flush=True
        )


class EventJsonLines(EventRenderer):
    """An object a line, an event each."""

    def add(self, event: Event, latency_s: float) -> None:
        """Write the line."""
        told = {**event.to_dict(self._top), "latency_s": round(latency_s, 3)}
        print(json.dumps(told, ensure_ascii=False), file=self._stream, flush=True)


class EventCsv(EventRenderer):
    """A line an event (RFC 4180); where speech ends, the emotion and its numbers are empty."""

    def begin(self) -> None:
        """Write the header."""
        self._row([*_COLUMNS, *self._emotions])

    def add(self, event: Event, latency_s: float) -> None:
        """Write the line."""
        told = {**event.to_dict(self._top), "latency_s": round(latency_s, 3)}
        values = told["probabilities"]
        self._row(
            [*(cell(told[key]) for key in _COLUMNS), *(cell(values.get(each)) for each in self._emotions)]
        )

    def _row(self, cells: Sequence[object]) -> None:
        csv.writer(self._stream, lineterminator="\n").writerow(cells)
        self._stream.flush()


def lateness(listening: Listening) -> str:
    """How late events came, in words; empty before the first."""
    usual, worst = listening.latency_s(), listening.latency_s(0.95)
    if usual is None or worst is None:
        return ""
    return f"{1e3 * usual:.0f} ms late (95 %: {1e3 * worst:.0f})"


def event_renderer(form: str, stream: TextIO, emotions: Sequence[str], top: int | None) -> EventRenderer:
    """The renderer of a format: table, jsonl or csv."""
    kinds: dict[str, type[EventRenderer]] = {"jsonl": EventJsonLines, "csv": EventCsv}
    return kinds.get(form, EventTable)(stream, emotions, top)
