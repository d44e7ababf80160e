"""The architectures by name.

An entry takes (channels, bands, emotions, **options) and gives a module whose forward takes features
(batch, channels, bands, frames) with each clip's valid frames (batch,), and gives an `Output`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from vocemo.errors import UnknownNameError
from vocemo.lab.registry import Registry

MODELS: Registry[Callable[..., nn.Module]] = Registry("model")


def build(name: str, options: Mapping[str, Any], *, channels: int, bands: int, emotions: int) -> nn.Module:
    """The named architecture for features of this shape and this many emotions.

    Raises UnknownNameError for a name or an option that does not exist.
    """
    entry = MODELS[name]
    valid = [p for p in inspect.signature(entry).parameters if p not in ("channels", "bands", "emotions")]
    for option in options:
        if option not in valid:
            raise UnknownNameError(f"option of model {name}", option, valid)
    return entry(channels=channels, bands=bands, emotions=emotions, **options)
