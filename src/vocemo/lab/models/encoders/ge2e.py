"""A recurrent encoder that was taught to tell speakers apart.

Three LSTMs over a mel spectrogram; the last state of the third, made shorter, tells who speaks. What the
second one holds tells more of how they speak: pitch, loudness, voice and pace are what speakers differ in,
and what one speaker changes with the mood (docs/encoders.md has the figures).

Wan, Wang, Papir & Lopez Moreno (2018), "Generalized End-to-End Loss for Speaker Verification", as
github.com/resemble-ai/Resemblyzer trained it on LibriSpeech and VoxCeleb. Hochreiter & Schmidhuber (1997).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from torch import Tensor, nn

from vocemo.errors import UsageError
from vocemo.lab.models.encoders.encoder import ENCODERS, Credit, StagedEncoder, States
from vocemo.lab.models.encoders.partway import Partway
from vocemo.lab.models.encoders.state_dict import load_published
from vocemo.lab.models.lstm import Lstm
from vocemo.lab.models.masking import frame_mask, means_over

BANDS = 40
WIDTH = 256
LSTMS = 3
FRAME = 8  # frames of the features to one of the states, 80 ms
# What the front end `ge2e-mel` makes of powers; the encoder was trained on the powers.
FLOOR, MEAN, DEVIATION = 1e-7, -6.0, 3.0


@ENCODERS.register("ge2e")
class Ge2e(StagedEncoder):
    """The LSTMs of Resemblyzer's speaker encoder, behind the front end `ge2e-mel`: (batch, 1, 40, T), 16 kHz.

    Its one state is what the last of the first `depth` LSTMs gives, 256 numbers, the mean over 80 ms: 12.5
    frames a second, as those of BYOL-S. They hear what was, never what comes.
    """

    layers = 1
    width = WIDTH
    weights_expected: ClassVar[str] = (
        "the checkpoint inside the package resemblyzer (resemblyzer/pretrained.pt of version 0.1.4)"
    )

    def __init__(self, *, channels: int, bands: int, depth: int = LSTMS) -> None:
        super().__init__()
        if channels != 1 or bands != BANDS:
            raise UsageError(
                f"encoder ge2e takes 1 channel of {BANDS} bands, not {channels} of {bands}: "
                "set front_end.name=ge2e-mel"
            )
        if not 1 <= depth <= LSTMS:
            raise UsageError(f"model.encoder_depth is {depth}; valid of encoder ge2e: 1 to {LSTMS}")
        self.lstms = nn.ModuleList(Lstm(WIDTH if number else BANDS, WIDTH) for number in range(depth))

    def first(self, features: Tensor, lengths: Tensor, stages: int) -> Partway:
        """What the first so many LSTMs make of features; behind all of them, the states (batch, 256, .)."""
        return self._through(Partway(features[:, 0], lengths), 0, stages)

    def rest(self, partway: Partway, stages: int) -> States:
        """States, from what the first so many LSTMs made."""
        x, frames, _ = self._through(partway, stages, len(self.lstms))
        return States(x.unsqueeze(1), frames)

    def _through(self, partway: Partway, start: int, stop: int) -> Partway:
        """Behind the LSTMs from start to stop: (batch, numbers, frames)."""
        x, frames, _ = partway
        if start == 0 < stop:
            x = ((x * DEVIATION + MEAN).exp() - FLOOR).clamp(min=0.0) * frame_mask(frames, x.shape[2])[
                :, None
            ]
        for lstm in self.lstms[start:stop]:
            x = lstm(x.transpose(1, 2), frames).transpose(1, 2)
        if start < stop == len(self.lstms):
            x, frames = means_over(x, frames, FRAME)
        return Partway(x, frames)

    def give_up(self, stages: int) -> None:
        """Keep no weights of the first so many LSTMs."""
        for number in range(min(stages, len(self.lstms))):
            self.lstms[number] = nn.Identity()

    def stages(self) -> Sequence[nn.Module]:
        """The LSTMs."""
        return tuple(self.lstms)

    def load(self, path: Path) -> None:
        """Read the checkpoint."""
        kept = set(self.state_dict())

        def own(published: str) -> str | None:
            name = _name(published)
            return name if name in kept else None

        load_published(self, path, self.weights_expected, own, within="model_state")

    def credit(self, path: Path) -> Credit:
        """That of the published weights, whatever the file is called."""
        return Credit(
            "Apache 2.0 for the speaker encoder that it was made from (Resemblyzer)",
            "Resemblyzer, copyright (c) Resemble AI, Apache licence 2.0; L. Wan et al., Generalized "
            "End-to-End Loss for Speaker Verification, 2018",
        )


def _name(published: str) -> str:
    """A tensor's name here, where each LSTM stands by itself: lstm.weight_ih_l1 -> lstms.1.weight_ih_l0."""
    part, _, rest = published.partition(".")
    kind, _, layer = rest.rpartition("_l")
    return f"lstms.{layer}.{kind}_l0" if part == "lstm" else published
