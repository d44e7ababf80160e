"""Fabricated corpora whose faults are known."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

import fabricate
from vocemo.lab.explore import Survey, survey


@pytest.fixture(scope="session")
def flawed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder corpus of 4 emotions and 2 speakers, 2 clips each, with one fault of each kind."""
    root = fabricate.folder(tmp_path_factory.mktemp("flawed"), seconds=0.6)
    soundfile.write(root / "sad" / "anna" / "silent.wav", np.zeros(8_000), 16_000)
    loud = np.clip(9 * np.sin(np.arange(8_000) * 0.05), -1, 1)
    soundfile.write(root / "angry" / "ben" / "clipped.wav", loud, 16_000)
    first = root / "happy" / "anna" / "anna1_happy.wav"
    samples, rate = soundfile.read(first, dtype="int16")
    soundfile.write(root / "happy" / "anna" / "copy.flac", samples, rate)  # the same in another container
    shutil.copy(root / "neutral" / "ben" / "ben1_neutral.wav", root / "angry" / "ben" / "neutral-too.wav")
    (root / "sad" / "ben" / "broken.wav").write_bytes(b"no audio")
    (root / "loose.wav").write_bytes(b"in no emotion's folder")
    return root


@pytest.fixture(scope="session")
def surveyed(flawed: Path) -> Survey:
    """The flawed corpus, measured."""
    return survey([f"folder:{flawed}"], jobs=2)


@pytest.fixture(scope="session")
def ravdess(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two speakers of a fabricated RAVDESS, speech and song."""
    return fabricate.ravdess(tmp_path_factory.mktemp("ravdess"), speakers=2, clips_per_emotion=4, seconds=0.4)
