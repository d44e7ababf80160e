"""The synthetic corpora that other tests stand on: the same each time, and worth learning from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

import fabricate
from vocemo.lab.corpora import Clip, content_digest, read


def test_equal_arguments_give_equal_bytes_and_no_two_clips_are_one(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        fabricate.ravdess(tmp_path / name, speakers=2, clips_per_emotion=2, seconds=0.1, seed=seed)
    a, b, c = (
        {path.name: path.read_bytes() for path in (tmp_path / n).rglob("*.wav")} for n in ("a", "b", "c")
    )
    assert a == b
    assert a.keys() == c.keys()
    assert all(a[name] != c[name] for name in a)
    clips = read(f"ravdess:{tmp_path / 'a'}").clips
    assert len({content_digest(clip) for clip in clips}) == len(clips)


def features(clip: Clip) -> np.ndarray:
    """Level in dB, spectral centre and spread in octaves."""
    samples, rate = soundfile.read(clip.path)
    power = np.abs(np.fft.rfft(samples)) ** 2 + 1e-12
    octave = np.log2(np.maximum(np.fft.rfftfreq(len(samples), 1 / rate), 50.0))
    centre = np.average(octave, weights=power)
    spread = np.sqrt(np.average((octave - centre) ** 2, weights=power))
    return np.array([10 * np.log10(np.mean(samples**2)) / 6, centre, spread])


def test_emotions_can_be_learnt_from_other_speakers(tmp_path: Path) -> None:
    root = fabricate.ravdess(tmp_path, speakers=4, channels=("speech",), clips_per_emotion=4, seconds=0.5)
    clips = read(f"ravdess:{root}").clips
    training = [c for c in clips if c.speaker <= "ravdess/02"]
    test = [c for c in clips if c.speaker > "ravdess/02"]
    emotions = sorted({c.emotion for c in clips})
    means = np.array([np.mean([features(c) for c in training if c.emotion == e], axis=0) for e in emotions])
    right = [emotions[int(np.argmin(np.linalg.norm(means - features(c), axis=1)))] == c.emotion for c in test]
    assert np.mean(right) > 3 / len(emotions)  # three times what guessing would give
