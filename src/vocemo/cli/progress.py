"""How far a long job is: a bar on a terminal, plain lines elsewhere, always on standard error."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.live import Live
    from rich.progress import Progress as RichProgress
    from rich.table import Table
    from rich.text import Text

LINE_EVERY_S = 10.0  # between two plain lines of one job
PACE_OVER_S = (
    120.0  # the time by which it is told how fast a job goes: what was done before a stop came at once
)


def progress(
    description: str,
    total: float | None,
    unit: str = "",
    *,
    quiet: bool = False,
    stream: TextIO | None = None,
    steady_from: float = 0.0,
) -> Bar:
    """A bar for a job of `total` units, or of unknown length; `quiet` shows nothing.

    unit: what is counted, such as clips; B stands for bytes and is shown in megabytes. steady_from: how many
    units take longer than the rest; until they are done no pace is told, which would mislead.

    >>> with progress("Reading", 3, "clips", stream=sys.stdout) as bar:
    ...     bar.advance(3, note="done")  # doctest: +ELLIPSIS
    Reading: 3 of 3 clips, done (... s)
    """
    stream = sys.stderr if stream is None else stream
    if quiet:
        return Bar(description, total, unit)
    shown: Bar = (_TerminalBar if stream.isatty() else _PlainBar)(description, total, unit, stream)
    shown.steady_from = steady_from
    return shown


class Bar:
    """Counts what is done; this one shows nothing, its children do."""

    detailed = False  # whether `detail` and `keep` are shown, and worth the making

    def __init__(self, description: str, total: float | None, unit: str) -> None:
        """Name the job and how much there is to do."""
        self.description, self.total, self.unit = description, total, unit
        self.done = 0.0
        self.note = ""
        self.steady_from = 0.0

    def advance(self, n: float = 1, note: str | None = None) -> None:
        """Count n more units as done; `note` says where the job stands, and stays until the next."""
        self.done += n
        if note is not None:
            self.note = note
        self._show()

    def detail(self, values: Mapping[str, str], about: str = "") -> None:
        """What stands below the bar, value by name; `about` says of which part of the job."""

    def keep(self, line: str) -> None:
        """A line that stays above the bar."""

    def __enter__(self) -> Self:
        """Start to show."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Show the end."""

    def _show(self) -> None:
        """Tell where the job stands."""

    def _amount(self) -> str:
        """How much is done, of how much."""
        return self._told(round(self.done, 1))

    def _told(self, amount: float) -> str:
        scale, unit = (1e6, "MB") if self.unit == "B" else (1.0, self.unit)
        form = "{:,.1f}" if self.unit == "B" else "{:,g}"
        done = form.format(amount / scale)
        of = "" if self.total is None else f" of {form.format(self.total / scale)}"
        return f"{done}{of} {unit}".rstrip()


class _PlainBar(Bar):
    """A line every few seconds, and one at the end."""

    def __init__(
        self,
        description: str,
        total: float | None,
        unit: str,
        stream: TextIO,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(description, total, unit)
        self._stream, self._clock = stream, clock
        self._begun = self._shown = clock()
        self._marks = deque([(self._begun, 0.0)])

    def _show(self) -> None:
        if self._clock() - self._shown >= LINE_EVERY_S:
            self._print()

    def _print(self) -> None:
        self._shown = self._clock()
        note = f", {self.note}" if self.note else ""
        took_s = self._shown - self._begun
        told = f"{self.description}: {self._amount()}{note} ({took_s:.1f} s{self._pace()})"
        print(told, file=self._stream, flush=True)

    def _pace(self) -> str:
        """How fast it went lately, and how long the rest takes at that; nothing at the end."""
        if self.done < self.steady_from:
            self._marks.clear()
            return ""
        self._marks.append((self._shown, self.done))
        while self._shown - self._marks[0][0] > PACE_OVER_S:
            self._marks.popleft()
        (since_s, before), total = self._marks[0], self.total
        if total is None or self.done >= total or self.done <= before or self._shown <= since_s:
            return ""
        rate = (self.done - before) / (self._shown - since_s)
        return f", {_rate(rate, self.unit)}, {_duration((total - self.done) / rate)} left"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._print()


def _rate(rate: float, unit: str) -> str:
    """How fast, in words.

    >>> _rate(0.5, "epochs"), _rate(123.4, "files"), _rate(2.5e6, "B")
    ('30 epochs/min', '123 files/s', '2.5 MB/s')
    """
    if unit == "B":
        return f"{rate / 1e6:.1f} MB/s"
    return f"{rate:.3g} {unit}/s" if rate >= 1.0 else f"{60 * rate:.3g} {unit}/min"


def _duration(seconds: float) -> str:
    """How long, in words.

    >>> _duration(42.4), _duration(600.0), _duration(9000.0)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


class _TerminalBar(Bar):
    """A rich bar with the time that is left; below it, where there are any, the details in columns."""

    detailed = True

    def __init__(self, description: str, total: float | None, unit: str, stream: TextIO) -> None:
        super().__init__(description, total, unit)
        from rich.console import Console, Group
        from rich.live import Live
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
        from rich.table import Column

        # One line, however narrow: the bar gives way.
        whole = [Column(no_wrap=True) for _ in range(3)]
        self._rich: RichProgress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False, table_column=whole[0]),  # names may hold brackets
            BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=8, max_width=40)),
            TextColumn("{task.fields[amount]}{task.fields[pace]}", markup=False, table_column=whole[1]),
            TimeRemainingColumn(elapsed_when_finished=True, table_column=whole[2]),
            auto_refresh=False,
            speed_estimate_period=PACE_OVER_S,
        )
        self._task = self._rich.add_task(description, total=total, amount=self._amount(), pace="")
        self._details: Table | None = None
        self._live: Live = Live(
            console=Console(file=stream),
            get_renderable=lambda: Group(self._rich, self._details or self._noted()),
            refresh_per_second=8,
        )

    def detail(self, values: Mapping[str, str], about: str = "") -> None:
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
        for name in values:
            table.add_column(name, no_wrap=True)
        table.add_row(*values.values())
        self._details = table
        described = f"{self.description}, {about}" if about else self.description
        self._rich.update(self._task, description=described)

    def keep(self, line: str) -> None:
        self._live.console.print(line, style="dim", markup=False, highlight=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def _show(self) -> None:
        speed = self._rich.tasks[0].speed
        # Details, where there are any, tell it in a column of their own.
        pace = f", {_rate(speed, self.unit)}" if speed and self.unit and not self._details else ""
        # From what it is not told it reckons no time that is left.
        told = self.done if self.done >= self.steady_from else 0.0
        self._rich.update(self._task, completed=told, amount=self._amount(), pace=pace)

    def _noted(self) -> Text:
        from rich.text import Text

        told = f"  {self.note}" if self.note else ""
        return Text(told, style="dim", no_wrap=True, overflow="ellipsis", end="")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
