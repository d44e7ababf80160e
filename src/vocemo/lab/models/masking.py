"""Padding that cannot be heard: masks over frames and statistics over a clip's own frames."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def frame_mask(lengths: Tensor, frames: int) -> Tensor:
    """1 for a clip's own frames and 0 for its padding: lengths (batch,) -> (batch, frames) float32.

    >>> frame_mask(torch.tensor([1, 3]), 3)
    tensor([[1., 0., 0.],
            [1., 1., 1.]])
    """
    return (torch.arange(frames, device=lengths.device) < lengths.unsqueeze(1)).float()


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean over a clip's own frames: x (batch, ..., frames), mask (batch, 1..., frames) -> (batch, ...)."""
    return (x * mask).sum(-1) / mask.sum(-1).clamp(min=1.0)


def masked_max(x: Tensor, mask: Tensor) -> Tensor:
    """Maximum over a clip's own frames: x (batch, ..., frames), mask (batch, 1..., frames) -> (batch, ...).

    For x >= 0, as after a rectifier, padding set to 0 can never win over a frame that counts.
    """
    return (x * mask).amax(-1)


def even(x: Tensor) -> Tensor:
    """One frame of padding more: x (..., frames) -> (..., frames + 1).

    Pooling by 2 then never loses a clip's last frame, whatever batch it is in.
    """
    return functional.pad(x, (0, 1))


def means_over(x: Tensor, frames: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Means over a clip's own of every `count` frames: (batch, numbers, T), (batch,) -> the same.

    What is left at the end is left out; a clip of less than one such stretch has one.

    >>> means_over(torch.tensor([[[1.0, 3.0, 5.0, 7.0, 9.0]]]), torch.tensor([5]), 2)
    (tensor([[[2., 6., 9.]]]), tensor([2]))
    """
    own = frame_mask(frames, x.shape[-1])[:, None]
    sums = functional.avg_pool1d(functional.pad(x * own, (0, count - 1)), count)
    counted = functional.avg_pool1d(functional.pad(own, (0, count - 1)), count)
    means = sums / counted.clamp(min=1 / count)
    return means, torch.div(frames, count, rounding_mode="floor").clamp(min=1)
