"""From the probability of speech, frame by frame, to stretches of speech."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vocemo.errors import UsageError
from vocemo.runtime.speech.detector import FRAME_S


@dataclass(frozen=True)
class Span:
    """A stretch of speech, from its first frame to the one after its last."""

    start: int
    stop: int


@dataclass(frozen=True)
class Hysteresis:
    """When speech begins and ends.

    It begins with a frame of probability `begin` or more, ends where `pause_s` go by without one of `end` or
    more, and is dropped where it is shorter than `least_s`. `margin_s` are added on either side, as far as
    the neighbours leave room: the detector is late for soft beginnings.

    Raises UsageError for probabilities and times that are none.
    """

    begin: float = 0.5
    end: float = 0.35
    pause_s: float = 0.3
    least_s: float = 0.2
    margin_s: float = 0.064

    def __post_init__(self) -> None:
        """Check them."""
        if not 0.0 <= self.end <= self.begin <= 1.0:
            raise UsageError(
                f"speech begins at {self.begin} and ends at {self.end}; valid: 0 <= end <= begin <= 1"
            )
        for name in ("pause_s", "least_s", "margin_s"):
            if not 0.0 <= getattr(self, name) < float("inf"):
                raise UsageError(f"{name} of speech is {getattr(self, name)}; valid: seconds, 0 or more")

    @property
    def pause(self) -> int:
        """Frames without speech that end a span."""
        return max(1, round(self.pause_s / FRAME_S))

    @property
    def least(self) -> int:
        """Frames that a span has at least."""
        return max(1, round(self.least_s / FRAME_S))

    @property
    def margin(self) -> int:
        """Frames that are added on either side: no more than half a pause, so that spans never touch."""
        return min(round(self.margin_s / FRAME_S), (self.pause - 1) // 2)


class SpanFinder:
    """Spans of speech from probabilities as they come.

    `heard` counts the frames so far. `open_from` is where speech began that is still going on, margin
    included, and `surely_until` the frame up to which it surely is speech; both None in silence.
    """

    def __init__(self, hysteresis: Hysteresis) -> None:
        self._asked = hysteresis
        self.heard = 0
        self._began: int | None = None
        self._last = 0  # the frame after the last of speech

    @property
    def open_from(self) -> int | None:
        """Where the speech that goes on began, if it is long enough to be any."""
        if self._began is None or self._last - self._began < self._asked.least:
            return None
        return max(0, self._began - self._asked.margin)

    @property
    def surely_until(self) -> int | None:
        """Up to which frame it is speech whatever comes."""
        return None if self.open_from is None else self._last

    @property
    def needed_from(self) -> int:
        """The first frame that a span which is not yet closed may still hold."""
        first = self.heard if self._began is None else self._began
        return max(0, first - self._asked.margin)

    def push(self, probabilities: Iterable[float]) -> list[Span]:
        """The spans that have ended by now, in order."""
        ended: list[Span] = []
        for probability in probabilities:
            frame, self.heard = self.heard, self.heard + 1
            if self._began is None:
                if probability >= self._asked.begin:
                    self._began, self._last = frame, frame + 1
            elif probability >= self._asked.end:
                self._last = frame + 1
            elif self.heard - self._last >= self._asked.pause:
                ended += self._ended()
        return ended

    def finish(self) -> list[Span]:
        """The span that the end of the recording ends, if there is one."""
        return [] if self._began is None else self._ended()

    def _ended(self) -> list[Span]:
        began, self._began = self._began, None
        assert began is not None
        if self._last - began < self._asked.least:
            return []
        margin = self._asked.margin
        return [Span(max(0, began - margin), min(self.heard, self._last + margin))]


def spans(probabilities: Iterable[float], hysteresis: Hysteresis | None = None) -> list[Span]:
    """The stretches of speech of a whole recording, in frames.

    >>> options = Hysteresis(pause_s=0.1, least_s=0.0, margin_s=0.0)
    >>> spans([0.1, 0.9, 0.4, 0.1, 0.6, 0.0, 0.0, 0.0, 0.0, 0.7], options)
    [Span(start=1, stop=5), Span(start=9, stop=10)]
    """
    finder = SpanFinder(hysteresis or Hysteresis())
    return [*finder.push(probabilities), *finder.finish()]
