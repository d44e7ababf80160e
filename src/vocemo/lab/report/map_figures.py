"""Names on a plane of two measures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vocemo.errors import UsageError
from vocemo.lab.report.theme import LIGHT, Theme, blank, head, place

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

    from vocemo.lab.explore.summary import Spread


def map_figure(
    across: Mapping[str, Spread],
    upwards: Mapping[str, Spread],
    *,
    title: str,
    below: str,
    x_label: str,
    y_label: str,
    theme: Theme = LIGHT,
) -> Figure:
    """Each name at its two medians, with arms over the middle half of its clips."""
    names = [name for name in across if name in upwards]
    if not names:
        raise UsageError("there is nothing to draw: give a name that has both measures")
    figure = blank(4.3, theme)
    head(figure, theme, title, below)
    axes = place(figure, theme, 0.72, 0.62, 0.28, 0.78)
    axes.grid(color=theme.hairline, linewidth=0.8)
    for name in names:
        x, y = across[name], upwards[name]
        for across_arm, upwards_arm in (
            ([x.lower_quarter, x.upper_quarter], [y.median, y.median]),
            ([x.median, x.median], [y.lower_quarter, y.upper_quarter]),
        ):
            axes.plot(across_arm, upwards_arm, color=theme.first, linewidth=1.6, alpha=0.45)
        axes.plot([x.median], [y.median], "o", color=theme.first, markersize=7, markeredgecolor=theme.paper)
    axes.margins(0.08, 0.1)
    axes.axhline(0, color=theme.quiet, linewidth=0.9)
    axes.axvline(0, color=theme.quiet, linewidth=0.9)
    axes.set_xlabel(x_label, color=theme.quiet, fontsize=9.5)
    axes.set_ylabel(y_label, color=theme.quiet, fontsize=9.5)
    _name_points(axes, {name: (across[name].median, upwards[name].median) for name in names}, theme)
    return figure


def _name_points(axes: Axes, points: Mapping[str, tuple[float, float]], theme: Theme) -> None:
    """A label beside each point, where it covers the fewest of the other labels and points."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = axes.get_figure(root=True)
    assert figure is not None
    renderer: RendererBase = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]  # not annotated
    spots = axes.transData.transform(list(points.values()))
    inside = axes.get_window_extent(renderer)
    taken: list[Bbox] = []
    for (name, point), spot in zip(points.items(), spots, strict=True):
        tried: list[tuple[int, int, Annotation, Bbox]] = []
        for dx, dy, ha, va in (
            *((9, 5, "left", "bottom"), (-9, 5, "right", "bottom"), (9, -5, "left", "top")),
            *((-9, -5, "right", "top"), (0, 9, "center", "bottom"), (0, -9, "center", "top")),
        ):
            text = axes.annotate(
                name,
                point,
                (dx, dy),
                textcoords="offset points",
                ha=ha,
                va=va,
                fontsize=10,
                color=theme.ink,
                parse_math=False,
            )
            box = text.get_window_extent(renderer)
            bad = sum(box.overlaps(other) for other in taken)
            bad += sum(
                box.x0 - 6 < x < box.x1 + 6 and box.y0 - 6 < y < box.y1 + 6
                for x, y in spots
                if (x, y) != tuple(spot)
            )
            bad += 2 * (box.x0 < inside.x0 or box.x1 > inside.x1 + 20 or box.y1 > inside.y1 + 8)
            tried.append((bad, len(tried), text, box))
        best = min(tried, key=lambda each: each[:2])
        for _, _, text, _ in tried:
            if text is not best[2]:
                text.remove()
        taken.append(best[3])
