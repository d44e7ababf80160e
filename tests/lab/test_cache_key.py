"""A key changes with everything that the samples depend on, and with nothing else."""

from __future__ import annotations

import dataclasses
import shutil
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from vocemo import audio
from vocemo.lab import cache_key
from vocemo.lab.cache_key import key
from vocemo.lab.corpora import Clip
from vocemo.prepare import Preparation

PLAIN = Preparation()


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 8_000).astype(np.float32)
    audio.write(tmp_path / "a.wav", noise, 16_000)
    return Clip(tmp_path / "a.wav", "folder", "happy", "folder/ann")


def test_everything_that_matters_changes_it(clip: Clip) -> None:
    keys = [
        key(clip, PLAIN),
        *(key(dataclasses.replace(clip, **part), PLAIN) for part in ({"start_s": 0.1}, {"end_s": 0.3})),
        key(dataclasses.replace(clip, start_s=0.1, end_s=0.3), PLAIN),
        key(clip, Preparation(level="rms")),
        key(clip, Preparation(remove_dc=False)),
        key(clip, PLAIN, "gain", "a", 1),
        key(clip, PLAIN, "gain", "a", 2),
        key(clip, PLAIN, "gain", "b", 1),
        key(clip, PLAIN, "noise", "a", 1),
    ]
    assert len(set(keys)) == len(keys)
    assert all(len(each) == 64 and int(each, 16) >= 0 for each in keys)
    audio.write(clip.path, np.full(8_000, 0.25, np.float32), 16_000)
    assert key(clip, PLAIN) not in keys


def test_what_does_not_matter_leaves_it(clip: Clip, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    moved = dataclasses.replace(
        clip,
        path=Path(shutil.copy(clip.path, tmp_path / "there" / "b.wav")),
        corpus="table",
        emotion="sad",
        speaker="table/bob",
        duration_s=0.5,
    )
    assert key(moved, PLAIN) == key(clip, PLAIN)
    # The clip as it is depends on no augmentation: other chains share it.
    assert key(clip, PLAIN, "gain", "a", 0) == key(clip, PLAIN)


@pytest.mark.parametrize("changed", ["library", "code"])
def test_another_version_makes_its_own(clip: Clip, monkeypatch: pytest.MonkeyPatch, changed: str) -> None:
    before = key(clip, PLAIN)
    cache_key.made_by.cache_clear()
    assert key(clip, PLAIN) == before
    if changed == "library":
        version = metadata.version
        monkeypatch.setattr(metadata, "version", lambda name: version(name) + ("+" if name == "soxr" else ""))
    else:
        monkeypatch.setattr(cache_key, "_CODE", ("audio", "prepare", "lab/augment/gain.py"))
    cache_key.made_by.cache_clear()
    assert key(clip, PLAIN) != before
    cache_key.made_by.cache_clear()


def test_the_code_that_makes_samples_is_all_there() -> None:
    import vocemo

    root = Path(vocemo.__file__).parent
    for name in cache_key._CODE:
        assert (root / name).exists(), name


def test_a_file_that_is_gone_raises(clip: Clip) -> None:
    clip.path.unlink()
    with pytest.raises(OSError, match=r"a\.wav"):
        key(clip, PLAIN)
