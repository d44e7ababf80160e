"""The convolutional encoder of EfficientAT: a MobileNetV3 of width 0.4 over log-mel spectrograms.

Fifteen inverted residual blocks: a pointwise convolution widens, a depthwise one looks around, squeeze and
excitation weighs the channels, another pointwise one narrows. They were taught to tag the sounds of AudioSet
by transformers. Here the padding of a batch is not heard: before each convolution that looks around it is set
to zero, as at a clip's own end, and what the excitation averages are the clip's own frames.

Howard et al. (2019), "Searching for MobileNetV3", table 1 (large); Schmid, Koutini & Widmer (2023),
"Efficient Large-Scale Audio Tagging Via Transformer-To-CNN Knowledge Distillation", ICASSP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocemo.errors import UsageError
from vocemo.lab.models.encoders.encoder import ENCODERS, Credit, StagedEncoder, States
from vocemo.lab.models.encoders.partway import Partway
from vocemo.lab.models.encoders.state_dict import load_published
from vocemo.lab.models.excitation import Excitation
from vocemo.lab.models.masking import frame_mask
from vocemo.lab.models.normalised_convolution import NormalisedConvolution

BANDS = 128
WIDTH = 0.4
STEM = 16  # filters of the first convolution at width 1
LAST = 6  # the last pointwise convolution widens the last block's channels by this
SQUEEZE = 4  # the excitation's hidden layer narrows the channels by this
EPSILON, MOMENTUM = 1e-3, 0.01  # of batch normalisation
FIRST_STATE = 3  # of features 0 to 16: those before hear less than 120 ms and know little of a voice


@dataclass(frozen=True)
class Bottleneck:
    """A row of the paper's table 1: channels are those of width 1."""

    kernel: int
    widened: int
    out: int
    excited: bool
    hard_swish: bool
    stride: int


LARGE = (
    Bottleneck(3, 16, 16, False, False, 1),
    Bottleneck(3, 64, 24, False, False, 2),
    Bottleneck(3, 72, 24, False, False, 1),
    Bottleneck(5, 72, 40, True, False, 2),
    Bottleneck(5, 120, 40, True, False, 1),
    Bottleneck(5, 120, 40, True, False, 1),
    Bottleneck(3, 240, 80, False, True, 2),
    Bottleneck(3, 200, 80, False, True, 1),
    Bottleneck(3, 184, 80, False, True, 1),
    Bottleneck(3, 184, 80, False, True, 1),
    Bottleneck(3, 480, 112, True, True, 1),
    Bottleneck(3, 672, 112, True, True, 1),
    Bottleneck(5, 672, 160, True, True, 2),
    Bottleneck(5, 960, 160, True, True, 1),
    Bottleneck(5, 960, 160, True, True, 1),
)


