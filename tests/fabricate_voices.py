"""Voices that move as voices do: each recording has a course of pitch, formants and loudness of its own.

The voices of `fabricate` follow their emotion, so that a classifier learns them; two of them are alike, as
recordings of people are not. Where a test asks whether two recordings are one, it takes these.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vocemo import audio

RATE_HZ = 16_000


def utterance(seed: int, seconds: float = 1.6) -> NDArray[np.float32]:
    """One recording: samples (N,) within -0.5 and 0.5, the same for the same seed."""
    rng = np.random.default_rng([seed, 77])
    count = round(seconds * RATE_HZ)
    time_s = np.arange(count) / RATE_HZ

    def course(every_s: float, low: float, high: float) -> NDArray[np.float64]:
        knots = np.arange(0, seconds + 2 * every_s, every_s) + rng.uniform(-0.3, 0.3) * every_s
        return np.interp(time_s, knots, rng.uniform(low, high, len(knots)))

    pitch_hz = rng.uniform(110, 230) * np.exp2(course(0.18, -0.35, 0.35))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    formants_hz = [course(0.13, low, high) for low, high in ((300, 900), (1_000, 2_300), (2_400, 3_200))]
    samples = np.zeros(count)
    for harmonic in range(1, 25):
        frequency_hz = harmonic * pitch_hz
        tract = sum(1 / (1 + ((frequency_hz - formant) / 130) ** 2) for formant in formants_hz) + 0.02
        samples += np.where(frequency_hz < 3_600, tract, 0) * np.sin(harmonic * phase) / harmonic
    samples *= np.clip(course(0.11, -0.4, 1.0), 0, None)
    silence = np.zeros(round(0.15 * RATE_HZ))
    samples = np.concatenate([silence, samples / np.abs(samples).max() / 2, silence])
    return (samples + 1e-4 * rng.standard_normal(len(samples))).astype(np.float32)


class Recordings:
    """Rows of a table in a folder, and their files."""

    def __init__(self, folder: Path, name: str = "mine.csv") -> None:
        self.file = folder / name
        self.folder = folder
        self.rows: list[tuple[str, ...]] = []
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def spec(self) -> str:
        """Write the table; what `--corpus` takes."""
        lines = ["path,emotion,speaker,split", *(",".join(row) for row in self.rows)]
        self.file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return f"table:{self.file}"

    def add(
        self,
        name: str,
        emotion: str,
        speaker: str,
        samples: NDArray[np.float32],
        *,
        split: str = "",
        sample_rate: int = RATE_HZ,
    ) -> Path:
        """Write a recording and list it."""
        path = self.folder / name
        audio.write(path, samples, sample_rate)
        self.rows.append((name, emotion, speaker, split))
        return path

    def people(self, speakers: int = 6, each: int = 8) -> None:
        """So many speakers, half of whose recordings are happy, the others sad; names tell nothing."""
        for number in range(speakers * each):
            speaker, emotion = f"s{number // each}", ("happy", "sad")[number % 2]
            split = ("test", "validation", *["train"] * speakers)[number // each]
            self.add(f"r{number:03d}.flac", emotion, speaker, utterance(number), split=split)
