"""A picture of an explanation: what spoke for an emotion and what against it, over wave and spectrogram.

Matplotlib (the extra `plot`) is imported when a picture is drawn, and its global state is left alone.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vocemo import audio
from vocemo.runtime.explanation import Explanation, Moment, Part
from vocemo.runtime.mel import hz_to_mel, mel_db
from vocemo.runtime.plot import envelope
from vocemo.runtime.source import stretches

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Orange and blue differ for every kind of colour vision, and are equally dark.
FOR, AGAINST = "#c2571a", "#1f6f8b"
INK, QUIET_INK, HAIRLINE = "#1d2733", "#66727f", "#b9cdd6"
LOUD = "#7d7d7d"  # of the spectrogram, from white: colours over it stay colours
STRONGEST_TINT, STRONGEST_COVER = (
    0.70,
    0.85,
)  # opacity of the largest effect, over the wave and the spectrogram
LEAST_SCALE = 0.25  # log-odds: a picture in which nothing matters stays pale
FREQUENCIES_HZ = (250, 500, 1_000, 2_000, 4_000, 8_000, 16_000)

WIDTH_IN, LEFT_IN, BARS_IN, RIGHT_IN, GAP_IN = 9.0, 0.75, 1.35, 0.55, 0.14
OVERVIEW_IN, WAVE_IN, MEL_IN = 0.75, 1.35, 2.5
HEAD_IN, SAID_IN, AXIS_IN, FOOT_IN = 0.82, 0.30, 0.50, 1.30
_COLUMNS = 1_000  # of a waveform
MARGIN_S = 0.2  # shown of what was cut off before and after

View = tuple[float, float]  # what one column of panels shows, in s


def draw(explanation: Explanation, recording: audio.Source) -> Figure:
    """The picture of an explanation.

    recording: what was explained, read again for its waveform and spectrogram.
    Raises as `audio.decode` does.
    """
    from matplotlib.figure import Figure

    views = _views(explanation)
    overview = OVERVIEW_IN + SAID_IN + AXIS_IN if explanation.windows else 0.0
    height_in = HEAD_IN + overview + 2 * SAID_IN + WAVE_IN + MEL_IN + AXIS_IN + FOOT_IN
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
        _overview(axes, explanation, envelope(recording, _COLUMNS))
        top_in += overview
    rate = round(2 * explanation.bands[-1].high_hz)
    heard = stretches(recording, None, rate, [(round(a * rate), round(b * rate)) for a, b in views])
    loudest = max(float(np.abs(samples).max()) for samples in heard)
    widths_in = _widths(views, WIDTH_IN - LEFT_IN - GAP_IN - BARS_IN - RIGHT_IN)
    wave_in, mel_in = top_in + SAID_IN, top_in + 2 * SAID_IN + WAVE_IN
    page.say(
        LEFT_IN, top_in + 0.18, f"When. Bracketed: how probable {explanation.emotion} is without that moment."
    )
    page.say(LEFT_IN, mel_in - 0.12, "When and how high, over the spectrogram (darker is louder).")
    in_time = scale_of([explanation.over_time(np.linspace(*view, _COLUMNS)) for view in views])
    in_map = scale_of([map_over_time(explanation, view)[1] for view in views])
    left_in = LEFT_IN
    for view, samples, width_in in zip(views, heard, widths_in, strict=True):
        axes = page.axes(left_in, wave_in, width_in, WAVE_IN)
        _shade(axes, explanation.over_time(np.linspace(*view, _COLUMNS)), view, in_time)
        _wave(axes, explanation, view, samples, loudest)
        axes = page.axes(left_in, mel_in, width_in, MEL_IN)
        _mel(axes, explanation, view, samples, rate, in_map)
        if left_in > LEFT_IN:
            axes.set_yticklabels([])
        left_in += width_in + GAP_IN
    page.say(WIDTH_IN - RIGHT_IN - BARS_IN, mel_in - 0.12, "Which frequencies.")
    _bars(page.axes(WIDTH_IN - RIGHT_IN - BARS_IN, mel_in, BARS_IN, MEL_IN), explanation)
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
        style = {"color": QUIET_INK, "fontsize": 9, "va": "baseline"} | style
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


def percent(probability: float) -> str:
    """A probability in as many digits as tell it from 0 and 1.

    >>> percent(0.423), percent(0.9987), percent(0.00004)
    ('42%', '99.9%', '<0.1%')
    """
    if probability < 0.001:
        return "<0.1%"
    if probability > 0.999:
        return ">99.9%"
    return f"{probability:.1%}" if not 0.01 <= probability <= 0.99 else f"{probability:.0%}"


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


def tints(effects: NDArray[np.float64], strongest: float, scale: float) -> NDArray[np.float64]:
    """Effects as colours (..., 4), red, green, blue, opacity: FOR above 0, AGAINST below, none at 0 or NaN.

    scale: the magnitude, in log-odds, that has the opacity `strongest`.
    """
    from matplotlib.colors import to_rgb

    known = np.nan_to_num(effects)
    strength = np.minimum(np.abs(known) / scale, 1.0)
    colours = np.where(known[..., None] > 0.0, to_rgb(FOR), to_rgb(AGAINST))
    return np.concatenate([colours, strongest * strength[..., None]], axis=-1)


def scale_of(effects: Sequence[NDArray[np.float64]]) -> float:
    """The largest magnitude of all, at least LEAST_SCALE.

    >>> scale_of([np.array([0.1, -2.0]), np.array([np.nan, 1.0])])
    2.0
    """
    return max([LEAST_SCALE, *(float(np.nanmax(np.abs(each), initial=0.0)) for each in effects)])


def _overview(axes: Axes, explanation: Explanation, wave: NDArray[np.float32]) -> None:
    duration_s = explanation.duration_s
    times = np.linspace(0.0, duration_s, _COLUMNS)
    effects = np.full(_COLUMNS, np.nan)
    for window in explanation.windows:
        effects[(times >= window.start_s) & (times <= window.end_s)] = window.effect
    _shade(axes, effects, (0.0, duration_s), max(map(abs, effects[np.isfinite(effects)])))
    limit = 1.08 * max(float(np.abs(wave).max()), 1e-4)
    axes.fill_between(np.linspace(0.0, duration_s, wave.shape[1]), wave[0], wave[1], color=INK, linewidth=0.3)
    for part in explanation.parts:
        span = part.end_s - part.start_s
        axes.add_patch(_frame(part.start_s, -limit, span, 2 * limit))
    axes.set(xlim=(0.0, duration_s), ylim=(-limit, limit), yticks=[])
    axes.set_xlabel("time (s)", color=QUIET_INK, fontsize=8.5, labelpad=1)


def _frame(left: float, bottom: float, width: float, height: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((left, bottom), width, height, fill=False, edgecolor=INK, linewidth=1.6, clip_on=False)


def _shade(axes: Axes, effects: NDArray[np.float64], view: View, scale: float) -> None:
    """Colour a stretch of time behind what is drawn over it."""
    axes.imshow(
        tints(effects, STRONGEST_TINT, scale)[None],
        extent=(*view, 0.0, 1.0),
        transform=axes.get_xaxis_transform(),
        aspect="auto",
        interpolation="bilinear",
    )


def _wave(
    axes: Axes, explanation: Explanation, view: View, samples: NDArray[np.float32], loudest: float
) -> None:
    low, high = _least_and_greatest(samples)
    axes.fill_between(np.linspace(*view, len(low)), low, high, color=INK, linewidth=0.4)
    limit = max(loudest, 1e-4)
    for moment in _marked(explanation, view):
        colour = FOR if moment.effect > 0.0 else AGAINST
        axes.plot(
            [moment.start_s, moment.start_s, moment.end_s, moment.end_s],
            [1.05 * limit, 1.12 * limit, 1.12 * limit, 1.05 * limit],
            color=colour,
            linewidth=1.6,
        )
        middle_s = (moment.start_s + moment.end_s) / 2
        axes.text(
            middle_s,
            1.18 * limit,
            percent(moment.without),
            ha="center",
            color=colour,
            fontsize=9,
            weight="bold",
        )
    for part in explanation.parts:
        _attention(axes, part, limit)
        if explanation.windows and view[0] <= part.start_s < view[1]:
            said = f"here {percent(part.probability)} probable"
            axes.text(0.02, 0.04, said, transform=axes.transAxes, color=QUIET_INK, fontsize=8.5)
    _unheard(axes, explanation, view)
    axes.set(xlim=view, ylim=(-1.1 * limit, 1.55 * limit), xticks=[], yticks=[])


def _least_and_greatest(samples: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    starts = np.unique(np.linspace(0, len(samples), min(_COLUMNS, len(samples)), endpoint=False).astype(int))
    return np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)


def _marked(explanation: Explanation, view: View) -> list[Moment]:
    """The moments whose numbers are written: two that spoke for the emotion, one against it."""
    marked = explanation.strongest(2) + explanation.strongest(1, against=True)
    return [
        moment for moment in marked if view[0] - 0.01 <= moment.start_s and moment.end_s <= view[1] + 0.01
    ]


def _attention(axes: Axes, part: Part, limit: float) -> None:
    if not part.attention:
        return
    weights = np.array(part.attention)
    edges = np.linspace(part.start_s, part.end_s, len(weights) + 1)
    heights = -1.05 * limit + 0.9 * limit * weights / weights.max()
    axes.stairs(heights, edges, baseline=None, color=QUIET_INK, linewidth=1.1, linestyle=(0, (2, 1)))


def _unheard(axes: Axes, explanation: Explanation, view: View) -> None:
    """Hatch what lies beyond a part: it was cut off as silence, or it belongs to another window."""
    for part in (part for part in explanation.parts if view[0] <= part.start_s and part.end_s <= view[1]):
        for start_s, end_s in ((view[0], part.start_s), (part.end_s, view[1])):
            if end_s - start_s > 0.005:
                axes.axvspan(start_s, end_s, facecolor="white", alpha=0.7, linewidth=0, zorder=4)
                axes.axvspan(
                    start_s, end_s, fill=False, edgecolor=HAIRLINE, hatch="////", linewidth=0, zorder=4
                )


def _mel(
    axes: Axes, explanation: Explanation, view: View, samples: NDArray[np.float32], rate: int, scale: float
) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    top = float(hz_to_mel(rate / 2))
    greys = LinearSegmentedColormap.from_list("loudness", ["white", LOUD])
    axes.imshow(
        mel_db(samples, rate), extent=(*view, 0.0, top), origin="lower", cmap=greys, aspect="auto", zorder=0
    )
    times, effects = map_over_time(explanation, view)
    if len(times):
        step_s = times[1] - times[0]
        axes.imshow(
            tints(effects, STRONGEST_COVER, scale),
            extent=(times[0] - step_s / 2, times[-1] + step_s / 2, 0.0, top),
            origin="lower",
            aspect="auto",
            interpolation="bilinear",
            zorder=1,
        )
    _unheard(axes, explanation, view)
    axes.set(xlim=view, ylim=(0.0, top))
    shown = [hz for hz in FREQUENCIES_HZ if hz <= rate / 2]
    labels = [f"{hz / 1000:g} kHz" if hz >= 1000 else f"{hz} Hz" for hz in shown]
    axes.set_yticks([float(hz_to_mel(hz)) for hz in shown], labels)
    axes.set_xlabel("time (s)", color=QUIET_INK, fontsize=8.5, labelpad=1)


def map_over_time(explanation: Explanation, view: View) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean effect of the map's columns, even in time: (times,) in s and (bands, times), NaN in gaps."""
    columns = [c for c in explanation.map if c.start_s >= view[0] - 0.01 and c.end_s <= view[1] + 0.01]
    if not columns:
        return np.zeros(0), np.zeros((len(explanation.bands), 0))
    times = np.linspace(columns[0].start_s, columns[-1].end_s, 4 * len(columns) + 1)
    starts, ends = np.array([(column.start_s, column.end_s) for column in columns]).T
    inside = (starts <= times[:, None]) & (times[:, None] <= ends)
    effects = (
        inside @ np.array([column.effects for column in columns]) / np.maximum(inside.sum(1), 1)[:, None]
    )
    effects[~inside.any(1)] = np.nan
    return times, effects.T


