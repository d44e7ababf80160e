"""The cross-corpus matrix as a heat map, and as tables for a terminal and a page."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from vocemo.errors import UsageError
from vocemo.lab.matrix.jobs import ALL_OTHERS
from vocemo.lab.report.tables import columns, markdown
from vocemo.lab.report.theme import LIGHT, MARGIN_IN, WIDTH_IN, Theme, blank, head, place
from vocemo.lab.report.wording import speakers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vocemo.lab.matrix.results import Cell, Matrix

_CELL_IN = (1.28, 0.86)  # across, down
_LETTER_IN = 0.085  # of a label of 10 points
_NOTE_LETTER_IN = 0.078  # of a note of 8.5 points
_LINE_IN = 0.2  # between two notes
_GAP = 0.14  # of a cell's height, above the row of all others
_LEAKY_NOTE = "LEAKY: tested speakers were heard in training"


def matrix_table(matrix: Matrix) -> str:
    """UAR in percent with its interval over speakers, a row what was trained on; then each cell in full.

    A star marks an interval that does not lie wholly above chance.
    """
    _need(matrix)
    names = [corpus.name for corpus in matrix.corpora]
    rows = [[train, *(_told(matrix, train, test) for test in names)] for train in matrix.rows]
    title = f"UAR in percent, 95 % interval over speakers; chance {100 * matrix.chance:.1f}"
    leak = [_LEAKY_NOTE] if matrix.leaky else []
    star = (
        ["* does not lie wholly above chance"] if any("*" in text for row in rows for text in row[1:]) else []
    )
    return "\n".join(
        [
            title,
            *leak,
            columns(["trained on \\ tested on", *names], rows),
            *star,
            "",
            columns(*_details(matrix)),
        ]
    )


def matrix_markdown(matrix: Matrix) -> str:
    """The same as two tables of a page."""
    _need(matrix)
    names = [corpus.name for corpus in matrix.corpora]
    first = [[train, *(_told(matrix, train, test) for test in names)] for train in matrix.rows]
    header, rows = _details(matrix)
    tables = (markdown(["trained on \\ tested on", *names], first), markdown(header, rows, texts=3))
    return "\n\n".join("\n".join(lines) for lines in tables)


def matrix_figure(matrix: Matrix, *, theme: Theme = LIGHT) -> Figure:
    """The cells coloured by UAR from chance to 100 %, each with its figure and interval in words.

    The diagonal, which is the same corpus by other speakers, is framed; the row of all others stands apart.

    Raises UsageError where no cell is measured, MissingExtraError without Matplotlib.
    """
    _need(matrix)
    names = [corpus.name for corpus in matrix.corpora]
    across_in, down_in = _CELL_IN
    labels = list(matrix.rows)
    left_in = MARGIN_IN + 0.12 + _LETTER_IN * max(map(len, labels))
    tall = len(labels) + (_GAP if ALL_OTHERS in labels else 0)
    width_in = max(left_in + across_in * len(names) + MARGIN_IN, WIDTH_IN)
    top_in = 1.48 + 0.22 * matrix.leaky
    bottom_in = 0.26 + _LINE_IN * len(_notes(matrix, width_in))
    figure = blank(top_in + down_in * tall + bottom_in, theme, width_in)
    below = f"UAR in percent, 95 % interval over speakers; chance {100 * matrix.chance:.1f}"
    head(figure, theme, f"{matrix.recipe}, corpus by corpus", below)
    right_in = width_in - left_in - across_in * len(names)
    axes = place(figure, theme, left_in, bottom_in, right_in, top_in)
    axes.set_xlim(0, len(names))
    axes.set_ylim(tall, 0)
    axes.spines[:].set_visible(False)
    for row, train in enumerate(matrix.rows):
        top = row + (_GAP if train == ALL_OTHERS else 0)
        for column, test in enumerate(names):
            _draw(axes, matrix, matrix.cell(train, test), column, top, theme, framed=train == test)
    tops = [row + 0.5 + (_GAP if train == ALL_OTHERS else 0) for row, train in enumerate(matrix.rows)]
    axes.set_yticks(tops, labels, fontsize=10, color=theme.ink)
    axes.xaxis.tick_top()
    axes.set_xticks(
        [column + 0.5 for column in range(len(names))],
        [f"{c.name}\n{c.clips:,} clips\n{speakers(c.speakers)}" for c in matrix.corpora],
        fontsize=9,
        color=theme.ink,
    )
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_parse_math(False)
    _words(figure, matrix, theme, left_in, top_in)
    return figure


def _draw(
    axes: Axes, matrix: Matrix, cell: Cell | None, column: int, top: float, theme: Theme, *, framed: bool
) -> None:
    """One cell: its colour, its figure and its interval; a dot where it is not measured."""
    from matplotlib.colors import LinearSegmentedColormap, to_hex
    from matplotlib.patches import Rectangle

    shades = LinearSegmentedColormap.from_list("uar", theme.shades)
    share = 0.0 if cell is None else max(0.0, (cell.uar - matrix.chance) / (1 - matrix.chance))
    colour = to_hex(shades(share)) if cell else theme.paper
    inset = 0.03 if framed else 0.012
    axes.add_patch(
        Rectangle(
            (column + inset, top + inset),
            1 - 2 * inset,
            1 - 2 * inset,
            facecolor=colour,
            edgecolor=theme.ink if framed else theme.hairline,
            linewidth=2.2 if framed else 0.8,
            zorder=2 if framed else 1,
        )
    )
    if cell is None:
        axes.text(
            column + 0.5, top + 0.5, "not measured", ha="center", va="center", color=theme.quiet, fontsize=8.5
        )
        return
    ink = _ink_on(colour)
    below = "" if cell.ci95 is None else f"{100 * cell.ci95[0]:.1f} to {100 * cell.ci95[1]:.1f}"
    notes = [(f"{100 * cell.uar:.1f}", 14.0, 8.0 if below else 0.0, "bold")]
    if below:
        notes.append((below, 8.5, -8.0, "normal"))
    if cell.above(matrix.chance) is False:
        notes = [(text, size, rise + 4.5, weight) for text, size, rise, weight in notes]
        notes.append(("not above chance", 8.0, -15.5, "normal"))
    for text, size, rise_points, weight in notes:
        axes.annotate(
            text,
            (column + 0.5, top + 0.5),
            (0, rise_points),
            textcoords="offset points",
            ha="center",
            va="center",
            color=ink,
            fontsize=size,
            weight=weight,
        )


def _notes(matrix: Matrix, width_in: float) -> list[str]:
    """The lines below the cells: what the frame means, of which emotions and seeds the figures are."""
    seeds = f"{len(matrix.seeds)} seed{'s' * (len(matrix.seeds) != 1)}"
    said = [f"{', '.join(matrix.emotions)}; {seeds}"]
    if "diagonal" in matrix.protocols:
        said.insert(0, f"framed: other speakers of the same corpus ({matrix.protocols['diagonal']})")
    if not matrix.complete:
        said.append("under way: not every training is done")
    letters = int((width_in - 2 * MARGIN_IN) / _NOTE_LETTER_IN)
    return [line for each in said for line in textwrap.wrap(each, letters)]


def _words(figure: Figure, matrix: Matrix, theme: Theme, left_in: float, top_in: float) -> None:
    """What rows and columns are, a leak above the cells, the notes below them."""
    width_in, height_in = figure.get_size_inches()
    notes = _notes(matrix, width_in)
    placed = [
        ("tested on", left_in, height_in - top_in + 0.66, theme.quiet),
        ("trained on", MARGIN_IN, height_in - top_in + 0.10, theme.quiet),
        *(
            (note, MARGIN_IN, 0.2 + _LINE_IN * (len(notes) - 1 - place), theme.quiet)
            for place, note in enumerate(notes)
        ),
    ]
    if matrix.leaky:
        placed.append((_LEAKY_NOTE, MARGIN_IN, height_in - 0.76, theme.alert))
    for text, x_in, y_in, colour in placed:
        figure.text(
            x_in / width_in,
            y_in / height_in,
            text,
            fontsize=8.5,
            color=colour,
            va="baseline",
            parse_math=False,
        )


def _ink_on(colour: str) -> str:
    """Black or white, whichever stands out more from a colour (contrast after WCAG 2.1)."""
    from matplotlib.colors import to_rgb

    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "white" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "black"


def _told(matrix: Matrix, train: str, test: str) -> str:
    cell = matrix.cell(train, test)
    if cell is None:
        return "-"
    star = "*" if cell.above(matrix.chance) is False else ""
    return f"{100 * cell.uar:.1f}{_interval(cell)}{star}"


def _interval(cell: Cell) -> str:
    return "" if cell.ci95 is None else f" [{100 * cell.ci95[0]:.1f}, {100 * cell.ci95[1]:.1f}]"


def _details(matrix: Matrix) -> tuple[list[str], list[list[str]]]:
    """A header, and a row a cell."""
    header = ["trained on", "tested on", "protocol", "UAR (%)", "accuracy (%)", "ECE (%)", "calibrated"]
    header += ["clips", "speakers", "trained clips", "folds x seeds"]
    rows = [
        [
            cell.train,
            cell.test,
            cell.protocol,
            f"{100 * cell.uar:.1f}" + ("" if cell.sd is None else f" ± {100 * cell.sd:.1f}"),
            f"{100 * cell.accuracy:.1f}",
            f"{100 * cell.ece:.1f}",
            "-" if cell.ece_calibrated is None else f"{100 * cell.ece_calibrated:.1f}",
            f"{cell.clips:,}",
            f"{cell.speakers or '-'}",
            f"{cell.train_clips:,}",
            f"{cell.folds} x {len(cell.seeds)}",
        ]
        for cell in matrix.cells
    ]
    return header, rows


def _need(matrix: Matrix) -> None:
    if not matrix.cells:
        raise UsageError("there is no cell to show: none of the matrix's trainings is complete")
