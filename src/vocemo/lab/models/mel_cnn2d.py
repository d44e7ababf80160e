"""2-D CNN over a spectrogram image of one size: three convolutions, two fully connected layers, an output."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from vocemo.lab.models.layout import channels_last
from vocemo.lab.models.masking import frame_mask
from vocemo.lab.models.output import Output
from vocemo.lab.models.registry import MODELS, fixed


@MODELS.register("mel-cnn2d")
class MelCnn2d(nn.Module):
    """Features (batch, channels, bands, frames), all of one length -> emotions.

    `widths` are the convolutions' filters, each 3 x 3 with ReLU, max pooling by 2 and dropout; `hidden` are
    the fully connected layers, with ReLU and dropout between; `dropout` is the share that is dropped in
    training, and `drop_between` that between the convolutions.
    """

    def __init__(
        self,
        *,
        channels: int,
        bands: int,
        frames: int | None,
        emotions: int,
        widths: Sequence[int] = (32, 32, 32),
        hidden: Sequence[int] = (128, 7),
        dropout: float = 0.3,
        drop_between: float = 0.1,
    ) -> None:
        super().__init__()
        length = fixed(frames, "mel-cnn2d")
        blocks: list[nn.Module] = []
        for before, width in zip((channels, *widths[:-1]), widths, strict=True):
            blocks += [
                nn.Conv2d(before, width, 3, padding=1),
                nn.ReLU(),
                nn.MaxPool2d(2),
                nn.Dropout(drop_between),
            ]
            bands, length = bands // 2, length // 2
        self.blocks = nn.Sequential(*blocks)
        dense: list[nn.Module] = []
        inputs = widths[-1] * bands * length
        for width in hidden:
            dense += [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(dropout)]
            inputs = width
        self.dense = nn.Sequential(*dense[:-1])  # the last layer's few neurons are all needed
        self.classify = nn.Linear(inputs, emotions)

    def forward(self, features: Tensor, lengths: Tensor) -> Output:
        """Features (batch, channels, bands, frames), valid frames (batch,) -> Output."""
        mask = frame_mask(lengths, features.shape[-1])[:, None, None, :]
        embedding = self.dense(self.blocks(channels_last(features * mask)).flatten(1))
        return Output(self.classify(embedding), embedding)
