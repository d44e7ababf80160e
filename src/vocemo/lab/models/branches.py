"""Models that are branches on trunks: frozen first stages of encoders, which no branch changes.

Lee, Purushwalkam, Cogswell, Crandall & Batra (2015), "Why M Heads are Better than One", section 3.2.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from vocemo.lab.models.committee import Committee
from vocemo.lab.models.encoder_head import EncoderHead
from vocemo.lab.models.encoders import Partway


class Branch(NamedTuple):
    """What is trained on a trunk."""

    member: EncoderHead
    trunk: int  # which of the model's, from 0


def branches(model: nn.Module) -> tuple[Branch, ...]:
    """All that is trained of a model, where it all stands on trunks: itself, or the members of a committee.

    None where a part of it does not: what that makes of a sound changes as it learns.
    """
    members = _members(model)
    heads = [member for member, _ in members if isinstance(member, EncoderHead) and member.has_trunk]
    if len(heads) < len(members):
        return ()
    roots = sorted({root for _, root in members})
    return tuple(Branch(head, roots.index(root)) for head, (_, root) in zip(heads, members, strict=True))


def trunks(model: nn.Module, features: Tensor, lengths: Tensor) -> tuple[Partway, ...]:
    """What each trunk of a model with `branches` makes of what its `forward` takes."""
    parts = model.parts if isinstance(model, Committee) else [slice(None)]
    return tuple(root.trunk(features[:, :, parts[number]], lengths) for number, root in _roots(model))


def trunk_state(model: nn.Module) -> dict[str, Tensor]:
    """The weights of the trunks of a model with `branches`."""
    state: dict[str, Tensor] = {}
    for place, (_, root) in enumerate(_roots(model)):
        stages = nn.ModuleList(root.encoder.stages()[: root.frozen_stages])
        state |= {f"{place}.{name}": value for name, value in stages.state_dict().items()}
    return state


def _members(model: nn.Module) -> list[tuple[nn.Module, int]]:
    """The parts that learn by themselves, each with the number of the one whose trunk it stands on."""
    if not isinstance(model, Committee):
        return [(model, 0)]
    roots = [number if root is None else root for number, root in enumerate(model.roots)]
    return list(zip(model.members, roots, strict=True))


def _roots(model: nn.Module) -> list[tuple[int, EncoderHead]]:
    """The members that hold a trunk, and their numbers, in the order of `Branch.trunk`."""
    members = _members(model)
    numbers = sorted({root for _, root in members})
    held = [(number, members[number][0]) for number in numbers]
    return [(number, member) for number, member in held if isinstance(member, EncoderHead)]
