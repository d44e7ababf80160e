"""Dense layers that every frame of an encoder's states goes through by itself."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class FrameLayers(nn.Module):
    """Normalisation of an encoder's numbers, which are of any size; then dense layers, each with its own.

    While they learn, frames are the rows of one matrix, which a processor has sooner done.

    Args:
        width: D, numbers of a frame.
        hidden: those behind each layer, one or more.
        dropout: the share of them that is dropped behind each layer in training.

    Shape: (batch, D, T) -> (batch, last of hidden, T).
    """

    def __init__(self, width: int, hidden: Sequence[int], dropout: float = 0.1) -> None:
        super().__init__()
        self.width = hidden[-1]
        self.normalise = nn.BatchNorm1d(width)
        self.layers = nn.Sequential()
        for inside, out in zip((width, *hidden), hidden, strict=False):
            self.layers.extend(
                (nn.Conv1d(inside, out, 1, bias=False), nn.BatchNorm1d(out), nn.ReLU(), nn.Dropout(dropout))
            )

    def forward(self, states: Tensor) -> Tensor:
        """What the layers make of each frame."""
        if not self.training:
            made: Tensor = self.layers(self.normalise(states))
            return made
        batch, width, frames = states.shape
        rows = states.transpose(1, 2).reshape(-1, width).float()
        first, *rest = self.layers
        assert isinstance(first, nn.Conv1d)
        if rows.requires_grad:
            rows = functional.linear(self.normalise(rows), first.weight[..., 0])
        else:
            rows = _normalised_then_dense(rows, self.normalise, first.weight[..., 0])
        for layer in rest:
            if isinstance(layer, nn.Conv1d):
                rows = functional.linear(rows, layer.weight[..., 0])
            else:
                rows = layer(rows)
        return rows.reshape(batch, frames, -1).transpose(1, 2)


def _normalised_then_dense(rows: Tensor, norm: nn.BatchNorm1d, weight: Tensor) -> Tensor:
    """A dense layer behind batch normalisation in training, of rows (n, D) that nothing in front learns from.

    The layer carries the normalisation's factor, whose gradient is then a sum over its weights: nothing of
    the size of the rows is computed for it.
    """
    with torch.no_grad():
        mean = rows.mean(0)
        centred = rows - mean
        variance = centred.square().mean(0)
        if norm.running_mean is not None and norm.running_var is not None:
            assert norm.num_batches_tracked is not None
            norm.num_batches_tracked += 1
            share = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
            norm.running_mean.lerp_(mean, share)
            norm.running_var.lerp_(variance * (len(rows) / max(len(rows) - 1, 1)), share)
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    return functional.linear(centred, weight * scale, weight @ norm.bias)
