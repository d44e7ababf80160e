"""The matrix drawn: its figures are there, can be read, and mean what they say; so does the published one."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import fabricate_matrix
from contrast import contrast, luminance
from vocemo.errors import UsageError
from vocemo.lab import matrix as lab
from vocemo.lab.report.matrix_figure import matrix_figure, matrix_markdown, matrix_table
from vocemo.lab.report.theme import DARK, LIGHT, THEMES, Theme

ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = sorted((ROOT / "docs" / "results" / "matrix").glob("*.json"))


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def cells(figure: Figure) -> list[Rectangle]:
    return [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]


def with_uar(uar: float) -> lab.Matrix:
    made = fabricate_matrix.matrix()
    changed = (dataclasses.replace(cell, uar=uar, ci95=(uar, uar)) for cell in made.cells)
    return fabricate_matrix.matrix(cells=tuple(changed))


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_figure_stands_in_its_cell_and_inside_it(theme: Theme) -> None:
    made = fabricate_matrix.matrix()
    figure = matrix_figure(made, theme=theme)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    drawn = cells(figure)
    assert len(drawn) == len(made.cells) == 12
    for cell, patch in zip(made.cells, drawn, strict=True):
        box = patch.get_window_extent(renderer)
        inside = [
            text
            for text in figure.axes[0].texts
            if box.contains(*np.mean(text.get_window_extent(renderer).get_points(), axis=0))
        ]
        assert cell.ci95 is not None
        said = [f"{100 * cell.uar:.1f}", f"{100 * cell.ci95[0]:.1f} to {100 * cell.ci95[1]:.1f}"]
        if cell.train == "emodb" != cell.test:  # from 30 to 40 %, and chance is 33.3
            said.append("not above chance")
        assert [text.get_text() for text in inside] == said
        for text in inside:
            words = text.get_window_extent(renderer)
            assert box.x0 < words.x0 and words.x1 < box.x1 and box.y0 < words.y0 and words.y1 < box.y1
            assert contrast(patch.get_facecolor(), text.get_color()) >= 4.5  # WCAG 2.1
    width, height = figure.get_size_inches() * figure.dpi
    labels = [*figure.texts, *figure.axes[0].get_xticklabels(), *figure.axes[0].get_yticklabels()]
    for text in labels:
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text.get_text()
    for place, text in enumerate(labels):
        for other in labels[place + 1 :]:
            if text.get_text() and other.get_text():
                assert not text.get_window_extent(renderer).overlaps(other.get_window_extent(renderer))


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_words_stand_out_from_cells_of_any_uar(theme: Theme) -> None:
    for uar in (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        figure = matrix_figure(with_uar(float(uar)), theme=theme)
        patch, text = cells(figure)[0], figure.axes[0].texts[0]
        assert contrast(patch.get_facecolor(), text.get_color()) >= 4.5


def test_colour_is_palest_at_chance_and_strongest_at_one() -> None:
    def colour(uar: float) -> tuple[float, float, float]:
        return to_rgb(cells(matrix_figure(with_uar(uar)))[0].get_facecolor())

    assert colour(1 / 3) == colour(0.1) == pytest.approx(to_rgb(LIGHT.shades[0]), abs=0.01)
    assert colour(1.0) == pytest.approx(to_rgb(LIGHT.shades[1]), abs=0.01)
    assert luminance(colour(0.4)) > luminance(colour(0.6)) > luminance(colour(0.8))


def test_the_diagonal_is_framed_and_the_last_row_apart() -> None:
    drawn = cells(matrix_figure(fabricate_matrix.matrix()))
    framed = [place for place, patch in enumerate(drawn) if patch.get_linewidth() > 2]
    assert framed == [0, 4, 8]
    tops = [patch.get_y() for patch in drawn[::3]]
    steps = np.diff([round(top - 0.012 * (place > 2), 2) for place, top in enumerate(tops)])
    assert steps[2] > steps[0]


def test_what_is_not_measured_leaky_or_under_way_is_said() -> None:
    made = fabricate_matrix.matrix()
    figure = matrix_figure(fabricate_matrix.matrix(cells=made.cells[1:], leaky=True, complete=False))
    assert texts(figure)[0] == "not measured"
    around = " ".join(text.get_text() for text in figure.texts)
    assert "LEAKY" in around and "under way" in around and "speaker-folds-5" in around
    around = " ".join(text.get_text() for text in matrix_figure(made, theme=DARK).texts)
    assert "LEAKY" not in around and "under way" not in around and "chance 33.3" in around
    table = matrix_table(fabricate_matrix.matrix(cells=made.cells[1:], leaky=True))
    assert "LEAKY" in table and "LEAKY" not in matrix_table(made)


def test_the_table_has_every_cell_and_marks_chance() -> None:
    made = fabricate_matrix.matrix(cells=fabricate_matrix.matrix().cells[:-1])
    lines = matrix_table(made).splitlines()
    assert lines[0] == "UAR in percent, 95 % interval over speakers; chance 33.3"
    assert lines[1].split() == ["trained", "on", "\\", "tested", "on", *fabricate_matrix.NAMES]
    assert re.split(r"\s{2,}", lines[3]) == [
        "emodb",
        "35.0 [30.0, 40.0]*",
        "70.0 [65.0, 75.0]",
        "35.0 [30.0, 40.0]*",
    ]
    assert lines[5].endswith("-") and lines[6].startswith("* ")
    details = [re.split(r"\s{2,}", line) for line in lines[8:]]
    assert len(details) == 1 + 11
    assert dict(zip(*details[:2], strict=True)) == {
        "trained on": "ravdess-speech",
        "tested on": "ravdess-speech",
        "protocol": "speaker-folds-5",
        "UAR (%)": "70.0 ± 2.0",
        "accuracy (%)": "71.0",
        "ECE (%)": "12.5",
        "calibrated": "3.1",
        "clips": "1,234",
        "speakers": "10",
        "trained clips": "900",
        "folds x seeds": "5 x 2",
    }


def test_without_a_cell_there_is_nothing_to_show() -> None:
    for show in (matrix_table, matrix_markdown, matrix_figure):
        with pytest.raises(UsageError, match="none of the matrix's trainings is complete"):
            show(fabricate_matrix.matrix(cells=()))


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_a_published_matrix_is_valid_and_the_page_has_its_figures(path: Path) -> None:
    found = lab.Matrix.read(path)
    assert found.complete and not found.leaky and not found.commit.endswith("-dirty")
    assert found.command.startswith("vocemo matrix ")
    assert "/work/" not in path.read_text(encoding="utf-8")
    page = (ROOT / "docs" / "cross-corpus.md").read_text(encoding="utf-8")
    assert matrix_markdown(found) in page
    assert found.command in page.replace("\\\n    ", "") and found.commit in page
