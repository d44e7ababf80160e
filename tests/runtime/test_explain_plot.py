from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vocemo.runtime.explain_occlusion import Occlusion
from vocemo.runtime.explain_panels import AGAINST, FOR, map_over_time, percent, tints
from vocemo.runtime.explain_plot import draw
from vocemo.runtime.explanation import Band, Explanation, MapColumn, Moment, Part
from vocemo.runtime.plot import save
from vocemo.runtime.predictor import Predictor


def texts(figure: object) -> list[str]:
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text)]


def made(**changes: object) -> Explanation:
    values: dict[str, object] = {
        "path": "my $odd$ call.wav",
        "duration_s": 3.5,
        "emotion": "angry",
        "answer": "angry",
        "probability": 0.9,
        "parts": (Part(0.1, 3.2, 0.9, attention=(0.2, 0.5, 0.3)),),
        "moments": (Moment(0.1, 1.1, 2.0, 0.55), Moment(1.1, 2.1, -1.5, 0.97), Moment(2.1, 3.2, 0.0, 0.9)),
        "bands": (Band(0.0, 1000.0, 0.5, 0.85), Band(1000.0, 8000.0, -2.0, 0.983)),
        "map": (MapColumn(0.1, 2.1, (1.0, -1.0)), MapColumn(1.1, 3.2, (3.0, 0.0))),
        "model": "tiny",
    }
    return Explanation(**(values | changes))


def test_the_picture_says_what_it_shows_and_what_it_does_not(recording: Callable[..., Path]) -> None:
    figure = draw(made(), recording("a.wav"))
    shown = texts(figure)
    assert "What moved the model in my $odd$ call.wav" in shown
    assert {"55%", "97%", "98%", "spoke for angry", "spoke against angry"} <= set(shown)
    assert any("does not show what the speaker felt" in text for text in shown)
    assert any(text.startswith("angry, 90% probable") for text in shown)
    assert "attention" in " ".join(shown)
    other = texts(draw(made(answer="sad"), recording("b.wav")))
    assert any("the answer was sad" in text for text in other)


@pytest.mark.filterwarnings("error")
def test_a_real_explanation_is_drawn_in_every_format(
    recording: Callable[..., Path], tiny: Predictor, tmp_path: Path
) -> None:
    path = recording("a.wav", 1.0)
    figure = draw(tiny.explain(path, occlusion=Occlusion(columns=4)), path)
    for suffix in ("png", "svg", "pdf"):
        save(figure, tmp_path / f"a.{suffix}")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_a_long_recording_has_an_overview_and_a_column_a_part(
    recording: Callable[..., Path], tiny: Predictor
) -> None:
    path = recording("long.wav", 13.0)
    explanation = tiny.explain(path, occlusion=Occlusion(columns=3, bands=3, parts=2))
    figure = draw(explanation, path)
    assert len(explanation.windows) == 4 and len(explanation.parts) == 2
    assert len(figure.axes) == 1 + 2 * 2 + 1 + 1  # overview; wave and spectrogram of each; bands; legend
    assert any("mean of 4 windows" in text for text in texts(figure))


def test_each_part_says_once_how_probable_the_emotion_is_there(recording: Callable[..., Path]) -> None:
    # The view of each part reaches a little into the part beside it.
    windows = (Moment(0.0, 4.0, 1.0, 0.5), Moment(4.0, 8.0, 0.5, 0.6))
    parts = (Part(0.3, 4.0, 0.91), Part(4.1, 7.9, 0.62))
    figure = draw(made(duration_s=8.0, parts=parts, windows=windows), recording("long.wav", 8.0))
    here = [text for text in texts(figure) if text.startswith("here")]
    assert here == ["here 91% probable", "here 62% probable"]
    for axes in figure.axes:
        for text in (text for text in axes.texts if text.get_text().startswith("here")):
            assert text.get_zorder() > max(patch.get_zorder() for patch in axes.patches)


@pytest.mark.parametrize("seconds", [0.1, 0.3])
def test_the_shortest_recordings_without_a_map_are_drawn(
    recording: Callable[..., Path], tiny: Predictor, tmp_path: Path, seconds: float
) -> None:
    path = recording("short.wav", seconds)
    save(draw(tiny.explain(path, occlusion=Occlusion(columns=0)), path), tmp_path / "short.png")


def test_nothing_outside_what_was_heard_is_coloured() -> None:
    from matplotlib.colors import to_rgb

    colours = tints(np.array([np.nan, 0.0, 1.0, -2.0, 9.0]), 0.8, scale=2.0)
    assert colours[:, 3] == pytest.approx([0.0, 0.0, 0.4, 0.8, 0.8])
    assert tuple(colours[2, :3]) == to_rgb(FOR) and tuple(colours[3, :3]) == to_rgb(AGAINST)


def test_the_two_colours_are_equally_dark_and_far_apart_for_every_eye() -> None:
    from matplotlib.colors import to_rgb

    lightness, blueness = [], []
    for colour in (FOR, AGAINST):
        red, green, blue = (((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
        lightness.append(0.2126 * red + 0.7152 * green + 0.0722 * blue)
        blueness.append(blue - (red + green) / 2)
    # Relative luminance (WCAG): of equal ones the ratio is 1. Red-green blindness parts yellow and blue.
    assert max(lightness) + 0.05 < 1.25 * (min(lightness) + 0.05)
    assert blueness[1] - blueness[0] > 0.2


def test_the_map_over_time_is_the_mean_of_its_columns() -> None:
    times, effects = map_over_time(made(), (0.0, 3.5))
    assert effects.shape == (2, len(times))
    np.testing.assert_allclose(effects[0, times < 1.0], 1.0)
    np.testing.assert_allclose(effects[0, (times > 1.2) & (times < 2.0)], 2.0)
    np.testing.assert_allclose(effects[0, times > 2.2], 3.0)


def test_percentages_tell_from_none_and_all() -> None:
    assert [percent(p) for p in (0.0, 0.0049, 0.5, 0.9951, 1.0)] == [
        "<0.1%",
        "0.5%",
        "50%",
        "99.5%",
        ">99.9%",
    ]
