"""Emotions of a voice as it goes on: push samples, get events.

No clock and no sound card: time is what has been pushed. The windows of speech are those of the timeline, so
that a stream that has ended has the same segments as the whole recording. What an event calls the emotion is
the belief of a hidden Markov model that has heard the windows so far: one odd window does not change it
(Rabiner 1989, "A Tutorial on Hidden Markov Models", equation 20, its forward variable made to sum to 1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vocemo.audio.resampling import Resampler, check_rate
from vocemo.errors import UsageError
from vocemo.prepare.signal import as_mono
from vocemo.runtime.answerer import Answerer
from vocemo.runtime.hearing import Hearing, OfWindow
from vocemo.runtime.prediction import Segment
from vocemo.runtime.timeline import Line
from vocemo.runtime.timeline_options import TimelineOptions
from vocemo.runtime.windows import level_db


@dataclass(frozen=True)
class Event:
    """What is heard at a moment of a stream.

    From `start_s` to `end_s` is the stretch that the model has just heard; where speech has ended both are
    that moment, and `emotion` is None: that is known a pause later, since voices go on after shorter ones.
    `emotion` and `confidence` are what is believed by now, `probabilities` what the model said of this
    stretch alone. `changed` says that the emotion is not that of the event before. `uncertain` and
    `out_of_domain` are those of `Prediction`, for this stretch.
    """

    start_s: float
    end_s: float
    emotion: str | None
    confidence: float
    probabilities: Mapping[str, float]
    changed: bool
    uncertain: bool = False
    out_of_domain: float | None = None

    def to_dict(self, top: int | None = None) -> dict[str, Any]:
        """The JSON object of this event, with its `top` most probable emotions alone where given."""
        heard = Segment(
            self.start_s,
            self.end_s,
            self.emotion,
            self.confidence,
            self.probabilities,
            self.out_of_domain,
            self.uncertain,
        )
        return {**heard.to_dict(top), "changed": self.changed}


class Stream:
    """A voice that goes on. One thread at a time pushes; streams of one model leave each other alone.

    Args:
        model: who answers.
        sample_rate: of the samples that are pushed, in Hz.
        options: windows, hop and smoothing, as for a timeline.
    """

    def __init__(self, model: Answerer, sample_rate: int, options: TimelineOptions | None = None) -> None:
        self._model = model
        self._asked = options or TimelineOptions()
        self._rate = model.info.preparation.sample_rate
        self._resampler = Resampler(check_rate(sample_rate), self._rate)
        self._hearing = Hearing(model, self._asked)
        self._line = Line(model, self._rate, self._hearing.hop, self._asked)
        self._belief: NDArray[np.float64] | None = None
        self._ended = 0  # stretches of speech whose end has been told
        self._last: str | None = None
        self._told = 0  # where the last event's window ended, in samples
        self._pushed, self._pushed_rate, self._finished = 0, sample_rate, False
        self.level_db = -math.inf  # of what was pushed last, below full scale

    @property
    def time_s(self) -> float:
        """How much has been pushed."""
        return self._pushed / self._pushed_rate

    @property
    def speaking(self) -> bool:
        """Whether somebody speaks, as far as is known."""
        return self._hearing.speaking

    @property
    def segments(self) -> list[Segment]:
        """The timeline so far, speech that still goes on left out; once finished, that of the whole."""
        heard = self._hearing.heard
        return self._line.until(heard.total, heard.stretches)

    @property
    def emotions(self) -> tuple[str, ...]:
        """The emotions that its model tells apart."""
        return self._model.emotions

    def push(self, samples: ArrayLike) -> list[Event]:
        """Take samples, (n,) or (channels, n), of any number; gives what they bring, which may be nothing.

        Raises UsageError after `finish`, and as `Predictor.predict` does for samples that are none.
        """
        if self._finished:
            raise UsageError("this stream has finished; begin another")
        given = np.asarray(samples)
        if given.size == 0:
            return []
        mono = as_mono(given)
        self._pushed += len(mono)
        self.level_db = level_db(mono)
        return self._events(self._resampler.push(mono))

    def finish(self) -> list[Event]:
        """Say that nothing follows; gives what was held back for it. A second time gives nothing."""
        if self._finished:
            return []
        self._finished = True
        return self._events(self._resampler.push(np.zeros(0, np.float32), last=True), last=True)

    def _events(self, samples: NDArray[np.float32], *, last: bool = False) -> list[Event]:
        events: list[Event] = []
        for heard in self._hearing.push(samples, last):
            events += self._silences(heard.span)
            if heard.stop > self._told:  # else it ended in a pause, and was told when that began
                events.append(self._event(heard))
                self._told = heard.stop
        for stretch in self._hearing.let_go():  # a stream has no end, and segments are less than windows
            _, stop, _ = stretch
            self._line.add(stretch, stop)
        return events + self._silences(len(self._hearing.spans))

    def _event(self, heard: OfWindow) -> Event:
        probabilities, score = heard.probabilities, heard.out_of_domain
        self._belief = believed(self._belief, probabilities, self._asked.change)
        best = int(self._belief.argmax())
        confidence = float(self._belief[best])
        emotion = self._model.emotions[best]
        changed, self._last = emotion != self._last, emotion
        return Event(
            heard.start / self._rate,
            heard.stop / self._rate,
            emotion,
            confidence,
            dict(zip(self._model.emotions, map(float, probabilities), strict=True)),
            changed,
            self._model.doubts(float(probabilities[best]), score),
            score,
        )

    def _silences(self, before: int) -> list[Event]:
        """An event for the end of each stretch of speech that ended before that of this number."""
        events: list[Event] = []
        for _, stop in self._hearing.spans[self._ended : before]:
            at_s = max(stop, self._told) / self._rate  # a window in doubt may have reached past it
            events.append(Event(at_s, at_s, None, 0.0, {}, self._last is not None))
            self._belief, self._last = None, None
        self._ended = max(self._ended, min(before, len(self._hearing.spans)))
        return events


def believed(
    before: NDArray[np.float64] | None, probabilities: Sequence[float] | NDArray[np.floating], change: float
) -> NDArray[np.float64]:
    """What is believed after one more window: (emotions,), which sums to 1.

    before: the belief until now; None at the beginning, where all emotions are alike. A change to each other
    emotion is exp(-change) times as likely as none.

    >>> once = believed(None, [0.8, 0.2], change=2.0)
    >>> twice = believed(once, [0.4, 0.6], change=2.0)
    >>> once.round(2).tolist(), twice.round(2).tolist()
    ([0.8, 0.2], [0.64, 0.36])
    """
    said = np.maximum(np.asarray(probabilities, np.float64), 1e-6)
    if before is None:
        return np.asarray(said / said.sum())
    leaving = math.exp(-change)
    expected = (1.0 - leaving) * before + leaving * before.sum()
    belief = expected * said
    return np.asarray(belief / belief.sum())
