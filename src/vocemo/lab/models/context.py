"""What a frame means by the frames around it: convolutions over the states of an encoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vocemo.lab.models.masking import frame_mask


class Context(nn.Module):
    """An encoder's states, and beside them what convolutions over their frames make of them.

    An encoder's frame hears a fifth of a second; how a voice rises, falls and hurries takes longer. The
    states are normalised, since an encoder's numbers are of any size; each layer behind the first is added to
    what it begins with (He et al. 2016). What lies past a clip's own frames is set to zero before each layer.

    Args:
        width: D, numbers of a frame.
        channels: C, what each layer gives.
        layers: how many.
        kernel: frames that a layer sees at once, odd.

    Shape: (batch, D, T), frames (batch,) -> (batch, D + C, T).

    Source: Waibel et al. (1989), "Phoneme Recognition Using Time-Delay Neural Networks"; as Snyder et al.
    (2018), "X-Vectors", have them in front of statistics pooling.
    """

    def __init__(self, width: int, channels: int, layers: int = 1, kernel: int = 5) -> None:
        super().__init__()
        self.width = width + channels
        self.normalise = nn.BatchNorm1d(width)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(channels if number else width, channels, kernel, padding=kernel // 2, bias=False),
                nn.BatchNorm1d(channels),
                nn.ReLU(),
            )
            for number in range(layers)
        )

    def forward(self, states: Tensor, frames: Tensor) -> Tensor:
        """The states, and their context behind them."""
        own = frame_mask(frames, states.shape[-1])[:, None]
        x = self.normalise(states.float()) * own
        for number, layer in enumerate(self.layers):
            made = layer(x).float() * own
            x = x + made if number else made
        return torch.cat([states.float(), x], dim=1)
