"""What a held line of answers tells of the command that wrote it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from vocemo.runtime.predictor import Predictor

_SAME_S = 0.002  # times are written to the millisecond


@dataclass(frozen=True)
class Kind:
    """What an answer is made of, as far as a line of it can tell.

    model: its name. emotions: all that it knows. top: how many of them are told, None: all. timeline: whether
    answers are such. by_channel: whether each may be of one channel alone. window_s, longest_s: those of the
    `Predictor`.
    """

    model: str
    emotions: tuple[str, ...]
    top: int | None
    timeline: bool
    window_s: float
    longest_s: float
    by_channel: bool = False

    @classmethod
    def of(cls, predictor: Predictor, *, top: int | None, timeline: bool, by_channel: bool = False) -> Kind:
        """The kind of a predictor's answers."""
        about = (predictor.info.name, predictor.emotions)
        return cls(*about, top, timeline, predictor.window_s, predictor.longest_s, by_channel)

    def difference(self, line: Mapping[str, Any]) -> str | None:
        """In what a line is not of this kind, in words; None where nothing in it says so.

        line: of jsonl or csv. Raises KeyError, TypeError or ValueError for one that is no answer.
        """
        if line["model"] != self.model:
            return f"holds answers of {line['model']}, and this is {self.model}"
        if channel_of(line) is not None and not self.by_channel:
            return "holds channels apart, and --by-channel is not given"
        # A csv has a column an emotion, which is empty where the emotion is not told.
        told = (
            line["probabilities"]
            if "probabilities" in line
            else [each for each in self.emotions if line[each]]
        )
        shown = min(self.top or len(self.emotions), len(self.emotions))
        if line["emotion"] and len(told) != shown:
            return f"tells {len(told)} emotions of a recording, and --top now asks for {shown}"
        segments, duration_s = line.get("segments"), float(line["duration_s"])
        if segments is None:  # a csv of timelines has other columns
            return None
        if self.timeline and not _covers(segments, duration_s):
            return "holds answers without a timeline, and --timeline is given"
        if not self.timeline and segments and not self._may_be_windows(segments, duration_s):
            return "holds timelines, and --timeline is not given"
        return None

    def _may_be_windows(self, segments: Sequence[Mapping[str, Any]], duration_s: float) -> bool:
        """Whether segments may be those of an average: windows of one length, of a long recording alone.

        Where they cover it without overlap too, it may be either: then nothing is said against the line.
        """
        lengths_s = [each["end_s"] - each["start_s"] for each in segments]
        return duration_s > self.longest_s - _SAME_S and all(
            abs(length_s - self.window_s) < _SAME_S for length_s in lengths_s
        )


def channel_of(line: Mapping[str, Any]) -> int | None:
    """The channel that a line is of, None where it is of the recording as a whole.

    Raises TypeError or ValueError where what stands there is none.
    """
    told = line.get("channel")
    return None if told in (None, "") else int(told)


def _covers(segments: Sequence[Mapping[str, Any]], duration_s: float) -> bool:
    """Whether segments follow one another from a recording's start to its end, as those of a timeline do."""
    bounds = [(0.0, 0.0), *((each["start_s"], each["end_s"]) for each in segments), (duration_s, duration_s)]
    return bool(segments) and all(abs(one[1] - next_[0]) < _SAME_S for one, next_ in pairwise(bounds))
