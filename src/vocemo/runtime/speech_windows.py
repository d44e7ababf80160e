"""Windows of speech, cut from samples as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vocemo.audio.halving import Halver
from vocemo.audio.resampling import PROMPT, Resampler
from vocemo.runtime.speech import FRAME_S, Hysteresis, Span, SpanFinder, SpeechDetector
from vocemo.runtime.speech.detector import RATE_HZ

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class SpeechWindow:
    """Samples of speech: `span` numbers its stretch, `start` is its first sample in the recording.

    One that is not `sure` ends in a pause of which nobody knows yet whether it ends the stretch.
    """

    span: int
    start: int
    samples: Samples
    sure: bool = True


class SpeechWindows:
    """Samples as they come -> windows of speech as soon as they are whole.

    A stretch of speech is covered from its first sample to its last: a short one is one window, and the last
    window of a longer one ends with it. `spans` are the stretches that have ended, as (start, stop) samples.

    early: give windows that are not yet sure too, for whom it is urgent; such a one comes again once it is.
    """

    def __init__(
        self, rate: int, window: int, hop: int, hysteresis: Hysteresis, *, early: bool = False
    ) -> None:
        self._rate, self._window, self._hop, self._early = rate, window, hop, early
        # A live event waits for it.
        self._resampler = Halver() if rate == 2 * RATE_HZ else Resampler(rate, RATE_HZ, PROMPT)
        self._detector = SpeechDetector().stream()
        self._finder = SpanFinder(hysteresis)
        self._held = np.zeros(0, np.float32)
        self._offset = 0  # of the first sample held
        self._next: int | None = None  # where the next window of the speech that goes on begins
        self._unsure = 0  # no window that begins before this is given as unsure
        self.spans: list[tuple[int, int]] = []

    @property
    def total(self) -> int:
        """Samples that have come."""
        return self._offset + len(self._held)

    @property
    def speaking(self) -> bool:
        """Whether speech goes on."""
        return self._finder.open_from is not None

    def push(self, samples: Samples, last: bool = False) -> Iterator[SpeechWindow]:
        """The windows that are whole by now."""
        self._held = np.concatenate([self._held, samples])
        heard = self._detector.push(self._resampler.push(samples, last))
        if last:
            heard = np.concatenate([heard, self._detector.finish()])
        # What is in doubt depends on when one asks: frame by frame it is the same whatever comes at once.
        step = 1 if self._early else max(len(heard), 1)
        for frame in range(0, len(heard), step):
            yield from self._found(self._finder.push(heard[frame : frame + step].tolist()))
        if last:
            yield from self._found(self._finder.finish())
        self._forget()

    def _found(self, ended: Sequence[Span]) -> Iterator[SpeechWindow]:
        """The windows of speech that has ended, and of that which goes on."""
        for span in ended:
            yield from self._close(span)
        yield from self._go_on()

    def _close(self, span: Span) -> Iterator[SpeechWindow]:
        start, stop = self._sample(span.start), min(self._sample(span.stop), self.total)
        number, window = len(self.spans), self._window
        self.spans.append((start, stop))
        place = start if self._next is None else self._next
        self._next = None
        while place + window <= stop:
            yield self._cut(number, place, place + window)
            place += self._hop
        if place - self._hop + window < stop or place == start:
            yield self._cut(number, max(start, stop - window), stop)

    def _go_on(self) -> Iterator[SpeechWindow]:
        start, until = self._finder.open_from, self._finder.surely_until
        if start is None or until is None:
            return
        place = self._sample(start) if self._next is None else self._next
        # The resampler's and the detector's delay: what they have heard is all here.
        while place + self._window <= min(self._sample(until), self.total):
            yield self._cut(len(self.spans), place, place + self._window)
            place += self._hop
        self._next = place
        if self._early:
            yield from self._in_doubt(place)

    def _in_doubt(self, place: int) -> Iterator[SpeechWindow]:
        """The windows from `place` on that end in a pause, each once."""
        while place + self._window <= min(self._sample(self._finder.heard), self.total):
            if place >= self._unsure:
                self._unsure = place + 1
                yield replace(self._cut(len(self.spans), place, place + self._window), sure=False)
            place += self._hop

    def _forget(self) -> None:
        """Let go of samples that no window to come can reach."""
        until = self._finder.surely_until
        if self._next is None or until is None:
            needed = self._sample(self._finder.needed_from)
        else:
            needed = min(self._next, self._sample(until) - self._window)
        drop = max(0, min(needed - self._offset, len(self._held)))
        self._held, self._offset = self._held[drop:].copy() if drop else self._held, self._offset + drop

    def _cut(self, span: int, start: int, stop: int) -> SpeechWindow:
        return SpeechWindow(span, start, self._held[start - self._offset : stop - self._offset].copy())

    def _sample(self, frame: int) -> int:
        return round(frame * FRAME_S * self._rate)
