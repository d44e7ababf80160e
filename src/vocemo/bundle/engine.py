"""What runs a bundle's graph, whichever format the file has."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vocemo.bundle.info import BundleInfo

PROBABILITIES, EMBEDDING = "probabilities", "embedding"
OUTPUTS = (PROBABILITIES, "logits", EMBEDDING)
DISTANCE = "distance"  # the further output of a bundle that has a limit for it
DEVICES = ("auto", "cpu", "cuda")
MOST_THREADS = 4  # past four threads a clip of seconds gains nothing and other processes lose


class Engine(Protocol):
    """An opened graph; each format has its own."""

    @property
    def device(self) -> str:
        """Where the graph runs: cpu or cuda."""

    @property
    def clip_samples(self) -> int | None:
        """The samples of the one clip that the graph takes at a time; None: it takes batches."""

    @property
    def description(self) -> str | None:
        """The JSON text of the file's BundleInfo, None where vocemo did not write it."""

    def check(self, info: BundleInfo) -> None:
        """Raise BundleError unless the graph has the inputs and outputs that its description needs."""

    def run(
        self, samples: NDArray[np.float32], lengths: NDArray[np.int64]
    ) -> Mapping[str, NDArray[np.float32]]:
        """The outputs by name, for samples (batch, N) and lengths (batch,)."""


def outputs_needed(info: BundleInfo) -> tuple[str, ...]:
    """The outputs that a graph of this description has."""
    return OUTPUTS if info.distance_limit is None else (*OUTPUTS, DISTANCE)


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
