"""A picture of predictions: one recording's waveform over its probabilities, or a heat map of several.

Matplotlib (the extra `plot`) is imported when a picture is drawn, and its global state is left alone.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vocemo.errors import MissingExtraError, UnknownNameError, UsageError
from vocemo.runtime.prediction import Prediction
from vocemo.runtime.source import OneChannel, Source, pieces

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf", "jpg")

INK, QUIET_INK, _FAINT = "#1d2733", "#66727f", "#e6eaee"
_ACCENT, _REST = "#1f6f8b", "#b9cdd6"  # the answer, and the other emotions
_WARNING = "#a3541b"
_SHADES = ("#f7fafb", "#d3e3ea", "#92bccb", "#4a91aa", "#1f6f8b", "#0f4358")  # 0 to 1, even in lightness
_COLUMNS = 1_200  # of the waveform: about one a pixel
_BLOCK = 64  # samples joined at once while a file is read: an hour at 48 kHz takes 22 MB
_MOST_ROWS = 60  # recordings in a heat map whose names can be read


def check_target(path: Path, option: str = "--plot") -> None:
    """Refuse a picture that could not be drawn, before any work is done for it.

    Raises MissingExtraError without Matplotlib, UnknownNameError for a suffix that is no picture's,
    UsageError for a folder that is not there.
    """
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise UnknownNameError("picture format", suffix or path.name, FORMATS)
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {path.parent}")
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtraError("a picture", "plot")


def save(figure: Figure, path: Path) -> None:
    """Write a picture in the format of its suffix."""
    with warnings.catch_warnings():
        # A file may be named in a script that the font lacks: a box in its place is enough.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure.savefig(path, dpi=150)


def draw(
    predictions: Sequence[Prediction],
    *,
    emotions: Sequence[str],
    recording: Source | None = None,
    speakers: Sequence[str] = (),
) -> Figure:
    """The picture of one prediction or several.

    emotions: the model's, in its order. recording: what a single prediction was made of, for its waveform;
    without it the waveform is left out. speakers: what the predictions' channels are called, empty where one
    is of a whole recording; by default by their numbers.
    """
    if not predictions:
        raise UsageError("there is no prediction to draw")
    called = speakers or [speaker_of(each) for each in predictions]
    if len(predictions) == 1:
        return _one(predictions[0], envelope_of(predictions[0], recording), called[0])
    return _several(predictions, emotions, called)


def speaker_of(prediction: Prediction) -> str:
    """What the channel is called that a prediction is of; empty where it is of a whole recording."""
    return "" if prediction.channel is None else f"channel {prediction.channel}"


def envelope_of(prediction: Prediction, recording: Source | None) -> NDArray[np.float32] | None:
    """The `envelope` of what a prediction heard of a recording; None where that is not given."""
    if recording is None:
        return None
    if prediction.channel is None or isinstance(recording, OneChannel):
        return envelope(recording)
    return envelope(OneChannel(recording, prediction.channel))


def heading(prediction: Prediction) -> str:
    """The name of a prediction's file, as a picture's heading."""
    return Path(prediction.path).name if prediction.path not in (None, "-") else "Recording"


def envelope(recording: Source, columns: int = _COLUMNS) -> NDArray[np.float32]:
    """The least and the greatest sample in each of up to `columns` equal stretches of a recording.

    Reads in chunks, so that an hour takes no more memory than a minute. Gives (2, columns) float32.
    """
    low, high = list[NDArray[np.float32]](), list[NDArray[np.float32]]()
    for chunk in pieces(recording, None, None):
        starts = np.arange(0, len(chunk.samples), _BLOCK)
        low.append(np.minimum.reduceat(chunk.samples, starts))
        high.append(np.maximum.reduceat(chunk.samples, starts))
    least, greatest = np.concatenate(low), np.concatenate(high)
    starts = np.unique(np.linspace(0, len(least), min(columns, len(least)), endpoint=False).astype(int))
    return np.stack([np.minimum.reduceat(least, starts), np.maximum.reduceat(greatest, starts)])


def _one(prediction: Prediction, wave: NDArray[np.float32] | None, speaker: str) -> Figure:
    from matplotlib.figure import Figure

    ranked = prediction.ranked()
    bars_in = 0.36 * max(len(ranked), 1) + 0.35
    heights_in = ([1.7] if wave is not None else []) + [bars_in]
    notes = list(prediction.warnings)
    height_in = sum(heights_in) + 0.8 * (len(heights_in) - 1) + 1.3 + 0.24 * len(notes)
    figure = Figure(figsize=(9.0, height_in), facecolor="white")
    top = 1.0 - 1.0 / height_in
    grid = figure.add_gridspec(
        len(heights_in),
        1,
        height_ratios=heights_in,
        left=0.12,
        right=0.95,
        top=top,
        bottom=(0.3 + 0.24 * len(notes)) / height_in,
        hspace=0.8 / (sum(heights_in) / len(heights_in)),
    )
    name = f"{heading(prediction)}, {speaker}" if speaker else heading(prediction)
    say(figure, 0.12, 1.0 - 0.38 / height_in, name, size=15, weight="bold")
    say(figure, 0.12, 1.0 - 0.70 / height_in, _summary(prediction), size=10.5, color=QUIET_INK)
    if wave is not None:
        _waveform(figure.add_subplot(grid[0]), prediction, wave)
    _bars(figure.add_subplot(grid[len(heights_in) - 1]), prediction, ranked)
    for line, note in enumerate(notes):
        where = (0.24 * (len(notes) - line) - 0.06) / height_in
        say(figure, 0.12, where, f"Note: {note}", size=8.5, color=_WARNING)
    return figure


def _summary(prediction: Prediction) -> str:
    if prediction.emotion is None:
        return f"silence, {prediction.duration_s:.1f} s"
    unsure = ", uncertain" if prediction.uncertain else ""
    parts = f", mean of {len(prediction.segments)} windows" if prediction.segments else ""
    return (
        f"{prediction.emotion} with {prediction.confidence:.2%} confidence{unsure}   ·   "
        f"{prediction.duration_s:.1f} s{parts}   ·   model {prediction.model}"
    )


def _waveform(axes: Axes, prediction: Prediction, wave: NDArray[np.float32]) -> None:
    time_s = np.linspace(0.0, prediction.duration_s, wave.shape[1])
    axes.fill_between(time_s, wave[0], wave[1], color=_ACCENT, linewidth=0.4)
    axes.axhline(0.0, color=_ACCENT, linewidth=0.5)
    axes.set_xlim(0.0, prediction.duration_s)
    limit = max(float(np.abs(wave).max()), 1e-3) * 1.08
    axes.set_ylim(-limit, limit)
    axes.set_yticks([])
    axes.set_xlabel("time (s)", color=QUIET_INK, fontsize=9)
    plain(axes, keep="bottom")


def _bars(axes: Axes, prediction: Prediction, ranked: Sequence[tuple[str, float]]) -> None:
    plain(axes)
    axes.set_xticks([])
    if not ranked:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "no emotion: silence", ha="center", va="center", color=QUIET_INK, fontsize=11)
        return
    rows = np.arange(len(ranked))[::-1]
    values = [value for _, value in ranked]
    axes.barh(rows, [1.0] * len(rows), height=0.62, color=_FAINT)
    colours = [_ACCENT if name == prediction.emotion else _REST for name, _ in ranked]
    axes.barh(rows, values, height=0.62, color=colours)
    for row, (name, value) in zip(rows, ranked, strict=True):
        chosen = name == prediction.emotion
        axes.text(
            1.012,
            row,
            f"{value:.2%}",
            va="center",
            fontsize=10,
            color=INK if chosen else QUIET_INK,
            weight="bold" if chosen else "normal",
        )
    axes.set_yticks(rows, [name for name, _ in ranked], fontsize=10.5, color=INK)
    axes.set_xlim(0.0, 1.08)
    axes.set_ylim(-0.6, len(ranked) - 0.4)


def _several(predictions: Sequence[Prediction], emotions: Sequence[str], speakers: Sequence[str]) -> Figure:
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    values = np.array([[p.probabilities.get(name, np.nan) for name in emotions] for p in predictions])
    names = [f"{_short(p.path)} {who}".rstrip() for p, who in zip(predictions, speakers, strict=True)]
    title = f"{len(predictions)} {'speakers' if any(speakers) else 'recordings'}"
    readable = len(predictions) <= _MOST_ROWS
    row_in = 0.36 if readable else max(0.02, 18.0 / len(predictions))
    left_in = 0.5 + (0.085 * max(map(len, names)) if readable else 0.4)
    width_in, height_in = left_in + 0.92 * len(emotions) + 0.9, row_in * len(predictions) + 1.75
    figure = Figure(figsize=(width_in, height_in), facecolor="white")
    axes = figure.add_axes(
        (
            left_in / width_in,
            0.35 / height_in,
            0.92 * len(emotions) / width_in,
            row_in * len(predictions) / height_in,
        )
    )
    shades = LinearSegmentedColormap.from_list("vocemo", list(_SHADES)).with_extremes(bad="white")
    axes.imshow(values, cmap=shades, vmin=0.0, vmax=1.0, aspect="auto", interpolation="nearest")
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(emotions)), emotions, fontsize=10.5, color=INK)
    plain(axes)
    if readable:
        axes.set_yticks(range(len(names)), names, fontsize=9.5, color=INK)
        for label in axes.get_yticklabels():
            label.set_parse_math(False)
        # White gaps between the cells, as lines between them.
        axes.set_xticks(np.arange(len(emotions) - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(len(names) - 1) + 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=2.0)
        axes.tick_params(which="minor", length=0)
        _cells(axes, predictions, emotions)
    else:
        axes.set_ylabel(f"{title}, in order", color=QUIET_INK, fontsize=10)
        axes.set_yticks([])
    title_x = 0.3 / width_in
    say(figure, title_x, 1.0 - 0.40 / height_in, title, size=15, weight="bold")
    told = "probability of each emotion" + (", the most probable in bold" if readable else ", darker is more")
    told += f"   ·   model {predictions[0].model}"
    say(figure, title_x, 1.0 - 0.72 / height_in, told, size=10, color=QUIET_INK)
    return figure


def _cells(axes: Axes, predictions: Sequence[Prediction], emotions: Sequence[str]) -> None:
    """A percentage in each cell, and the word silence across a row that has none."""
    for row, prediction in enumerate(predictions):
        if prediction.emotion is None:
            middle = (len(emotions) - 1) / 2
            axes.text(middle, row, "silence", ha="center", va="center", fontsize=9, color=QUIET_INK)
            continue
        for column, name in enumerate(emotions):
            value, chosen = prediction.probabilities[name], name == prediction.emotion
            axes.text(
                column,
                row,
                f"{value:.0%}",
                ha="center",
                va="center",
                fontsize=9.5,
                weight="bold" if chosen else "normal",
                color="white" if value > 0.5 else INK if chosen or value > 0.25 else QUIET_INK,
            )


def _short(path: str | None, most: int = 44) -> str:
    """A file's name, its middle left out where it is long."""
    name = "recording" if path in (None, "-") else Path(str(path)).name
    return name if len(name) <= most else f"{name[: most // 2 - 1]}…{name[-most // 2 + 1 :]}"


def say(figure: Figure, x: float, y: float, text: str, **style: Any) -> None:
    """Text that is never read as mathematics: a file's name may hold a dollar sign."""
    figure.text(x, y, text, **({"color": INK, "va": "baseline"} | style)).set_parse_math(False)


def plain(axes: Axes, keep: str = "") -> None:
    """Take the frame and the tick marks away."""
    for side, spine in axes.spines.items():
        spine.set_visible(side == keep)
        spine.set_color(_REST)
    axes.tick_params(length=0, colors=QUIET_INK, labelsize=9)
