"""The tiny bundle, and recordings for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fabricate_bundle
from vocemo import audio
from vocemo.runtime.predictor import Predictor, load


@pytest.fixture(scope="session")
def tiny_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fabricate_bundle.write(tmp_path_factory.mktemp("bundle") / "tiny.onnx")


@pytest.fixture(scope="session")
def tiny(tiny_path: Path) -> Predictor:
    return load(tiny_path, device="cpu")


@pytest.fixture
def recording(tmp_path: Path) -> Callable[..., Path]:
    """Writes a tone with some noise, in syllables: recording("a.wav", seconds, pitch_hz, level)."""

    def write(name: str, seconds: float = 3.5, pitch_hz: float = 300.0, level: float = 0.2) -> Path:
        rng = np.random.default_rng(len(name) + int(seconds * 100) + int(pitch_hz))
        time_s = np.arange(round(seconds * fabricate_bundle.RATE_HZ)) / fabricate_bundle.RATE_HZ
        samples = level * (np.sin(2 * np.pi * pitch_hz * time_s) + 0.05 * rng.standard_normal(len(time_s)))
        samples *= np.sin(2 * np.pi * 1.5 * time_s) ** 2
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        audio.write(path, samples.astype(np.float32), fabricate_bundle.RATE_HZ)
        return path

    return write
