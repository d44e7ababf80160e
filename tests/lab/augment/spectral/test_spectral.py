"""Spectral augmentations: each against its equation, and all of the registry against what they promise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.augment.spectral import (
    SPECTRAL_AUGMENTATIONS,
    BandMask,
    BandWarp,
    BandWarpParameters,
    Equaliser,
    EqualiserParameters,
    TimeMask,
    TimeWarp,
    TimeWarpParameters,
    spectral_chain,
)

BANDS, WIDTH = 24, 60
FRAMES = torch.tensor([60, 1, 37, 12])


def features_of(seed: int = 0) -> torch.Tensor:
    """Features as a front end gives them: 0 past a clip's end."""
    generator = torch.Generator().manual_seed(seed)
    own = torch.arange(WIDTH) < FRAMES[:, None]
    return torch.randn(len(FRAMES), 2, BANDS, WIDTH, generator=generator) * own[:, None, None, :]


def test_there_is_something_to_test() -> None:
    assert len(SPECTRAL_AUGMENTATIONS) >= 5


@pytest.mark.parametrize("name", list(SPECTRAL_AUGMENTATIONS))
@given(seed=st.integers(0, 2**32 - 1))
def test_shapes_stay_padding_stays_zero_and_what_was_given_is_left(name: str, seed: int) -> None:
    features = features_of()
    before, frames = features.clone(), FRAMES.clone()
    vary = spectral_chain([{"name": name}])
    varied, now = vary(features, frames, np.random.default_rng(seed))
    assert torch.equal(features, before)
    assert torch.equal(frames, FRAMES)
    assert varied.shape == features.shape
    assert varied.dtype == features.dtype
    assert torch.isfinite(varied).all()
    assert ((now >= 1) & (now <= WIDTH)).all()
    past = torch.arange(WIDTH) >= now[:, None]
    assert not varied.masked_select(past[:, None, None, :]).any()
    again, _ = vary(features, frames, np.random.default_rng(seed))
    assert torch.equal(varied, again)


@pytest.mark.parametrize("name", list(SPECTRAL_AUGMENTATIONS))
def test_it_changes_something_and_with_p_0_nothing(name: str) -> None:
    features = features_of()
    changed, _ = spectral_chain([{"name": name}])(features, FRAMES, np.random.default_rng(3))
    assert not torch.equal(changed, features)
    left, frames = spectral_chain([{"name": name, "p": 0}])(features, FRAMES, np.random.default_rng(3))
    assert torch.equal(left, features)
    assert torch.equal(frames, FRAMES)


def test_p_is_how_many_clips_get_it_and_changes_nothing_in_what_others_draw() -> None:
    features = torch.ones(4000, 1, 4, 3)
    frames = torch.full((4000,), 3)
    often = {"name": "equaliser", "waves": 1}
    varied, _ = spectral_chain([{**often, "p": 0.3}])(features, frames, np.random.default_rng(0))
    hit = (varied != features).flatten(1).any(1)
    assert hit.float().mean().item() == pytest.approx(0.3, abs=0.03)
    always, _ = spectral_chain([often])(features, frames, np.random.default_rng(0))
    assert torch.equal(varied[hit], always[hit])


def test_pictures_above_each_other_are_varied_apart_and_by_the_same_draws() -> None:
    tables = [{"name": name, "p": 0.8} for name in SPECTRAL_AUGMENTATIONS]
    vary, features = spectral_chain(tables), features_of()
    cut = BANDS // 3
    parts = (slice(0, cut), slice(cut, BANDS))
    together, frames = vary(features, FRAMES, np.random.default_rng(5), parts)
    for part in parts:
        alone, own = vary(features[:, :, part], FRAMES, np.random.default_rng(5))
        torch.testing.assert_close(together[:, :, part], alone)
        assert torch.equal(frames, own)


@given(scale=st.floats(0.6, 1.4), shift=st.floats(-8, 8))
def test_a_band_warp_reads_between_bands_as_numpy_does(scale: float, shift: float) -> None:
    features = features_of()[:1]
    drawn = BandWarpParameters(np.array([scale], np.float32), np.array([shift / BANDS], np.float32))
    warped, _ = BandWarp().apply(features, FRAMES[:1], drawn)
    places = np.float32(scale) * np.arange(BANDS, dtype=np.float32) + np.float32(shift)
    for channel in range(2):
        for frame in (0, 31, 59):
            column = features[0, channel, :, frame].numpy()
            expected = np.interp(places, np.arange(BANDS), column)
            np.testing.assert_allclose(warped[0, channel, :, frame], expected, atol=2e-5)


