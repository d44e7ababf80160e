"""Features read at places between bands or between frames."""

from __future__ import annotations

import torch
from torch import Tensor


def read_at(features: Tensor, places: Tensor) -> Tensor:
    """Features (batch, channels, rows, T) at places (batch, R) of their rows, linear in between.

    A place beyond the first or the last row is that row.

    Shape: (batch, channels, R, T).

    >>> read_at(torch.tensor([[[[0.0], [10.0]]]]), torch.tensor([[0.25, 7.0]])).flatten()
    tensor([ 2.5000, 10.0000])
    """
    last = features.shape[2] - 1
    places = places.clamp(0, last)
    lower = places.floor().long()
    share = (places - lower)[:, None, :, None].to(features.dtype)
    shape = (features.shape[0], features.shape[1], places.shape[1], features.shape[3])
    below, above = (
        features.gather(2, row[:, None, :, None].expand(shape))
        for row in (lower, (lower + 1).clamp(max=last))
    )
    return torch.lerp(below, above, share)
