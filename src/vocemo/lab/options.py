"""Tables of a recipe to option dataclasses: every key and every value checked, and said what is valid.

TOML writes 3 for 3.0; a number becomes what its field is, so that one value has one text and one digest.
"""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from vocemo.errors import UnknownNameError, UsageError

Options = TypeVar("Options")


def read(section: str, options: type[Options], given: object) -> Options:
    """An option dataclass from a recipe's table; what is not given has its default.

    section: the table's name, for messages. Fields are as `value_of` takes them, or tuples of tables.

    Raises UnknownNameError for a key or a word that does not exist, UsageError for a value of another type.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Colour:
    ...     red: float = 0.0
    >>> read("colour", Colour, {"red": 1})
    Colour(red=1.0)
    >>> read("colour", Colour, {"red": "much"})
    Traceback (most recent call last):
        ...
    vocemo.errors.UsageError: colour.red is 'much'; valid: a number
    """
    values = table(section, given)
    wanted = typing.get_type_hints(options)
    refuse_unknown(f"{section} key", values, wanted)
    return options(**{key: value_of(f"{section}.{key}", value, wanted[key]) for key, value in values.items()})


def table(section: str, given: object) -> dict[str, Any]:
    """A table of a recipe. Raises UsageError where there is something else in its place."""
    if not isinstance(given, Mapping):
        raise UsageError(
            f"{section} is {given!r}; valid: a table, its keys set one by one: {section}.KEY=VALUE"
        )
    return {str(key): value for key, value in given.items()}


def refuse_unknown(kind: str, given: Iterable[str], valid: Iterable[str]) -> None:
    """Raise UnknownNameError for the first key that does not exist."""
    valid = list(valid)
    for key in given:
        if key not in valid:
            raise UnknownNameError(kind, key, valid)


def value_of(what: str, value: object, wanted: Any) -> object:
    """A value as its type: int, float, bool, str, Literal, a sequence of numbers, or one of these or None.

    what: its name, for messages. None is written `none` on a command line.

    Raises UnknownNameError for a word that does not exist, UsageError for a value of another type.

    >>> value_of("rate", 3, float | None), value_of("rate", "none", float | None)
    (3.0, None)
    """
    if typing.get_origin(wanted) in (types.UnionType, typing.Union):
        if value is None or value == "none":
            return None
        wanted = next(each for each in typing.get_args(wanted) if each is not type(None))
        try:
            return value_of(what, value, wanted)
        except UnknownNameError:
            raise
        except UsageError as error:
            raise UsageError(f"{error}, or none") from None
    if typing.get_origin(wanted) is Literal:
        if value not in typing.get_args(wanted):
            raise UnknownNameError(what, str(value), typing.get_args(wanted))
        return value
    if typing.get_origin(wanted) is Sequence:
        (each,) = typing.get_args(wanted)
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise UsageError(f"{what} is {value!r}; valid: a list, such as [1, 2]")
        return tuple(value_of(f"{what}[{place}]", one, each) for place, one in enumerate(value))
    if typing.get_origin(wanted) is tuple:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise UsageError(f"{what} is {value!r}; valid: a list of tables, each with a name")
        return tuple(table(what, each) for each in value)
    if wanted is bool:
        if not isinstance(value, bool):
            raise UsageError(f"{what} is {value!r}; valid: true, false")
        return value
    if wanted is str:
        if not isinstance(value, str):
            raise UsageError(f"{what} is {value!r}; valid: a word")
        return value
    return _number(what, value, wanted)


def _number(what: str, value: object, wanted: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"{what} is {value!r}; valid: a {'whole ' if wanted is int else ''}number")
    if wanted is int and value != int(value):
        raise UsageError(f"{what} is {value!r}; valid: a whole number")
    return int(value) if wanted is int else float(value)
