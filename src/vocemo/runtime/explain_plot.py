"""A picture of an explanation: what spoke for an emotion and what against it, over wave and spectrogram.

Matplotlib (the extra `plot`) is imported when a picture is drawn, and its global state is left alone.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vocemo import audio
from vocemo.runtime.explain_panels import (
    AGAINST,
    COLUMNS,
    FOR,
    HAIRLINE,
    INK,
    QUIET_INK,
    STRONGEST_COVER,
    View,
    bars,
    map_over_time,
    mel,
    overview,
    percent,
    scale_of,
    shade,
    tints,
    wave,
)
from vocemo.runtime.explanation import Explanation
from vocemo.runtime.plot import envelope
from vocemo.runtime.source import stretches

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN, LEFT_IN, BARS_IN, RIGHT_IN, GAP_IN = 9.0, 0.75, 1.35, 0.55, 0.14
OVERVIEW_IN, WAVE_IN, MEL_IN = 0.75, 1.35, 2.5
HEAD_IN, SAID_IN, AXIS_IN, FOOT_IN = 0.82, 0.30, 0.50, 1.30
MARGIN_S = 0.2  # shown of what was cut off before and after


def draw(explanation: Explanation, recording: audio.Source) -> Figure:
    """The picture of an explanation.

    recording: what was explained, read again for its waveform and spectrogram.
    Raises as `audio.decode` does.
    """
    from matplotlib.figure import Figure

    views = _views(explanation)
    overview_in = OVERVIEW_IN + SAID_IN + AXIS_IN if explanation.windows else 0.0
    height_in = HEAD_IN + overview_in + 2 * SAID_IN + WAVE_IN + MEL_IN + AXIS_IN + FOOT_IN
    figure = Figure(figsize=(WIDTH_IN, height_in), facecolor="white")
    page = _Page(figure, height_in)
    _title(page, explanation)
    top_in = HEAD_IN
    if explanation.windows:
        page.say(
            LEFT_IN,
            top_in + 0.18,
            "The whole recording: which windows spoke for it. Framed: explained below.",
        )
        axes = page.axes(LEFT_IN, top_in + SAID_IN, WIDTH_IN - RIGHT_IN - LEFT_IN, OVERVIEW_IN)
        overview(axes, explanation, envelope(recording, COLUMNS))
        top_in += overview_in
    rate = round(2 * explanation.bands[-1].high_hz)
    heard = stretches(recording, None, rate, [(round(a * rate), round(b * rate)) for a, b in views])
    loudest = max(float(np.abs(samples).max()) for samples in heard)
    widths_in = _widths(views, WIDTH_IN - LEFT_IN - GAP_IN - BARS_IN - RIGHT_IN)
    wave_in, mel_in = top_in + SAID_IN, top_in + 2 * SAID_IN + WAVE_IN
    page.say(
        LEFT_IN, top_in + 0.18, f"When. Bracketed: how probable {explanation.emotion} is without that moment."
    )
    page.say(LEFT_IN, mel_in - 0.12, "When and how high, over the spectrogram (darker is louder).")
    in_time = scale_of([explanation.over_time(np.linspace(*view, COLUMNS)) for view in views])
    in_map = scale_of([map_over_time(explanation, view)[1] for view in views])
    left_in = LEFT_IN
    for part, view, samples, width_in in zip(explanation.parts, views, heard, widths_in, strict=True):
        axes = page.axes(left_in, wave_in, width_in, WAVE_IN)
        shade(axes, explanation.over_time(np.linspace(*view, COLUMNS)), view, in_time)
        wave(axes, explanation, part, view, samples, loudest)
        axes = page.axes(left_in, mel_in, width_in, MEL_IN)
        mel(axes, explanation, part, view, samples, rate, in_map)
        if left_in > LEFT_IN:
            axes.set_yticklabels([])
        left_in += width_in + GAP_IN
    page.say(WIDTH_IN - RIGHT_IN - BARS_IN, mel_in - 0.12, "Which frequencies.")
    bars(page.axes(WIDTH_IN - RIGHT_IN - BARS_IN, mel_in, BARS_IN, MEL_IN), explanation)
    _legend(page, explanation, mel_in + MEL_IN + AXIS_IN)
    return figure


class _Page:
    """A figure on which things are placed in inches from the top left."""

    def __init__(self, figure: Figure, height_in: float) -> None:
        self._figure, self._height_in = figure, height_in

    def axes(self, left_in: float, top_in: float, width_in: float, height_in: float) -> Axes:
        """Axes without a frame."""
        bottom = 1.0 - (top_in + height_in) / self._height_in
        axes = self._figure.add_axes(
            (left_in / WIDTH_IN, bottom, width_in / WIDTH_IN, height_in / self._height_in)
        )
        for spine in axes.spines.values():
            spine.set_color(HAIRLINE)
            spine.set_linewidth(0.6)
        axes.tick_params(length=0, colors=QUIET_INK, labelsize=8.5)
        return axes

    def say(self, left_in: float, top_in: float, text: str, **style: Any) -> None:
        """Text whose baseline lies `top_in` below the top; a dollar sign in it is no mathematics."""
        style = dict[str, Any](color=QUIET_INK, fontsize=9, va="baseline") | style
        self._figure.text(left_in / WIDTH_IN, 1.0 - top_in / self._height_in, text, **style).set_parse_math(
            False
        )


def _views(explanation: Explanation) -> list[View]:
    """The explained parts, each with a little of what was cut off on either side."""
    duration_s = explanation.duration_s
    return [
        (max(part.start_s - MARGIN_S, 0.0), min(part.end_s + MARGIN_S, duration_s))
        for part in explanation.parts
    ]


def _widths(views: Sequence[View], room_in: float) -> list[float]:
    lengths = np.array([end - start for start, end in views])
    return [float(width) for width in lengths / lengths.sum() * (room_in - GAP_IN * (len(views) - 1))]


def _title(page: _Page, explanation: Explanation) -> None:
    named = explanation.path not in (None, "-")
    name = Path(str(explanation.path)).name if named else "Recording"
    page.say(LEFT_IN, 0.38, f"What moved the model in {name}", color=INK, fontsize=14, weight="bold")
    said = f"{explanation.emotion}, {percent(explanation.probability)} probable"
    if explanation.emotion != explanation.answer:
        said += f" (the answer was {explanation.answer})"
    said += f"   ·   {explanation.duration_s:.1f} s"
    if explanation.windows:
        said += f", mean of {len(explanation.windows)} windows"
    page.say(LEFT_IN, 0.67, f"{said}   ·   model {explanation.model}", fontsize=10.5)


def _legend(page: _Page, explanation: Explanation, top_in: float) -> None:
    emotion = explanation.emotion
    bar_in, middle_in = 1.6, WIDTH_IN / 2
    axes = page.axes(middle_in - bar_in / 2, top_in + 0.06, bar_in, 0.15)
    axes.imshow(
        tints(np.linspace(-1.0, 1.0, 101), STRONGEST_COVER, 1.0)[None], aspect="auto", extent=(-1, 1, 0, 1)
    )
    axes.set(xticks=[], yticks=[])
    aside = {"fontsize": 9.5, "weight": "bold"}
    page.say(
        middle_in - bar_in / 2 - 0.1,
        top_in + 0.18,
        f"spoke against {emotion}",
        ha="right",
        color=AGAINST,
        **aside,
    )
    page.say(middle_in + bar_in / 2 + 0.1, top_in + 0.18, f"spoke for {emotion}", color=FOR, **aside)
    neutral = "silence" if explanation.neutral == "silence" else "noise like the recording's own background"
    how = (
        f"How it was found: one moment or band of frequencies after another was exchanged for {neutral}, "
        f"and the model was asked again. Orange: without it the model was less sure of {emotion}; blue: more "
        "sure. The strongest colour is the largest effect in its panel; percentages are the probability "
        "left. Hatched: not heard here."
    )
    if any(part.attention for part in explanation.parts):
        how += " Dashed: the model's own attention."
    if explanation.windows:
        how += " Of this long recording, the windows that spoke most for it were explained, each by itself."
    lines = textwrap.wrap(how, 124)
    for row, line in enumerate(lines):
        page.say(LEFT_IN, top_in + 0.46 + 0.16 * row, line, fontsize=8.5)
    caveat = "This shows what moved the model. It does not show what the speaker felt, nor why."
    page.say(LEFT_IN, top_in + 0.50 + 0.16 * len(lines), caveat, fontsize=8.5, color=INK, weight="bold")
