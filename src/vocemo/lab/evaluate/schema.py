"""Values out of a JSON file, each checked: what is not valid is answered with what is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import date as Date
from typing import Any, TypeVar

from vocemo.errors import UnknownNameError, UsageError

Value = TypeVar("Value")


def fields(given: object, kind: type, what: str) -> Mapping[str, Any]:
    """A JSON object that has every key a dataclass needs and none that it does not know."""
    found = mapping(given, what)
    assert dataclasses.is_dataclass(kind)
    names = [f.name for f in dataclasses.fields(kind)]
    for key in found:
        if key not in names:
            raise UnknownNameError(f"{what} key", key, names)
    required = [
        f.name
        for f in dataclasses.fields(kind)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    missing = [name for name in required if name not in found]
    if missing:
        raise UsageError(f"{what}: {', '.join(missing)} missing; needed: {', '.join(required)}")
    return found


def wrong(value: object, key: str, valid: str) -> UsageError:
    """The error that says what was given under a key and what is valid."""
    return UsageError(f"{key}: {value!r} is not {valid}")


def mapping(value: object, key: str) -> Mapping[str, Any]:
    """An object."""
    if not isinstance(value, Mapping):
        raise wrong(value, key, "an object")
    return value


def sequence(value: object, key: str) -> Sequence[Any]:
    """A list."""
    if not isinstance(value, (list, tuple)):
        raise wrong(value, key, "a list")
    return value


def text(value: object, key: str) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise wrong(value, key, "a text")
    return value


def texts(value: object, key: str) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(text(entry, key) for entry in sequence(value, key))


def truth(value: object, key: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise wrong(value, key, "true or false")
    return value


def whole(value: object, key: str) -> int:
    """A whole number from 0."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise wrong(value, key, "a whole number from 0")
    return value


def number(value: object, key: str) -> float:
    """A finite number from 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise wrong(value, key, "a number from 0")
    return float(value)


def share(value: object, key: str) -> float:
    """A fraction of 1."""
    found = number(value, key)
    if found > 1:
        raise wrong(value, key, "a fraction of 1")
    return found


def difference(value: object, key: str) -> float:
    """A number from -1 to 1, as two fractions of 1 differ by."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -1 <= value <= 1:
        raise wrong(value, key, "a number from -1 to 1")
    return float(value)


def day(value: object) -> str:
    """A day as ISO 8601 writes it."""
    try:
        return Date.fromisoformat(text(value, "date")).isoformat()
    except ValueError as error:
        raise wrong(value, "date", "a day such as 2026-01-31") from error


def matrix(value: object, key: str) -> tuple[tuple[int, ...], ...]:
    """Rows of whole numbers."""
    return tuple(tuple(whole(count, key) for count in sequence(row, key)) for row in sequence(value, key))


def maybe(parse: Callable[[object, str], Value], found: Mapping[str, Any], key: str) -> Value | None:
    """What a key holds, None where it is absent."""
    return parse(found[key], key) if key in found else None
