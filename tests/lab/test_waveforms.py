"""The store of prepared clips: the same in any order, place and memory, and heard as the predictor hears."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fabricate
import fabricate_bundle
from vocemo import audio
from vocemo.bundle import Bundle
from vocemo.errors import CorpusError
from vocemo.lab import augment
from vocemo.lab.corpora import Clip, read
from vocemo.lab.dataset import answering_batches, collate
from vocemo.lab.disk_cache import DiskCache
from vocemo.lab.waveforms import Samples, Waveforms
from vocemo.prepare import Preparation, prepare
from vocemo.runtime.predictor import Predictor

RATE_HZ = 16_000
PREPARATION = Preparation(trim_below_peak_db=40.0, level="rms", max_length_s=1.0)
POOLED = augment.chain(
    [{"name": "pitch-shift", "semitones": 2.0, "p": 0.7}, {"name": "speed", "min_rate": 0.8, "max_rate": 1.2}]
)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Clip, ...]:
    root = fabricate.ravdess(
        tmp_path_factory.mktemp("ravdess"), 2, ("speech",), clips_per_emotion=1, seconds=0.4
    )
    return read(f"ravdess:{root}").clips[:6]


def recording(
    path: Path, samples: np.ndarray, sample_rate: int = RATE_HZ, *, known: bool = True, **more: Any
) -> Clip:
    """A clip of these samples, its length known or not."""
    audio.write(path, samples.astype(np.float32), sample_rate, encoding="FLOAT")
    duration_s = len(samples) / sample_rate if known else None
    return Clip(path, "folder", "happy", "folder/ann", duration_s=duration_s, **more)


def voice(seconds: float, sample_rate: int = RATE_HZ, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return fabricate.voice("happy", 1, True, rng, seconds=seconds, sample_rate=sample_rate)


def all_of(store: Waveforms, clips: tuple[Clip, ...]) -> list[Samples]:
    return [store.variant(clip, number) for clip in clips for number in range(3)]


def equal(one: list[Samples], other: list[Samples]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_clip_is_prepared_as_for_an_answer(clips: tuple[Clip, ...]) -> None:
    store = Waveforms(PREPARATION)
    for clip in clips:
        decoded = audio.decode(clip.path)
        expected = prepare(decoded.samples, decoded.sample_rate, PREPARATION).samples
        assert np.array_equal(store.clip(clip), expected)
        assert store.variant(clip, 0) is store.clip(clip)


def test_variants_differ_from_each_other_and_from_the_clip(clips: tuple[Clip, ...]) -> None:
    made = all_of(Waveforms(PREPARATION, POOLED), clips)
    assert not any(np.array_equal(a, b) for n, a in enumerate(made) for b in made[:n])
    assert all(each.dtype == np.float32 and np.isfinite(each).all() for each in made)


def test_a_clip_that_is_a_copy_is_that_variant_and_varied_no_further(clips: tuple[Clip, ...]) -> None:
    store = Waveforms(PREPARATION, POOLED)
    copy = replace(clips[0], variant=2)
    assert copy.key != clips[0].key
    expected = store.variant(clips[0], 2)
    for heard in (store.clip(copy), store.variant(copy, 0), store.variant(copy, 1), *store.heard(copy)):
        assert np.array_equal(heard, expected)
    assert np.array_equal(Waveforms(PREPARATION).clip(copy), store.clip(clips[0]))
    short = Waveforms(replace(PREPARATION, length_s=0.2), POOLED)
    assert all(len(short.clip(replace(clip, variant=n))) <= 3_200 for clip in clips for n in range(4))


def test_without_pooled_transforms_every_variant_is_the_clip(clips: tuple[Clip, ...]) -> None:
    store = Waveforms(PREPARATION)
    assert store.variant(clips[0], 3) is store.clip(clips[0])


def test_variants_do_not_depend_on_the_order_of_asking(clips: tuple[Clip, ...]) -> None:
    backwards = Waveforms(PREPARATION, POOLED)
    for clip in reversed(clips):
        for number in (2, 1):
            backwards.variant(clip, number)
    assert equal(all_of(backwards, clips), all_of(Waveforms(PREPARATION, POOLED), clips))


def test_variants_do_not_depend_on_the_folder(clips: tuple[Clip, ...], tmp_path: Path) -> None:
    moved = []
    for clip in clips:
        shutil.copy(clip.path, tmp_path / clip.path.name)
        moved.append(replace(clip, path=tmp_path / clip.path.name))
    here, there = Waveforms(PREPARATION, POOLED), Waveforms(PREPARATION, POOLED)
    assert equal(all_of(here, clips), all_of(there, tuple(moved)))


def test_each_clip_is_decoded_once(clips: tuple[Clip, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[Path] = []
    decode = audio.decode

    def counted(path: Path) -> audio.Audio:
        decoded.append(path)
        return decode(path)

    monkeypatch.setattr(audio, "decode", counted)
    store = Waveforms(PREPARATION, POOLED)
    first, again = all_of(store, clips), all_of(store, clips)
    assert all(a is b for a, b in zip(first, again, strict=True))
    assert sorted(decoded) == sorted(clip.path for clip in clips)


@pytest.mark.parametrize("memory_bytes", [0, 2**30])
def test_a_cache_on_the_disk_changes_nothing_and_is_read(
    clips: tuple[Clip, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory_bytes: int
) -> None:
    expected = all_of(Waveforms(PREPARATION, POOLED), clips)

    def kept() -> Waveforms:
        return Waveforms(PREPARATION, POOLED, memory_bytes=memory_bytes, disk=DiskCache(tmp_path, 10**9))

    assert equal(all_of(kept(), clips), expected)
    entries = sorted(tmp_path.rglob("*.npy"))
    assert len(entries) == 3 * len(clips)
    monkeypatch.setattr(audio, "decode", lambda path: pytest.fail(f"{path} was decoded"))
    assert equal(all_of(kept(), clips), expected)
    for clip in clips:
        assert equal(list(kept().heard(clip)), [kept().clip(clip)])
    monkeypatch.undo()
    entries[0].write_bytes(entries[0].read_bytes()[:-50])
    assert equal(all_of(kept(), clips), expected)
    assert sorted(tmp_path.rglob("*.npy")) == entries


def test_on_the_disk_other_settings_have_entries_of_their_own(
    clips: tuple[Clip, ...], tmp_path: Path
) -> None:
    louder = replace(PREPARATION, level_db=-20.0)
    other = augment.chain([{"name": "gain", "min_db": 3.0}])
    for preparation, pooled in ((PREPARATION, POOLED), (louder, POOLED), (PREPARATION, other)):
        disk = DiskCache(tmp_path, 10**9)
        kept = all_of(Waveforms(preparation, pooled, disk=disk), clips)
        assert equal(kept, all_of(Waveforms(preparation, pooled), clips))


def test_equal_names_in_other_folders_are_varied_apart(tmp_path: Path) -> None:
    gain = augment.chain([{"name": "gain"}])
    for speaker in ("ann", "bob"):
        (tmp_path / "happy" / speaker).mkdir(parents=True)
        audio.write(tmp_path / "happy" / speaker / "1.wav", voice(0.5).astype(np.float32), RATE_HZ)
    store = Waveforms(Preparation(), gain)
    ann, bob = read(f"folder:{tmp_path}").clips
    assert np.array_equal(store.clip(ann), store.clip(bob))
    assert not np.array_equal(store.variant(ann, 1), store.variant(bob, 1))


def test_a_ravdess_clips_variants_are_those_of_its_name_alone(clips: tuple[Clip, ...]) -> None:
    # Recordings whose name is theirs alone keep the variants that earlier trainings heard.
    store = Waveforms(PREPARATION, POOLED)
    seed = hashlib.sha256(f"ravdess|{clips[0].path.name}|None".encode()).digest()[:8]
    rng = np.random.default_rng([int.from_bytes(seed, "little"), 2])
    assert np.array_equal(store.variant(clips[0], 2), POOLED(store.clip(clips[0]), RATE_HZ, rng))


@pytest.mark.parametrize("memory_bytes", [0, 30_000, 60_000])
def test_the_memory_has_a_bound_and_changes_nothing_that_is_heard(
    clips: tuple[Clip, ...], memory_bytes: int
) -> None:
    bounded = Waveforms(PREPARATION, POOLED, memory_bytes=memory_bytes)
    expected = all_of(Waveforms(PREPARATION, POOLED), clips)
    assert equal(all_of(bounded, clips), expected)
    again = all_of(bounded, clips)
    assert equal(again, expected)
    third = all_of(bounded, clips)
    kept = [a for a, b in zip(again, third, strict=True) if a is b]
    assert sum(each.nbytes for each in kept) <= memory_bytes
    assert len(kept) < len(third)
    assert bool(kept) == (memory_bytes > 0)


def test_threads_share_a_store(clips: tuple[Clip, ...]) -> None:
    store = Waveforms(PREPARATION, POOLED)
    made: list[list[Samples]] = []
    threads = [threading.Thread(target=lambda: made.append(all_of(store, clips))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = all_of(Waveforms(PREPARATION, POOLED), clips)
    assert len(made) == 4 and all(equal(each, expected) for each in made)


@pytest.mark.parametrize(
    ("start_s", "end_s"), [(0.0, 0.5), (0.25, 0.75), (0.5, None), (None, 0.5), (0.1, 9.0)]
)
def test_a_part_is_what_a_file_of_its_own_would_be(
    tmp_path: Path, start_s: float | None, end_s: float | None
) -> None:
    rate, samples = 22_050, voice(1.0, 22_050)
    start = round((start_s or 0) * rate)
    stop = None if end_s is None else round(end_s * rate)
    part = recording(tmp_path / "whole.wav", samples, rate, start_s=start_s, end_s=end_s)
    cut = recording(tmp_path / "cut.wav", samples[start:stop], rate)
    store = Waveforms(PREPARATION)
    assert np.array_equal(store.clip(part), store.clip(cut))


def test_parts_of_one_recording_are_told_apart(tmp_path: Path) -> None:
    whole = recording(tmp_path / "whole.wav", voice(1.0))
    parts = [replace(whole, start_s=s, end_s=s + 0.4) for s in (0.1, 0.100_1, 0.3)]
    parts += [replace(whole, start_s=0.1), replace(whole, end_s=0.4), whole]
    store = Waveforms(Preparation())
    made = [store.clip(part) for part in parts]
    assert not any(np.array_equal(a, b) for n, a in enumerate(made) for b in made[:n])
    hours_in = replace(whole, start_s=12_345.61, end_s=12_346.0)
    assert hours_in.key != replace(hours_in, start_s=12_345.64).key


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    broken = Clip(tmp_path / "broken.wav", "folder", "happy", "folder/ann")
    broken.path.write_bytes(b"no sound")
    beyond = recording(tmp_path / "short.wav", voice(0.5, 44_100), 44_100, start_s=3.0, end_s=4.0)
    store = Waveforms(PREPARATION)
    for clip in (broken, beyond):
        for ask in (store.clip, store.heard):
            with pytest.raises(CorpusError, match=clip.path.name):
                ask(replace(clip, duration_s=None))


class Listener:
    """A bundle that remembers each row that it is given, and answers with the row's number."""

    path = Path("listener.onnx")

    def __init__(self, preparation: Preparation) -> None:
        self.info = fabricate_bundle.info(preparation=preparation)
        self.rows: list[Samples] = []
        self.widths: set[int] = set()

    def run(self, samples: np.ndarray, lengths: np.ndarray) -> dict[str, np.ndarray]:
        self.widths.add(samples.shape[1])
        answers = np.zeros((len(samples), len(self.info.emotions)))
        for answer, row, length in zip(answers, samples, lengths, strict=True):
            answer[:2] = len(self.rows) / 1000, 1 - len(self.rows) / 1000
            self.rows.append(row[:length].copy())
        return {"probabilities": answers}


