"""CNN-LSTM over a sequence of MFCCs: two 2-D convolutions, an LSTM over time, a fully connected layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vocemo.lab.models.layout import channels_last
from vocemo.lab.models.lstm import Lstm
from vocemo.lab.models.masking import even, frame_mask
from vocemo.lab.models.output import Output
from vocemo.lab.models.registry import MODELS


@MODELS.register("mfcc-cnn-lstm")
class MfccCnnLstm(nn.Module):
    """Features (batch, channels, bands, frames) -> emotions, read from the LSTM's last state of a clip.

    `widths` are the convolutions' filters, each 3 x 3 with ReLU, max pooling by 2 and dropout; `state` the
    LSTM's units, `hidden` the fully connected layer's, `dropout` the share that is dropped in training, and
    `drop_between` that between the convolutions.
    """

    def __init__(
        self,
        *,
        channels: int,
        bands: int,
        frames: int | None,
        emotions: int,
        widths: Sequence[int] = (32, 32),
        state: int = 100,
        hidden: int = 128,
        dropout: float = 0.3,
        drop_between: float = 0.1,
    ) -> None:
        super().__init__()
        ins = (channels, *widths[:-1])
        self.convolutions = nn.ModuleList(
            nn.Conv2d(i, o, 3, padding=1) for i, o in zip(ins, widths, strict=True)
        )
        self.pool = nn.MaxPool2d(2)
        self.drop = nn.Dropout(drop_between)
        self.lstm = Lstm(widths[-1] * (bands // 2 ** len(widths)), state)
        self.dense = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(state, hidden), nn.ReLU(), nn.Dropout(dropout)
        )
        self.classify = nn.Linear(hidden, emotions)

    def forward(self, features: Tensor, lengths: Tensor) -> Output:
        """Features (batch, channels, bands, frames), valid frames (batch,) -> Output."""
        mask = frame_mask(lengths, features.shape[-1])[:, None, None, :]
        x = channels_last(features * mask)
        for convolution in self.convolutions:
            x = torch.relu(convolution(x)) * mask
            x, mask = self.drop(self.pool(even(x))), self.pool(even(mask.expand(-1, -1, 2, -1)))
        own = mask[:, 0, 0, :].sum(1).long().clamp(min=1)
        states = self.lstm(x.flatten(1, 2).transpose(1, 2), own)  # (batch, frames, state)
        state = states.gather(1, (own - 1)[:, None, None].expand(-1, 1, states.shape[2]))[:, 0]
        embedding = self.dense(state)
        return Output(self.classify(embedding), embedding)
