"""Batches: padded, in an order that seed and epoch decide, and nothing lost or written over."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import fabricate
from vocemo.errors import CorpusError
from vocemo.lab import augment
from vocemo.lab.corpora import Clip, read
from vocemo.lab.dataset import Batch, TrainingSet, collate
from vocemo.lab.examples import examples
from vocemo.lab.recipe_options import Enlarge
from vocemo.lab.waveforms import Waveforms
from vocemo.prepare import Preparation

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
LIVE = augment.chain([{"name": "time-shift", "max_shift_s": 0.1}, {"name": "noise", "p": 0.5}])
POOLED = augment.chain([{"name": "gain", "min_db": -12.0, "max_db": -6.0}])
PLAIN = Preparation()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Clip, ...]:
    root = fabricate.ravdess(
        tmp_path_factory.mktemp("ravdess"), 2, ("speech",), clips_per_emotion=1, seconds=0.4
    )
    return read(f"ravdess:{root}").clips


def training(clips: tuple[Clip, ...], **changes: object) -> TrainingSet:
    values = {
        "clips": clips,
        "emotions": EMOTIONS,
        "waveforms": Waveforms(PLAIN, POOLED),
        "pool": 2,
        "live": LIVE,
        "batch_size": 5,
        "crop_s": 0.2,
    }
    return TrainingSet(**(values | changes))


def same(one: list[Batch], other: list[Batch]) -> bool:
    return len(one) == len(other) and all(
        a.rows == b.rows and torch.equal(a.samples, b.samples) and torch.equal(a.lengths, b.lengths)
        for a, b in zip(one, other, strict=True)
    )


def order(batches: list[Batch]) -> list[int]:
    return [row for batch in batches for row in batch.rows]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.integers(0, 80))
def test_a_batch_is_padded_with_zeros_and_says_how_long_each_row_is(lengths: list[int], fixed: int) -> None:
    waves = [np.arange(1, n + 1, dtype=np.float32) for n in lengths]
    fixed_length = fixed if fixed >= max(lengths) else None
    batch = collate(waves, [3] * len(waves), range(len(waves)), fixed_length)
    assert batch.samples.shape == (len(waves), fixed_length or max(lengths))
    assert batch.samples.dtype == torch.float32 and batch.lengths.dtype == torch.int64
    for row, wave in enumerate(waves):
        assert batch.samples[row, : len(wave)].tolist() == wave.tolist()
        assert not batch.samples[row, len(wave) :].any()
    assert batch.lengths.tolist() == lengths
    assert batch.to(torch.device("cpu")).rows == tuple(range(len(waves)))


def test_an_epoch_comes_again_from_its_seed_and_number(clips: tuple[Clip, ...]) -> None:
    first = list(training(clips).epoch(3, 7))
    assert same(list(training(clips).epoch(3, 7)), first)
    for seed, epoch in ((3, 8), (4, 7), (7, 3)):
        other = list(training(clips).epoch(seed, epoch))
        assert order(other) != order(first)
        assert not same(other, first)


def test_an_epoch_does_not_depend_on_those_before(clips: tuple[Clip, ...]) -> None:
    used = training(clips)
    for epoch in (1, 2):
        list(used.epoch(0, epoch))
    broken_off = used.epoch(0, 3)
    next(broken_off)
    broken_off.close()
    assert same(list(used.epoch(0, 3)), list(training(clips).epoch(0, 3)))


@given(count=st.integers(2, 16), batch_size=st.integers(2, 9), epoch=st.integers(1, 5))
def test_every_clip_comes_once_an_epoch_but_a_last_one_alone(
    clips: tuple[Clip, ...], count: int, batch_size: int, epoch: int
) -> None:
    silent = Waveforms(PLAIN)
    made = training(clips[:count], batch_size=batch_size, waveforms=silent, pool=0, live=None)
    batches = list(made.epoch(0, epoch))
    assert len(batches) == len(made)
    seen = order(batches)
    assert len(set(seen)) == len(seen)
    assert len(seen) == (count - 1 if count % batch_size == 1 else count)
    assert all(len(batch.rows) == batch_size for batch in batches[:-1])
    assert len(batches[-1].rows) >= 2
    for batch in batches:
        assert [EMOTIONS[t] for t in batch.targets] == [clips[row].emotion for row in batch.rows]


def test_a_clip_left_out_of_one_epoch_comes_in_another(clips: tuple[Clip, ...]) -> None:
    made = training(clips[:5], batch_size=4)
    seen = {row for epoch in range(1, 20) for row in order(list(made.epoch(0, epoch)))}
    assert seen == set(range(5))


def test_a_crop_is_a_stretch_of_its_clip_and_not_always_the_same(clips: tuple[Clip, ...]) -> None:
    made = training(clips, pool=0, live=None, crop_s=0.2)
    starts = set()
    for epoch in (1, 2):
        for batch in made.epoch(0, epoch):
            assert batch.lengths.tolist() == [3_200] * len(batch.rows)
            for row, samples in zip(batch.rows, batch.samples.numpy(), strict=True):
                whole = made.waveforms.clip(clips[row])
                windows = np.lib.stride_tricks.sliding_window_view(whole, 3_200)
                (found,) = np.flatnonzero((windows == samples).all(axis=1))
                starts.add(int(found))
    assert len(starts) > 20
    assert min(starts) < 700 < 2_500 < max(starts)  # all over the clip: 5,800 to 7,000 samples


def test_without_a_crop_clips_are_whole(clips: tuple[Clip, ...]) -> None:
    for batch in training(clips, pool=0, live=None, crop_s=None).epoch(0, 1):
        for row, length in zip(batch.rows, batch.lengths.tolist(), strict=True):
            assert length == len(Waveforms(PLAIN).clip(clips[row]))


def test_a_fixed_length_is_kept_whatever_augmentation_does(clips: tuple[Clip, ...]) -> None:
    slower = augment.chain([{"name": "speed", "min_rate": 0.5, "max_rate": 0.6}])
    fixed = Waveforms(replace(PLAIN, length_s=0.5), slower)
    lengths = []
    for batch in training(clips, waveforms=fixed, live=None, crop_s=None).epoch(0, 1):
        assert batch.samples.shape[1] == 8_000
        lengths += batch.lengths.tolist()
    assert max(lengths) == 8_000  # a slowed clip is cropped
    assert min(lengths) < 7_100  # one as it is says where its zeros begin


def test_the_clip_itself_is_drawn_as_often_as_each_variant(clips: tuple[Clip, ...]) -> None:
    made = training(clips, live=None, crop_s=None, batch_size=4)
    counts = np.zeros(3)
    for epoch in range(1, 31):
        for batch in made.epoch(0, epoch):
            for row, samples, length in zip(batch.rows, batch.samples, batch.lengths, strict=True):
                variants = [made.waveforms.variant(clips[row], number) for number in range(3)]
                drawn = samples[: int(length)].numpy()
                counts += [np.array_equal(drawn, variant) for variant in variants]
    assert counts.sum() == 30 * len(clips)
    assert (np.abs(counts / counts.sum() - 1 / 3) < 0.1).all()


@pytest.mark.parametrize("enlarge", ["all", "balance"])
def test_an_enlarged_epoch_holds_each_shape_once(clips: tuple[Clip, ...], enlarge: Enlarge) -> None:
    some = clips[:7]  # of unequal emotions
    made = training(some, live=None, crop_s=None, batch_size=2, enlarge=enlarge)
    wanted = Counter((e.row, e.variant) for e in examples([c.emotion for c in some], 2, enlarge))
    heard: Counter[tuple[int, int]] = Counter()
    batches = list(made.epoch(0, 1))
    assert len(batches) == len(made)
    for batch in batches:
        assert [EMOTIONS[t] for t in batch.targets] == [some[row].emotion for row in batch.rows]
        for row, samples, length in zip(batch.rows, batch.samples, batch.lengths, strict=True):
            shapes = [made.waveforms.variant(some[row], number) for number in range(8)]
            (number,) = [
                n for n, shape in enumerate(shapes) if np.array_equal(shape, samples[: int(length)].numpy())
            ]
            heard[row, number] += 1
    assert heard == wanted or wanted - heard == Counter([(wanted - heard).popitem()[0]])  # a last one alone
    assert same(list(made.epoch(0, 1)), batches)
    assert order(list(made.epoch(0, 2))) != order(batches)


def test_a_balanced_epoch_comes_in_whole_batches(clips: tuple[Clip, ...]) -> None:
    some = (*clips[:6], clips[-1])
    made = training(some, sampling="balanced", batch_size=3)
    batches = list(made.epoch(0, 1))
    assert len(batches) == len(made)
    heard = Counter(some[row].emotion for row in order(batches))
    assert sum(heard.values()) >= sum(made.counts.values()) - 1
    assert max(made.counts.values()) == min(made.counts.values())
    assert same(list(made.epoch(0, 1)), batches)
    assert not same(list(made.epoch(0, 2)), batches)


def test_what_is_kept_is_never_written_over(clips: tuple[Clip, ...]) -> None:
    made = training(clips, crop_s=None)
    before = [made.waveforms.variant(c, n).copy() for c in clips for n in range(3)]
    for epoch in (1, 2, 3):
        for batch in made.epoch(0, epoch):
            batch.samples.fill_(9.0)
    after = [made.waveforms.variant(c, n) for c in clips for n in range(3)]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_label_that_the_recipe_does_not_know_is_named(clips: tuple[Clip, ...]) -> None:
    with pytest.raises(CorpusError, match=r"labelled '.*'; the recipe's emotions are happy, sad"):
        list(training(clips, emotions=("happy", "sad")).epoch(0, 1))


def test_a_clip_that_cannot_be_read_is_named_from_the_other_thread(
    clips: tuple[Clip, ...], tmp_path: Path
) -> None:
    lost = replace(clips[0], path=tmp_path / "lost.wav")
    with pytest.raises(CorpusError, match=r"lost\.wav"):
        list(training((lost, *clips)).epoch(0, 1))


def test_a_batch_says_what_its_clips_corpora_tell_where_that_is_asked_for(clips: tuple[Clip, ...]) -> None:
    few = tuple(replace(clip, corpus="other") for clip in clips if clip.emotion in ("happy", "sad")) + tuple(
        clip for clip in clips if clip.emotion not in ("sad",)
    )
    for batch in training(few, own_emotions=True).epoch(0, 1):
        for row, told in zip(batch.rows, batch.told, strict=True):
            silent = [e for e, is_told in zip(EMOTIONS, told, strict=True) if not is_told]
            others = [e for e in EMOTIONS if e not in ("happy", "sad")]
            assert silent == (others if few[row].corpus == "other" else ["sad"])
    assert all(batch.told is None for batch in training(few).epoch(0, 1))
