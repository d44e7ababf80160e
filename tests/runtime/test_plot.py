from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vocemo.errors import MissingExtraError, UnknownNameError, UsageError
from vocemo.runtime import plot
from vocemo.runtime.prediction import Prediction
from vocemo.runtime.predictor import Predictor

EMOTIONS = ("neutral", "happy", "sad", "angry")


def answer(name: str = "a.wav", *, silent: bool = False) -> Prediction:
    values = dict(zip(EMOTIONS, (0.1, 0.6, 0.05, 0.25), strict=True))
    if silent:
        return Prediction(name, 0.0, 2.0, 2.0, None, 0.0, {}, warnings=("silent",), model="tiny")
    return Prediction(name, 0.0, 2.0, 2.0, "happy", 0.6, values, model="tiny")


def texts(figure: object) -> list[str]:
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text)]


def test_one_recording_shows_its_wave_and_every_emotion(
    recording: Callable[..., Path], tiny: Predictor, tmp_path: Path
) -> None:
    path = recording("my $odd$ name.wav")
    prediction = tiny.predict(path)
    figure = plot.draw([prediction], emotions=tiny.emotions, recording=path)
    assert len(figure.axes) == 2
    shown = texts(figure)
    assert "my $odd$ name.wav" in shown
    for name, value in prediction.probabilities.items():
        assert name in shown and f"{value:.2%}" in shown
    plot.save(figure, tmp_path / "one.png")
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_several_recordings_are_a_grid_with_silence_said() -> None:
    figure = plot.draw([answer("a.wav"), answer("b.wav", silent=True), answer("c.wav")], emotions=EMOTIONS)
    (axes,) = figure.axes
    (image,) = axes.get_images()
    values = np.ma.filled(image.get_array(), np.nan)
    np.testing.assert_allclose(values[0], [0.1, 0.6, 0.05, 0.25])
    assert np.isnan(values[1]).all()
    assert {"a.wav", "b.wav", "silence", "60%"} <= set(texts(figure))


def test_hundreds_of_recordings_and_names_in_any_script_are_drawn(tmp_path: Path) -> None:
    many = [answer(f"录音-{k}.wav") for k in range(200)]
    plot.save(plot.draw(many, emotions=EMOTIONS), tmp_path / "many.png")
    plot.save(plot.draw(many[:3], emotions=EMOTIONS), tmp_path / "few.svg")


@pytest.mark.filterwarnings("error")
def test_silence_is_drawn(tmp_path: Path) -> None:
    figure = plot.draw([answer(silent=True)], emotions=EMOTIONS)
    assert any("silence" in text for text in texts(figure))
    plot.save(figure, tmp_path / "silence.png")


def test_no_window_and_no_global_state(tmp_path: Path) -> None:
    plot.save(plot.draw([answer()], emotions=EMOTIONS), tmp_path / "a.png")
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_the_envelope_is_that_of_the_samples(recording: Callable[..., Path]) -> None:
    from vocemo import audio

    path = recording("a.wav", 7.3)
    samples = audio.decode(path).samples
    low, high = plot.envelope(path, columns=300)
    assert len(low) == len(high) == 300
    assert low.min() == samples.min() and high.max() == samples.max()
    assert (low <= high).all()
    assert plot.envelope(recording("b.wav", 0.02), columns=300).shape == (2, 5)


def test_targets_that_cannot_be_drawn_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plot.check_target(tmp_path / "a.PNG")
    with pytest.raises(UnknownNameError, match="Valid: png, svg, pdf, jpg"):
        plot.check_target(tmp_path / "a.bmp")
    with pytest.raises(UsageError, match="no folder"):
        plot.check_target(tmp_path / "none" / "a.png")
    with pytest.raises(UsageError, match="no prediction"):
        plot.draw([], emotions=EMOTIONS)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"vocemo\[plot\]"):
        plot.check_target(tmp_path / "a.png")
