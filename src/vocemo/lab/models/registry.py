"""The architectures by name.

An entry takes (channels, bands, emotions, **options) and gives a module whose forward takes features
(batch, channels, bands, frames) with each clip's valid frames (batch,), and gives an `Output`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from vocemo.lab import registry

MODELS: registry.Registry[Callable[..., nn.Module]] = registry.Registry("model")


def build(name: str, options: Mapping[str, Any], *, channels: int, bands: int, emotions: int) -> nn.Module:
    """The named architecture for features of this shape and this many emotions.

    Raises UnknownNameError for a name or an option that does not exist, UsageError for a value that it
    cannot take.
    """
    return registry.build(MODELS, name, options, channels=channels, bands=bands, emotions=emotions)
