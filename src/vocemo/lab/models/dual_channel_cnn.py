"""Two-channel CNN: MFCC and mel spectrogram side by side as the channels of one image.

Three blocks of convolution, batch normalisation, ReLU and max pooling, then fully connected layers
with dropout. Between them stands, in place of a flattening that would tie the network to one length,
the mean and the maximum over time at each band: any length goes in, and the padding of a batch
changes nothing, since each block's output is masked to the clip's own frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vocemo.lab.models.layout import channels_last
from vocemo.lab.models.masking import even, frame_mask, masked_max, masked_mean
from vocemo.lab.models.output import Output
from vocemo.lab.models.registry import MODELS


@MODELS.register("dual-channel-cnn")
class DualChannelCnn(nn.Module):
    """Features (batch, 2, bands, frames) -> emotions.

    `widths` are the blocks' filters, `hidden` the neurons of the fully connected layer, `dropout` the share
    of them that is dropped in training (half as much between the blocks).
    """

    def __init__(
        self,
        *,
        channels: int,
        bands: int,
        frames: int | None,
        emotions: int,
        widths: Sequence[int] = (32, 64, 128),
        hidden: int = 256,
        dropout: float = 0.4,
    ) -> None:
        super().__init__()
        ins = (channels, *widths[:-1])
        self.blocks = nn.ModuleList(_Block(i, o, dropout / 2) for i, o in zip(ins, widths, strict=True))
        pooled_bands = bands // 2 ** len(widths)
        self.hidden = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(2 * widths[-1] * pooled_bands, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
        )
        self.classify = nn.Linear(hidden, emotions)

    def forward(self, features: Tensor, lengths: Tensor) -> Output:
        """Features (batch, channels, bands, frames), valid frames (batch,) -> Output."""
        x = channels_last(features)
        mask = frame_mask(lengths, features.shape[-1])[:, None, None, :]
        x = x * mask
        for block in self.blocks:
            x, mask = block(x, mask)
        statistics = torch.cat([masked_mean(x, mask), masked_max(x, mask)], dim=1)  # (batch, 2 width, bands)
        embedding = self.hidden(statistics.flatten(1))
        return Output(self.classify(embedding), embedding)


class _Block(nn.Module):
    def __init__(self, channels_in: int, channels_out: int, dropout: float) -> None:
        super().__init__()
        self.convolve = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
        self.normalise = nn.BatchNorm2d(channels_out)
        self.pool = nn.MaxPool2d(2, ceil_mode=False)
        self.drop = nn.Dropout2d(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.relu(self.normalise(self.convolve(x))) * mask
        # A pooled frame counts where any of its frames did; padded ones are 0 and lose every maximum.
        return self.drop(self.pool(even(x))), self.pool(even(mask.expand(-1, -1, 2, -1)))