def as_answered(clip: Clip, preparation: Preparation) -> tuple[list[Samples], set[int]]:
    """What the predictor's answer to a recording is made of, and how wide its model's inputs were."""
    listener: Any = Listener(preparation)
    bundle: Bundle = listener
    said = Predictor(bundle).predict(clip.path)
    first = bundle.info.emotions[0]
    numbers = [segment.probabilities[first] for segment in said.segments] or [said.probabilities[first]]
    return [listener.rows[round(1000 * number)] for number in numbers], listener.widths


Sound = Callable[[int], np.ndarray]


def _with_gap(rate: int) -> np.ndarray:
    """A sound whose second and third window hold silence, and what is too soft to matter."""
    samples = voice(4.5, rate)
    samples[rate : 2 * rate] = 0.0
    samples[2 * rate : 3 * rate] *= 0.003
    return samples


SOUNDS: dict[str, Sound] = {
    "short": lambda rate: voice(0.6, rate),
    "just one window": lambda rate: voice(1.0, rate)[:rate],
    "a sample more": lambda rate: np.append(voice(1.0, rate)[:rate], np.zeros(4)),
    "two and a half windows": lambda rate: voice(2.5, rate),
    "silent and soft windows": _with_gap,
    "a click in silence": lambda rate: np.concatenate([np.zeros(2 * rate), [0.9], np.zeros(2 * rate)]),
}
PREPARATIONS = {
    "trimmed and levelled": PREPARATION,
    "as it is": Preparation(max_length_s=1.0),
    "with an offset": replace(PREPARATION, offset_s=0.3),
    "of fixed length": replace(PREPARATION, length_s=0.8),
    "of fixed length, the window longer": replace(PREPARATION, length_s=1.5, crop="start"),
}


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("how", PREPARATIONS)
@pytest.mark.parametrize("rate_hz", [RATE_HZ, 44_100])
@pytest.mark.parametrize("known", [True, False])
def test_clips_of_any_length_are_heard_as_the_predictor_hears_them(
    tmp_path: Path, sound: str, how: str, rate_hz: int, known: bool
) -> None:
    preparation = PREPARATIONS[how]
    clip = recording(tmp_path / "clip.wav", SOUNDS[sound](rate_hz), rate_hz, known=known)
    answered, widths = as_answered(clip, preparation)
    heard = Waveforms(preparation).heard(clip)
    assert [len(each) for each in heard] == [len(each) for each in answered]
    for ours, theirs in zip(heard, answered, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    if preparation.length is not None:
        batch = collate(heard, [0] * len(heard), range(len(heard)), preparation.length)
        assert {batch.samples.shape[1]} == widths


def test_of_silence_a_window_stands_in(tmp_path: Path) -> None:
    clip = recording(tmp_path / "silence.wav", np.zeros(3 * RATE_HZ))
    (heard,) = Waveforms(PREPARATION).heard(clip)
    assert len(heard) == RATE_HZ and not heard.any()


def test_a_long_clip_has_a_row_a_window(tmp_path: Path) -> None:
    long = recording(tmp_path / "long.wav", voice(2.5))
    short = recording(tmp_path / "short.wav", voice(0.5))
    store = Waveforms(Preparation(max_length_s=1.0))
    batches = list(answering_batches((long, short), ("sad", "happy"), store, batch_size=3))
    assert sorted(row for batch in batches for row in batch.rows) == [0, 0, 0, 1]
    assert [len(batch.rows) for batch in batches] == [3, 1]
    assert batches[0].rows[0] == 1  # by length
    assert {int(target) for batch in batches for target in batch.targets} == {1}


def test_windows_are_kept_like_clips(tmp_path: Path) -> None:
    clip = recording(tmp_path / "long.wav", voice(2.5))
    store = Waveforms(PREPARATION)
    assert all(a is b for a, b in zip(store.heard(clip), store.heard(clip), strict=True))
