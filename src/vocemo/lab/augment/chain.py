"""Augmentations one after another, each with its probability, as a recipe lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vocemo.errors import UsageError
from vocemo.lab.augment.listed import listed
from vocemo.lab.augment.stretcher import SLOWEST, Stretches, Stretching, stretch
from vocemo.lab.augment.transform import AUGMENTATIONS, Augmentation, ReadsFiles, Samples


@dataclass(frozen=True)
class Step:
    """One augmentation of a chain, and how often it is applied."""

    name: str
    p: float
    augmentation: Augmentation[Any]
    from_view: int = 0  # of a clip's kept views, the first that it may be applied to


@dataclass(frozen=True)
class Chain:
    """Augmentations in order. Holds no state: safe to share between threads."""

    steps: tuple[Step, ...]

    @property
    def identity(self) -> str:
        """A text that is equal for chains that make equal samples from equal draws, files included."""
        return "\n".join(
            f"{step.p!r} {step.augmentation!r}"
            + (f" from view {step.from_view}" if step.from_view else "")
            + (f" {step.augmentation.content}" if isinstance(step.augmentation, ReadsFiles) else "")
            for step in self.steps
        )

    def draw(self, rng: np.random.Generator, view: int | None = None) -> tuple[object | None, ...]:
        """Each step's parameters, None for a step that is left out this time.

        A step draws its parameters even when it is left out, so that one step's options change
        nothing in what the others draw. `view` is the number of the view that is made; None where views are
        not kept, and steps are applied whatever view they begin with.
        """
        drawn: list[object | None] = []
        for step in self.steps:
            left_out = rng.random() >= step.p or (view is not None and view < step.from_view)
            parameters = step.augmentation.draw(rng)
            drawn.append(None if left_out else parameters)
        return tuple(drawn)

    def apply(self, samples: Samples, sample_rate: int, drawn: Sequence[object | None]) -> Samples:
        """The samples under drawn parameters: (N,) -> (M,) float32.

        Where no step applies, the samples themselves; they are never written to. Neighbours that the phase
        vocoder makes are made in one pass.
        """
        varied = np.ascontiguousarray(samples, dtype=np.float32)
        if varied.ndim != 1:
            raise ValueError(f"augmentation takes one channel, samples of shape (N,), not {varied.shape}")
        if not varied.size:
            return varied
        asked: Stretching | None = None  # of the vocoder, by the steps since the last that was made
        for step, parameters in zip(self.steps, drawn, strict=True):
            if parameters is None:
                continue
            found = _stretching(step.augmentation, parameters)
            joined = None if found is None or asked is None else asked.then(found)
            if joined is not None and joined.rate >= SLOWEST:
                asked = joined
                continue
            if asked is not None:
                varied, asked = _stretched(varied, sample_rate, asked), None
            if found is not None:
                asked = found
            elif varied.size:
                varied = step.augmentation.apply(varied, sample_rate, parameters)
        return varied if asked is None or not varied.size else _stretched(varied, sample_rate, asked)

    def __call__(
        self, samples: Samples, sample_rate: int, rng: np.random.Generator, view: int | None = None
    ) -> Samples:
        """Draw and apply: (N,) -> (M,) float32, finite where the samples are."""
        return self.apply(samples, sample_rate, self.draw(rng, view))


def _stretching(augmentation: Augmentation[Any], parameters: object) -> Stretching | None:
    return augmentation.stretching(parameters) if isinstance(augmentation, Stretches) else None


def _stretched(samples: Samples, sample_rate: int, asked: Stretching) -> Samples:
    return stretch(samples, sample_rate, semitones=asked.semitones, rate=asked.rate)


def chain(tables: Sequence[Mapping[str, object]]) -> Chain:
    """A chain from a recipe's list of tables.

    tables: each with a `name`, optionally a probability `p` (1 unless given) and, for kept views,
        `from_view`, the first that it may be applied to, and the options that the augmentation of that name
        has.

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
    return Chain(tuple(_step(table) for table in tables))


def _step(table: Mapping[str, object]) -> Step:
    first = table.get("from_view", 0)
    if isinstance(first, bool) or not isinstance(first, int) or first < 0:
        raise UsageError(
            f"augmentation {table.get('name')}: from_view is {first!r}; valid: a whole number, 0 or more"
        )
    own = {key: value for key, value in table.items() if key != "from_view"}
    return Step(*listed(AUGMENTATIONS, own), first)
