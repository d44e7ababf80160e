"""Channels weighed by what the whole clip holds."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Excitation(nn.Module):
    """Channels weighed by a sigmoid of their means over the bands and a clip's own frames.

    Args:
        channels: C.
        squeezed: neurons of the hidden layer between means and weights.

    Shape: (batch, C, bands, T), mask (batch, 1, 1, T), 1 for a clip's own frames -> (batch, C, bands, T).

    Source: Hu, Shen & Sun (2018), "Squeeze-and-Excitation Networks", equations 2 to 4.
    """

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, squeezed)
        self.fc2 = nn.Linear(squeezed, channels)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """The weighed channels."""
        means = (x * mask).sum(dim=(2, 3)) / (mask.sum(dim=(2, 3)).clamp(min=1.0) * x.shape[2])
        scale = torch.sigmoid(self.fc2(torch.relu(self.fc1(means))))
        return x * scale[:, :, None, None]