def scaled(channels: float, width: float = 1.0) -> int:
    """Channels at a width: the nearest multiple of 8, at least 8, never less than nine tenths of them.

    >>> [scaled(channels, 0.4) for channels in (16, 24, 184, 960)]
    [8, 16, 72, 384]
    """
    wanted = channels * width
    nearest = max(8, int(wanted + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * wanted else nearest + 8


@ENCODERS.register("efficientat-mn04")
class EfficientAt(StagedEncoder):
    """`mn04_as`, behind the front end `efficientat-mel`: features (batch, 1, 128, T), 32 kHz.

    Its one state are the outputs of blocks 3 to 15 and of the last convolution, each its mean over the bands
    and over the stretch of a frame of the last: 864 numbers, about 3 frames a second. With `depth` it ends
    after so many of its stages: 14, with the last halving of bands and frames, have 43 % of the parameters.
    With `maps` its state is the output of the last stage alone, each of its bands by itself: 384 numbers
    behind 13 stages, about 6 frames a second.
    """

    layers = 1
    weights_expected: ClassVar[str] = (
        "the state dict mn04_as_mAP_432.pt, as github.com/fschmid56/EfficientAT publishes it (v0.0.1)"
    )

    def __init__(self, *, channels: int, bands: int, depth: int | None = None, maps: bool = False) -> None:
        super().__init__()
        if (channels, bands) != (1, BANDS):
            raise UsageError(
                f"encoder efficientat-mn04 takes 1 channel of {BANDS} bands, not {channels} of {bands}: "
                "set front_end.name=efficientat-mel"
            )
        inside = scaled(STEM, WIDTH)
        features: list[nn.Module] = [_convolve(1, inside, 3, stride=2, then=nn.Hardswish())]
        for row in LARGE:
            features.append(_Block(inside, row))
            inside = scaled(row.out, WIDTH)
        features.append(_convolve(inside, LAST * inside, 1, then=nn.Hardswish()))
        depth = len(features) if depth is None else depth
        if isinstance(depth, bool) or not isinstance(depth, int) or not FIRST_STATE < depth <= len(features):
            raise UsageError(
                f"model.encoder_depth is {depth!r}; valid: {FIRST_STATE + 1} to {len(features)} stages"
            )
        self.features = nn.ModuleList(features[:depth])
        self.maps = maps
        if maps:
            self.width = _channels(self.features[-1]) * (BANDS // _rates(self.features)[-1])
        else:
            self.width = sum(_channels(each) for each in self.features[FIRST_STATE:])
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.zeros_(module.bias)

    def first(self, features: Tensor, lengths: Tensor, stages: int) -> Partway:
        """What the first so many stages make of features: maps (batch, D, bands, frames) and their states."""
        x, mask, states = self._through(features, lengths, 0, stages)
        left = _rates(self.features)[-1] // _rates(self.features)[stages - 1] if stages else 1
        said = [] if not states else [(torch.cat(states, dim=1), mask[:, 0, 0, ::left].sum(1).long())]
        return Partway(x, mask[:, 0, 0].sum(1).long(), tuple(said))

    def rest(self, partway: Partway, stages: int) -> States:
        """States, from what the first so many stages made."""
        x, mask, states = self._through(partway.x, partway.frames, stages, len(self.features))
        if self.maps:
            return States(x.flatten(1, 2).unsqueeze(1), mask[:, 0, 0].sum(1).long())
        passed = [x for x, _ in partway.states]
        if self.training:  # clips put side by side afterwards may have lost frames that are none's own
            passed = [functional.pad(x, (0, mask.shape[-1] - x.shape[-1])) for x in passed]
        last = mask[:, 0, 0].sum(1).long()
        return States(torch.cat([*passed, *states], dim=1).unsqueeze(1), last)

    def _through(
        self, x: Tensor, lengths: Tensor, start: int, stop: int
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Behind the stages from start to stop: maps, their own frames, and what each stage says."""
        x = x.contiguous(memory_format=torch.channels_last)
        mask, states = frame_mask(lengths, x.shape[-1])[:, None, None, :], list[Tensor]()
        # Each halving rounds up, so that what a frame of the last stands for is a whole number of frames.
        rates = _rates(self.features)
        for number, layer in enumerate(self.features[start:stop], start):
            if isinstance(layer, _Block):
                x, mask = layer(x, mask)
            else:
                x = layer(x * mask)
                mask = mask[..., :: 2 if number == 0 else 1]
            if number >= FIRST_STATE and not self.maps:
                states.append(_stretch_means(x.mean(dim=2), mask[:, 0], rates[-1] // rates[number]))
        return x, mask, states

    def give_up(self, stages: int) -> None:
        """Keep no weights of the first so many stages."""
        for number in range(stages):
            self.features[number] = _GivenUp(self.features[number])

    def stages(self) -> Sequence[nn.Module]:
        """The first convolution, the fifteen blocks and the last convolution."""
        return tuple(self.features)

    def load(self, path: Path) -> None:
        """Read the state dict; its classifier over AudioSet's tags and stages past `depth` are not used."""
        kept = [place for place, each in enumerate(self.features) if not isinstance(each, _GivenUp)]
        unused = tuple(f"features.{place}." for place in range(len(LARGE) + 2) if place not in kept)
        load_published(
            self, path, self.weights_expected, lambda name: None if name.startswith(unused) else _name(name)
        )

    def credit(self, path: Path) -> Credit:
        """That of the published weights, whatever the file is called."""
        return Credit(
            "MIT for the encoder that it was made from (EfficientAT)",
            "EfficientAT mn04_as, copyright (c) 2022 Florian Schmid, MIT licence; F. Schmid, K. Koutini and "
            "G. Widmer, Efficient Large-Scale Audio Tagging Via Transformer-To-CNN Knowledge Distillation, "
            "ICASSP 2023",
        )


class _GivenUp(nn.Module):
    """In the place of a stage that another encoder has: what must be known of it, and no weights."""

    def __init__(self, stage: nn.Module) -> None:
        super().__init__()
        self.stride = stage.stride if isinstance(stage, _Block) else 1


class _Block(nn.Module):
    def __init__(self, inside: int, row: Bottleneck) -> None:
        super().__init__()
        widened, out = scaled(row.widened, WIDTH), scaled(row.out, WIDTH)
        self.stride, self.adds = row.stride, row.stride == 1 and inside == out
        kind = nn.Hardswish if row.hard_swish else nn.ReLU
        steps: list[nn.Module] = []
        if widened != inside:
            steps.append(_convolve(inside, widened, 1, then=kind()))
        self.looks_around = len(steps)
        steps.append(_convolve(widened, widened, row.kernel, stride=row.stride, groups=widened, then=kind()))
        if row.excited:
            steps.append(Excitation(widened, scaled(widened // SQUEEZE)))
        steps.append(_convolve(widened, out, 1))
        self.block = nn.ModuleList(steps)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        before = x
        for number, step in enumerate(self.block):
            if number == self.looks_around:
                x = step(x * mask)
                # Kernels are odd and centred: output i stands at input stride * i, a clip's own with it.
                mask = mask[..., :: self.stride]
            else:
                x = step(x, mask) if isinstance(step, Excitation) else step(x)
        return (x + before if self.adds else x), mask


def _name(published: str) -> str | None:
    """A tensor's name here: the published network could hold several excitations side by side."""
    return None if published.startswith("classifier.") else published.replace(".conc_se_layers.0.", ".")


def _convolve(
    inside: int, out: int, kernel: int, *, stride: int = 1, groups: int = 1, then: nn.Module | None = None
) -> NormalisedConvolution:
    steps: list[nn.Module] = [
        nn.Conv2d(inside, out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out, EPSILON, MOMENTUM),
    ]
    return NormalisedConvolution(*steps, *([] if then is None else [then]))


def _channels(layer: nn.Module) -> int:
    """What a block or a convolution gives."""
    norms = [module for module in layer.modules() if isinstance(module, nn.BatchNorm2d)]
    return norms[-1].num_features


def _rates(layers: nn.ModuleList) -> list[int]:
    """Input frames to one output frame, behind each layer."""
    rates, rate = [], 2
    for layer in layers:
        rate *= layer.stride if isinstance(layer, _Block | _GivenUp) else 1
        rates.append(rate)
    return rates


def _stretch_means(x: Tensor, mask: Tensor, length: int) -> Tensor:
    """Means over stretches of so many frames, of a clip's own among them; the last may be shorter.

    Shape: (batch, D, T), mask (batch, 1, T) -> (batch, D, T / length rounded up).
    """
    if length == 1:
        return x * mask
    sums, counts = (
        functional.avg_pool1d(functional.pad(each, (0, length - 1)), length, length)
        for each in (x * mask, mask)
    )
    return sums / counts.clamp(min=0.5 / length)
