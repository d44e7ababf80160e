"""Timelines as text: a line a segment for programs, subtitles and label tracks for players and editors."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import TextIO

from vocemo.cli.renderer import Renderer, cell
from vocemo.runtime.prediction import Prediction, Segment

TIMELINES = ("srt", "audacity")  # formats that are of one recording, and of when
_OF_A_SEGMENT = ("start_s", "end_s", "emotion", "confidence", "uncertain", "out_of_domain")


class SegmentCsv(Renderer):
    """A line a segment, with its times (RFC 4180); where nobody speaks, its emotion is empty."""

    def __init__(self, stream: TextIO, *, emotions: Sequence[str], top: int | None) -> None:
        """Fix the columns, in the model's order."""
        super().__init__(stream)
        self._emotions, self._top = emotions, top
        self._writer = csv.writer(stream, lineterminator="\n")

    def begin(self) -> None:
        """Write the header."""
        self._writer.writerow(["path", *_OF_A_SEGMENT, *self._emotions, "model", "warnings"])

    def add(self, prediction: Prediction) -> None:
        """Write the lines."""
        for segment in prediction.segments:
            told = segment.to_dict(self._top)
            self._writer.writerow(
                [
                    cell(prediction.path),
                    *(cell(told[key]) for key in _OF_A_SEGMENT),
                    *(cell(told["probabilities"].get(emotion)) for emotion in self._emotions),
                    prediction.model,
                    " | ".join(prediction.warnings),
                ]
            )
        self._stream.flush()


class Subtitles(Renderer):
    """SubRip (.srt): the emotions of one recording as subtitles; nothing where nobody speaks."""

    def add(self, prediction: Prediction) -> None:
        """Write them, numbered from 1."""
        spoken = [segment for segment in prediction.segments if segment.emotion is not None]
        for number, segment in enumerate(spoken, start=1):
            times = " --> ".join(clock(at, mark=",", hours=True) for at in (segment.start_s, segment.end_s))
            print(number, times, _label(segment), "", sep="\n", file=self._stream)
        self._stream.flush()


class AudacityLabels(Renderer):
    """A label track of Audacity: start and end in seconds and a text, separated by tabs."""

    def add(self, prediction: Prediction) -> None:
        """Write the labels of one recording."""
        for segment in prediction.segments:
            if segment.emotion is not None:
                print(f"{segment.start_s:.6f}\t{segment.end_s:.6f}\t{_label(segment)}", file=self._stream)
        self._stream.flush()


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
