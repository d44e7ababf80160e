"""CNN over mel spectrograms of any length, in blocks of convolution, normalisation, pooling and dropout.

The mean and the maximum over time at each band stand where a fixed size would be flattened: one clip at its
own length, a padded batch, or images of one size all go in.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vocemo.lab.models.layout import channels_last
from vocemo.lab.models.masking import even, frame_mask, masked_max, masked_mean
from vocemo.lab.models.output import Output
from vocemo.lab.models.registry import MODELS


@MODELS.register("mel-cnn")
class MelCnn(nn.Module):
    """Features (batch, channels, bands, frames) -> emotions.

    `widths` are the blocks' filters, `hidden` the dense layer's neurons, `dropout` the share that is dropped
    in training before each dense layer (half as much between the blocks).
    """

    def __init__(
        self,
        *,
        channels: int,
        bands: int,
        frames: int | None,
        emotions: int,
        widths: Sequence[int] = (16, 32, 64),
        hidden: int = 64,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        ins = (channels, *widths[:-1])
        self.convolutions = nn.ModuleList(
            nn.Conv2d(i, o, 3, padding=1, bias=False) for i, o in zip(ins, widths, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths)
        self.pool = nn.MaxPool2d(2)
        self.drop = nn.Dropout2d(dropout / 2)
        inputs = 2 * widths[-1] * (bands // 2 ** len(widths))
        self.dense = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(dropout)
        )
        self.classify = nn.Linear(hidden, emotions)

    def forward(self, features: Tensor, lengths: Tensor) -> Output:
        """Features (batch, channels, bands, frames), valid frames (batch,) -> Output."""
        mask = frame_mask(lengths, features.shape[-1])[:, None, None, :]
        x = channels_last(features * mask)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = torch.relu(norm(convolution(x))) * mask
            x, mask = self.drop(self.pool(even(x))), self.pool(even(mask.expand(-1, -1, 2, -1)))
        statistics = torch.cat([masked_mean(x, mask), masked_max(x, mask)], dim=1)  # (batch, 2 width, bands)
        embedding = self.dense(statistics.flatten(1))
        return Output(self.classify(embedding), embedding)
