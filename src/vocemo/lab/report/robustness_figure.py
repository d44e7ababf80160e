"""The robustness table as a picture: UAR under every condition, beside that of the recordings as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vocemo.lab.report.figures import LEAKY_NOTE
from vocemo.lab.report.robustness_table import label
from vocemo.lab.report.theme import LIGHT, MARGIN_IN, WIDTH_IN, Theme, blank, head, place
from vocemo.lab.report.wording import speakers
from vocemo.lab.stress.result import ConditionResult, Robustness

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW_IN = 0.235
_GAP = 0.45  # rows between families
_HEAD_IN, _FOOT_IN = 0.72, 0.78
_LEFT_IN, _RIGHT_IN = 2.15, 0.98


def robustness_figure(found: Robustness, theme: Theme = LIGHT) -> Figure:
    """A row a condition: a dot at its UAR with the 95 % interval over speakers, and the change in points.

    A dot is full where the fall is more than chance (its interval leaves 0), empty where it may be none. A
    line stands at the UAR as recorded, a dotted one at what guessing reaches.

    Raises MissingExtraError where Matplotlib is not installed.
    """
    places = _places(found.conditions)
    leak_in = 0.24 if found.leaky else 0.0
    figure = blank(_HEAD_IN + leak_in + _ROW_IN * (places[-1] + 1) + _FOOT_IN, theme)
    seeds = f", {len(found.seeds)} seeds" if len(found.seeds) > 1 else ""
    heard = f"{found.clips:,} clips, {speakers(found.speakers)}"
    below = f"{', '.join(found.corpora)}, {found.protocol}, {heard}"
    head(figure, theme, f"{found.model} where recordings are worse", below + seeds)
    height_in = figure.get_size_inches()[1]
    if found.leaky:
        figure.text(
            MARGIN_IN / WIDTH_IN,
            1 - 0.74 / height_in,
            LEAKY_NOTE,
            fontsize=9.5,
            color=theme.alert,
            weight="bold",
        )
    axes = place(figure, theme, _LEFT_IN, _FOOT_IN, _RIGHT_IN, _HEAD_IN + leak_in)
    axes.set_ylim(places[-1] + 0.5, -0.5)
    axes.set_xlim(0, _end(found))
    axes.grid(axis="x", color=theme.hairline, linewidth=0.8)
    axes.axvline(100 * found.clean.uar, color=theme.quiet, linewidth=1.1)
    axes.axvline(100 / found.emotions, color=theme.quiet, linewidth=1.1, linestyle=":")
    for row, condition in zip(places, found.conditions, strict=True):
        _dot(axes, row, condition, theme, clean=condition is found.clean)
    axes.set_yticks(places, [label(condition) for condition in found.conditions], color=theme.ink)
    axes.set_xlabel("UAR in %, with its 95 % interval over speakers", color=theme.quiet, fontsize=9.5)
    figure.text(
        MARGIN_IN / WIDTH_IN,
        0.14 / height_in,
        "Full dot: the fall, in points at the right, is more than chance. Dotted: guessing.",
        fontsize=8.5,
        color=theme.quiet,
    )
    return figure


def _places(conditions: Sequence[ConditionResult]) -> list[float]:
    """Rows from the top, families a little apart where they have several levels."""
    rows, row = list[float](), 0.0
    for number, condition in enumerate(conditions):
        if number:
            before = conditions[number - 1]
            alone = sum(c.family in (condition.family, before.family) for c in conditions) == 2
            row += 1.0 + (0.0 if alone or condition.family == before.family else _GAP)
            if number == 1 and alone:
                row += _GAP
        rows.append(row)
    return rows


def _end(found: Robustness) -> float:
    """Where the scale ends: behind the last whisker, at a full ten."""
    most = max(max(c.uar, c.ci95[1] if c.ci95 else 0.0) for c in found.conditions)
    return min(100.0, 10.0 * (int(10 * most) + 1))


def _dot(axes: Axes, row: float, condition: ConditionResult, theme: Theme, *, clean: bool) -> None:
    colour = theme.second if condition.falls else theme.first
    if condition.ci95 is not None:
        axes.plot([100 * end for end in condition.ci95], [row, row], color=colour, linewidth=1.6, alpha=0.55)
    full = clean or condition.falls
    axes.plot(
        [100 * condition.uar],
        [row],
        "o",
        color=colour,
        markersize=6,
        markerfacecolor=colour if full else theme.paper,
        markeredgewidth=1.5,
    )
    told = f"{100 * condition.uar:.1f}"
    if not clean:
        told += (
            f"  {-100 * condition.fall:+.1f}".replace("-0.0", "0.0").replace("+0.0", "0.0").replace("-", "−")
        )
    axes.annotate(
        told,
        (1, row),
        (8, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        fontsize=9,
        color=theme.ink,
        annotation_clip=False,
    )
