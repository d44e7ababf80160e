"""The last layers of a model: those whose rows are emotions.

Every architecture keeps the layer that gives its logits as `classify`, a `torch.nn.Linear` with a row for
each emotion, in the recipe's order; what is built of several architectures keeps them as `members`. A model
that knows other emotions differs from it in these layers alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from vocemo.errors import UsageError


def heads(model: nn.Module) -> dict[str, nn.Linear]:
    """The last layers by their names inside the model: one, or that of each member.

    Raises UsageError for a module that has none, which is no architecture of the registry.

    >>> from vocemo.lab.models import build
    >>> model = build("residual-cnn", {}, channels=1, bands=32, frames=None, emotions=3)
    >>> {name: layer.out_features for name, layer in heads(model).items()}
    {'classify': 3}
    """
    members = getattr(model, "members", None)
    if isinstance(members, nn.ModuleList):
        return {
            f"members.{number}.{name}": layer
            for number, member in enumerate(members)
            for name, layer in heads(member).items()
        }
    layer = getattr(model, "classify", None)
    if not isinstance(layer, nn.Linear):
        raise UsageError(
            f"{type(model).__name__} has no last layer of emotions; an architecture keeps it as 'classify', "
            "a torch.nn.Linear"
        )
    return {"classify": layer}


def carried_over(
    rows: Mapping[str, Tensor],
    given: Mapping[str, Tensor],
    known: Sequence[str],
    wanted: Sequence[str],
) -> dict[str, Tensor]:
    """Last layers for the wanted emotions: the rows of those that are known, and fresh ones for the others.

    Args:
        rows: fresh tensors by name, each with a row for each wanted emotion.
        given: trained ones of the same names, with a row for each known emotion.
        known: the emotions of the trained rows, in order.
        wanted: those of the fresh ones.

    >>> import torch
    >>> fresh, trained = torch.zeros(3), torch.tensor([1.0, 2.0])
    >>> carried_over({"bias": fresh}, {"bias": trained}, ["sad", "happy"], ["happy", "calm", "sad"])
    {'bias': tensor([2., 0., 1.])}
    """
    both = [(place, known.index(emotion)) for place, emotion in enumerate(wanted) if emotion in known]
    made = {}
    for name, fresh in rows.items():
        made[name] = fresh.clone()
        for place, source in both:
            made[name][place] = given[name][source]
    return made
