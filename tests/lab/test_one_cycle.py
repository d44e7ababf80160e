"""One cycle of the learning rate against torch's own."""

from __future__ import annotations

import pytest
import torch

from vocemo.lab import one_cycle


@pytest.mark.parametrize("warm_up", [0.1, 0.3])
def test_it_is_torchs_one_cycle(warm_up: float) -> None:
    steps = 200
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    # torch places the peak at the step warm_up * steps - 1, and the end at steps - 1.
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.5, total_steps=steps, pct_start=warm_up, cycle_momentum=False
    )
    peak = warm_up * steps - 1
    for step in range(steps):
        progress = (
            warm_up * step / peak
            if step < peak
            else warm_up + (1 - warm_up) * (step - peak) / (steps - 1 - peak)
        )
        wanted = optimizer.param_groups[0]["lr"]
        assert one_cycle.rate(0.5, progress, warm_up) == pytest.approx(wanted, rel=1e-6, abs=1e-9)
        optimizer.step()
        if step < steps - 1:
            schedule.step()


def test_without_warm_up_it_begins_at_its_highest() -> None:
    assert one_cycle.rate(0.3, 0.0, 0.0) == 0.3
