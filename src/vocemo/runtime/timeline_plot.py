"""A picture of a timeline: the waveform in its segments' colours, over the probabilities as they go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vocemo.errors import UsageError
from vocemo.runtime.plot import INK, QUIET_INK, envelope_of, heading, plain, say, speaker_of
from vocemo.runtime.prediction import Course, Prediction
from vocemo.runtime.source import Source

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
    prediction: Prediction, *, emotions: Sequence[str], recording: Source | None = None
) -> Figure:
    """The picture of a prediction that has a timeline.

    emotions: the model's, in its order. recording: what it was made of, for the waveform; without it a plain
    band shows the segments. Raises UsageError for a prediction without a timeline.
    """
    return draw_speakers([prediction], emotions=emotions, recording=recording)


def draw_speakers(
    predictions: Sequence[Prediction],
    speakers: Sequence[str] = (),
    *,
    emotions: Sequence[str],
    recording: Source | None = None,
) -> Figure:
    """The timelines of one recording's speakers, one above the other.

    predictions: of its channels, as `OneChannel` gives them, or the only one. speakers: what they are called;
    by default by their channels' numbers. emotions, recording: as for `draw_timeline`; of the recording each
    channel is read. Raises UsageError where there is none, or one is without a timeline.
    """
    from matplotlib.figure import Figure

    if not predictions:
        raise UsageError("there is no prediction to draw")
    called = speakers or [speaker_of(each) for each in predictions]
    waves = [envelope_of(each, recording) for each in predictions]
    # One scale for all: what is quiet beside the others looks so.
    limit = max([float(np.abs(wave).max()) for wave in waves if wave is not None], default=1.0)
    page = _SEVERAL if len(predictions) > 1 else _ALONE
    height_in = _HEAD_IN + len(predictions) * page.row_in - page.after_in + _FOOT_IN
    beside_in = 0.3 + 0.11 * max(map(len, called))
    figure = Figure(figsize=(_WIDTH_IN, height_in), facecolor="white")
    colours = colours_of(emotions)
    _head(figure, height_in, predictions, called)
    for row, (prediction, who, wave) in enumerate(zip(predictions, called, waves, strict=True)):
        if prediction.course is None:
            raise UsageError("this prediction has no timeline to draw")
        top_in = _HEAD_IN + row * page.row_in
        if len(predictions) > 1:
            say(figure, _LEFT, 1.0 - (top_in + 0.2) / height_in, who, size=12, weight="bold")
            told, after = _summary(prediction, model=False), _LEFT + beside_in / _WIDTH_IN
            say(figure, after, 1.0 - (top_in + 0.2) / height_in, told, size=10, color=QUIET_INK)
        wave_in = top_in + page.said_in
        course_in = wave_in + page.wave_in + page.gap_in
        _segments(_axes(figure, wave_in, page.wave_in), prediction, wave, colours, limit)
        axes = _axes(figure, course_in, page.course_in)
        _course(axes, prediction, prediction.course, emotions, colours, last=row + 1 == len(predictions))
        if row == 0:
            _legend(figure, (course_in if len(predictions) == 1 else wave_in) / height_in, emotions, colours)
    return figure


@dataclass(frozen=True)
class _Page:
    """How high the parts of a speaker's row are, in inches: its name, waveform, gap, probabilities."""

    said_in: float
    wave_in: float
    gap_in: float
    course_in: float
    after_in: float

    @property
    def row_in(self) -> float:
        return self.said_in + self.wave_in + self.gap_in + self.course_in + self.after_in


_ALONE = _Page(0.0, 1.48, 0.33, 2.22, 0.0)
_SEVERAL = _Page(0.52, 0.8, 0.14, 1.2, 0.3)
_WIDTH_IN, _HEAD_IN, _FOOT_IN = 11.0, 1.0, 0.56
_LEFT, _RIGHT = 0.06, 0.87  # of the width
_LEGEND_STEP_IN = 0.255


def _axes(figure: Figure, top_in: float, high_in: float) -> Axes:
    """Axes over the width, so far below the top."""
    whole_in = figure.get_figheight()
    return figure.add_axes((_LEFT, 1.0 - (top_in + high_in) / whole_in, _RIGHT - _LEFT, high_in / whole_in))


def _head(figure: Figure, height_in: float, predictions: Sequence[Prediction], called: Sequence[str]) -> None:
    """Which recording, and of one speaker how it sounds on the whole."""
    one = predictions[0]
    if len(predictions) > 1:
        name = heading(one)
        told = f"{len(predictions)} speakers   ·   {one.duration_s:.1f} s   ·   model {one.model}"
    else:
        name, told = ", ".join(filter(None, [heading(one), called[0]])), _summary(one)
    say(figure, _LEFT, 1.0 - 0.39 / height_in, name, size=15, weight="bold")
    say(figure, _LEFT, 1.0 - 0.70 / height_in, told, size=10.5, color=QUIET_INK)


def _legend(figure: Figure, top: float, emotions: Sequence[str], colours: dict[str, str]) -> None:
    """The emotions in the order in which their areas stand on one another, from `top` of the height down."""
    for row, name in enumerate(reversed(emotions)):
        at = 1.0 - top - (row + 0.5) * _LEGEND_STEP_IN / figure.get_figheight()
        say(figure, _RIGHT + 0.016, at, "■", color=colours[name], fontsize=11, va="center")
        say(figure, _RIGHT + 0.035, at, name, fontsize=9.5, va="center")


def colours_of(emotions: Sequence[str]) -> dict[str, str]:
    """A colour for each emotion; those that are not among the eight get others.

    >>> colours_of(["sad", "bored"])
    {'sad': '#3f6fb3', 'bored': '#a0522d'}
    """
    others = iter(_OTHERS * len(emotions))
    return {name: COLOURS[name] if name in COLOURS else next(others) for name in emotions}


def _summary(prediction: Prediction, *, model: bool = True) -> str:
    spoken_s = sum(each.end_s - each.start_s for each in prediction.segments if each.emotion is not None)
    unsure = ", uncertain" if prediction.uncertain else ""
    if prediction.emotion is None:
        told = ["nobody speaks", f"{prediction.duration_s:.1f} s"]
    else:
        told = [
            f"on the whole {prediction.emotion} with {prediction.confidence:.0%} confidence{unsure}",
            f"{spoken_s:.1f} s of speech in {prediction.duration_s:.1f} s",
        ]
    return "   ·   ".join([*told, *([f"model {prediction.model}"] if model else [])])


def _segments(
    axes: Axes,
    prediction: Prediction,
    wave: NDArray[np.float32] | None,
    colours: dict[str, str],
    loudest: float,
) -> None:
    duration_s = max(prediction.duration_s, 1e-3)
    if wave is None:
        wave = np.array([[-1.0, -1.0], [1.0, 1.0]], np.float32)
    limit = max(loudest, 1e-3) * 1.08
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
    axes: Axes,
    prediction: Prediction,
    course: Course,
    emotions: Sequence[str],
    colours: dict[str, str],
    *,
    last: bool,
) -> None:
    """The areas; the times are written below the last alone."""
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
    if last:
        axes.set_xlabel("time (s)", color=QUIET_INK, fontsize=9)
    plain(axes, keep="bottom")
    axes.tick_params(labelbottom=last)


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
