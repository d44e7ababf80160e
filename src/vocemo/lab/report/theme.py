"""Colours of a figure on a light and on a dark page, and an empty figure in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vocemo.errors import MissingExtraError
from vocemo.lab.report.figures import BLUE, HAIRLINE, INK, QUIET, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN = 5.2  # drawn so narrow, a figure's words are legible on a telephone too
MARGIN_IN = 0.16


@dataclass(frozen=True)
class Theme:
    """The colours of one page; `first` and `second` tell two series apart, `shades` is a colour map."""

    name: str
    paper: str
    ink: str
    quiet: str
    hairline: str
    first: str
    second: str
    other: str
    shades: tuple[str, str]


LIGHT = Theme("light", "#ffffff", INK, QUIET, HAIRLINE, BLUE, VERMILION, "#9aa3b2", ("#f3f6fa", "#0b5a8f"))
# Okabe & Ito's sky blue and orange stand out from a dark page where their blue and vermilion do not.
DARK = Theme(
    "dark",
    "#171b22",
    "#e8ebf0",
    "#a3acba",
    "#303743",
    "#56B4E9",
    "#E69F00",
    "#7b8494",
    ("#1d2530", "#56B4E9"),
)
THEMES = (LIGHT, DARK)


def blank(height_in: float, theme: Theme, width_in: float = WIDTH_IN) -> Figure:
    """An empty figure of this size on the theme's paper.

    errors: MissingExtraError without Matplotlib.
    """
    try:
        from matplotlib.figure import Figure as MatplotlibFigure
    except ImportError as error:
        raise MissingExtraError("drawing a figure", "plot") from error
    return MatplotlibFigure(figsize=(width_in, height_in), facecolor=theme.paper)


def place(
    figure: Figure, theme: Theme, left_in: float, bottom_in: float, right_in: float, top_in: float
) -> Axes:
    """Axes with margins in inches, in the theme's quiet colours."""
    width_in, height_in = figure.get_size_inches()
    axes = figure.add_axes(
        (
            left_in / width_in,
            bottom_in / height_in,
            1 - (left_in + right_in) / width_in,
            1 - (bottom_in + top_in) / height_in,
        ),
        facecolor=theme.paper,
    )
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(theme.hairline)
    axes.tick_params(colors=theme.quiet, labelsize=9, length=0)
    axes.set_axisbelow(True)
    return axes


def head(figure: Figure, theme: Theme, title: str, below: str = "") -> None:
    """A title at the top left, and a quieter line below it; never read as mathematics."""
    width_in, height_in = figure.get_size_inches()
    for text, from_top_in, size, colour, weight in (
        (title, 0.30, 12.0, theme.ink, "bold"),
        (below, 0.52, 9.5, theme.quiet, "normal"),
    ):
        figure.text(
            MARGIN_IN / width_in,
            1 - from_top_in / height_in,
            text,
            fontsize=size,
            color=colour,
            weight=weight,
            va="baseline",
            parse_math=False,
        )
