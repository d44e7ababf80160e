"""Colours of a figure on a light and on a dark page, and an empty figure in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vocemo.errors import MissingExtraError
from vocemo.lab.report.figures import ALERT, BLUE, HAIRLINE, INK, QUIET, VERMILION, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN = 5.2  # drawn so narrow, a figure's words are legible on a telephone too
MARGIN_IN = 0.16


@dataclass(frozen=True)
class Theme:
    """The colours of one page; `first` and `second` tell two series apart, `shades` is a colour map.

    `alert` is for what must not be overlooked: that a figure leaks.
    """

    name: str
    paper: str
    ink: str
    quiet: str
    hairline: str
    first: str
    second: str
    other: str
    alert: str
    shades: tuple[str, str]


LIGHT = Theme(
    "light", "#ffffff", INK, QUIET, HAIRLINE, BLUE, VERMILION, "#9aa3b2", ALERT, ("#f3f6fa", "#0b5a8f")
)
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
    "#E69F00",
    ("#1d2530", "#56B4E9"),
)
THEMES = (LIGHT, DARK)


def save_each(draw: Callable[[Theme], Figure], path: Path) -> tuple[Path, ...]:
    """Draw a picture for each page: `path` is that for a light one, `-dark` stands in the name of the other.

    errors: MissingExtraError without Matplotlib.
    """
    places = (path, *(path.with_stem(f"{path.stem}-{theme.name}") for theme in THEMES[1:]))
    return tuple(save(draw(theme), place) for theme, place in zip(THEMES, places, strict=True))


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
