"""Speech that the features are compared on, and how a comparison is put on record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

import fabricate

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Speech:
    """Clips of one origin, resampled on demand."""

    origin: str
    clips: tuple[Samples, ...]
    sample_rate_hz: int

    def at(self, sample_rate_hz: int) -> list[Samples]:
        return [soxr.resample(c, self.sample_rate_hz, sample_rate_hz).astype(np.float32) for c in self.clips]


def _real(corpora: Path) -> Speech:
    patterns = (
        "ravdess/Audio_Speech_Actors_01-24/Actor_0[1-4]/03-01-0[1-8]-01-01-01-*.flac",
        "ravdess/Audio_Song_Actors_01-24/Actor_01/*-02-01-01-*.flac",
        "emodb/wav/03a0*.flac",
        "aesdd/anger/*(1).flac",
    )
    paths = [path for pattern in patterns for path in sorted(corpora.glob(pattern))[:8]]
    clips = [soundfile.read(path, dtype="float32") for path in paths]
    return Speech(f"{len(clips)} real clips", tuple(samples for samples, _ in clips), clips[0][1])


def _fabricated() -> Speech:
    rng = np.random.default_rng(2)
    clips = tuple(
        fabricate.voice(emotion, speaker, speaker % 2 == 0, rng, seconds=float(rng.uniform(0.4, 3.0)))
        for speaker, emotion in enumerate(fabricate.VOICES)
    )
    return Speech(f"{len(clips)} fabricated clips", clips, fabricate.SAMPLE_RATE_HZ)


@pytest.fixture(scope="session", params=["real", "fabricated"])
def speech(request: pytest.FixtureRequest) -> Speech:
    """Real clips where they are on this machine, and fabricated ones everywhere."""
    if request.param == "fabricated":
        return _fabricated()
    return _real(request.getfixturevalue("corpora_dir"))


Compare = Callable[[str, list[tuple[NDArray[np.floating], NDArray[np.floating]]], float], None]


@pytest.fixture
def agree(speech: Speech) -> Compare:
    """Assert that pairs of (ours, librosa's) agree, and print the largest difference."""

    def compare(
        what: str, pairs: list[tuple[NDArray[np.floating], NDArray[np.floating]]], tolerance: float
    ) -> None:
        assert all(ours.shape == theirs.shape for ours, theirs in pairs)
        largest = max(float(np.max(np.abs(ours - theirs))) for ours, theirs in pairs)
        print(f"largest difference, {what}, {speech.origin}: {largest:.2e} (allowed {tolerance:.0e})")
        assert largest <= tolerance

    return compare
