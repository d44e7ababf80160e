"""A registry: a decorator, a dict, and an error that lists the right names."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from vocemo.errors import UnknownNameError, UsageError, VocemoError
from vocemo.lab.options import value_of

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


@dataclass(frozen=True)
class EntryOption:
    """One thing that an entry can be built with."""

    name: str
    default: Any  # `inspect.Parameter.empty` where there is none
    type: Any  # None where nobody says it


# What a recipe's text can be held to beforehand; of other types the entry itself says what is wrong.
_CHECKED = (int, float, bool, int | None, float | None, Sequence[int], Sequence[float])


def entry_options(entry: Callable[..., object]) -> tuple[EntryOption, ...]:
    """What an entry can be built with: its parameters, in order.

    >>> def circle(*, radius: float = 1.0) -> None: ...
    >>> entry_options(circle)
    (EntryOption(name='radius', default=1.0, type=<class 'float'>),)
    """
    initialiser: Any = getattr(entry, "__init__", entry) if inspect.isclass(entry) else entry
    types = typing.get_type_hints(initialiser)
    return tuple(
        EntryOption(parameter.name, parameter.default, types.get(parameter.name))
        for parameter in inspect.signature(entry).parameters.values()
    )


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
    >>> def circle(*, radius: float = 1.0) -> object: ...
    >>> shapes.add("circle", circle)
    >>> build(shapes, "circle", {"radius": "long"})
    Traceback (most recent call last):
        ...
    vocemo.errors.UsageError: shape circle: radius is 'long'; valid: a number
    """
    entry = registry[name]
    valid = {each.name: each for each in entry_options(entry) if each.name not in given}
    read: dict[str, Any] = dict(options)
    for option, value in options.items():
        if option not in valid:
            raise UnknownNameError(f"option of {registry.kind} {name}", option, valid)
        kinds = typing.get_args(valid[option].type)
        if value == "none" and type(None) in kinds and str not in kinds:  # a word may be of the entry's own
            read[option] = None
        elif valid[option].type in _CHECKED:
            read[option] = value_of(f"{registry.kind} {name}: {option}", value, valid[option].type)
    try:
        return entry(**given, **read)
    except VocemoError:
        raise
    except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError, RuntimeError) as error:
        told = ", ".join(f"{option}={value!r}" for option, value in options.items())
        raise UsageError(f"{registry.kind} {name} cannot have {told or 'these inputs'}: {error}") from error
