"""Whether the values of a description have the types that its classes state."""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_LARGEST = 1e300  # a number that any arithmetic with it survives


def check_types(made: object) -> None:
    """Raise TypeError, naming the field, unless each field of a dataclass's instance has its stated type.

    Numbers are finite, whole numbers fit 64 bits, and text can be written as UTF-8.

    >>> @dataclasses.dataclass
    ... class Clip:
    ...     path: str
    ...     seconds: float | None = None
    >>> check_types(Clip("a.wav", 3))
    >>> check_types(Clip("a.wav", float("nan")))
    Traceback (most recent call last):
        ...
    TypeError: seconds is float | None, given nan
    """
    owner: Any = type(made)
    for name, kind in _kinds(owner).items():
        value = getattr(made, name)
        if not _fits(value, kind):
            stated = getattr(kind, "__name__", None) if get_origin(kind) is None else None
            raise TypeError(
                f"{name} is {stated or str(kind).replace('typing.', '')}, given {repr(value)[:80]}"
            )


@functools.cache
def _kinds(owner: type) -> dict[str, Any]:
    hints = get_type_hints(owner)
    return {field.name: hints[field.name] for field in dataclasses.fields(owner)}


def _fits(value: object, kind: Any) -> bool:
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(_fits(value, each) for each in inner)
    if origin is Literal:
        return any(value == each for each in inner)
    if origin is tuple:  # of any length, of one kind
        return isinstance(value, tuple) and all(_fits(each, inner[0]) for each in value)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(
            _fits(key, inner[0]) and _fits(each, inner[1]) for key, each in value.items()
        )
    if isinstance(value, bool):  # which is an int to Python
        return kind is bool
    if kind is float:
        return isinstance(value, int | float) and -_LARGEST <= value <= _LARGEST
    if kind is int:
        return isinstance(value, int) and -(2**63) <= value < 2**63
    if kind is str:
        return isinstance(value, str) and _is_text(value)
    return isinstance(value, kind)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can write
        return False
    return True
