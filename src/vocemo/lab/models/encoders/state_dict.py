"""Weights that others published as a file of tensors."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from vocemo.errors import UsageError


def load_published(
    module: nn.Module,
    path: Path,
    expected: str,
    name_of: Callable[[str], str | None],
    *,
    within: str | None = None,
) -> None:
    """Put a published state dict into a module.

    `name_of` gives a published tensor's name in the module, None for one that is not used; `expected` says
    for people which file it should be; `within` is where the state dict stands in a larger checkpoint.

    Raises UsageError where there is no file, or one that is not this network's; no pickle's code is run.
    """
    if not path.is_file():
        raise UsageError(f"no weights at {path}; expected: {expected}")
    try:
        given = torch.load(path, map_location="cpu", weights_only=True)
        if within is not None:
            given = given[within]
        named = {name_of(name): value for name, value in given.items()}
        module.load_state_dict({name: value for name, value in named.items() if name is not None})
    except pickle.UnpicklingError as error:
        # torch's own words advise to read it in a way that runs its code.
        raise UsageError(
            f"{path} is not {expected}: it is no file of tensors alone, and nothing else is read, since a "
            "pickle can run code"
        ) from error
    except (RuntimeError, ValueError, EOFError, AttributeError, LookupError, TypeError) as error:
        raise UsageError(f"{path} is not {expected}: {error}") from error
