"""Mixup against its equation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vocemo.lab.augment.mixup import Mixture, draw_mixture


def test_two_clips_are_mixed_by_their_shares() -> None:
    features = torch.randn(3, 2, 5, 7, generator=torch.Generator().manual_seed(0))
    frames = torch.tensor([7, 3, 5])
    mixture = Mixture(np.array([1, 2, 0]), np.array([0.75, 0.5, 1.0], np.float32))
    mixed, longest = mixture.features(features, frames)
    for clip, (partner, share) in enumerate([(1, 0.75), (2, 0.5), (0, 1.0)]):
        expected = share * features[clip] + (1 - share) * features[partner]
        torch.testing.assert_close(mixed[clip], expected)
    assert longest.tolist() == [7, 5, 7]


def test_shares_are_drawn_from_the_larger_part_of_a_beta() -> None:
    mixture = draw_mixture(np.random.default_rng(0), 20_000, 0.3)
    assert sorted(mixture.partners) == list(range(20_000))
    drawn = np.random.default_rng(1).beta(0.3, 0.3, 20_000)
    assert mixture.shares.mean() == pytest.approx(np.maximum(drawn, 1 - drawn).mean(), abs=0.01)
