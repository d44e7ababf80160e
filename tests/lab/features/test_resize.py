"""Resizing in time is torch's own linear interpolation, clip by clip."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vocemo.lab.features import ResizeTime


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.integers(1, 50), st.integers(0, 2**31 - 1))
def test_each_clip_is_interpolated_as_it_is_alone(lengths: list[int], frames: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(len(lengths), 3, max(lengths) + 2, generator=generator)
    found = ResizeTime(frames)(features, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        expected = torch.nn.functional.interpolate(
            features[row : row + 1, :, :length], size=frames, mode="linear", align_corners=False
        )
        torch.testing.assert_close(found[row], expected[0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("frames", [1, 7])
def test_as_many_frames_as_there_are_change_nothing(frames: int) -> None:
    features = torch.randn(2, 4, frames)
    resized = ResizeTime(frames)(features, torch.tensor([frames, frames]))
    torch.testing.assert_close(resized, features)
