"""What recordings sound like: the same for copies, and for nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fabricate_voices import RATE_HZ, utterance
from vocemo import audio
from vocemo.lab import augment
from vocemo.lab.corpora import Clip, read
from vocemo.lab.splits import folds
from vocemo.lab.splits.fingerprint import PITCHES, STEPS, fingerprint, of_samples
from vocemo.lab.splits.likeness import sounding_alike


def test_level_changes_nothing_and_a_pattern_is_of_norm_1() -> None:
    loud, soft = of_samples(utterance(1), RATE_HZ), of_samples(0.05 * utterance(1), RATE_HZ)
    assert loud is not None and soft is not None
    assert loud.patterns.shape == (3, STEPS, PITCHES)
    np.testing.assert_allclose(loud.patterns.astype(float), soft.patterns.astype(float), atol=2e-3)
    shared = len(np.intersect1d(loud.landmarks, soft.landmarks)) / len(np.unique(loud.landmarks))
    assert shared > 0.95
    norms = np.linalg.norm(loud.patterns.astype(float).reshape(3, -1), axis=1)
    assert norms == pytest.approx(1, abs=1e-2)


def test_what_begins_later_has_the_same_landmarks_later_and_the_same_pattern() -> None:
    lead = 40  # frames
    later = np.concatenate([np.zeros(lead * 128 * 2, np.float32), utterance(1)])
    one, other = of_samples(utterance(1), RATE_HZ), of_samples(later, RATE_HZ)
    assert one is not None and other is not None
    both, first, second = np.intersect1d(one.landmarks, other.landmarks, return_indices=True)
    offsets = other.times[second] - one.times[first]
    assert len(both) > 0.8 * len(np.unique(one.landmarks))
    assert np.median(offsets) == lead
    likeness = np.sum(one.patterns.astype(float) * other.patterns.astype(float), axis=(1, 2))
    assert likeness.max() > 0.95


def test_a_pattern_is_that_of_another_tempo_and_of_another_pitch_shifted() -> None:
    slower = augment.Speed().apply(utterance(1), RATE_HZ, augment.SpeedParameters(0.8))
    higher = augment.PitchShift(12.0).apply(utterance(1), RATE_HZ, augment.PitchShiftParameters(2.0))
    one, tempo, pitch, foreign = (
        of_samples(np.asarray(x, np.float32), RATE_HZ) for x in (utterance(1), slower, higher, utterance(2))
    )
    assert one and tempo and pitch and foreign

    def likeness(other: np.ndarray, up: int) -> float:
        mine, theirs = one.patterns.astype(float)[:, :, : PITCHES - up], other.astype(float)[:, :, up:]
        return float(max((a * b).sum() for a in mine for b in theirs))

    assert likeness(tempo.patterns, 0) > 0.85
    assert likeness(pitch.patterns, 2) > 0.85 > likeness(pitch.patterns, 0)
    assert likeness(foreign.patterns, 0) < 0.5


@pytest.mark.parametrize(
    "samples", [np.zeros(RATE_HZ, np.float32), utterance(1)[:3_000], np.zeros(0, np.float32)]
)
def test_silence_and_next_to_nothing_sound_like_nothing(samples: np.ndarray) -> None:
    assert of_samples(samples, RATE_HZ) is None


def test_a_part_of_a_file_is_heard_alone_and_a_broken_one_not_at_all(tmp_path: Path) -> None:
    audio.write(tmp_path / "call.flac", np.concatenate([utterance(1), utterance(2)]), RATE_HZ)
    seconds = len(utterance(1)) / RATE_HZ
    part = Clip(tmp_path / "call.flac", "table", "sad", "table/a", start_s=0.0, end_s=seconds)
    alone = of_samples(audio.decode(tmp_path / "call.flac").samples[: len(utterance(1))], RATE_HZ)
    found = fingerprint(part)
    assert found and alone and np.array_equal(found.landmarks, alone.landmarks)
    assert fingerprint(part) is found
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    assert fingerprint(dataclasses.replace(part, path=tmp_path / "broken.wav")) is None
    assert fingerprint(dataclasses.replace(part, path=tmp_path / "none.wav")) is None


@pytest.mark.parametrize("corpus", ["emodb"])
def test_on_real_recordings_copies_are_found_and_nothing_else(
    corpora_dir: Path, tmp_path: Path, corpus: str
) -> None:
    fold = folds(read(f"{corpus}:{corpora_dir / corpus}", durations=False), "loso")[0]
    others = fold.train + fold.validation
    assert sounding_alike(fold.test, others) == []
    kinds = [
        lambda x: augment.Speed().apply(x, RATE_HZ, augment.SpeedParameters(0.85)),
        lambda x: augment.PitchShift(12.0).apply(x, RATE_HZ, augment.PitchShiftParameters(-2.0)),
        lambda x: x[RATE_HZ // 4 :],
        lambda x: augment.chain([{"name": "noise", "min_snr_db": 10.0, "max_snr_db": 10.0}])(
            x, RATE_HZ, np.random.default_rng(0)
        ),
    ]
    copies, of = [], {}
    for number, clip in enumerate(fold.test[:16]):
        path = tmp_path / f"{number}.flac"
        audio.write(path, kinds[number % 4](audio.decode(clip.path, RATE_HZ).samples), RATE_HZ)
        copies.append(Clip(path, "table", clip.emotion, f"table/{number % 3}"))
        of[path] = clip.path
    found = {(a.tested.path, a.other.path) for a in sounding_alike(fold.test, (*others, *copies))}
    assert {(source, copy) for copy, source in of.items()} <= found
    # Beside them at most other takes of the tested voice, which the copies' names give to somebody else.
    assert {copy for _, copy in found} <= set(of)
