"""Timelines as text: a line a segment for programs, subtitles and label tracks for players and editors."""

from __future__ import annotations

import csv
from abc import abstractmethod
from collections.abc import Sequence
from typing import TextIO

from vocemo.cli.renderer import Renderer, cell
from vocemo.runtime.prediction import Prediction, Segment

TIMELINES = ("srt", "audacity")  # formats that are of one recording, and of when
_OF_A_SEGMENT = ("start_s", "end_s", "emotion", "confidence", "uncertain", "out_of_domain")


class SegmentCsv(Renderer):
    """A line a segment, with its times (RFC 4180); where nobody speaks, its emotion is empty.

    by_channel: whether a column beside the path holds the channel, from 0.
    """

    def __init__(
        self, stream: TextIO, *, emotions: Sequence[str], top: int | None, by_channel: bool = False
    ) -> None:
        """Fix the columns, in the model's order."""
        super().__init__(stream)
        self._emotions, self._top = emotions, top
        self._of_whom = ("path", "channel") if by_channel else ("path",)
        self._writer = csv.writer(stream, lineterminator="\n")

    def begin(self) -> None:
        """Write the header."""
        self._writer.writerow([*self._of_whom, *_OF_A_SEGMENT, *self._emotions, "model", "warnings"])

    def add(self, prediction: Prediction, speaker: str = "") -> None:
        """Write the lines."""
        for segment in prediction.segments:
            told = segment.to_dict(self._top)
            self._writer.writerow(
                [
                    *(cell(getattr(prediction, key)) for key in self._of_whom),
                    *(cell(told[key]) for key in _OF_A_SEGMENT),
                    *(cell(told["probabilities"].get(emotion)) for emotion in self._emotions),
                    prediction.model,
                    " | ".join(prediction.warnings),
                ]
            )
        self._stream.flush()


class Labels(Renderer):
    """What speakers of one recording sound like, in the order of time; nothing where nobody speaks."""

    def __init__(self, stream: TextIO) -> None:
        """Keep all until the end, for one speaker is told after the other."""
        super().__init__(stream)
        self._kept = list[tuple[Segment, str]]()

    def add(self, prediction: Prediction, speaker: str = "") -> None:
        """Keep what was spoken."""
        self._kept += [(each, speaker) for each in prediction.segments if each.emotion is not None]

    def end(self) -> None:
        """Write it."""
        in_time = sorted(self._kept, key=lambda kept: kept[0].start_s)
        for number, (segment, speaker) in enumerate(in_time, start=1):
            self._write(number, segment, f"{speaker}: {_label(segment)}" if speaker else _label(segment))
        self._stream.flush()

    @abstractmethod
    def _write(self, number: int, segment: Segment, label: str) -> None:
        """Write a label, numbered from 1."""


class Subtitles(Labels):
    """SubRip (.srt): the emotions of one recording as subtitles."""

    def _write(self, number: int, segment: Segment, label: str) -> None:
        times = " --> ".join(clock(at, mark=",", hours=True) for at in (segment.start_s, segment.end_s))
        print(number, times, label, "", sep="\n", file=self._stream)


class AudacityLabels(Labels):
    """A label track of Audacity: start and end in seconds and a text, separated by tabs."""

    def _write(self, number: int, segment: Segment, label: str) -> None:
        print(f"{segment.start_s:.6f}\t{segment.end_s:.6f}\t{label}", file=self._stream)


def clock(seconds: float, mark: str = ".", *, hours: bool = False) -> str:
    """A time of day's way to write seconds, to the millisecond; hours where there are any, or always.

    >>> clock(61.5), clock(3_725.0421), clock(61.5, mark=",", hours=True)
    ('01:01.500', '1:02:05.042', '00:01:01,500')
    """
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    minutes, rest = divmod(whole, 60)
    past, minutes = divmod(minutes, 60)
    front = f"{past:02d}:" if hours else f"{past}:" if past else ""
    return f"{front}{minutes:02d}:{rest:02d}{mark}{thousandths:03d}"


def segment_line(segment: Segment, width: int, drawn: str = "") -> str:
    """When, what and how surely; `drawn` stands after the percentage, names are `width` characters wide.

    >>> segment_line(Segment(0.5, 2.0, "happy", 0.75, {"happy": 0.75}), width=7)
    '00:00.500 - 00:02.000  happy    75.00%'
    """
    when = f"{clock(segment.start_s)} - {clock(segment.end_s)}"
    if segment.emotion is None:
        return f"{when}  no speech"
    unsure = "  (uncertain)" if segment.uncertain else ""
    return f"{when}  {segment.emotion:<{width}} {segment.confidence:>7.2%}{drawn}{unsure}".rstrip()


def _label(segment: Segment) -> str:
    unsure = ", uncertain" if segment.uncertain else ""
    return f"{segment.emotion} ({segment.confidence:.0%}{unsure})"
