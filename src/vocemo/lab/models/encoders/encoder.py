"""What every encoder takes and gives, and the encoders by name."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from torch import Tensor, nn

from vocemo.errors import UsageError
from vocemo.lab import registry
from vocemo.lab.models.encoders.partway import Partway


class States(NamedTuple):
    """What an encoder makes of a batch, layer by layer."""

    hidden: Tensor  # (batch, layers, D, frames)
    frames: Tensor  # (batch,), each clip's own, at the encoder's own rate


@dataclass(frozen=True)
class Credit:
    """What a model that was made from an encoder's weights must say of them."""

    licence: str
    citation: str


class Encoder(nn.Module):
    """A network without its last layers. It is built with random weights; `load` puts trained ones in.

    What stands in a batch past a clip's own frames changes nothing of the states of the clip's own, unless a
    class says otherwise.
    """

    layers: int  # hidden states that it gives
    width: int  # D, numbers of each
    weights_expected: ClassVar[str]  # what `load` takes, for people

    @abstractmethod
    def forward(self, features: Tensor, lengths: Tensor) -> States:
        """Features (batch, channels, bands, T), valid frames (batch,) -> States."""

    @abstractmethod
    def load(self, path: Path) -> None:
        """Read trained weights. Raises UsageError where there are none, or those of another network."""

    @abstractmethod
    def credit(self, path: Path) -> Credit:
        """Whom a model made from the weights at this path must name."""

    def stages(self) -> Sequence[nn.Module]:
        """The parts that the features pass one after the other, the first first; none where it has none."""
        return ()

    @classmethod
    def described(cls, config: Mapping[str, Any] | None, weights: Path | None) -> Mapping[str, Any]:
        """What it is built from beside channels and bands: the config given, or that beside the weights.

        Raises UsageError where it needs one and there is none, or is given one and needs none.
        """
        if config is not None:
            raise UsageError("model.encoder_config is for encoder=transformers alone")
        return {}


class StagedEncoder(Encoder):
    """An encoder that can stop behind any of its first stages and go on from there.

    Encoders whose first stages are the same can so share what these make of a batch.
    """

    def forward(self, features: Tensor, lengths: Tensor) -> States:
        """Features (batch, channels, bands, T), valid frames (batch,) -> States."""
        return self.rest(self.first(features, lengths, 0), 0)

    @abstractmethod
    def first(self, features: Tensor, lengths: Tensor, stages: int) -> Partway:
        """What the first so many stages make of what `forward` takes."""

    @abstractmethod
    def rest(self, partway: Partway, stages: int) -> States:
        """What `forward` gives, from behind the first so many stages."""

    @abstractmethod
    def give_up(self, stages: int) -> None:
        """Leave the first so many stages to another encoder, whose are the same: `rest` alone is asked
        of this one from then on.
        """


ENCODERS: registry.Registry[type[Encoder]] = registry.Registry("encoder")
