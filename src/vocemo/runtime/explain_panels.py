"""The panels of an explanation's picture: overview, wave, spectrogram and bands, on axes that are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vocemo.runtime.explanation import Explanation, Moment, Part
from vocemo.runtime.mel import hz_to_mel, mel_db

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Orange and blue differ for every kind of colour vision, and are equally dark.
FOR, AGAINST = "#b9521a", "#1f6f8b"
INK, QUIET_INK, HAIRLINE = "#1d2733", "#66727f", "#b9cdd6"
LOUD = "#7d7d7d"  # of the spectrogram, from white: colours over it stay colours
STRONGEST_TINT, STRONGEST_COVER = 0.70, 0.85  # opacity of the largest effect, over wave and spectrogram
LEAST_SCALE = 0.25  # log-odds: a picture in which nothing matters stays pale
FREQUENCIES_HZ = (250, 500, 1_000, 2_000, 4_000, 8_000, 16_000)
COLUMNS = 1_000  # of a waveform

View = tuple[float, float]  # what one column of panels shows, in s


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


def overview(axes: Axes, explanation: Explanation, envelope: NDArray[np.float32]) -> None:
    """The wave of a whole recording, each window coloured by what leaving it out does; explained: framed."""
    from matplotlib.patches import Rectangle

    duration_s = explanation.duration_s
    times = np.linspace(0.0, duration_s, COLUMNS)
    effects = np.full(COLUMNS, np.nan)
    for window in explanation.windows:
        effects[(times >= window.start_s) & (times <= window.end_s)] = window.effect
    shade(axes, effects, (0.0, duration_s), max(float(np.nanmax(np.abs(effects))), 1e-6))
    limit = 1.08 * max(float(np.abs(envelope).max()), 1e-4)
    axes.fill_between(np.linspace(0.0, duration_s, envelope.shape[1]), *envelope, color=INK, linewidth=0.3)
    for part in explanation.parts:
        span = part.end_s - part.start_s
        corner = (part.start_s, -limit)
        axes.add_patch(
            Rectangle(corner, span, 2 * limit, fill=False, edgecolor=INK, linewidth=1.6, clip_on=False)
        )
    axes.set(xlim=(0.0, duration_s), ylim=(-limit, limit), yticks=[])
    axes.set_xlabel("time (s)", color=QUIET_INK, fontsize=8.5, labelpad=1)


def shade(axes: Axes, effects: NDArray[np.float64], view: View, scale: float) -> None:
    """Colour a stretch of time behind what is drawn over it."""
    axes.imshow(
        tints(effects, STRONGEST_TINT, scale)[None],
        extent=(*view, 0.0, 1.0),
        transform=axes.get_xaxis_transform(),
        aspect="auto",
        interpolation="bilinear",
    )


def wave(
    axes: Axes, explanation: Explanation, part: Part, view: View, samples: NDArray[np.float32], loudest: float
) -> None:
    """The wave of one part, on axes that are shaded: numbers over the moments that matter most, attention.

    view: what is shown, which is a little more than the part and may reach into the next.
    """
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
    _attention(axes, part, limit)
    if explanation.windows:
        said = f"here {percent(part.probability)} probable"
        above = 5  # what hides the unheard
        axes.text(0.02, 0.04, said, transform=axes.transAxes, color=QUIET_INK, fontsize=8.5, zorder=above)
    unheard(axes, part, view)
    axes.set(xlim=view, ylim=(-1.1 * limit, 1.55 * limit), xticks=[], yticks=[])


def _least_and_greatest(samples: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    starts = np.unique(np.linspace(0, len(samples), min(COLUMNS, len(samples)), endpoint=False).astype(int))
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


def unheard(axes: Axes, part: Part, view: View) -> None:
    """Hatch what lies beyond a part: it was cut off as silence, or it belongs to another window."""
    for start_s, end_s in ((view[0], part.start_s), (part.end_s, view[1])):
        if end_s - start_s > 0.005:
            axes.axvspan(start_s, end_s, facecolor="white", alpha=0.7, linewidth=0, zorder=4)
            axes.axvspan(start_s, end_s, fill=False, edgecolor=HAIRLINE, hatch="////", linewidth=0, zorder=4)


def mel(
    axes: Axes,
    explanation: Explanation,
    part: Part,
    view: View,
    samples: NDArray[np.float32],
    rate: int,
    scale: float,
) -> None:
    """The spectrogram of one part under the map; view: as of `wave`, scale: as of `tints`."""
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
    unheard(axes, part, view)
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


def bars(axes: Axes, explanation: Explanation) -> None:
    """The effect of each band as a bar, numbers beside those that matter most."""
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
