"""The average of weights against its equation, written out."""

from __future__ import annotations

import torch

import fabricate_run
from vocemo.lab import network
from vocemo.lab.weight_average import WeightAverage


def test_weights_and_moving_statistics_are_averaged_and_counters_copied() -> None:
    moving = network.build(fabricate_run.recipe(), seed=0)
    average = WeightAverage(moving, decay=0.6)
    expected = {name: value.clone().double() for name, value in moving.state_dict().items()}
    generator = torch.Generator().manual_seed(0)
    for step in range(1, 13):
        for value in moving.state_dict().values():
            value.copy_(
                torch.rand(value.shape, generator=generator)
                if value.is_floating_point()
                else torch.tensor(step)
            )
        average.update(moving)
        decay = min(0.6, (1 + step) / (10 + step))
        for name, value in moving.state_dict().items():
            kept = decay if value.is_floating_point() else 0.0
            expected[name] = kept * expected[name] + (1 - kept) * value.double()
    for name, value in average.network.state_dict().items():
        torch.testing.assert_close(value.double(), expected[name], atol=1e-6, rtol=1e-6)


def test_it_is_never_trained_itself() -> None:
    average = WeightAverage(network.build(fabricate_run.recipe(), seed=0), decay=0.9)
    assert not average.network.training
    assert not any(parameter.requires_grad for parameter in average.network.parameters())
