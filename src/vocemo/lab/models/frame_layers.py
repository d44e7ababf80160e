"""Dense layers that every frame of an encoder's states goes through by itself."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class FrameLayers(nn.Module):
    """Normalisation of an encoder's numbers, which are of any size; then dense layers, each with its own.

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
        made: Tensor = self.layers(self.normalise(states))
        return made
