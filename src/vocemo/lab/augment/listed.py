"""An entry of a recipe's list of augmentations, read."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.registry import Registry

Made = TypeVar("Made")


def listed(registry: Registry[type[Made]], given: Mapping[str, object]) -> tuple[str, float, Made]:
    """Name, probability and augmentation of a table with a `name`, perhaps a `p`, and its kind's options.

    Raises UnknownNameError for a name or an option that does not exist, UsageError for a value that an option
    cannot take.
    """
    table = dict(given)
    name = table.pop("name", None)
    if not isinstance(name, str):
        article = "an" if registry.kind[0] in "aeiou" else "a"
        raise UsageError(f"{article} {registry.kind} needs a name. Valid: {', '.join(sorted(registry))}")
    kind = registry[name]
    p = _number(f"{registry.kind} {name}: p", table.pop("p", 1.0))
    if not 0 <= p <= 1:
        raise UsageError(f"{registry.kind} {name}: p is a probability from 0 to 1, not {p:g}")
    types = typing.get_type_hints(kind)
    valid = list(inspect.signature(kind).parameters)
    options: dict[str, object] = {}
    for key, value in table.items():
        if key not in valid:
            raise UnknownNameError(f"option of {registry.kind} {name}", key, ["p", *valid])
        options[key] = _typed(f"{registry.kind} {name}: {key}", value, types[key])
    return name, p, kind(**options)


def _typed(what: str, value: object, wanted: object) -> object:
    """The value as an option of this type takes it; TOML writes 2 for 2.0, and a list for a tuple."""
    if wanted is float:
        return _number(what, value)
    if wanted is int and (isinstance(value, bool) or not isinstance(value, int)):
        raise UsageError(f"{what} is a whole number, not {value!r}")
    if wanted is bool and not isinstance(value, bool):
        raise UsageError(f"{what} is true or false, not {value!r}")
    if wanted == tuple[str, ...]:
        if (
            isinstance(value, str)
            or not isinstance(value, Sequence)
            or not all(isinstance(v, str) for v in value)
        ):
            raise UsageError(f"{what} is a list of names, not {value!r}")
        return tuple(value)
    return value


def _number(what: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise UsageError(f"{what} is a number, not {value!r}")
    return float(value)
