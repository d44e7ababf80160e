"""An embedding is what the graph says, averaged over the windows of a long recording."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fabricate_bundle
from vocemo import audio
from vocemo.errors import AudioError, TooShortAudioError
from vocemo.prepare import Preparation, prepare
from vocemo.runtime.predictor import Predictor, load

RATE_HZ = fabricate_bundle.RATE_HZ


def of_graph(tiny: Predictor, samples: np.ndarray) -> np.ndarray:
    preparation = tiny.info.preparation
    ready = prepare(samples, preparation.sample_rate, preparation)
    return tiny.bundle.run(ready.samples[None], np.array([ready.length]))["embedding"][0]


def test_of_a_clip_it_is_what_the_graph_says(tiny: Predictor, recording: Callable[..., Path]) -> None:
    path = recording("a.wav", 3.0)
    samples = audio.decode(path, tiny.info.preparation.sample_rate).samples
    expected = of_graph(tiny, samples)
    assert tiny.embed(path) == pytest.approx(expected, abs=1e-6)
    assert tiny.embed(path.read_bytes()) == pytest.approx(expected, abs=1e-6)
    assert tiny.embed(samples, tiny.info.preparation.sample_rate) == pytest.approx(expected, abs=1e-6)


def test_of_a_long_recording_it_is_the_mean_over_windows_that_are_heard(tiny: Predictor) -> None:
    rate, window = (
        tiny.info.preparation.sample_rate,
        round(tiny.longest_s * tiny.info.preparation.sample_rate),
    )
    time_s = np.arange(window) / rate
    parts = [(0.3 * np.sin(2 * np.pi * hz * time_s)).astype(np.float32) for hz in (200, 900)]
    samples = np.concatenate([parts[0], np.zeros(window, np.float32), parts[1]])
    expected = (of_graph(tiny, parts[0]) + of_graph(tiny, parts[1])) / 2
    assert tiny.embed(samples, rate) == pytest.approx(expected, abs=1e-5)


def test_a_model_of_fixed_length_hears_the_whole_of_a_long_recording(tmp_path: Path) -> None:
    preparation = Preparation(
        sample_rate=RATE_HZ, remove_dc=False, length_s=1.0, max_length_s=4.0, offset_s=0.5
    )
    path = fabricate_bundle.write(tmp_path / "fixed.onnx", fabricate_bundle.info(preparation=preparation))
    fixed = load(path, device="cpu")
    loudness = np.repeat([0.5, 0.1, 0.3, 0.05, 0.4, 0.2], RATE_HZ)
    samples = (loudness * np.random.default_rng(0).uniform(-1, 1, len(loudness))).astype(np.float32)
    one_by_one = [
        fixed.bundle.run(second[None], np.array([RATE_HZ]))["embedding"][0]
        for second in np.split(samples, len(samples) // RATE_HZ)
    ]
    assert fixed.embed(samples, RATE_HZ) == pytest.approx(np.mean(one_by_one, axis=0), abs=1e-5)
    # Up to the longest it is one clip: what its preparation picks, behind the offset.
    assert fixed.embed(samples[: 4 * RATE_HZ], RATE_HZ) == pytest.approx(
        of_graph(fixed, samples[: 4 * RATE_HZ]), abs=1e-6
    )


def test_silence_and_less_than_a_clip_have_none(tiny: Predictor) -> None:
    rate = tiny.info.preparation.sample_rate
    with pytest.raises(AudioError, match="the recording is silent"):
        tiny.embed(np.zeros(rate, np.float32), rate)
    with pytest.raises(TooShortAudioError):
        tiny.embed(np.full(3, 0.1, np.float32), rate)