@given(rate=st.floats(0.5, 2.0))
def test_a_time_warp_reads_between_frames_as_numpy_does_up_to_the_clips_own_end(rate: float) -> None:
    features = features_of()
    drawn = TimeWarpParameters(np.full(len(FRAMES), rate, np.float32))
    warped, now = TimeWarp(0.25, 4.0).apply(features, FRAMES, drawn)
    for clip, length in enumerate(FRAMES.tolist()):
        expected_frames = min(max(round(length / float(np.float32(rate))), 1), WIDTH)
        assert abs(int(now[clip]) - expected_frames) <= 1  # a half may be rounded either way
        places = np.float32(rate) * np.arange(int(now[clip]), dtype=np.float32)
        row = features[clip, 1, 5, :length].numpy()
        expected = np.interp(places, np.arange(length), row)
        np.testing.assert_allclose(warped[clip, 1, 5, : int(now[clip])], expected, atol=1e-4)


def test_an_equaliser_adds_a_sum_of_cosines_to_every_own_frame() -> None:
    features = features_of()
    amplitudes = np.random.default_rng(1).normal(size=(len(FRAMES), 3)).astype(np.float32)
    equal, _ = Equaliser(waves=3).apply(features, FRAMES, EqualiserParameters(amplitudes))
    band = np.arange(BANDS)
    for clip, length in enumerate(FRAMES.tolist()):
        curve = sum(amplitudes[clip, k] * np.cos(np.pi * k * (band + 0.5) / BANDS) for k in range(3))
        added = (equal - features)[clip, 0, :, :length]
        np.testing.assert_allclose(added, np.repeat(curve[:, None], length, 1), atol=1e-5)


def test_an_equaliser_deviates_as_much_as_it_says() -> None:
    features = torch.zeros(3000, 1, BANDS, 1)
    drawn = Equaliser(deviation=0.5, waves=1).draw(np.random.default_rng(0), 3000)
    equal, _ = Equaliser(waves=1).apply(features, torch.ones(3000, dtype=torch.long), drawn)
    assert equal.std().item() == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("masks", [1, 3])
def test_masks_are_whole_bands_or_frames_no_wider_than_they_may_be(masks: int) -> None:
    features = torch.ones(500, 1, BANDS, WIDTH)
    frames = torch.full((500,), 40)
    rng = np.random.default_rng(0)
    mask = BandMask(max_share=6 / BANDS, masks=masks)
    by_band, _ = mask.apply(features, frames, mask.draw(rng, 500))
    by_time, _ = TimeMask(max_share=0.25, masks=masks).apply(
        features, frames, TimeMask(0.25, masks).draw(rng, 500)
    )
    bands = by_band[:, 0] == 0
    assert torch.equal(bands.all(2), bands.any(2))
    assert 0 < int(bands.all(2).sum(1).max()) <= 6 * masks
    times = by_time[:, 0] == 0
    assert torch.equal(times.all(1), times.any(1))
    assert 0 < int(times.all(1).sum(1).max()) <= 10 * masks
    assert not times[:, :, 40:].any()  # where the clip has ended there is nothing to mask
    if masks == 1:  # one stretch each
        edges = torch.diff(bands.all(2).int(), dim=1).abs().sum(1)
        assert int(edges.max()) <= 2
        # Widths are uniform from 0 to the widest: half of it on average.
        assert bands.all(2).sum(1).float().mean().item() == pytest.approx(3, abs=0.3)
        assert times.all(1).sum(1).float().mean().item() == pytest.approx(5, abs=0.5)


@pytest.mark.parametrize(
    ("table", "error", "said"),
    [
        ({"name": "time-mask", "share": 0.1}, UnknownNameError, "max_share"),
        ({"name": "time-masks"}, UnknownNameError, "time-mask"),
        ({"name": "noise"}, UnknownNameError, "spectral augmentation"),
        ({}, UsageError, "needs a name"),
        ({"name": "time-mask", "max_share": 1.5}, UsageError, "no range"),
        ({"name": "time-mask", "masks": 0}, UsageError, "1 or more"),
        ({"name": "band-mask", "masks": 1.5}, UsageError, "whole number"),
        ({"name": "band-mask", "masks": 0}, UsageError, "1 or more"),
        ({"name": "equaliser", "waves": 0}, UsageError, "1 or more"),
        ({"name": "time-warp", "min_rate": 1.2, "max_rate": 1.1}, UsageError, "no range"),
        ({"name": "time-warp", "p": 2}, UsageError, "probability"),
    ],
)
def test_what_is_wrong_is_said(table: dict[str, object], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        spectral_chain([table])
