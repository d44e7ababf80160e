"""A registry: a decorator, a dict, and an error that lists the right names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from vocemo.errors import UnknownNameError, UsageError, VocemoError

Entry = TypeVar("Entry")
Built = TypeVar("Built")


class Registry(Generic[Entry]):
    """Named entries of one kind.

    >>> shapes: Registry[type] = Registry("shape")
    >>> @shapes.register("square")
    ... class Square: ...
    >>> shapes["square"] is Square
    True
    >>> shapes["sqare"]
    Traceback (most recent call last):
        ...
    vocemo.errors.UnknownNameError: unknown shape 'sqare'; did you mean 'square'? Valid: square
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, Entry] = {}

    def register(self, name: str) -> Callable[[Entry], Entry]:
        """A decorator that files its target under a name; a name is taken once."""

        def file(entry: Entry) -> Entry:
            self.add(name, entry)
            return entry

        return file

    def add(self, name: str, entry: Entry) -> None:
        """File an entry under a name; a name is taken once."""
        if name in self._entries:
            raise ValueError(f"{self.kind} '{name}' is registered twice")
        self._entries[name] = entry

    def __getitem__(self, name: str) -> Entry:
        if name not in self._entries:
            raise UnknownNameError(self.kind, name, self._entries)
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def build(
    registry: Registry[Callable[..., Built]], name: str, options: Mapping[str, Any], **given: object
) -> Built:
    """What the entry of a name makes of options that somebody wrote, and of what its surroundings give.

    Raises UnknownNameError for a name or an option that does not exist, UsageError for a value that the
    entry cannot take.

    >>> shapes: Registry[Callable[..., object]] = Registry("shape")
    >>> shapes.add("square", lambda *, side, colour: (float(side), colour))
    >>> build(shapes, "square", {"side": 2}, colour="red")
    (2.0, 'red')
    >>> build(shapes, "square", {"side": "long"}, colour="red")
    Traceback (most recent call last):
        ...
    vocemo.errors.UsageError: shape square cannot have side='long': could not convert string to float: 'long'
    """
    entry = registry[name]
    valid = [parameter for parameter in inspect.signature(entry).parameters if parameter not in given]
    for option in options:
        if option not in valid:
            raise UnknownNameError(f"option of {registry.kind} {name}", option, valid)
    try:
        return entry(**given, **options)
    except VocemoError:
        raise
    except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError, RuntimeError) as error:
        told = ", ".join(f"{option}={value!r}" for option, value in options.items())
        raise UsageError(f"{registry.kind} {name} cannot have {told or 'these inputs'}: {error}") from error
