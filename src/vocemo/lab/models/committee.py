"""Several networks that listen to the same picture and are answered for together.

Each member learns by itself: its own answers are held against the targets, and none leans on another. The
committee's probabilities are the mean of theirs. Networks that err differently are better together than the
best of them, and one file holds them all.

Dietterich (2000), "Ensemble Methods in Machine Learning"; Lakshminarayanan, Pritzel & Blundell (2017),
"Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles", section 2.4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vocemo.errors import UsageError
from vocemo.lab.models.encoders import Credit
from vocemo.lab.models.output import Output
from vocemo.lab.models.registry import MODELS, build, settled

NAME = "committee"


@MODELS.register(NAME)
class Committee(nn.Module):
    """Features (batch, channels, bands, frames) -> emotions, by all members.

    `members` are tables as `[model]` itself: a `name`, and that model's options. All stand behind the one
    front end of the recipe. A name may stand there several times: members begin with different weights.
    """

    def __init__(
        self,
        *,
        channels: int,
        bands: int,
        frames: int | None,
        emotions: int,
        members: Sequence[Mapping[str, Any]] = ({"name": "residual-cnn"}, {"name": "residual-cnn"}),
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(
            build(name, options, channels=channels, bands=bands, frames=frames, emotions=emotions)
            for name, options in map(_read, _checked(members))
        )

    def forward(self, features: Tensor, lengths: Tensor) -> Output:
        """Features (batch, channels, bands, frames), valid frames (batch,) -> Output, votes and all."""
        outputs: list[Output] = [member(features, lengths) for member in self.members]
        votes = torch.stack([output.logits.float() for output in outputs], dim=1)
        # The logarithm of a mean of probabilities: softmax gives the mean back.
        logits = torch.logsumexp(torch.log_softmax(votes, dim=2), dim=1) - math.log(len(outputs))
        embedding = torch.cat([output.embedding.float() for output in outputs], dim=1)
        return Output(logits, embedding, votes=votes)

    def begin(self) -> None:
        """Put trained weights into the members that begin with such."""
        for member in self.members:
            begin = getattr(member, "begin", None)
            if begin is not None:
                begin()

    def parameter_groups(self) -> list[tuple[list[nn.Parameter], float]]:
        """Parameters to train, each group with what its learning rate is multiplied by."""
        groups: list[tuple[list[nn.Parameter], float]] = []
        for member in self.members:
            own = getattr(member, "parameter_groups", None)
            groups += own() if own is not None else [(list(member.parameters()), 1.0)]
        return groups

    def credits(self) -> tuple[Credit, ...]:
        """Whom a trained committee must name, each once."""
        found = [credit for member in self.members for credit in _credits(member)]
        return tuple(dict.fromkeys(found))

    @staticmethod
    def settled(options: Mapping[str, Any]) -> dict[str, Any]:
        """The options, each member's with what it must be told to be built again anywhere."""
        if "members" not in options:
            return dict(options)
        members = [
            {"name": name, **settled(name, own)} for name, own in map(_read, _checked(options["members"]))
        ]
        return {**options, "members": members}


def _checked(members: object) -> list[Mapping[str, Any]]:
    """Tables with a name each. Raises UsageError for anything else, and for a committee in a committee."""
    if isinstance(members, str | Mapping) or not isinstance(members, Sequence) or not members:
        raise UsageError(f"model.members is {members!r}; valid: a list of tables, each with a name")
    for member in members:
        if not isinstance(member, Mapping) or not isinstance(member.get("name"), str):
            raise UsageError(f"a member of the committee is {member!r}; valid: a table with a name")
        if member["name"] == NAME:
            raise UsageError("a committee is no member of a committee; list its members themselves")
    return list(members)


def _read(member: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    return str(member["name"]), {key: value for key, value in member.items() if key != "name"}


def _credits(member: nn.Module) -> tuple[Credit, ...]:
    given = getattr(member, "credits", None)
    return () if given is None else tuple(given())