def _bars(axes: Axes, explanation: Explanation) -> None:
    bands = explanation.bands
    edges = hz_to_mel([bands[0].low_hz, *(band.high_hz for band in bands)])
    effects = np.array([band.effect for band in bands])
    colours = [FOR if effect > 0.0 else AGAINST for effect in effects]
    axes.barh((edges[:-1] + edges[1:]) / 2, effects, 0.78 * (edges[1] - edges[0]), color=colours)
    axes.axvline(0.0, color=QUIET_INK, linewidth=0.6)
    least, most = min(effects.min(), 0.0), max(effects.max(), 0.0)
    room = 0.5 * max(most - least, LEAST_SCALE)  # for the numbers
    told = explanation.strongest_bands(2) + explanation.strongest_bands(1, against=True)
    for band in told:
        side = 1.0 if band.effect > 0.0 else -1.0
        middle = float(hz_to_mel([band.low_hz, band.high_hz]).mean())
        axes.text(
            band.effect + side * 0.04 * room,
            middle,
            percent(band.without),
            ha="left" if side > 0 else "right",
            va="center",
            color=FOR if side > 0 else AGAINST,
            fontsize=8.5,
            weight="bold",
        )
    axes.set(
        xlim=(least - (room if any(band.effect < 0.0 for band in told) else 0.0), most + room),
        ylim=(0.0, edges[-1]),
        xticks=[],
        yticks=[],
    )
    for spine in axes.spines.values():
        spine.set_visible(False)


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
        "sure. The strongest colour is the largest effect in its panel; percentages are the probability left."
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
