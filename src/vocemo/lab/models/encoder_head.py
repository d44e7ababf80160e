"""Transfer learning: a trained encoder, frozen or fine-tuned, with a pooling head of its own.

Encoder -> hidden states -> learnt weighted sum over the layers, where there are several -> perhaps dense
layers over each frame, and its context over time -> mean and deviation over a clip's own frames, by attention
or plain -> batch normalisation, dropout -> emotions.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from vocemo.errors import UsageError
from vocemo.lab.models.context import Context
from vocemo.lab.models.encoders import ENCODERS, Credit, Partway, StagedEncoder, States
from vocemo.lab.models.frame_layers import FrameLayers
from vocemo.lab.models.output import Output
from vocemo.lab.models.pooling import LayerMix, StatisticsPooling
from vocemo.lab.models.registry import MODELS

WEIGHTS_FOLDER = "VOCEMO_WEIGHTS"  # environment: the folder that weights are looked for in too
UNTRAINED = ("none", "random")  # what `weights` says where an encoder is to begin with no training on purpose


@MODELS.register("encoder-head")
class EncoderHead(nn.Module):
    """Features as the encoder's front end gives them -> emotions.

    `encoder` is efficientat-mn04, byol-s or transformers; `weights` where its trained weights lie, a file or
    a folder, here or in the folder that the environment variable VOCEMO_WEIGHTS names, or "random" for none.
    They are read when a training begins (`begin`) and kept in the run from then on; building the network
    reads none. `frozen` leaves the encoder as it is; otherwise its learning rate is the head's times
    `encoder_learning_rate_factor`, its batch normalisations keep the statistics that it came with, and its
    first `frozen_stages` are left as they are: those of high resolution know little of emotions and cost
    most of a training.
    `encoder_depth` takes only so many of the encoder's first stages (efficientat-mn04) or layers (ge2e,
    moonshine), `encoder_states` so many of the last layers' states side by side and `encoder_rank` a narrower
    form of the encoder (moonshine).
    `encoder_maps` takes the maps of the last stage as they are, bands beside one another, for states, without
    means over bands and time (efficientat-mn04) or dense layers (byol-s). `encoder_dropout` is the share
    dropped between the dense layers of the encoder (byol-s), or of what its layers add (moonshine).
    `hidden` lists dense layers that each frame of the states goes through.
    `context` is how many numbers beside its own each frame of the states has from the frames around it, by
    `context_layers` convolutions over `context_kernel` frames; 0: none.
    `pooling` is attentive or statistics, `dropout` the share of the pooled numbers that is dropped in
    training.
    `encoder_config` describes an encoder of transformers; unset, the config.json beside `weights` does.
    """

    def __init__(
        self,
        *,
        channels: int,
        bands: int,
        frames: int | None,
        emotions: int,
        encoder: str = "efficientat-mn04",
        weights: str | None = None,
        frozen: bool = False,
        frozen_stages: int = 0,
        encoder_learning_rate_factor: float = 0.1,
        pooling: str = "attentive",
        hidden: Sequence[int] = (),
        context: int = 0,
        context_layers: int = 1,
        context_kernel: int = 5,
        dropout: float = 0.3,
        encoder_depth: int | None = None,
        encoder_maps: bool = False,
        encoder_states: int | None = None,
        encoder_rank: int | None = None,
        encoder_dropout: float | None = None,
        encoder_config: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(frozen, bool):
            raise UsageError(f"model.frozen is {frozen!r}; valid: true, false")
        if not encoder_learning_rate_factor > 0:
            raise UsageError(
                f"model.encoder_learning_rate_factor is {encoder_learning_rate_factor!r}; "
                "valid: above 0 (frozen=true keeps the encoder as it is)"
            )
        self.weights, self.frozen, self.factor = weights, frozen, float(encoder_learning_rate_factor)
        described = {**ENCODERS[encoder].described(encoder_config, _place(weights))}
        for name, value in (
            ("depth", encoder_depth),
            ("maps", encoder_maps),
            ("states", encoder_states),
            ("rank", encoder_rank),
            ("dropout", encoder_dropout),
        ):
            if value is None or value is False:
                continue
            if not _takes(encoder, name):
                able = ", ".join(kind for kind in ENCODERS if _takes(kind, name))
                raise UsageError(f"model.encoder_{name} is for encoder={able} alone, not {encoder}")
            described[name] = value
        self.encoder = ENCODERS[encoder](channels=channels, bands=bands, **described)
        if frozen:
            self.encoder.requires_grad_(False)
        for stage in _first(self.encoder.stages(), frozen_stages, encoder):
            stage.requires_grad_(False)
        # What stands as it came until training ends, and what it was: others may share it.
        self.frozen_stages = len(self.encoder.stages()) if frozen else frozen_stages
        self.described = (encoder, described)
        self.mix = LayerMix(self.encoder.layers) if self.encoder.layers > 1 else None
        if any(width < 1 for width in hidden):
            raise UsageError(f"model.hidden is {list(hidden)}; valid: a list of widths of 1 or more")
        self.frame_layers = FrameLayers(self.encoder.width, hidden) if hidden else None
        width = self.encoder.width if self.frame_layers is None else self.frame_layers.width
        self.context = _context(width, context, context_layers, context_kernel)
        width = width if self.context is None else self.context.width
        self.pool = StatisticsPooling(width, pooling)
        # The encoder's numbers are of any size; the head sees each on one scale.
        self.normalise = nn.BatchNorm1d(2 * width)
        self.drop = nn.Dropout(dropout)
        self.classify = nn.Linear(2 * width, emotions)

    def forward(self, features: Tensor, lengths: Tensor) -> Output:
        """Features (batch, channels, bands, frames), valid frames (batch,) -> Output."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            states = self.encoder(features, lengths)
        return self._answer(states)

    @property
    def has_trunk(self) -> bool:
        """Whether its first stages are frozen, and what they make of a clip can be asked for: `trunk`."""
        return isinstance(self.encoder, StagedEncoder) and self.frozen_stages > 0

    def trunk(self, features: Tensor, lengths: Tensor) -> Partway:
        """What the frozen first stages make of what `forward` takes."""
        assert isinstance(self.encoder, StagedEncoder)  # which who `begins_as` another has
        return self.encoder.first(features, lengths, self.frozen_stages)

    def on_trunk(self, partway: Partway) -> Output:
        """What `forward` gives, from what the frozen first stages made."""
        return self._answer(self.states(partway))

    def states(self, partway: Partway) -> States:
        """The encoder's states, from what its frozen first stages made."""
        assert isinstance(self.encoder, StagedEncoder)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            return self.encoder.rest(partway, self.frozen_stages)

    def stand_on_another(self) -> None:
        """Keep no frozen first stages: `on_trunk` alone is asked from then on, with what another's made."""
        assert isinstance(self.encoder, StagedEncoder)
        self.encoder.give_up(self.frozen_stages)

    def begins_as(self, other: EncoderHead) -> bool:
        """Whether the frozen first stages are those of another, whatever is trained behind them."""
        trained = _place(self.weights) is not None and self.weights == other.weights
        return (
            self.has_trunk
            and trained
            and self.frozen_stages == other.frozen_stages
            and self.described == other.described
        )

    def _answer(self, states: States) -> Output:
        hidden = states.hidden[:, 0] if self.mix is None else self.mix(states.hidden)
        if self.frame_layers is not None:
            hidden = self.frame_layers(hidden)
        if self.context is not None:
            hidden = self.context(hidden, states.frames)
        pooled, attention = self.pool(hidden, states.frames)
        embedding = self.normalise(pooled)
        return Output(self.classify(self.drop(embedding)), embedding, attention)

    def train(self, mode: bool = True) -> Self:
        """Training mode for the head, and for the encoder unless it is frozen.

        Trained batch normalisations keep their statistics: those of a small corpus, its padding included,
        would take their place a little with each step.
        """
        super().train(mode)
        if self.frozen:
            self.encoder.eval()
        elif _place(self.weights) is not None:
            for module in self.encoder.modules():
                if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
                    module.eval()
        return self

    def begin(self) -> None:
        """Put trained weights into the encoder. Raises UsageError where none are given, or none are there."""
        if self.weights is None:
            raise UsageError(
                "this model begins with a trained encoder, and its weights are not given: "
                f"--set model.weights=PATH, {self.encoder.weights_expected}; or, to train it from nothing on "
                "purpose, --set model.weights=random"
            )
        place = _place(self.weights)
        if place is not None:
            self.encoder.load(place)

    def parameter_groups(self) -> list[tuple[list[nn.Parameter], float]]:
        """Parameters to train, each group with what its learning rate is multiplied by."""
        inside = {id(parameter) for parameter in self.encoder.parameters()}
        head = [parameter for parameter in self.parameters() if id(parameter) not in inside]
        encoder = [parameter for parameter in self.encoder.parameters() if parameter.requires_grad]
        return [(head, 1.0), (encoder, self.factor)] if encoder else [(head, 1.0)]

    def credits(self) -> tuple[Credit, ...]:
        """Whom a trained model must name for the weights that it began with."""
        place = _place(self.weights)
        return () if place is None else (self.encoder.credit(place),)

    @staticmethod
    def settled(options: Mapping[str, Any]) -> dict[str, Any]:
        """The options, with what a finished run needs to be read once the weights are no longer there.

        Raises UsageError where the weights that describe the encoder are missing.
        """
        default = inspect.signature(EncoderHead).parameters["encoder"].default
        encoder = ENCODERS[options.get("encoder", default)]
        described = encoder.described(options.get("encoder_config"), _place(options.get("weights")))
        return {**options, **{f"encoder_{key}": value for key, value in described.items()}}


