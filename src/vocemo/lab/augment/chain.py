"""Augmentations one after another, each with its probability, as a recipe lists them."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.augment.transform import AUGMENTATIONS, Augmentation, ReadsFiles, Samples


@dataclass(frozen=True)
class Step:
    """One augmentation of a chain, and how often it is applied."""

    name: str
    p: float
    augmentation: Augmentation[Any]


@dataclass(frozen=True)
class Chain:
    """Augmentations in order. Holds no state: safe to share between threads."""

    steps: tuple[Step, ...]

    @property
    def identity(self) -> str:
        """A text that is equal for chains that make equal samples from equal draws, files included."""
        return "\n".join(
            f"{step.p!r} {step.augmentation!r}"
            + (f" {step.augmentation.content}" if isinstance(step.augmentation, ReadsFiles) else "")
            for step in self.steps
        )

    def draw(self, rng: np.random.Generator) -> tuple[object | None, ...]:
        """Each step's parameters, None for a step that is left out this time.

        A step draws its parameters even when it is left out, so that one step's options change
        nothing in what the others draw.
        """
        drawn: list[object | None] = []
        for step in self.steps:
            left_out = rng.random() >= step.p
            parameters = step.augmentation.draw(rng)
            drawn.append(None if left_out else parameters)
        return tuple(drawn)

    def apply(self, samples: Samples, sample_rate: int, drawn: Sequence[object | None]) -> Samples:
        """The samples under drawn parameters: (N,) -> (M,) float32.

        Where no step applies, the samples themselves; they are never written to.
        """
        varied = np.ascontiguousarray(samples, dtype=np.float32)
        if varied.ndim != 1:
            raise ValueError(f"augmentation takes one channel, samples of shape (N,), not {varied.shape}")
        for step, parameters in zip(self.steps, drawn, strict=True):
            if parameters is not None and varied.size:
                varied = step.augmentation.apply(varied, sample_rate, parameters)
        return varied

    def __call__(self, samples: Samples, sample_rate: int, rng: np.random.Generator) -> Samples:
        """Draw and apply: (N,) -> (M,) float32, finite where the samples are."""
        return self.apply(samples, sample_rate, self.draw(rng))


def chain(tables: Sequence[Mapping[str, object]]) -> Chain:
    """A chain from a recipe's list of tables.

    tables: each with a `name`, optionally a probability `p` (1 unless given), and the options
        that the augmentation of that name has.

    Raises: UnknownNameError for a name or an option that does not exist; UsageError for a value that
    an option cannot take.

    >>> vary = chain([{"name": "gain", "p": 0.5, "min_db": -6.0, "max_db": 6.0}])
    >>> vary(np.ones(8, np.float32), 16_000, np.random.default_rng(1)).shape
    (8,)
    >>> chain([{"name": "gain", "max_dB": 6.0}])
    Traceback (most recent call last):
        ...
    vocemo.errors.UnknownNameError: unknown option of augmentation gain 'max_dB'; did you mean 'max_db'? \
Valid: p, min_db, max_db
    """
    return Chain(tuple(_step(dict(table)) for table in tables))


def _step(table: dict[str, object]) -> Step:
    name = table.pop("name", None)
    if not isinstance(name, str):
        raise UsageError(f"an augmentation needs a name. Valid: {', '.join(sorted(AUGMENTATIONS))}")
    kind = AUGMENTATIONS[name]
    p = _number(f"augmentation {name}: p", table.pop("p", 1.0))
    if not 0 <= p <= 1:
        raise UsageError(f"augmentation {name}: p is a probability from 0 to 1, not {p:g}")
    types = typing.get_type_hints(kind)
    valid = list(inspect.signature(kind).parameters)
    options: dict[str, Any] = {}
    for key, value in table.items():
        if key not in valid:
            raise UnknownNameError(f"option of augmentation {name}", key, ["p", *valid])
        options[key] = _typed(f"augmentation {name}: {key}", value, types[key])
    return Step(name, p, kind(**options))


def _typed(what: str, value: object, wanted: object) -> object:
    """The value as an option of this type takes it; TOML writes 2 for 2.0, and a list for a tuple."""
    if wanted is float:
        return _number(what, value)
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
