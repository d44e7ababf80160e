"""Figures of corpora and sounds: what they draw is what they were given, and their words can be read."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from contrast import contrast
from vocemo.errors import UsageError
from vocemo.lab.explore.summary import Spread, spread
from vocemo.lab.report.corpus_figures import bars_figure, spread_figure, table_figure
from vocemo.lab.report.map_figures import map_figure
from vocemo.lab.report.sound_figures import N_MELS, mel_decibels, sound_figure
from vocemo.lab.report.theme import DARK, LIGHT, THEMES

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised", "boredom")


def spreads(seed=0):
    rng = np.random.default_rng(seed)
    return {name: spread(rng.normal(n, 1, 30)) for n, name in enumerate(EMOTIONS)}


def assert_words_are_inside_and_apart(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    width, height = figure.get_size_inches() * figure.dpi
    boxes = [(t.get_text(), t.get_window_extent(renderer)) for t in figure.texts if t.get_text()]
    for axes in figure.axes:
        ticks = [
            tick.label1 if tick.label1.get_visible() else tick.label2
            for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim()))
            for tick in axis.get_major_ticks()
            if min(limits) <= tick.get_loc() <= max(limits)
        ]
        for text in (*axes.texts, *ticks, axes.xaxis.label, axes.yaxis.label):
            if text.get_text() and not text.get_rotation():
                boxes.append((text.get_text(), text.get_window_extent(renderer)))
    for place, (text, box) in enumerate(boxes):
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text
        for other, covered in boxes[place + 1 :]:
            apart = (
                min(box.x1, covered.x1) - max(box.x0, covered.x0) < 0.5
                or min(box.y1, covered.y1) - max(box.y0, covered.y0) < 0.5
            )
            assert apart, (text, other)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_colours_stand_out_from_the_paper(theme):
    for colour in (theme.ink, theme.quiet):
        assert contrast(colour, theme.paper) >= 4.5  # WCAG 2.1: text
    for colour in (theme.first, theme.second):
        assert contrast(colour, theme.paper) >= 3  # WCAG 2.1: parts of a graph


def test_bars_are_as_long_as_the_counts():
    counts = {"happy": {"female": 3, "male": 4}, "sad": {"female": 5, "male": 0}}
    axes = bars_figure(counts, title="t").axes[0]
    assert [bar.get_width() for bar in axes.patches] == [3, 5, 4, 0]
    assert [bar.get_x() for bar in axes.patches] == [0, 0, 3, 5]
    assert [text.get_text() for text in axes.texts] == ["7", "5"]


def test_the_table_says_every_count_but_zero():
    counts = {"01": {"happy": 3, "sad": 12}, "02": {"happy": 0, "sad": 1}}
    axes = table_figure(counts, title="t", groups={"01": "f"}).axes[0]
    assert sorted(text.get_text() for text in axes.texts) == ["1", "12", "3"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["01  f", "02"]


def test_a_crowd_of_speakers_keeps_to_a_page():
    counts = {f"{n:04d}": dict.fromkeys(EMOTIONS, n) for n in range(1, 92)}
    figure = table_figure(counts, title="t")
    assert figure.get_size_inches()[1] < 12
    assert len(figure.axes[0].texts) == 0


def test_spreads_are_drawn_where_they_lie():
    found = Spread(9, 1.0, 2.0, 3.0, 5.0, 8.0, 3.5)
    axes = spread_figure({"happy": {"": found}}, title="t").axes[0]
    (bar,) = axes.patches
    assert (bar.get_x(), bar.get_width()) == (2.0, 3.0)
    assert axes.get_lines()[0].get_xdata().tolist() == [1.0, 8.0]
    assert axes.get_lines()[1].get_xdata().tolist() == [3.0, 3.0]
    assert "3.0" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_words_do_not_overlap(theme):
    found = spreads()
    counts = {name: {"female": 10 * n, "male": 7, "not known": 1} for n, name in enumerate(EMOTIONS)}
    both = {name: {"female": each, "male": each} for name, each in found.items()}
    rows = {f"corpus/speaker-{n}": dict.fromkeys(EMOTIONS, 100 * n) for n in range(12)}
    for figure in (
        bars_figure(counts, title="Clips by emotion", below="by the speaker's sex", theme=theme),
        table_figure(rows, title="Clips by speaker", below="f: woman, m: man", theme=theme),
        spread_figure({name: {"": each} for name, each in found.items()}, title="Duration", theme=theme),
        spread_figure(both, title="Pitch", below="Hz", theme=theme),
        map_figure(found, spreads(1), title="t", below="b", x_label="dB", y_label="semitones", theme=theme),
    ):
        assert_words_are_inside_and_apart(figure)


def test_labels_of_points_that_lie_together_are_kept_apart():
    rng = np.random.default_rng(4)
    near = {name: spread(rng.normal(0, 1, 9)) for name in EMOTIONS[:6]}
    up = {name: spread(rng.normal(0, 1, 9)) for name in EMOTIONS[:6]}
    assert_words_are_inside_and_apart(
        map_figure(near, up, title="t", below="b", x_label="dB", y_label="semitones")
    )


def test_a_sound_is_drawn_to_its_end():
    time_s = np.arange(12_000) / 16_000
    tone = (0.25 * np.sin(2 * np.pi * 1_000 * time_s)).astype(np.float32)
    f0 = np.array([0.1, 0.2]), np.array([200.0, np.nan])
    figure = sound_figure(tone, 16_000, title="t", length_s=2.0, f0=f0, theme=DARK)
    wave, image, pitch = figure.axes
    assert wave.get_xlim() == image.get_xlim() == pitch.get_xlim() == (0, 2.0)
    assert image.images[0].get_extent()[:2] == [0, 0.75]
    assert pitch.get_lines()[0].get_ydata().tolist()[0] == 200.0
    assert_words_are_inside_and_apart(figure)


def test_a_tone_stands_at_its_own_tick():
    tone = np.sin(2 * np.pi * 1_000 * np.arange(16_000) / 16_000).astype(np.float32)
    decibels, edges = mel_decibels(tone, 16_000)
    loudest = int(decibels.mean(1).argmax())
    place = edges[0] + (loudest + 0.5) * (edges[1] - edges[0]) / N_MELS
    axes = sound_figure(tone, 16_000, title="t").axes[1]
    ticks = dict(zip([t.get_text() for t in axes.get_yticklabels()], axes.get_yticks(), strict=True))
    assert place == pytest.approx(ticks["1k"], abs=0.6 * (edges[1] - edges[0]) / N_MELS)


def test_what_cannot_be_drawn_is_said():
    for draw in (bars_figure, table_figure, spread_figure):
        with pytest.raises(UsageError, match="one row or more"):
            draw({}, title="t")
    with pytest.raises(UsageError, match="a sample or more"):
        sound_figure(np.zeros(0, np.float32), 16_000, title="t")


def test_drawing_leaves_pyplot_and_settings_alone():
    code = (
        "import sys, matplotlib; before = matplotlib.rcParams.copy();"
        "from vocemo.lab.report import corpus_figures;"
        "corpus_figures.bars_figure({'a': {'b': 1}}, title='').canvas;"
        "assert 'matplotlib.pyplot' not in sys.modules; assert matplotlib.rcParams.copy() == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert LIGHT.paper != DARK.paper
