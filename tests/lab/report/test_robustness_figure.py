"""The robustness table as text and as a picture: what they say, and that words do not overlap."""

from __future__ import annotations

import itertools

import matplotlib
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from contrast import contrast
from vocemo.lab.report.robustness_figure import robustness_figure
from vocemo.lab.report.robustness_table import headline, robustness_markdown, robustness_table
from vocemo.lab.report.theme import THEMES, Theme
from vocemo.lab.stress import ConditionResult, Robustness, table


def measured(*, leaky: bool = False, interval: bool = True) -> Robustness:
    """Every condition of the table; every second one falls for certain."""
    conditions = []
    for number, condition in enumerate(table()):
        fall = 0.0 if number == 0 else 0.3 if number % 2 else -0.01
        uar = 0.6 - fall
        conditions.append(
            ConditionResult(
                condition.name,
                condition.family,
                condition.level,
                condition.unit,
                uar,
                uar + 0.01,
                (uar - 0.05, uar + 0.05) if interval else None,
                1440,
                fall,
                (fall - 0.04, fall + 0.04) if interval else None,
            )
        )
    return Robustness(
        model="dual-channel-cnn",
        corpora=("ravdess", "emodb"),
        protocol="emobox-6",
        leaky=leaky,
        clips=1440,
        speakers=24,
        emotions=8,
        seeds=(0, 1, 2),
        folds=6,
        seed=0,
        sample_rate=16_000,
        conditions=tuple(conditions),
        command="vocemo stress runs/a",
        commit="0123abc",
        date="2026-01-31",
    )


def test_the_table_says_every_figure() -> None:
    lines = robustness_table(measured()).splitlines()
    assert len(lines) == 1 + len(table())
    assert lines[1].split() == ["as", "recorded", "60.0", "55.0", "to", "65.0", "61.0", "1,440"]
    white = next(line for line in lines if line.startswith("white noise 20 dB SNR"))
    assert white.split()[5:] == ["30.0", "25.0", "to", "35.0", "30.0*", "26.0", "to", "34.0", "31.0", "1,440"]
    rises = next(line for line in lines if line.startswith("white noise 10 dB SNR"))
    assert "-1.0 " in rises and "*" not in rises
    assert "-  " in robustness_table(measured(interval=False)).splitlines()[2]


def test_markdown_has_the_same_cells() -> None:
    found = measured()
    plain = [line.split() for line in robustness_table(found).splitlines()]
    marked = [line.replace("|", " ").split() for line in robustness_markdown(found)]
    assert marked[0] == plain[0] and marked[2:] == plain[1:]
    assert len({line.count("|") for line in robustness_markdown(found)}) == 1


def test_a_leak_is_said_and_seeds_too() -> None:
    assert "LEAKY" in headline(measured(leaky=True)) and "LEAKY" not in headline(measured())
    assert "seeds 0, 1, 2" in headline(measured())
    texts = [text.get_text() for text in robustness_figure(measured(leaky=True)).texts]
    assert any("LEAKY" in text for text in texts)
    assert not any("LEAKY" in text.get_text() for text in robustness_figure(measured()).texts)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_what_says_that_it_leaks_stands_out_from_either_page(theme: Theme) -> None:
    figure = robustness_figure(measured(leaky=True), theme)
    (leaky,) = (text for text in figure.texts if "LEAKY" in text.get_text())
    assert contrast(leaky.get_color(), figure.get_facecolor()) >= 4.5  # WCAG 2.1


def test_dots_stand_at_their_figures_and_are_full_where_a_fall_is_certain() -> None:
    found = measured()
    (axes,) = robustness_figure(found).axes
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert len(dots) == len(found.conditions)
    for dot, condition in zip(dots, found.conditions, strict=True):
        assert dot.get_xdata()[0] == pytest.approx(100 * condition.uar)
        full = dot.get_markerfacecolor() == dot.get_color()
        assert full == (condition.falls or condition is found.clean)
    rows = [dot.get_ydata()[0] for dot in dots]
    assert rows == sorted(rows) and min(b - a for a, b in itertools.pairwise(rows)) > 0.99
    told = [text.get_text() for text in axes.texts]
    assert told[0] == "60.0" and told[1] == "30.0  −30.0" and told[2] == "61.0  +1.0"


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("leaky", [False, True])
def test_words_do_not_overlap_and_stay_within(theme, leaky) -> None:
    figure = robustness_figure(measured(leaky=leaky), theme)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    (axes,) = figure.axes
    texts = [*figure.texts, *axes.texts, *axes.get_yticklabels(), *axes.get_xticklabels(), axes.xaxis.label]
    boxes = [(t.get_text(), t.get_window_extent(canvas.get_renderer())) for t in texts if t.get_text()]
    for (one, box), (other, second) in itertools.combinations(boxes, 2):
        assert not box.overlaps(second), (one, other)
    for text, box in boxes:
        assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0 and box.y1 <= figure.bbox.y1, text


def test_one_speaker_has_no_whiskers() -> None:
    (axes,) = robustness_figure(measured(interval=False)).axes
    assert not [line for line in axes.lines if line.get_linewidth() == 1.6 and line.get_marker() != "o"]


def test_drawing_leaves_settings_alone() -> None:
    before = dict(matplotlib.rcParams)
    robustness_figure(measured())
    assert dict(matplotlib.rcParams) == before
