"""Models that are branches on one trunk: frozen stages of an encoder, which no branch changes.

Lee, Purushwalkam, Cogswell, Crandall & Batra (2015), "Why M Heads are Better than One", section 3.2.
"""

from __future__ import annotations

from torch import Tensor, nn

from vocemo.lab.models.committee import Committee
from vocemo.lab.models.encoder_head import EncoderHead
from vocemo.lab.models.encoders import Partway


def branches(model: nn.Module) -> tuple[EncoderHead, ...]:
    """All that is trained of a model, where it stands on one trunk: itself, or the members of a committee.

    None where a model has no frozen stages, or several trunks: what it makes of a sound changes as it learns.
    """
    if isinstance(model, EncoderHead):
        return (model,) if model.has_trunk else ()
    if not isinstance(model, Committee) or len({*model.roots}) != 1 or None in model.roots:
        return ()
    return tuple(member for member in model.members if isinstance(member, EncoderHead))


def trunk(model: nn.Module, features: Tensor, lengths: Tensor) -> Partway:
    """What the trunk of a model with `branches` makes of what its `forward` takes."""
    part = model.parts[0] if isinstance(model, Committee) else slice(None)
    return branches(model)[0].trunk(features[:, :, part], lengths)


def trunk_state(model: nn.Module) -> dict[str, Tensor]:
    """The weights of the trunk of a model with `branches`."""
    first = branches(model)[0]
    stages = nn.ModuleList(first.encoder.stages()[: first.frozen_stages])
    return dict(stages.state_dict())
