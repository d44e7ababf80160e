"""The convolutional encoder of BYOL-S, which taught itself on the speech of AudioSet.

Three convolutions with pooling, then a frame's bands and channels side by side through two dense layers. It
was taught to see two halves of the same sound, each with other sounds mixed in, as alike (Grill et al. 2020).
Here the padding of a batch is not heard: it is set to zero before each convolution, as at a clip's own end.

Niizumi et al. (2021), "BYOL for Audio: Self-Supervised Learning for General-Purpose Audio Representation",
table I; Scheidwasser-Clow et al. (2022), "SERAB: A Multi-Lingual Benchmark for Speech Emotion Recognition",
section 2.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocemo.errors import UsageError
from vocemo.lab.models.encoders.encoder import ENCODERS, Credit, StagedEncoder, States
from vocemo.lab.models.encoders.partway import Partway
from vocemo.lab.models.encoders.state_dict import load_published
from vocemo.lab.models.masking import frame_mask
from vocemo.lab.models.normalised_convolution import NormalisedConvolution

BANDS = 64
FILTERS = 64
BLOCKS = 3  # each halves bands and frames
WIDTH = 512
DROPOUT = 0.3
FRAME = 2**BLOCKS  # frames of the features to one of the states, 80 ms
OF_A_BLOCK = 4  # published modules of a block: convolution, normalisation, rectifier, pooling


@ENCODERS.register("byol-s")
class ByolS(StagedEncoder):
    """BYOL-S of 512 numbers, behind the front end `byol-s-mel`: features (batch, 1, 64, T), 16 kHz.

    Its one state are the outputs of the last dense layer, 12.5 frames a second. With `maps` it has no dense
    layers, and its state is what the last block gives, each of its bands by itself: 512 numbers as well. It
    then takes several pictures of 64 bands, one above the other; each goes through the same blocks by itself,
    and a frame's state is what they make of all of them, one picture's 512 numbers behind another's.
    """

    layers = 1
    width = WIDTH
    weights_expected: ClassVar[str] = (
        "the state dict of BYOL-S with 512 outputs (byol_s_default_512.pth), as it is published with SERAB"
    )

    def __init__(self, *, channels: int, bands: int, dropout: float = DROPOUT, maps: bool = False) -> None:
        super().__init__()
        self.pictures, rest = divmod(bands, BANDS)
        if channels != 1 or rest or not (self.pictures == 1 or (maps and self.pictures)):
            several = f", or several times {BANDS} with encoder_maps" if self.pictures > 1 else ""
            raise UsageError(
                f"encoder byol-s takes 1 channel of {BANDS} bands{several}, not {channels} of {bands}: "
                "set front_end.name=byol-s-mel"
            )
        self.width = self.pictures * WIDTH
        if maps and dropout != DROPOUT:
            raise UsageError("model.encoder_dropout: with encoder_maps, byol-s has no dense layers")
        self.blocks = nn.ModuleList(
            NormalisedConvolution(
                nn.Conv2d(FILTERS if number else 1, FILTERS, 3, padding=1), nn.BatchNorm2d(FILTERS)
            )
            for number in range(BLOCKS)
        )
        self.fc = None if maps else _dense(dropout)

    def first(self, features: Tensor, lengths: Tensor, stages: int) -> Partway:
        """What the first so many blocks make of features: maps (batch, 64, bands, frames)."""
        # A clip of less than one frame of the states still has one; it is as long in any batch.
        return self._through(Partway(functional.pad(features, (0, FRAME - 1)), lengths), 0, stages)

    def rest(self, partway: Partway, stages: int) -> States:
        """States, from what the first so many blocks made."""
        x, lengths, _ = self._through(partway, stages, BLOCKS)
        # A band's channels lie together, as the dense layers were trained: (batch, bands channels, frames)
        states = x.transpose(1, 2).flatten(1, 2)
        if self.fc is not None:
            states = self.fc(states.transpose(1, 2)).transpose(1, 2)
        return States(states.unsqueeze(1), lengths)

    def _through(self, partway: Partway, start: int, stop: int) -> Partway:
        """Behind the blocks from start to stop."""
        if start >= stop:
            return partway
        x, lengths = self._apart(partway.x), partway.frames
        for block in self.blocks[start:stop]:
            x = block(x * _own(lengths, x, self.pictures))
            # Of one channel no layout is the last, and pooling is four times faster in that one; rectified
            # behind it, which is the same, a quarter of the numbers is left.
            x = functional.max_pool2d(x.contiguous(memory_format=torch.channels_last), 2).relu()
            lengths = torch.div(lengths, 2, rounding_mode="floor").clamp(min=1)
        return Partway(self._above(x), lengths)

    def _apart(self, x: Tensor) -> Tensor:
        """Each picture a row of its own: (batch, channels, bands, T) -> (batch pictures, channels, ., T)."""
        if self.pictures == 1:
            return x
        batch, channels, bands, frames = x.shape
        each = x.reshape(batch, channels, self.pictures, bands // self.pictures, frames)
        return each.transpose(1, 2).reshape(-1, channels, bands // self.pictures, frames)

    def _above(self, x: Tensor) -> Tensor:
        """The inverse of `_apart`."""
        if self.pictures == 1:
            return x
        rows, channels, bands, frames = x.shape
        each = x.reshape(rows // self.pictures, self.pictures, channels, bands, frames)
        return each.transpose(1, 2).reshape(-1, channels, self.pictures * bands, frames)

    def give_up(self, stages: int) -> None:
        """Keep no weights of the first so many blocks."""
        for number in range(min(stages, BLOCKS)):
            self.blocks[number] = nn.Identity()

    def stages(self) -> Sequence[nn.Module]:
        """The blocks and the dense layers."""
        return (*self.blocks, *(() if self.fc is None else (self.fc,)))

    def load(self, path: Path) -> None:
        """Read the state dict."""
        kept = set(self.state_dict())

        def own(published: str) -> str | None:
            part, place, _ = published.split(".", 2)
            name = _name(published)
            if part == "fc":
                not_wanted = self.fc is None
            else:
                not_wanted = isinstance(self.blocks[int(place) // OF_A_BLOCK], nn.Identity)
            return None if not_wanted and name not in kept else name

        load_published(self, path, self.weights_expected, own)

    def credit(self, path: Path) -> Credit:
        """That of the published weights, whatever the file is called."""
        return Credit(
            "MIT for the encoder that it was made from (BYOL-S)",
            "BYOL-S, copyright (c) 2021 Neil Scheidwasser-Clow, Mikolaj Kegler, Pierre Beckmann and Milos "
            "Cernak, MIT licence; G. Elbanna et al., BYOL-S: Learning Self-supervised Speech Representations "
            "by Bootstrapping, 2022",
        )


def _dense(dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(FILTERS * BANDS // FRAME, WIDTH),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(WIDTH, WIDTH),
        nn.ReLU(),
    )


def _own(lengths: Tensor, x: Tensor, pictures: int) -> Tensor:
    """1 at a clip's own frames, 0 past them: (batch pictures, 1, 1, T)."""
    own = frame_mask(lengths, x.shape[-1]).to(x.dtype)
    return own[:, None].expand(-1, pictures, -1).reshape(-1, 1, 1, x.shape[-1])


def _name(published: str) -> str:
    """A tensor's name here: the published network has one list of modules for all blocks."""
    part, place, rest = published.split(".", 2)
    if part != "features":
        return published
    block, module = divmod(int(place), OF_A_BLOCK)
    return f"blocks.{block}.{module}.{rest}"
