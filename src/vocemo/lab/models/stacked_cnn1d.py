"""The 7.19 M-parameter 1-D CNN over a stacked feature vector.

Five blocks of convolution with ReLU, batch normalisation and max pooling, dropout behind all but the first
and the third; then a dense layer with ReLU and batch normalisation, and the output. Padding is "same" as
Keras has it, and so are the batch normalisation's constants and the layers' first weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vocemo.lab.models.layout import channels_last
from vocemo.lab.models.output import Output
from vocemo.lab.models.registry import MODELS, fixed

KERAS_EPSILON = 1e-3  # of batch normalisation; torch has 1e-5
STRIDE = 2  # of each pooling


@MODELS.register("stacked-cnn1d")
class StackedCnn1d(nn.Module):
    """Features (batch, channels, 1, frames), all of one length -> emotions.

    `widths`, `kernels`, `pools` and `drops` are the blocks' filters, their lengths, the pooling's lengths and
    the share dropped in training; `hidden` the dense layer's neurons; `momentum` what a step leaves of the
    moving statistics (Keras's sense, 1 less torch's).
    """

    def __init__(
        self,
        *,
        channels: int,
        bands: int,
        frames: int | None,
        emotions: int,
        widths: Sequence[int] = (512, 512, 256, 256, 128),
        kernels: Sequence[int] = (5, 5, 5, 3, 3),
        pools: Sequence[int] = (5, 5, 5, 5, 3),
        drops: Sequence[float] = (0.0, 0.2, 0.0, 0.2, 0.2),
        hidden: int = 512,
        momentum: float = 0.99,
    ) -> None:
        super().__init__()
        length, inputs = fixed(frames, "stacked-cnn1d"), channels * bands
        blocks: list[nn.Module] = []
        for width, kernel, pool, drop in zip(widths, kernels, pools, drops, strict=True):
            blocks.append(_Block(inputs, width, kernel, pool, drop, length, momentum))
            inputs, length = width, -(-length // STRIDE)
        self.blocks = nn.Sequential(*blocks)
        self.dense = nn.Linear(inputs * length, hidden)
        self.normalise = nn.BatchNorm1d(hidden, KERAS_EPSILON, 1 - momentum)
        self.classify = nn.Linear(hidden, emotions)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)  # Glorot & Bengio 2010, Keras's default
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]  # each of these has a bias

    def forward(self, features: Tensor, lengths: Tensor) -> Output:
        """Features (batch, channels, bands, frames), valid frames (batch,) -> Output."""
        # One row of an image: convolutions in two dimensions have the quicker kernels.
        x = channels_last(features.flatten(1, 2).unsqueeze(2))
        embedding = self.normalise(torch.relu(self.dense(self.blocks(x).flatten(1))))
        return Output(self.classify(embedding), embedding)


class _Block(nn.Module):
    def __init__(
        self, inputs: int, width: int, kernel: int, pool: int, drop: float, length: int, momentum: float
    ) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise ValueError("a kernel of odd length keeps a number in its place")
        self.convolve = nn.Conv2d(inputs, width, (1, kernel), padding=(0, kernel // 2))
        self.normalise = nn.BatchNorm2d(width, KERAS_EPSILON, 1 - momentum)
        self.pool = nn.MaxPool2d((1, pool), (1, STRIDE))
        self.drop = nn.Dropout(drop)
        # "same": as many windows as strides fit, what is missing shared between both ends, more behind.
        missing = max((-(-length // STRIDE) - 1) * STRIDE + pool - length, 0)
        self.ends = (missing // 2, missing - missing // 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.normalise(torch.relu(self.convolve(x)))
        x = nn.functional.pad(x, self.ends, value=-torch.inf)  # what is padded wins no maximum
        pooled: Tensor = self.drop(self.pool(x))
        return pooled
