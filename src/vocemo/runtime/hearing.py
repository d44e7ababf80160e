"""What a model hears in the windows of speech, as samples come."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vocemo.runtime.answerer import Answerer
from vocemo.runtime.speech_windows import Samples, SpeechWindow, SpeechWindows
from vocemo.runtime.timeline_options import TimelineOptions
from vocemo.runtime.windows import audible

AT_ONCE = 16  # windows in one run of the model, where they need not be answered at once


@dataclass(frozen=True)
class OfWindow:
    """What the model made of a window of the stretch of speech `span`, from start to stop in samples."""

    span: int
    start: int
    stop: int
    probabilities: NDArray[np.float32]
    out_of_domain: float | None


Stretch = tuple[int, int, Sequence[OfWindow]]  # of speech, from start to stop in samples, and its windows


@dataclass(frozen=True)
class Heard:
    """What the model heard in a recording."""

    rate: int  # Hz
    total: int  # samples of the recording
    hop: int  # samples from one moment to the next
    stretches: Sequence[Stretch]


class Hearing:
    """Samples at the model's rate as they come -> what the model says of each window of speech.

    at_once: windows that are waited for before the model is asked; 1 asks as soon as one is whole, even
    while it is in doubt whether the pause that it ends in ends the speech. What is `heard` is the same.
    """

    def __init__(self, model: Answerer, options: TimelineOptions, at_once: int = 1) -> None:
        self._model, self._at_once = model, at_once
        self._preparation = dataclasses.replace(model.info.preparation, offset_s=0.0)
        self._rate = self._preparation.sample_rate
        window_s = self._preparation.length_s or min(options.window_s, self._preparation.max_length_s)
        self.hop = round(min(options.hop_s, window_s) * self._rate)
        window = round(window_s * self._rate)
        self._cutter = SpeechWindows(self._rate, window, self.hop, options.speech, early=at_once == 1)
        self._waiting: list[SpeechWindow] = []
        self._heard: dict[int, list[OfWindow]] = {}
        self._early: dict[tuple[int, int], OfWindow] = {}  # by start and stop: those that were in doubt

    @property
    def spans(self) -> Sequence[tuple[int, int]]:
        """The stretches of speech that have ended, from start to stop in samples."""
        return self._cutter.spans

    @property
    def speaking(self) -> bool:
        """Whether speech goes on."""
        return self._cutter.speaking

    @property
    def heard(self) -> Heard:
        """All so far, of stretches that have ended and were not let go.

        What is too quiet or too short for the model is left out: nothing is known of it.
        """
        stretches = [(*self.spans[number], self._heard[number]) for number in self._ended()]
        return Heard(self._rate, self._cutter.total, self.hop, stretches)

    def let_go(self) -> list[Stretch]:
        """What was heard in all stretches that have ended but the last of them; it is held no longer."""
        return [(*self.spans[number], self._heard.pop(number)) for number in self._ended()[:-1]]

    def _ended(self) -> list[int]:
        return [number for number in sorted(self._heard) if number < len(self.spans)]

    def push(self, samples: Samples, last: bool = False) -> list[OfWindow]:
        """What the model says of the windows that are whole by now, in order, of each once."""
        answers: list[OfWindow] = []
        for cut in self._cutter.push(samples, last):
            if not (cut.sure and self._was_in_doubt(cut)):
                self._waiting.append(cut)
            if len(self._waiting) >= AT_ONCE:  # no more are held, however much is pushed
                answers += self._asked()
        if self._waiting and (last or len(self._waiting) >= self._at_once):
            answers += self._asked()
        self._early = {at: each for at, each in self._early.items() if each.span == len(self.spans)}
        return answers

    def _was_in_doubt(self, cut: SpeechWindow) -> bool:
        """Whether the model was, or is to be, asked about this window before it was sure."""
        for place, waiting in enumerate(self._waiting):
            if waiting.start == cut.start and len(waiting.samples) == len(cut.samples):
                self._waiting[place] = cut
                return True
        known = self._early.pop((cut.start, cut.start + len(cut.samples)), None)
        if known is not None:
            self._heard.setdefault(cut.span, []).append(known)
        return known is not None

    def _asked(self) -> list[OfWindow]:
        """What the model says of those that wait, of whom none waits any longer."""
        waiting, self._waiting = self._waiting, []
        answers = self._answers(waiting)
        # The last window of a stretch may begin where a longer one in doubt does: both ends tell them apart.
        in_doubt = {(cut.start, cut.start + len(cut.samples)) for cut in waiting if not cut.sure}
        for each in answers:
            if (each.start, each.stop) in in_doubt:
                self._early[each.start, each.stop] = each
            else:
                self._heard.setdefault(each.span, []).append(each)
        return answers

    def _answers(self, windows: Sequence[SpeechWindow]) -> list[OfWindow]:
        """What the model says of each window that is loud and long enough to say anything of."""
        ready: list[tuple[SpeechWindow, Samples, int]] = []
        for cut in windows:
            if (prepared := audible(cut.samples, self._rate, self._preparation)) is not None:
                ready.append((cut, prepared.samples, prepared.length))
        said = self._model.hear([(samples, length) for _, samples, length in ready])
        return [
            OfWindow(cut.span, cut.start, cut.start + len(cut.samples), probabilities, score)
            for (cut, _, _), (probabilities, score) in zip(ready, said, strict=True)
        ]


def listened(model: Answerer, chunks: Iterable[Samples], options: TimelineOptions) -> Heard:
    """All that the model hears in a recording; options of smoothing play no part in it."""
    hearing = Hearing(model, options, at_once=AT_ONCE)
    for chunk in chunks:
        hearing.push(chunk)
    hearing.push(np.zeros(0, np.float32), last=True)
    return hearing.heard
