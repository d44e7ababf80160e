"""Every condition of the table: pure, deterministic, of the length that it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vocemo.audio
from fabricate_speech import RATE, speech
from vocemo.errors import UnknownNameError
from vocemo.lab.augment import recordings
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.stress import Condition, choose, table
from vocemo.lab.stress.babble import Voices
from vocemo.lab.stress.measuring import degraded, generator
from vocemo.lab.stress.sounds import Sounds

NAMES = [condition.name for condition in table()] + [f"recorded-{db}" for db in (20, 10, 5, 0)]
OTHER_LENGTH = {"speed", "tempo", "mp3"}
DRAWN = {"white", "babble", "recorded-like", "recorded", "reverberation"}
CLIP = Clip(Path("a.wav"), "folder", "sad", "folder/0")


@pytest.fixture(scope="module")
def conditions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Condition]:
    folder = tmp_path_factory.mktemp("voices")
    clips = []
    for speaker in range(7):
        path = folder / f"{speaker}.wav"
        vocemo.audio.write(path, speech(2.5, seed=speaker), RATE)
        clips.append(Clip(path, "folder", "sad", f"folder/{speaker}"))
    voices = Voices.of(clips, Sounds(), np.random.default_rng(0))
    return {c.name: c for c in table(voices, recordings.below(str(folder), "noise"))}


@pytest.mark.parametrize("name", NAMES)
def test_a_condition_is_deterministic_and_leaves_its_input(
    name: str, conditions: dict[str, Condition]
) -> None:
    condition, samples = conditions[name], speech(1.0)
    before = samples.copy()
    first, again = (degraded(condition, CLIP, samples, RATE, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(samples, before)
    assert first.dtype == np.float32 and first.ndim == 1 and np.isfinite(first).all()
    assert (len(first) == len(samples)) == (condition.family not in OTHER_LENGTH)
    assert np.array_equal(first, samples) == (name == "clean")
    for other in (
        degraded(condition, CLIP, samples, RATE, seed=6),
        degraded(condition, replace(CLIP, path=Path("b.wav")), samples, RATE, seed=5),
    ):
        assert np.array_equal(first, other) == (condition.family not in DRAWN)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("samples", [np.zeros(800, np.float32), speech(1.0)[:1], speech(1.0)[:321]])
def test_silence_and_the_shortest_clips_pass(
    name: str, samples: np.ndarray, conditions: dict[str, Condition]
) -> None:
    worse = degraded(conditions[name], CLIP, samples, RATE, seed=0)
    assert np.isfinite(worse).all() and len(worse) >= len(samples) // 2
    if not samples.any():
        assert np.abs(worse).max(initial=0.0) < 1e-3


@pytest.mark.parametrize("family", ["white", "babble", "recorded-like", "recorded"])
def test_the_levels_of_a_family_have_one_noise(family: str, conditions: dict[str, Condition]) -> None:
    samples = speech(1.0)
    loud, faint = (
        degraded(conditions[f"{family}-{db}"], CLIP, samples, RATE, seed=1) - samples for db in (0, 20)
    )
    np.testing.assert_allclose(faint * 10, loud, atol=1e-4 * np.abs(loud).max())


def test_draws_depend_on_the_clip_and_not_on_where_it_lies(conditions: dict[str, Condition]) -> None:
    here, there = CLIP, replace(CLIP, path=Path("/elsewhere/a.wav"))
    draws = [generator(3, conditions["white-5"], clip).random() for clip in (here, there)]
    assert draws[0] == draws[1]
    assert draws[0] != generator(4, conditions["white-5"], here).random()
    assert draws[0] != generator(3, conditions["babble-5"], here).random()


def test_names_and_families_choose_in_the_table_s_order() -> None:
    chosen = [c.name for c in choose(table(), ["quiet", "white", "babble-0"]).conditions]
    assert chosen == ["clean", "white-20", "white-10", "white-5", "white-0", "babble-0", "quiet"]
    everything = choose(table())
    assert {c.name for c in everything.conditions} | set(everything.skipped) == {c.name for c in table()}
    with pytest.raises(UnknownNameError, match=r"did you mean 'babble-10'.*white-20"):
        choose(table(), ["bable-10"])


def test_names_are_unique_and_what_was_asked_for_is_there() -> None:
    names = [condition.name for condition in table()]
    assert len(set(names)) == len(names) and names[0] == "clean"
    asked = {(f, db) for f in ("white", "babble", "recorded-like") for db in (20, 10, 5, 0)}
    asked |= {("reverberation", s) for s in (0.3, 0.6, 1.0)} | {("telephone", 8000), ("mp3", 32)}
    asked |= {(f, x) for f in ("speed", "tempo") for x in (0.9, 1.1)} | {("gain", -20), ("gain", 20)}
    assert asked <= {(condition.family, condition.level) for condition in table()}
