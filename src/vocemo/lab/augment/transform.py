"""What a waveform augmentation is.

Its options are the fields of a frozen dataclass. It draws parameters from a generator, and applies
drawn parameters to samples: the same parameters give the same samples, on any thread.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vocemo.errors import UsageError
from vocemo.lab.registry import Registry

Samples = NDArray[np.float32]

Parameters = TypeVar("Parameters")


class Augmentation(Protocol[Parameters]):
    """One way to vary a recording without changing its emotion."""

    def draw(self, rng: np.random.Generator) -> Parameters:
        """Parameters of one variation; all of its randomness."""
        ...

    def apply(self, samples: Samples, sample_rate: int, parameters: Parameters) -> Samples:
        """The varied samples, (N,) -> (M,) float32; the samples given are left as they were."""
        ...


@runtime_checkable
class ReadsFiles(Protocol):
    """An augmentation that depends on files, beyond its options."""

    @property
    def content(self) -> str:
        """A digest of all that it reads."""
        ...


AUGMENTATIONS: Registry[type[Augmentation[Any]]] = Registry("augmentation")


def need_range(what: str, low: float, high: float, least: float, most: float) -> None:
    """UsageError unless least <= low <= high <= most."""
    if not least <= low <= high <= most:
        raise UsageError(
            f"{what} from {low:g} to {high:g} is no range; valid: {least:g} <= minimum <= maximum <= {most:g}"
        )
