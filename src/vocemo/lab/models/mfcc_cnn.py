"""1-D CNN over the MFCCs of each frame.

Convolution over time with ReLU, max pooling and dropout, then a dense layer with softmax. Before that stands
the mean and the maximum over time, so that clips of any length go in, and the padding of a batch is masked.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vocemo.lab.models.masking import even, frame_mask, masked_max, masked_mean
from vocemo.lab.models.output import Output
from vocemo.lab.models.registry import MODELS


@MODELS.register("mfcc-cnn")
class MfccCnn(nn.Module):
    """Features (batch, channels, bands, frames) -> emotions; channels and bands are the convolution's inputs.

    `widths` are the convolutions' filters, `kernel` their frames, `dropout` the share that is dropped in
    training behind each and before the dense layer.
    """

    def __init__(
        self,
        *,
        channels: int,
        bands: int,
        frames: int | None,
        emotions: int,
        widths: Sequence[int] = (64, 128, 256),
        kernel: int = 5,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise ValueError("a kernel of odd length keeps a frame in its place")
        ins = (channels * bands, *widths[:-1])
        self.convolutions = nn.ModuleList(
            nn.Conv2d(i, o, (1, kernel), padding=(0, kernel // 2)) for i, o in zip(ins, widths, strict=True)
        )
        self.pool = nn.MaxPool2d((1, 2))
        self.drop = nn.Dropout(dropout)
        self.classify = nn.Linear(2 * widths[-1], emotions)

    def forward(self, features: Tensor, lengths: Tensor) -> Output:
        """Features (batch, channels, bands, frames), valid frames (batch,) -> Output."""
        # One row of an image: convolutions in two dimensions have the quicker kernels.
        mask = frame_mask(lengths, features.shape[-1])[:, None, None, :]
        x = features.flatten(1, 2).unsqueeze(2) * mask
        for convolution in self.convolutions:
            x = torch.relu(convolution(x)) * mask
            # A pooled frame counts where any of its frames did; padded ones are 0 and lose every maximum.
            x, mask = self.drop(self.pool(even(x))), self.pool(even(mask))
        embedding = torch.cat([masked_mean(x, mask), masked_max(x, mask)], dim=1).flatten(1)
        return Output(self.classify(embedding), embedding)
