"""A picture of a timeline: the waveform in its segments' colours, over the probabilities as they go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vocemo import audio
from vocemo.errors import UsageError
from vocemo.runtime.plot import INK, QUIET_INK, envelope, plain, say
from vocemo.runtime.prediction import Course, Prediction

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Told apart in print and by the colour-blind as far as eight can be; the names stand beside them.
COLOURS = {
    "neutral": "#8b95a1",
    "calm": "#4fa3a5",
    "happy": "#e3b023",
    "sad": "#3f6fb3",
    "angry": "#c3402e",
    "fearful": "#7b589f",
    "disgust": "#6a8a35",
    "surprised": "#e58a4e",
}
_OTHERS = ("#a0522d", "#2f4f4f", "#d16ba5", "#556b2f")  # for emotions that a model calls otherwise
_SILENCE = "#d4dade"
_LABELLED_SHARE = 0.035  # of the width: a shorter segment has no room for its name


def draw_timeline(
    prediction: Prediction, *, emotions: Sequence[str], recording: audio.Source | None = None
) -> Figure:
    """The picture of a prediction that has a timeline.

    emotions: the model's, in its order. recording: what it was made of, for the waveform; without it a plain
    band shows the segments. Raises UsageError for a prediction without a timeline.
    """
    from matplotlib.figure import Figure

    course = prediction.course
    if course is None:
        raise UsageError("this prediction has no timeline to draw")
    figure = Figure(figsize=(11.0, 5.6), facecolor="white")
    grid = figure.add_gridspec(
        2, 1, height_ratios=[1.0, 1.5], left=0.06, right=0.87, top=0.82, bottom=0.1, hspace=0.18
    )
    colours = colours_of(emotions)
    name = Path(prediction.path).name if prediction.path not in (None, "-") else "Recording"
    say(figure, 0.06, 0.93, name, size=15, weight="bold")
    say(figure, 0.06, 0.875, _summary(prediction), size=10.5, color=QUIET_INK)
    wave = None if recording is None else envelope(recording)
    _segments(figure.add_subplot(grid[0]), prediction, wave, colours)
    _course(figure.add_subplot(grid[1]), prediction, course, emotions, colours)
    return figure


def colours_of(emotions: Sequence[str]) -> dict[str, str]:
    """A colour for each emotion; those that are not among the eight get others.

    >>> colours_of(["sad", "bored"])
    {'sad': '#3f6fb3', 'bored': '#a0522d'}
    """
    others = iter(_OTHERS * len(emotions))
    return {name: COLOURS[name] if name in COLOURS else next(others) for name in emotions}


def _summary(prediction: Prediction) -> str:
    spoken_s = sum(each.end_s - each.start_s for each in prediction.segments if each.emotion is not None)
    told = f"{spoken_s:.1f} s of speech in {prediction.duration_s:.1f} s"
    if prediction.emotion is None:
        return f"nobody speaks   ·   {prediction.duration_s:.1f} s   ·   model {prediction.model}"
    unsure = ", uncertain" if prediction.uncertain else ""
    return (
        f"on the whole {prediction.emotion} with {prediction.confidence:.0%} confidence{unsure}   ·   "
        f"{told}   ·   model {prediction.model}"
    )


def _segments(
    axes: Axes, prediction: Prediction, wave: NDArray[np.float32] | None, colours: dict[str, str]
) -> None:
    duration_s = max(prediction.duration_s, 1e-3)
    if wave is None:
        wave = np.array([[-1.0, -1.0], [1.0, 1.0]], np.float32)
    limit = max(float(np.abs(wave).max()), 1e-3) * 1.08
    steps = np.linspace(0.0, duration_s, wave.shape[1])
    for segment in prediction.segments:
        colour = _SILENCE if segment.emotion is None else colours[segment.emotion]
        inside = steps[(steps > segment.start_s) & (steps < segment.end_s)]
        # Its own ends too, however short it is beside the recording.
        time_s = np.concatenate([[segment.start_s], inside, [segment.end_s]])
        low, high = (np.interp(time_s, steps, side) for side in wave)
        axes.fill_between(time_s, low, high, color=colour, linewidth=0.4)
        if segment.emotion is None:
            continue
        axes.axvspan(segment.start_s, segment.end_s, color=colour, alpha=0.13, linewidth=0)
        if segment.end_s - segment.start_s > _LABELLED_SHARE * duration_s:
            middle = (segment.start_s + segment.end_s) / 2
            label = segment.emotion + ("?" if segment.uncertain else "")
            axes.text(middle, limit * 1.06, label, ha="center", va="bottom", fontsize=9, color=INK)
    axes.set_xlim(0.0, duration_s)
    axes.set_ylim(-limit, limit)
    axes.set_xticks([])
    axes.set_yticks([])
    plain(axes)


def _course(
    axes: Axes, prediction: Prediction, course: Course, emotions: Sequence[str], colours: dict[str, str]
) -> None:
    duration_s = max(prediction.duration_s, 1e-3)
    for start_s, end_s in stretches(prediction):
        own = (course.times_s >= start_s) & (course.times_s <= end_s)
        # A stretch is drawn to its ends, a single moment as a block.
        times_s = np.concatenate([[start_s], course.times_s[own], [end_s]])
        values = course.probabilities[own]
        values = np.concatenate([values[:1], values, values[-1:]])
        shades = [colours[name] for name in emotions]
        axes.stackplot(times_s, values.T, colors=shades, linewidth=0, alpha=0.9)
    axes.set_xlim(0.0, duration_s)
    axes.set_ylim(0.0, 1.0)
    axes.set_yticks([0.0, 0.5, 1.0], ["0 %", "50 %", "100 %"])
    axes.set_xlabel("time (s)", color=QUIET_INK, fontsize=9)
    plain(axes, keep="bottom")
    for row, name in enumerate(reversed(emotions)):
        at = 0.94 - row * 0.115
        axes.text(1.02, at, "■", transform=axes.transAxes, color=colours[name], fontsize=11, va="center")
        axes.text(1.043, at, name, transform=axes.transAxes, color=INK, fontsize=9.5, va="center")


def stretches(prediction: Prediction) -> list[tuple[float, float]]:
    """Where speech goes on without a silence, from when to when in seconds: segments that touch are one."""
    found = list[tuple[float, float]]()
    for each in prediction.segments:
        if each.emotion is None:
            continue
        if found and found[-1][1] == each.start_s:
            found[-1] = (found[-1][0], each.end_s)
        else:
            found.append((each.start_s, each.end_s))
    return found
