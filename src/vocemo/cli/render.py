"""Predictions as text: a table for people, JSON, JSON lines and CSV for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from typing import TextIO

from vocemo.cli.render_timeline import TIMELINES, AudacityLabels, SegmentCsv, Subtitles, segment_line
from vocemo.cli.renderer import Renderer, cell
from vocemo.runtime.prediction import Prediction

FORMATS = ("table", "json", "jsonl", "csv", *TIMELINES)
_OF_A_RECORDING = ("path", "duration_s", "emotion", "confidence", "uncertain", "out_of_domain")
_BAR_CELLS = 30
_EIGHTHS = " ▏▎▍▌▋▊▉█"  # a cell filled by so many eighths


class Table(Renderer):
    """For people: the emotion with its confidence, then a percentage, and on a terminal a bar, for each."""

    def __init__(
        self, stream: TextIO, *, device: str, several: bool, top: int | None, timeline: bool = False
    ) -> None:
        """Tell where the model runs, whether answers need their names, how many emotions to show."""
        super().__init__(stream)
        self._device, self._several, self._top, self._timeline = device, several, top, timeline
        self._styled = stream.isatty()
        self._bars = self._styled and (stream.encoding or "").lower().startswith("utf")

    def begin(self) -> None:
        """Name the device."""
        self._line(f"Using device: {self._device}")

    def add(self, prediction: Prediction, speaker: str = "") -> None:
        """Write one recording's block."""
        if self._several:
            name = ", ".join(filter(None, [prediction.path or "standard input", speaker]))
            self._line(f"\n{self._style('1', name)}")
        for warning in prediction.warnings:
            self._line(self._style("33", f"Warning: {warning}"))
        if prediction.emotion is None:
            self._line("No emotion: nobody speaks" if self._timeline else "No emotion: silence")
        else:
            self._answer(prediction)
        if self._timeline:
            width = max(map(len, prediction.probabilities), default=0)
            self._line("Timeline:")
            for segment in prediction.segments:
                share = "" if segment.emotion is None else bar(segment.confidence)
                drawn = f"  {self._style('36', share)}" if self._bars and share else ""
                self._line(f"  {segment_line(segment, width, drawn)}")

    def _answer(self, prediction: Prediction) -> None:
        """The emotion, and a line for each."""
        unsure = " (uncertain)" if prediction.uncertain else ""
        # Confidence is the model's own word, which says nothing of what it has never heard the like of.
        sure = "" if prediction.unfamiliar else f" with {prediction.confidence:.2%} confidence"
        named = self._style("1;32", prediction.emotion or "")
        self._line(f"Predicted emotion: {named}{sure}{unsure}")
        self._line("All emotion probabilities:")
        width = max(map(len, prediction.probabilities))
        for name, probability in prediction.ranked(self._top):
            drawn = f"  {self._style('36', bar(probability))}" if self._bars else ""
            self._line(f"  {name:<{width}} {probability:>7.2%}{drawn}".rstrip())
        for line in prediction.explanation.summary() if prediction.explanation else ():
            self._line(line)

    def _line(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def _style(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._styled else text


class Json(Renderer):
    """One JSON list of all predictions."""

    def __init__(self, stream: TextIO, *, top: int | None) -> None:
        """Keep the predictions until the list is whole: one that breaks off is no JSON."""
        super().__init__(stream)
        self._top, self._kept = top, list[Prediction]()

    def add(self, prediction: Prediction, speaker: str = "") -> None:
        """Keep it."""
        self._kept.append(prediction)

    def end(self) -> None:
        """Write the list."""
        objects = [prediction.to_dict(self._top) for prediction in self._kept]
        print(json.dumps(objects, ensure_ascii=False, indent=2), file=self._stream, flush=True)


class JsonLines(Renderer):
    """One JSON object a line, written as soon as it is known."""

    def __init__(self, stream: TextIO, *, top: int | None) -> None:
        """Write straight to the stream."""
        super().__init__(stream)
        self._top = top

    def add(self, prediction: Prediction, speaker: str = "") -> None:
        """Write the line."""
        print(json.dumps(prediction.to_dict(self._top), ensure_ascii=False), file=self._stream, flush=True)


class Csv(Renderer):
    """A line a recording with a column an emotion (RFC 4180); without an emotion its cells are empty.

    hashed: whether a last column holds the SHA-256 of each file. by_channel: whether one beside the path
    holds the channel, from 0.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        emotions: Sequence[str],
        top: int | None,
        hashed: bool = False,
        by_channel: bool = False,
    ) -> None:
        """Fix the columns, in the model's order."""
        super().__init__(stream)
        self._emotions, self._top, self._hashed = emotions, top, hashed
        self._by_channel = by_channel
        self._writer = csv.writer(stream, lineterminator="\n")

    def begin(self) -> None:
        """Write the header."""
        self._writer.writerow(columns(self._emotions, hashed=self._hashed, by_channel=self._by_channel))

    def add(self, prediction: Prediction, speaker: str = "") -> None:
        """Write the line."""
        answer = prediction.to_dict(self._top)
        self._writer.writerow(
            [
                *(cell(answer.get(key)) for key in _of_a_recording(self._by_channel)),
                *(cell(answer["probabilities"].get(emotion)) for emotion in self._emotions),
                answer["model"],
                " | ".join(answer["warnings"]),
                *([cell(answer.get("sha256"))] if self._hashed else []),
            ]
        )
        self._stream.flush()


def columns(emotions: Sequence[str], *, hashed: bool = False, by_channel: bool = False) -> list[str]:
    """The header of a csv of recordings."""
    return [*_of_a_recording(by_channel), *emotions, "model", "warnings", *(["sha256"] if hashed else [])]


def renderer(
    form: str,
    stream: TextIO,
    *,
    device: str,
    emotions: Sequence[str],
    several: bool,
    top: int | None,
    timeline: bool = False,
    hashed: bool = False,
    by_channel: bool = False,
) -> Renderer:
    """The renderer of a format, one of FORMATS; `timeline` says that predictions are such, `hashed` that they
    carry the hash of their file, `by_channel` that they may be of one channel.
    """
    if form == "json":
        return Json(stream, top=top)
    if form == "jsonl":
        return JsonLines(stream, top=top)
    if form == "csv":
        if timeline:
            return SegmentCsv(stream, emotions=emotions, top=top, by_channel=by_channel)
        return Csv(stream, emotions=emotions, top=top, hashed=hashed, by_channel=by_channel)
    if form == "srt":
        return Subtitles(stream)
    if form == "audacity":
        return AudacityLabels(stream)
    return Table(stream, device=device, several=several, top=top, timeline=timeline)


def _of_a_recording(by_channel: bool) -> tuple[str, ...]:
    path, *others = _OF_A_RECORDING
    return (path, *(["channel"] if by_channel else []), *others)


def bar(fraction: float, cells: int = _BAR_CELLS) -> str:
    """A horizontal bar of a fraction, to an eighth of a cell.

    >>> bar(0.5, cells=4), bar(0.28125, cells=4), bar(0.0)
    ('██', '█▏', '')
    """
    eighths = round(min(max(fraction, 0.0), 1.0) * cells * 8)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()
