"""What a live stream looks like on a terminal: what is heard now, how loud, what was heard, how late."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from vocemo.cli.render import bar
from vocemo.cli.render_events import lateness
from vocemo.cli.render_timeline import clock
from vocemo.runtime.live import Listening, Moment
from vocemo.runtime.stream import Event

EVERY_S = 0.2  # between two pictures: more would cost more than what they show
_QUIETEST_DB = -60.0  # at which the level meter is empty
_HISTORY = 240  # events that are kept for the widest terminal
_HEIGHTS = "▁▂▃▄▅▆▇█"
_STYLES = {
    "neutral": "white",
    "calm": "cyan",
    "happy": "yellow",
    "sad": "blue",
    "angry": "red",
    "fearful": "magenta",
    "disgust": "green",
    "surprised": "bright_yellow",
}
_OTHER = "bright_cyan"  # an emotion outside the eight


class LiveView:
    """A picture that is drawn over itself; a context manager."""

    def __init__(self, stream: TextIO, listening: Listening, title: str) -> None:
        """Name what is listened to."""
        self._listening, self._title = listening, title
        self._emotions: Sequence[str] = listening.stream.emotions
        self._width = max(map(len, self._emotions))
        self._past: deque[Event] = deque(maxlen=_HISTORY)
        self._heard: Event | None = None  # the last with an emotion
        self._level_db = -math.inf
        self._drawn_s = -math.inf
        self._console = Console(file=stream, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    def __enter__(self) -> LiveView:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Clear the picture away."""
        self._live.stop()

    def show(self, moment: Moment, now_s: float) -> None:
        """Take a moment in, and draw where the last picture is old; now_s is a clock's time."""
        for event, _ in moment.events:
            self._past.append(event)
            self._heard = event if event.emotion is not None else self._heard
        self._level_db = max(self._level_db, moment.level_db)  # the loudest since the last picture
        if now_s - self._drawn_s >= EVERY_S:
            self._live.update(self.picture(moment), refresh=True)
            self._drawn_s, self._level_db = now_s, -math.inf

    def picture(self, moment: Moment) -> Text:
        """The picture of a moment."""
        lines = [Text(self._title, "bold"), self._level(moment), Text()]
        lines += [self._bar(emotion) for emotion in self._emotions]
        lines += [Text(), self._history(), self._foot(moment)]
        if self._listening.dead:
            lines.append(Text("Nothing but digital silence: is it muted, or not allowed?", "bold yellow"))
        if self._listening.overruns:
            lost = f"{self._listening.overruns} overruns, {self._listening.lost_s:.2f} s lost"
            lines.append(Text(f"{lost}: this machine is too busy", "bold yellow"))
        picture = Text("\n").join(lines)
        picture.no_wrap, picture.overflow = True, "crop"
        return picture

    def _level(self, moment: Moment) -> Text:
        full = 1.0 - max(self._level_db, _QUIETEST_DB) / _QUIETEST_DB
        told = f"{self._level_db:6.1f} dB" if math.isfinite(self._level_db) else "  silent"
        state = ("  speech", "bold green") if moment.speaking else ("  no speech", "dim")
        return Text.assemble(f"{'level':<{self._width}} ", (f"{bar(full):<30}", "green"), f" {told}", state)

    def _bar(self, emotion: str) -> Text:
        """An emotion: what the model said of the last window, and whether it is believed."""
        heard = self._heard
        share = heard.probabilities.get(emotion, 0.0) if heard else 0.0
        over = bool(self._past) and self._past[-1].emotion is None  # what was heard last stays, paler
        believed = heard is not None and heard.emotion == emotion and not over
        style = _STYLES.get(emotion, _OTHER) + (" dim" if over else "")
        sure = f"  {heard.confidence:.0%} sure" if believed and heard else ""
        unsure = " (uncertain)" if believed and heard and heard.uncertain else ""
        return Text.assemble(
            (f"{emotion:<{self._width}} ", f"bold {style}" if believed else "dim"),
            (f"{bar(share):<30}", style),
            f" {share:6.1%}",
            (f"{sure}{unsure}", "bold"),
        )

    def _history(self) -> Text:
        """A cell an event: its colour the emotion, its height how sure."""
        cells = max(10, self._console.width - self._width - 2)
        drawn = Text(f"{'history':<{self._width}} ")
        for event in list(self._past)[-cells:]:
            if event.emotion is None:
                drawn.append("·", "dim")
            else:
                height = _HEIGHTS[min(int(event.confidence * len(_HEIGHTS)), len(_HEIGHTS) - 1)]
                drawn.append(height, _STYLES.get(event.emotion, _OTHER))
        return drawn

    def _foot(self, moment: Moment) -> Text:
        late = lateness(self._listening)
        return Text(f"{clock(moment.time_s)}{late and f', {late}'}, Ctrl-C ends", "dim")
