"""Noise from files: the ratio asked for, excerpts from everywhere, a wrong folder known at once."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocemo import audio
from vocemo.errors import UsageError
from vocemo.lab import recipe as recipes
from vocemo.lab import recipe_check
from vocemo.lab.augment import BackgroundNoise, BackgroundNoiseParameters, chain
from vocemo.lab.augment.add_noise import active_power
from vocemo.lab.augment.background_noise import excerpt

RATE_HZ = 16_000


def hiss(seconds: float, seed: int = 0, sample_rate: int = RATE_HZ) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(round(seconds * sample_rate))
    return (0.05 * noise).astype(np.float32)


@pytest.fixture(scope="module")
def noises(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("noises")
    (folder / "city").mkdir()
    audio.write(folder / "long.wav", hiss(4.0, 1), RATE_HZ, encoding="FLOAT")
    audio.write(folder / "city" / "short.flac", hiss(0.3, 2, 44_100), 44_100)
    audio.write(folder / ".hidden.wav", hiss(0.3, 3), RATE_HZ)
    (folder / "LICENCE.txt").write_text("free for all\n")
    return folder


def tone(level: float = 0.3) -> np.ndarray:
    return (level * np.sin(np.arange(RATE_HZ) * 0.2)).astype(np.float32)


@pytest.mark.parametrize("name", ["long.wav", "city/short.flac"])
@given(snr_db=st.floats(-10, 40), start=st.floats(0, 1, exclude_max=True), level=st.floats(1e-3, 1))
def test_measured_ratio_is_the_one_asked_for(
    noises: Path, name: str, snr_db: float, start: float, level: float
) -> None:
    made = BackgroundNoise(str(noises))
    noisy = made.apply(tone(level), RATE_HZ, BackgroundNoiseParameters(snr_db, name, start))
    noise = noisy.astype(float) - tone(level)
    measured_db = 10 * np.log10(active_power(tone(level), RATE_HZ) / np.mean(noise**2))
    assert measured_db == pytest.approx(snr_db, abs=0.1)


def test_what_is_added_is_a_stretch_of_the_recording(noises: Path) -> None:
    made = BackgroundNoise(str(noises))
    noise = made.apply(tone(), RATE_HZ, BackgroundNoiseParameters(0.0, "long.wav", 0.5)) - tone()
    whole = hiss(4.0, 1)
    place = int(0.5 * (len(whole) - RATE_HZ + 1))
    assert np.corrcoef(noise, whole[place : place + RATE_HZ])[0, 1] > 0.9999


def test_a_recording_at_another_rate_is_resampled(noises: Path) -> None:
    made = BackgroundNoise(str(noises))
    noise = made.apply(tone(), RATE_HZ, BackgroundNoiseParameters(0.0, "city/short.flac", 0.0)) - tone()
    resampled = audio.decode(noises / "city" / "short.flac", RATE_HZ).samples
    assert np.corrcoef(noise[: len(resampled)], resampled)[0, 1] > 0.9999
    again = noise[len(resampled) : 2 * len(resampled)]  # repeated where it is over
    assert np.corrcoef(again, resampled)[0, 1] > 0.9999


@given(st.integers(1, 40), st.integers(1, 60), st.floats(0, 1, exclude_max=True))
def test_an_excerpt_runs_through_the_recording_in_order(recorded: int, length: int, start: float) -> None:
    taken = excerpt(np.arange(recorded, dtype=np.float32), length, start)
    assert len(taken) == length
    steps = np.diff(taken) % recorded
    assert (steps == (1 % recorded)).all()
    if length <= recorded:
        assert (np.diff(taken) == 1).all()  # never from its end to its beginning where it is long enough


def test_every_recording_and_every_place_is_drawn(noises: Path) -> None:
    made, rng = BackgroundNoise(str(noises), 5.0, 10.0), np.random.default_rng(0)
    drawn = [made.draw(rng) for _ in range(200)]
    assert {d.recording for d in drawn} == {"long.wav", "city/short.flac"}
    assert min(d.start for d in drawn) < 0.05 and max(d.start for d in drawn) > 0.95
    assert all(5 <= d.snr_db <= 10 for d in drawn)


def test_a_silent_recording_adds_nothing(tmp_path: Path) -> None:
    audio.write(tmp_path / "silence.wav", np.zeros(RATE_HZ, np.float32), RATE_HZ)
    varied = chain([{"name": "background-noise", "folder": str(tmp_path)}])
    assert np.array_equal(varied(tone(), RATE_HZ, np.random.default_rng(0)), tone())


def test_each_recording_is_decoded_once_for_all(noises: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[Path] = []
    decode = audio.decode

    def counted(path: Path, sample_rate: int) -> audio.Audio:
        decoded.append(path)
        return decode(path, sample_rate)

    monkeypatch.setattr(audio, "decode", counted)
    table = {"name": "background-noise", "folder": str(noises)}
    for seed in range(30):
        chain([table])(tone(), 11_025, np.random.default_rng(seed))
    assert sorted(decoded) == sorted([noises / "long.wav", noises / "city" / "short.flac"])


def test_the_identity_of_a_chain_holds_what_the_files_hold(tmp_path: Path) -> None:
    def identity() -> str:
        return chain([{"name": "background-noise", "folder": str(tmp_path)}]).identity

    audio.write(tmp_path / "a.wav", hiss(0.2, 1), RATE_HZ)
    first = identity()
    assert identity() == first
    audio.write(tmp_path / "a.wav", hiss(0.2, 2), RATE_HZ)
    os.utime(tmp_path / "a.wav", ns=(1, 1))
    other = identity()
    assert other != first
    (tmp_path / "a.wav").rename(tmp_path / "b.wav")
    assert identity() not in (first, other)
    gains = [chain([{"name": "gain", "max_db": db}]).identity for db in (3.0, 4.0)]
    assert gains[0] != gains[1]


@pytest.mark.parametrize(
    ("folder", "said"),
    [("", "folder is ''"), ("missing", "no folder 'missing'"), ("empty", "no recording in 'empty'")],
)
@pytest.mark.parametrize("when", ["pooled", "live"])
def test_a_wrong_folder_is_known_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, said: str, when: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no sound")
    table = f"augmentation.{when}=[{{name='background-noise', folder='{folder}'}}]"
    with pytest.raises(UsageError, match=said):
        recipe_check.check(recipes.load("dual-channel-cnn", [table]))


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    audio.write(tmp_path / "a.wav", hiss(0.2), RATE_HZ)
    (tmp_path / "moved.wav").symlink_to(tmp_path / "no-longer-there.wav")
    made = BackgroundNoise(str(tmp_path))
    assert made.draw(np.random.default_rng(0)).recording == "a.wav"
    assert len(made.content) == 64


def test_a_recording_that_went_away_is_named(tmp_path: Path) -> None:
    audio.write(tmp_path / "a.wav", hiss(0.2), RATE_HZ)
    vary = chain([{"name": "background-noise", "folder": str(tmp_path)}])
    (tmp_path / "a.wav").unlink()
    with pytest.raises(UsageError, match=r"noise .*a\.wav cannot be used"):
        vary(tone(), RATE_HZ, np.random.default_rng(0))
