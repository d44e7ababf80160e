"""A residual network over a picture of the voice, each clip heard at its own length.

Blocks of two convolutions with squeeze and excitation; each group of blocks after the first halves bands and
frames. Bands and channels of a frame are then put side by side and narrowed, and of the frames attention
takes the mean and the deviation.

He et al. (2016), "Identity Mappings in Deep Residual Networks"; Hu et al. (2018); the pooling: Okabe et al.
(2018).
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from vocemo.errors import UsageError
from vocemo.lab.models.excitation import Excitation
from vocemo.lab.models.layout import channels_last
from vocemo.lab.models.masking import frame_mask
from vocemo.lab.models.output import Output
from vocemo.lab.models.pooling import StatisticsPooling
from vocemo.lab.models.registry import MODELS

STRIDES = (1, 2, 3, 4)  # of the first convolution
SQUEEZE = 8  # the excitation's hidden layer narrows the channels by this


@MODELS.register("residual-cnn")
class ResidualCnn(nn.Module):
    """Features (batch, channels, bands, frames) -> emotions.

    `widths` are the filters of the groups of blocks, `depth` the blocks of each, `hidden` the numbers of a
    frame behind them. `stride` is that of the first convolution over bands and frames: pictures of high
    resolution cost less by a longer one. `pooling` is attentive or statistics; `dropout` the share of the
    pooled numbers that is dropped in training, `block_dropout` that of whole channels between the groups.
    """

    def __init__(
        self,
        *,
        channels: int,
        bands: int,
        frames: int | None,
        emotions: int,
        widths: Sequence[int] = (32, 64, 128),
        depth: int = 2,
        stride: Sequence[int] = (2, 2),
        hidden: int = 192,
        pooling: str = "attentive",
        dropout: float = 0.4,
        block_dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if not widths or depth < 1:
            raise UsageError(f"residual-cnn with widths {list(widths)} and depth {depth}; valid: one or more")
        if len(stride) != 2 or any(step not in STRIDES for step in stride):
            raise UsageError(f"residual-cnn with stride {list(stride)}; valid: two of {list(STRIDES)}")
        # Odd and centred, and wide enough that neighbours overlap.
        kernel = (2 * max(stride[0], 2) + 1, 2 * max(stride[1], 2) + 1)
        self.stride = int(stride[1])
        self.stem = nn.Conv2d(
            channels,
            widths[0],
            kernel,
            stride=(stride[0], stride[1]),
            padding=(kernel[0] // 2, kernel[1] // 2),
            bias=False,
        )
        blocks: list[nn.Module] = []
        inside = widths[0]
        for group, width in enumerate(widths):
            for place in range(depth):
                step = 2 if group and not place else 1
                blocks.append(_Block(inside, width, step, block_dropout if not place else 0.0))
                inside = width
        self.blocks = nn.ModuleList(blocks)
        left = -(-bands // stride[0])
        for _ in widths[1:]:  # each group but the first halves, rounding up
            left = -(-left // 2)
        self.normalise = nn.BatchNorm2d(inside)
        self.narrow = nn.Sequential(
            nn.Conv1d(inside * left, hidden, 1, bias=False), nn.BatchNorm1d(hidden), nn.SiLU()
        )
        self.pool = StatisticsPooling(hidden, pooling)
        self.embed = nn.BatchNorm1d(2 * hidden)
        self.drop = nn.Dropout(dropout)
        self.classify = nn.Linear(2 * hidden, emotions)

    def forward(self, features: Tensor, lengths: Tensor) -> Output:
        """Features (batch, channels, bands, frames), valid frames (batch,) -> Output."""
        mask = frame_mask(lengths, features.shape[-1])[:, None, None, :]
        x = self.stem(channels_last(features) * mask)
        mask = mask[..., :: self.stride].to(x.dtype)  # a product with float32 would leave half width behind
        for block in self.blocks:
            x, mask = block(x, mask)
        x = nn.functional.silu(self.normalise(x))
        states = self.narrow(x.flatten(1, 2))
        own = mask[:, 0, 0]
        pooled, attention = self.pool(states, own.sum(1).long())
        embedding = self.embed(pooled)
        return Output(self.classify(self.drop(embedding)), embedding, attention)


class _Block(nn.Module):
    """Normalise, rectify, convolve, twice, and add what came in."""

    def __init__(self, inside: int, out: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.stride = stride
        self.first = nn.BatchNorm2d(inside)
        self.convolve = nn.Conv2d(inside, out, 3, stride, 1, bias=False)
        self.second = nn.BatchNorm2d(out)
        self.drop = nn.Dropout2d(dropout)
        self.again = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.excite = Excitation(out, max(out // SQUEEZE, 4))
        self.shorten = nn.Conv2d(inside, out, 1, bias=False) if stride > 1 or inside != out else None

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        # What a convolution reads past a clip's end is 0, as at the end of the batch.
        ready = nn.functional.silu(self.first(x)) * mask
        if self.shorten is not None:
            # Means over what is left out, and not every other value alone.
            x = self.shorten(_halved(ready) if self.stride > 1 else ready)
        after = mask[..., :: self.stride]
        y = nn.functional.silu(self.second(self.convolve(ready))) * after
        y = self.again(self.drop(y))
        return x + self.excite(y, after), after


def _halved(x: Tensor) -> Tensor:
    """Means of 2 by 2, beside a last odd row or frame a zero, whatever batch it is in."""
    return nn.functional.avg_pool2d(nn.functional.pad(x, (0, 1, 0, 1)), 2)
