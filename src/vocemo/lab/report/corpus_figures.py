"""Figures of a corpus: its clips by emotion, speaker and sex, and how its measures lie.

Each is drawn narrow, so that a page can set it beside others or alone, and in the colours of a `Theme`.
No meaning hangs on colour alone: series also differ in place, and counts and medians stand in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vocemo.errors import UsageError
from vocemo.lab.report.theme import LIGHT, MARGIN_IN, Theme, blank, head, place

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vocemo.lab.explore.summary import Spread

HEAD_IN = 0.78
ROW_IN = 0.34
LETTER_IN = 0.078  # of a label of 10 points
ROWS_WITH_COUNTS = 40  # speakers; with more, cells are too small for words
TALLEST_TABLE_IN = 9.6


def bars_figure(
    counts: Mapping[str, Mapping[str, int]], *, title: str, below: str = "", theme: Theme = LIGHT
) -> Figure:
    """Counts as bars, a row a name, stacked by series; the sum stands behind each bar.

    counts: by row, then by series; two series take the theme's colours, a third its grey.

    >>> figure = bars_figure({"happy": {"female": 2, "male": 3}}, title="Clips by emotion")
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['5']
    """
    _need(counts)
    series = list(dict.fromkeys(name for row in counts.values() for name in row))
    left_in = _label_room(counts)
    figure = blank(HEAD_IN + ROW_IN * len(counts) + 0.2 + 0.24 * (len(series) > 1), theme)
    head(figure, theme, title, below)
    axes = place(figure, theme, left_in, 0.14, 0.62, HEAD_IN - 0.06 + 0.24 * (len(series) > 1))
    totals = [sum(row.values()) for row in counts.values()]
    rows = np.arange(len(counts))
    behind = np.zeros(len(counts))
    for name, colour in zip(series, _colours(series, theme), strict=True):
        values = np.array([row.get(name, 0) for row in counts.values()])
        axes.barh(rows, values, left=behind, height=0.66, color=colour, label=name, linewidth=0)
        behind += values
    for row, total in enumerate(totals):
        axes.annotate(
            f"{total:,}",
            (total, row),
            (5, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
            color=theme.ink,
        )
    _rows(axes, list(counts), theme)
    axes.set_xlim(0, max(totals) or 1)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    if len(series) > 1:
        _legend(axes, theme)
    return figure


def table_figure(
    counts: Mapping[str, Mapping[str, int]],
    *,
    title: str,
    below: str = "",
    groups: Mapping[str, str] | None = None,
    theme: Theme = LIGHT,
) -> Figure:
    """Counts as a table of shaded cells, a row a speaker; what is 0 stays empty.

    groups: a letter or word behind each row's name, such as its sex.
    """
    from matplotlib.colors import LinearSegmentedColormap

    _need(counts)
    columns = list(dict.fromkeys(name for row in counts.values() for name in row))
    values = np.array([[row.get(name, 0) for name in columns] for row in counts.values()], np.float64)
    wordy = len(counts) <= ROWS_WITH_COUNTS
    row_in = 0.235 if wordy else TALLEST_TABLE_IN / len(counts)
    names = [f"{name}  {groups[name]}" if groups and groups.get(name) else name for name in counts]
    left_in = _label_room(names) if wordy else 0.45
    tilted = max(len(name) for name in columns) * LETTER_IN > (5.2 - left_in) / len(columns) - 0.06
    head_in = HEAD_IN - (0.0 if below else 0.2) + (0.42 if tilted else 0.1)
    figure = blank(head_in + row_in * len(counts) + 0.12, theme)
    head(figure, theme, title, below)
    axes = place(figure, theme, left_in, 0.12, 0.42 if tilted else MARGIN_IN, head_in)
    shades = LinearSegmentedColormap.from_list("cells", list(theme.shades)).with_extremes(under=theme.paper)
    most = values.max()
    axes.imshow(
        values, cmap=shades, vmin=0.5, vmax=max(most, 1.0) + 0.5, aspect="auto", interpolation="nearest"
    )
    axes.spines["bottom"].set_visible(False)
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(columns)), columns, fontsize=9.5, color=theme.ink)
    if tilted:
        for label in axes.get_xticklabels():
            label.set(rotation=35, ha="left", rotation_mode="anchor")
    if not wordy:
        axes.set_yticks([])
        axes.set_ylabel(f"{len(counts)} speakers, in order of name", fontsize=9.5, color=theme.quiet)
        return figure
    axes.set_yticks(range(len(names)), names, fontsize=9, color=theme.ink)
    axes.set_xticks(np.arange(len(columns) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color=theme.paper, linewidth=1.6)
    axes.tick_params(which="minor", length=0)
    for row, column in np.argwhere(values > 0):
        light = values[row, column] > 0.55 * most
        colour = theme.paper if light else theme.ink
        axes.text(
            column, row, f"{values[row, column]:g}", ha="center", va="center", fontsize=8.5, color=colour
        )
    return figure


def spread_figure(
    spreads: Mapping[str, Mapping[str, Spread]],
    *,
    title: str,
    below: str = "",
    form: str = "{:.1f}",
    logarithmic: bool = False,
    theme: Theme = LIGHT,
) -> Figure:
    """How a measure lies, a row a name.

    A line goes from the 5th to the 95th percentile, a bar over the middle half. The median is
    marked, and stands in figures at the right.

    spreads: by row, then by series ("" where there is but one). form: how a median is written.
    """
    _need(spreads)
    series = list(dict.fromkeys(name for row in spreads.values() for name in row))
    row_in = ROW_IN + 0.14 * (len(series) - 1)
    legend_in = 0.24 * (len(series) > 1)
    figure = blank(HEAD_IN + row_in * len(spreads) + legend_in + 0.42, theme)
    head(figure, theme, title, below)
    axes = place(figure, theme, _label_room(spreads), 0.36, 0.72, HEAD_IN - 0.02 + legend_in)
    step = 0.72 / len(series)
    for number, (name, colour) in enumerate(zip(series, _colours(series, theme), strict=True)):
        offset = (number - (len(series) - 1) / 2) * step
        for row, found in enumerate(spreads.values()):
            if name in found:
                _box(axes, row + offset, found[name], min(0.5, 0.8 * step), colour, theme)
                axes.annotate(
                    form.format(found[name].median),
                    (1, row + offset),
                    (8, 0),
                    xycoords=("axes fraction", "data"),
                    textcoords="offset points",
                    va="center",
                    fontsize=9.5 if len(series) == 1 else 8.5,
                    color=theme.ink if len(series) == 1 else colour,
                )
        axes.plot([], [], color=colour, linewidth=6, label=name or "clips")
    _rows(axes, list(spreads), theme)
    axes.grid(axis="x", color=theme.hairline, linewidth=0.8)
    axes.annotate(
        "median",
        (1, 1),
        (8, 3),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8.5,
        color=theme.quiet,
    )
    if logarithmic:
        _logarithmic(axes)
    if len(series) > 1:
        _legend(axes, theme)
    return figure


def _box(axes: Axes, row: float, spread: Spread, height: float, colour: str, theme: Theme) -> None:
    axes.plot([spread.low, spread.high], [row, row], color=colour, linewidth=1.6, solid_capstyle="round")
    width = spread.upper_quarter - spread.lower_quarter
    axes.barh([row], [width], left=[spread.lower_quarter], height=height, color=colour, linewidth=0)
    axes.plot(
        [spread.median] * 2,
        [row - height / 2, row + height / 2],
        color=theme.paper,
        linewidth=2,
        solid_capstyle="butt",
    )
    if width == 0:
        axes.plot([spread.median], [row], "o", color=colour, markersize=5)


def _logarithmic(axes: Axes) -> None:
    """A logarithmic axis with ticks in plain figures, a third of an octave to an octave apart."""
    from matplotlib.ticker import FixedLocator, NullLocator

    axes.set_xscale("log")
    low, high = axes.get_xlim()
    values = [50, 75, 100, 150, 200, 300, 400, 600, 800, 1200]
    ticks = [value for value in values if low <= value <= high]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([f"{tick}" for tick in ticks])


def _rows(axes: Axes, names: Sequence[str], theme: Theme) -> None:
    axes.set_yticks(range(len(names)), names, fontsize=10, color=theme.ink)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.set_ylim(len(names) - 0.45, -0.55)


def _legend(axes: Axes, theme: Theme) -> None:
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=3,
        frameon=False,
        fontsize=9.5,
        labelcolor=theme.ink,
        handlelength=1.0,
        borderaxespad=0.25,
        borderpad=0,
        columnspacing=1.4,
    )


def _colours(series: Sequence[str], theme: Theme) -> list[str]:
    """Of two series the theme's two colours, beyond them its grey."""
    return [(theme.first, theme.second)[place] if place < 2 else theme.other for place in range(len(series))]


def _label_room(names: Mapping[str, object] | Sequence[str]) -> float:
    return MARGIN_IN + 0.12 + LETTER_IN * max(len(name) for name in names)


def _need(given: Mapping[str, object] | Sequence[str]) -> None:
    if not given:
        raise UsageError("there is nothing to draw: give one row or more")