def _takes(encoder: str, option: str) -> bool:
    return option in inspect.signature(ENCODERS[encoder]).parameters


def _context(width: int, channels: int, layers: int, kernel: int) -> Context | None:
    """None where no channels are wanted. Raises UsageError for what is no number of them."""
    for name, value, fits, valid in (
        ("context", channels, channels >= 0, "0 or more"),
        ("context_layers", layers, layers >= 1, "1 or more"),
        ("context_kernel", kernel, kernel >= 1 and kernel % 2 == 1, "1 or more, and odd"),
    ):
        if not fits:
            raise UsageError(f"model.{name} is {value}; it must be {valid}")
    return Context(width, channels, layers, kernel) if channels else None


def _first(stages: Sequence[nn.Module], count: int, encoder: str) -> Sequence[nn.Module]:
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= len(stages):
        raise UsageError(
            f"model.frozen_stages is {count!r}; valid of encoder {encoder}: 0 to {len(stages)}"
            + (" (frozen=true leaves all of it as it is)" if not stages else "")
        )
    return stages[:count]


def _place(weights: str | None) -> Path | None:
    """Where trained weights lie, or None where there are to be none."""
    if weights is not None and not isinstance(weights, str):
        raise UsageError(f"model.weights is {weights!r}; valid: a path, or random")
    if weights is None or weights in UNTRAINED:
        return None
    place = Path(weights).expanduser()
    # A recipe that names a file alone is the same recipe on every machine, wherever the file is kept.
    kept = Path(os.environ.get(WEIGHTS_FOLDER, "")).expanduser() / place
    return kept if WEIGHTS_FOLDER in os.environ and not place.exists() and kept.exists() else place
