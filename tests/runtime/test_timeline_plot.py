"""The picture of a timeline shows what the timeline says."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from vocemo import audio
from vocemo.errors import UsageError
from vocemo.runtime.prediction import Course, Prediction, Segment
from vocemo.runtime.timeline_plot import colours_of, draw_speakers, draw_timeline, stretches

EMOTIONS = ("neutral", "happy", "sad", "bored")


def answer(*, course: bool = True) -> Prediction:
    values = dict(zip(EMOTIONS, (0.1, 0.6, 0.2, 0.1), strict=True))
    segments = (
        Segment(0.0, 1.0, None, 0.0, {}),
        Segment(1.0, 4.0, "happy", 0.6, values),
        Segment(4.0, 6.0, None, 0.0, {}),
        Segment(6.0, 8.0, "bored", 0.6, values, uncertain=True),
    )
    times_s = np.array([1.5, 2.0, 2.5, 3.0, 3.5, 6.5, 7.0, 7.5])
    known = np.random.default_rng(0).dirichlet(np.ones(4), len(times_s))
    made = Course(times_s, known) if course else None
    return Prediction("$a$.wav", 0, 8, 8.0, "happy", 0.6, values, False, segments, "tiny", course=made)


def test_segments_and_their_course_are_drawn_where_they_are() -> None:
    from matplotlib.collections import PolyCollection
    from matplotlib.text import Text

    figure = draw_timeline(answer(), emotions=EMOTIONS)
    said = {text.get_text() for text in figure.findobj(Text)}
    assert {"$a$.wav", "happy", "bored?", *EMOTIONS} <= said
    above, below = figure.axes
    # A waveform for each segment, an area for each emotion in each of two stretches.
    waves = [
        tuple(np.round(each.get_datalim(above.transData).intervalx, 6))
        for each in above.findobj(PolyCollection)
    ]
    assert waves == [(0.0, 1.0), (1.0, 4.0), (4.0, 6.0), (6.0, 8.0)]
    areas = below.findobj(PolyCollection)
    assert len(areas) == 2 * len(EMOTIONS)
    spans = {tuple(np.round(area.get_datalim(below.transData).intervalx, 6)) for area in areas}
    assert spans == {(1.0, 4.0), (6.0, 8.0)}
    assert below.get_xlim() == above.get_xlim() == (0.0, 8.0)


def test_silence_alone_is_drawn() -> None:
    quiet = Prediction(
        None,
        0,
        2,
        2.0,
        None,
        0.0,
        {},
        segments=(Segment(0.0, 2.0, None, 0.0, {}),),
        course=Course(np.zeros(0), np.zeros((0, 4))),
    )
    assert len(draw_timeline(quiet, emotions=EMOTIONS).axes) == 2


def test_a_prediction_without_a_timeline_is_refused() -> None:
    with pytest.raises(UsageError, match="no timeline"):
        draw_timeline(answer(course=False), emotions=EMOTIONS)


def test_every_emotion_has_a_colour_of_its_own() -> None:
    found = colours_of(
        ["neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised", "bored"]
    )
    assert len(set(found.values())) == 9


def test_short_words_between_pauses_are_drawn_apart() -> None:
    values = dict.fromkeys(EMOTIONS, 0.25)
    segments: list[Segment] = []
    for at in (0.0, 3.0, 6.0):
        segments += [Segment(at, at + 0.4, "sad", 0.25, values), Segment(at + 0.4, at + 3.0, None, 0.0, {})]
    course = Course(np.array([0.2, 3.2, 6.2]), np.full((3, 4), 0.25))
    made = Prediction(None, 0, 9, 9.0, "sad", 0.25, values, segments=tuple(segments), course=course)
    assert stretches(made) == [(0.0, 0.4), (3.0, 3.4), (6.0, 6.4)]
    assert stretches(answer()) == [(1.0, 4.0), (6.0, 8.0)]
    draw_timeline(made, emotions=EMOTIONS)


def test_speakers_stand_one_above_the_other(tmp_path: Path) -> None:
    from matplotlib.text import Text

    rows = np.stack([np.full(8000, 0.1), np.full(8000, 0.8)]).astype(np.float32)
    audio.write(tmp_path / "call.wav", rows, 1000)
    both = [dataclasses.replace(answer(), channel=channel) for channel in (0, 1)]
    figure = draw_speakers(both, emotions=EMOTIONS, recording=tmp_path / "call.wav")
    said = [text.get_text() for text in figure.findobj(Text)]
    assert {"channel 0", "channel 1", "2 speakers   ·   8.0 s   ·   model tiny"} <= set(said)
    assert said.count("time (s)") == said.count("■") // len(EMOTIONS) == 1
    tops = [axes.get_position().y1 for axes in figure.axes]
    assert tops == sorted(tops, reverse=True) and len(tops) == 4
    # Each has its own waveform, on one scale.
    heights = [max(each.get_datalim(axes.transData).y1 for each in axes.collections) for axes in figure.axes]
    assert heights[0] == pytest.approx(0.1, abs=1e-3) and heights[2] == pytest.approx(0.8, abs=1e-3)
    assert figure.axes[0].get_ylim() == figure.axes[2].get_ylim()
    assert {axes.get_xlim() for axes in figure.axes} == {(0.0, 8.0)}
    with pytest.raises(UsageError, match="no prediction"):
        draw_speakers([], emotions=EMOTIONS)
