"""A small line chart as inline SVG, whose colours are the page's own and so follow light and dark.

It is drawn as wide as a telephone shows it, so that its words are legible there too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 42, 14, 12, 44  # room for tick labels and the axes' names

Point = tuple[float, float]


def percent(value: float) -> str:
    """A fraction as a whole percentage.

    >>> percent(0.25)
    '25'
    """
    return f"{100 * value:.0f}"


@dataclass(frozen=True)
class Axis:
    """From low to high, with ticks; `show` writes a tick."""

    label: str
    low: float = 0.0
    high: float = 1.0
    ticks: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    show: Callable[[float], str] = percent

    def place(self, value: float) -> float:
        """Where a value lies, from 0 to 1; what is beyond an end lies at it."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


class Chart:
    """Marks on two axes. A mark's `look` is its CSS classes: a colour, and dashed, thin or hollow."""

    def __init__(self, x: Axis, y: Axis, height: int = 300) -> None:
        self._x, self._y, self._height = x, y, height
        self._marks: list[str] = []

    def line(self, points: Sequence[Point], look: str, title: str = "") -> None:
        """A line through points, with words for whoever points at it."""
        if len(points) == 1:
            self.dot(points[0], look, title)
            return
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self._at, points))
        self._marks.append(f'<polyline class="mark {look}" points="{path}">{_title(title)}</polyline>')

    def span(self, x: float, low: float, high: float, look: str) -> None:
        """A vertical line from low to high."""
        (left, bottom), (_, top) = self._at((x, low)), self._at((x, high))
        self._marks.append(
            f'<line class="mark {look}" x1="{left:.1f}" x2="{left:.1f}" y1="{bottom:.1f}" y2="{top:.1f}"/>'
        )

    def dot(self, point: Point, look: str, title: str = "", radius: float = 4.5) -> None:
        """A dot, with words for whoever points at it."""
        x, y = self._at(point)
        self._marks.append(
            f'<circle class="dot {look}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}">{_title(title)}</circle>'
        )

    def markup(self, name: str, title: str, description: str) -> str:
        """The picture as SVG, with a title and its content in words; `name` is its id on the page."""
        return (
            f'<svg class="chart" viewBox="0 0 {WIDTH} {self._height}" role="img" '
            f'aria-labelledby="{name}-title {name}-text">'
            f'<title id="{name}-title">{escape(title)}</title>'
            f'<desc id="{name}-text">{escape(description)}</desc>'
            f"{self._frame()}{''.join(self._marks)}</svg>"
        )

    def _at(self, point: Point) -> Point:
        across, up = WIDTH - _LEFT - _RIGHT, self._height - _TOP - _BOTTOM
        return _LEFT + across * self._x.place(point[0]), _TOP + up * (1 - self._y.place(point[1]))

    def _frame(self) -> str:
        parts = []
        right, bottom = WIDTH - _RIGHT, self._height - _BOTTOM
        for tick in self._y.ticks:
            _, y = self._at((self._x.low, tick))
            parts.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            told = escape(self._y.show(tick))
            parts.append(f'<text x="{_LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{told}</text>')
        for tick in self._x.ticks:
            x, _ = self._at((tick, self._y.low))
            parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>')
            told = escape(self._x.show(tick))
            parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{told}</text>')
        middle = (_TOP + bottom) / 2
        parts.append(
            f'<text x="{(_LEFT + right) / 2:.1f}" y="{self._height - 8}" text-anchor="middle">'
            f"{escape(self._x.label)}</text>"
        )
        parts.append(
            f'<text transform="translate(11 {middle:.1f}) rotate(-90)" text-anchor="middle">'
            f"{escape(self._y.label)}</text>"
        )
        return "".join(parts)


def ticks(low: float, high: float, most: int = 5, least_step: float = 0.0) -> tuple[float, ...]:
    """Round values from low to high, at most so many, `least_step` or more apart.

    >>> ticks(0, 32), ticks(0, 2.6), ticks(1, 1)
    ((0.0, 10.0, 20.0, 30.0), (0.0, 1.0, 2.0), (1.0,))
    """
    if high <= low:
        return (float(low),)
    step = next(
        unit * 10.0**power
        for power in range(-6, 12)
        for unit in (1, 2, 5)
        if (high - low) / (unit * 10.0**power) <= most - 1 and unit * 10.0**power >= least_step
    )
    first = -(-low // step)
    return tuple(round(step * (first + n), 9) for n in range(int(high // step - first) + 1))


def _title(text: str) -> str:
    return f"<title>{escape(text)}</title>" if text else ""
