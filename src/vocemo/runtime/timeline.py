"""Which emotion when: speech is found, heard in overlapping windows, and what was heard is smoothed.

samples -> where somebody speaks -> windows within each stretch of speech -> the model -> probabilities
moment by moment -> the likeliest course -> segments. What is not speech is a segment without an emotion.
It holds no more of a recording than the windows that it is at.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from vocemo.runtime.answerer import Answerer
from vocemo.runtime.averaging import out_of_domain
from vocemo.runtime.hearing import Heard, OfWindow, Stretch, listened
from vocemo.runtime.prediction import Course, Prediction, Segment
from vocemo.runtime.smoothing import smoothed
from vocemo.runtime.speech import FRAME_S
from vocemo.runtime.speech_windows import Samples
from vocemo.runtime.timeline_options import TimelineOptions

_MOMENTS = 256  # that are worked out at once
_EDGE = 0.1  # what a window says of its own ends counts so much beside what it says of its middle


def predict(
    model: Answerer,
    path: str | None,
    chunks: Iterable[Samples],
    warnings: Sequence[str],
    options: TimelineOptions | None = None,
) -> Prediction:
    """One answer, the mean over all speech, with the timeline as its segments.

    warnings: what `chunks` has to say once all of it was read.
    """
    asked = options or TimelineOptions()
    heard = listened(model, chunks, asked)
    segments, course = concluded(model, heard, asked)
    end_s = segments[-1].end_s if segments else 0.0
    spoken = [each for each in segments if each.emotion is not None]
    if not spoken:
        answer = model.silence(path, end_s, [*warnings, "nobody was heard to speak"])
        return dataclasses.replace(answer, segments=tuple(segments), course=course)
    lengths = [each.end_s - each.start_s for each in spoken]
    values = np.array([list(each.probabilities.values()) for each in spoken])
    mean = np.average(values, axis=0, weights=lengths)
    score, remarks = out_of_domain([each.out_of_domain for *_, own in heard.stretches for each in own])
    answer = model.conclude(path, end_s, mean, [*warnings, *remarks], tuple(segments), score)
    return dataclasses.replace(answer, course=course)


def concluded(model: Answerer, heard: Heard, options: TimelineOptions) -> tuple[list[Segment], Course]:
    """The segments of what was heard, from the recording's start to its end, and what they were made of."""
    line = Line(model, heard.rate, heard.hop, options)
    nothing = Course(np.zeros(0), np.zeros((0, len(model.emotions))))
    parts = [nothing, *(line.add(stretch, heard.total) for stretch in heard.stretches)]
    course = Course(
        np.concatenate([part.times_s for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
    )
    return line.until(heard.total), course


class Line:
    """Segments that grow by a stretch of speech at a time.

    Args:
        model: who answered.
        rate: of the samples that stretches are counted in, in Hz.
        hop: samples from one moment to the next.
        options: of smoothing.
    """

    def __init__(self, model: Answerer, rate: int, hop: int, options: TimelineOptions) -> None:
        self._model, self._rate, self._hop, self._options = model, rate, hop, options
        self._segments: list[Segment] = []
        self._end = 0

    def add(self, stretch: Stretch, total: int) -> Course:
        """Take a stretch, behind those before: what is known at its moments.

        total: samples of the recording until now.
        """
        frame = round(FRAME_S * self._rate)
        start, stop, windows = stretch
        # Less than a frame at either end of the recording is not known to be silent.
        start, stop = (0 if start < frame else start), (total if total - stop < frame else stop)
        self._segments += self._silent(start)
        edges = np.linspace(start, stop, max(1, round((stop - start) / self._hop)) + 1)
        centres = (edges[:-1] + edges[1:]) / 2
        known = _moment_by_moment(centres, windows)
        self._segments += _segments(edges, known, windows, self._model, self._options)
        self._end = stop
        return Course(centres / self._rate, known)

    def until(self, total: int, last: Sequence[Stretch] = ()) -> list[Segment]:
        """All segments of a recording of so many samples, in which these stretches stand behind the others,
        and are not taken.
        """
        whole = copy.copy(self)
        whole._segments = self._segments.copy()
        for stretch in last:
            whole.add(stretch, total)
        return whole._segments + whole._silent(total)

    def _silent(self, until: int) -> list[Segment]:
        """What lies between the last stretch and this sample."""
        start_s, end_s = self._end / self._rate, until / self._rate
        return [Segment(start_s, end_s, None, 0.0, {})] if until > self._end else []


def _segments(
    edges: NDArray[np.float64],
    known: NDArray[np.float64],
    heard: Sequence[OfWindow],
    model: Answerer,
    asked: TimelineOptions,
) -> list[Segment]:
    """The segments of a stretch of speech: its moments' edges in samples, and what is known at each."""
    way = smoothed(known, asked.smoothing, asked.change, asked.reach)
    bounds = [0, *(np.flatnonzero(np.diff(way)) + 1).tolist(), len(known)]
    rate = model.info.preparation.sample_rate
    found: list[tuple[int, int, int]] = []  # first moment, the one after the last, emotion
    for first, after in itertools.pairwise(bounds):
        emotion = int(known[first:after].mean(axis=0).argmax())
        if found and found[-1][2] == emotion:
            found[-1] = (found[-1][0], after, emotion)
        else:
            found.append((first, after, emotion))
    segments: list[Segment] = []
    for first, after, emotion in found:
        mean = known[first:after].mean(axis=0)
        scores = [
            each.out_of_domain
            for each in heard
            if each.out_of_domain is not None and each.start < edges[after] and each.stop > edges[first]
        ]
        score = float(np.median(scores)) if scores else None
        confidence = float(mean[emotion])
        segments.append(
            Segment(
                float(edges[first]) / rate,
                float(edges[after]) / rate,
                model.emotions[emotion],
                confidence,
                dict(zip(model.emotions, map(float, mean), strict=True)),
                score,
                uncertain=model.doubts(confidence, score),
            )
        )
    return segments


def _moment_by_moment(centres: NDArray[np.float64], heard: Sequence[OfWindow]) -> NDArray[np.float64]:
    """What is known at each moment, (moments, emotions): the mean of the windows over it.

    A window counts most in its middle; a moment that no window covers is known by the nearest.
    """
    starts = np.array([each.start for each in heard], np.float64)
    stops = np.array([each.stop for each in heard], np.float64)
    middles, halves = (starts + stops) / 2, (stops - starts) / 2
    said = np.stack([each.probabilities for each in heard]).astype(np.float64)
    known = np.empty((len(centres), said.shape[1]))
    # Some moments at a time, and the windows about them alone: speech may go on for hours without a pause.
    for first in range(0, len(centres), _MOMENTS):
        own = centres[first : first + _MOMENTS]
        near = slice(
            max(int(np.searchsorted(stops, own[0])) - 1, 0), int(np.searchsorted(starts, own[-1])) + 1
        )
        away = np.abs(own[:, None] - middles[near]) / halves[near]
        weights = np.where(away <= 1.0, np.maximum(1.0 - away, _EDGE), 0.0)
        alone = weights.sum(axis=1) == 0
        weights[alone, away[alone].argmin(axis=1)] = 1.0
        known[first : first + len(own)] = weights / weights.sum(axis=1, keepdims=True) @ said[near]
    return known
