"""Mixup against its equation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from vocemo.lab.augment.mixup import Mixture, draw_mixture


def test_two_clips_are_mixed_by_their_shares() -> None:
    features = torch.randn(3, 2, 5, 7, generator=torch.Generator().manual_seed(0))
    frames, targets = torch.tensor([7, 3, 5]), torch.tensor([0, 3, 1])
    mixture = Mixture(np.array([1, 2, 0]), np.array([0.75, 0.5, 1.0], np.float32))
    mixed, longest = mixture.features(features, frames)
    shares = mixture.targets(targets, 4)
    for clip, (partner, share) in enumerate([(1, 0.75), (2, 0.5), (0, 1.0)]):
        expected = share * features[clip] + (1 - share) * features[partner]
        torch.testing.assert_close(mixed[clip], expected)
        wanted = torch.zeros(4)
        wanted[targets[clip]] += share
        wanted[targets[partner]] += 1 - share
        torch.testing.assert_close(shares[clip], wanted)
    assert longest.tolist() == [7, 5, 7]


def test_the_loss_of_a_mixture_is_the_mixture_of_the_losses() -> None:
    logits = torch.randn(6, 8, generator=torch.Generator().manual_seed(1))
    targets = torch.tensor([0, 1, 2, 3, 4, 5])
    mixture = draw_mixture(np.random.default_rng(2), 6, 0.4)
    mixed = functional.cross_entropy(logits, mixture.targets(targets, 8), label_smoothing=0.1)
    own, other = (
        functional.cross_entropy(logits, each, label_smoothing=0.1, reduction="none")
        for each in (targets, targets[torch.from_numpy(mixture.partners)])
    )
    shares = torch.from_numpy(mixture.shares)
    torch.testing.assert_close(mixed, (shares * own + (1 - shares) * other).mean())


def test_shares_are_drawn_from_the_larger_part_of_a_beta() -> None:
    mixture = draw_mixture(np.random.default_rng(0), 20_000, 0.3)
    assert sorted(mixture.partners) == list(range(20_000))
    drawn = np.random.default_rng(1).beta(0.3, 0.3, 20_000)
    assert mixture.shares.mean() == pytest.approx(np.maximum(drawn, 1 - drawn).mean(), abs=0.01)
