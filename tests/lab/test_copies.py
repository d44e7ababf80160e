"""Augmented copies that come as files: found by name, shown by sound, and nothing innocent accused."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import fabricate
from vocemo import audio
from vocemo.errors import LeakError
from vocemo.lab import augment
from vocemo.lab.corpora import Clip, read
from vocemo.lab.splits import Fold, audit, enforce, folds
from vocemo.lab.splits.copies import families, root, sound_alike

RATE_HZ = 16_000


@pytest.mark.parametrize(
    ("name", "made_from"),
    [
        ("a01_noise", "a01"),
        ("a01_noise_15dB", "a01"),
        ("a01_15dB_noise", "a01"),
        ("a01 (copy)", "a01"),
        ("a01.pitch+2", "a01"),
        ("a01-speed-0.9", "a01"),
        ("a01_stretch0.8_shift", "a01"),
        ("A01_AUG_7", "A01"),
        ("augmented-a01", "a01"),
        ("noise2_a01", "a01"),
        ("03-01-05-01-02-01-12_white_noise", "03-01-05-01-02-01-12"),
        ("03-01-05-01-02-01-12_3_aug", "03-01-05-01-02-01-12_3"),
        ("aug_03-01-05", "03-01-05"),
    ],
)
def test_a_copys_name_tells_its_originals(name: str, made_from: str) -> None:
    assert root(name) == made_from


@pytest.mark.parametrize(
    "name",
    [
        "a01",
        "a01_2",
        "03-01-05-01-02-01-12",
        "OAF_white_fear",
        "noise",
        "03a01Fa",
        "a01 (1)",
        "speech_fastidious",
        "1001_DFA_ANG_XX",
        "shifty_a01",
        "DC_n01",
        "high",
        "12",
        "",
    ],
)
def test_other_names_are_their_own(name: str) -> None:
    assert root(name) == name


def clip_of(path: Path, samples: np.ndarray, speaker: str = "unknown", corpus: str = "table") -> Clip:
    audio.write(path, samples.astype(np.float32), RATE_HZ, encoding="FLOAT")
    return Clip(path, corpus, "sad", f"{corpus}/{speaker}")


def voice(seed: int, f0: int = 1) -> np.ndarray:
    return fabricate.voice(
        "sad", f0, True, np.random.default_rng(seed), seconds=1.5, sample_rate=RATE_HZ
    ).astype(np.float32)


def fold(train: list[Clip], test: list[Clip]) -> Fold:
    other = dataclasses.replace(train[0], path=Path("other.wav"), speaker="table/other")
    return Fold("my own", 0, tuple(train), (other,), tuple(test), leaky=False)


def named(found: Fold) -> dict[str, bool]:
    return {f.kind: f.failure for f in audit(found).findings if "copies" in f.kind}


@pytest.mark.parametrize(
    "how",
    [
        {"name": "gain", "min_db": -20.0, "max_db": -10.0},
        {"name": "time-shift"},
        {"name": "noise", "min_snr_db": 5.0, "max_snr_db": 10.0},
        {"name": "noise", "min_snr_db": 5.0, "max_snr_db": 10.0, "colours": ["pink"]},
    ],
)
def test_a_copy_whose_sound_is_the_originals_is_a_leak(tmp_path: Path, how: dict[str, object]) -> None:
    sound = voice(0)
    varied = augment.chain([how])(sound, RATE_HZ, np.random.default_rng(1))
    # Speakers of two corpora: nothing but name and sound tells that they are one voice.
    original = clip_of(tmp_path / "a01.wav", sound, "ann", "emodb")
    copy = clip_of(tmp_path / "a01_aug1.wav", varied[2_000:], "zoe")
    assert named(fold([copy], [original])) == {"derived copies": True}
    with pytest.raises(LeakError, match=r"1 pair is recordings .*a01_aug1\.wav \(train\)"):
        enforce(fold([copy], [original]))
    assert named(fold([original, copy], [clip_of(tmp_path / "b02.wav", voice(3), "bob")])) == {}


def test_two_copies_of_a_recording_that_is_not_there(tmp_path: Path) -> None:
    sound = voice(0)
    one, other = (
        clip_of(
            tmp_path / f"a01_noise{n}.wav",
            sound + 0.01 * np.random.default_rng(n).standard_normal(len(sound)),
        )
        for n in (1, 2)
    )
    assert named(fold([one], [other])) == {"derived copies": True}


@pytest.mark.parametrize(
    "how", [{"name": "speed", "min_rate": 0.8, "max_rate": 0.85}, {"name": "pitch-shift"}]
)
def test_what_no_sound_can_show_is_a_suspicion(tmp_path: Path, how: dict[str, object]) -> None:
    time_s = np.arange(round(1.5 * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * (200 - 25 * time_s) * time_s  # a falling voice, not a fabricated one that hums
    falling = np.sum([np.cos(k * phase) / k for k in range(1, 20)], axis=0).astype(np.float32) / 10
    varied = augment.chain([how])(falling, RATE_HZ, np.random.default_rng(1))
    original = clip_of(tmp_path / "a01.wav", falling, "ann", "emodb")
    copy = clip_of(tmp_path / "a01_stretched.wav", varied, "zoe")
    assert named(fold([copy], [original])) == {"names of copies": False}
    assert "which their sound does not show" in audit(fold([copy], [original])).describe()


def test_equal_names_of_two_speakers_are_no_copies(tmp_path: Path) -> None:
    (tmp_path / "bob").mkdir()
    ann = clip_of(tmp_path / "1.wav", voice(0), "ann")
    bob = clip_of(tmp_path / "bob" / "1_fast.wav", voice(1), "bob")
    assert named(fold([ann], [bob])) == {}
    elsewhere = dataclasses.replace(bob, emotion="happy", speaker="table/unknown")
    assert families([ann, elsewhere]) == []


def test_a_file_that_cannot_be_read_is_like_no_other(tmp_path: Path) -> None:
    original = clip_of(tmp_path / "a01.wav", voice(0))
    lost = dataclasses.replace(original, path=tmp_path / "a01_noise.wav")
    assert named(fold([original], [lost])) == {"names of copies": False}


def test_no_corpus_is_accused(corpora_dir: Path) -> None:
    for spec in ("ravdess", "emodb", "aesdd"):
        clips = read(f"{spec}:{corpora_dir / spec}").clips
        assert families(clips) == []


def test_two_takes_of_a_sentence_do_not_sound_alike(corpora_dir: Path) -> None:
    takes = defaultdict(list)
    for clip in read(f"ravdess-speech:{corpora_dir / 'ravdess'}").clips:
        if clip.speaker in ("ravdess/07", "ravdess/11", "ravdess/23"):  # where two agree most
            takes[clip.speaker, clip.emotion, clip.intensity, clip.sentence].append(clip)
    alike = [
        {a.path.stem, b.path.stem}
        for group in takes.values()
        for a, b in combinations(group, 2)
        if sound_alike(a, b)
    ]
    assert alike == [{"03-01-03-01-02-01-07", "03-01-03-01-02-02-07"}]  # the release's own duplicate


def test_copies_of_a_real_corpus_in_a_random_split(corpora_dir: Path, tmp_path: Path) -> None:
    clips = [c for c in read(f"emodb:{corpora_dir / 'emodb'}").clips if c.speaker == "emodb/03"][:24]
    vary = augment.chain([{"name": "noise", "min_snr_db": 15.0}])
    for clip in clips:
        (tmp_path / clip.emotion).mkdir(exist_ok=True)
        whole = audio.decode(clip.path, RATE_HZ).samples
        audio.write(tmp_path / clip.emotion / f"{clip.path.stem}.wav", whole, RATE_HZ)
        audio.write(
            tmp_path / clip.emotion / f"{clip.path.stem}_noise.wav",
            vary(whole, RATE_HZ, np.random.default_rng(0)),
            RATE_HZ,
        )
    found = audit(folds(read(f"folder:{tmp_path}"), "random")[0])
    assert "derived copies" in {f.kind for f in found.failures}
