"""The architectures by name.

An entry takes (channels, bands, frames, emotions, **options) and gives a module whose forward takes features
(batch, channels, bands, frames) with each clip's valid frames (batch,), and gives an `Output`. `frames` is
the number that all clips have, where the recipe fixes it, and None where they come at their own lengths. An
entry that takes `parts` too is told which bands are which picture.
The layer that gives the logits is its `classify` (`heads`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from vocemo.errors import UsageError
from vocemo.lab import registry

MODELS: registry.Registry[Callable[..., nn.Module]] = registry.Registry("model")


def build(
    name: str,
    options: Mapping[str, Any],
    *,
    channels: int,
    bands: int,
    frames: int | None,
    emotions: int,
    parts: Sequence[slice] | None = None,
) -> nn.Module:
    """The named architecture for features of this shape and this many emotions.

    `parts` are the bands of each of several pictures; an architecture that asks for them hears each apart,
    and any other one picture of all bands.

    Raises UnknownNameError for a name or an option that does not exist, UsageError for a value that it
    cannot take.
    """
    given: dict[str, Any] = {"channels": channels, "bands": bands, "frames": frames, "emotions": emotions}
    if any(option.name == "parts" for option in registry.entry_options(MODELS[name])):
        given["parts"] = (slice(0, bands),) if parts is None else tuple(parts)
    return registry.build(MODELS, name, options, **given)


def settled(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, with what the architecture must be told to be built again anywhere.

    Raises UnknownNameError for a name that does not exist, UsageError where what describes it is missing.
    """
    settle = getattr(MODELS[name], "settled", None)
    return dict(options) if settle is None else settle(options)


def fixed(frames: int | None, model: str) -> int:
    """The frames that every clip has. Raises UsageError where clips come at their own lengths."""
    if frames is None:
        raise UsageError(
            f"{model} reads every frame by a weight of its own, so it needs clips of one length: "
            "set preparation.length_s, or front_end.width"
        )
    return frames
