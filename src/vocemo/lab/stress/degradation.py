"""What a degradation is: one way in which a recording is worse than it could be.

Its options are the fields of a frozen dataclass. As in `lab.augment`, it draws parameters from a generator
and applies drawn parameters to samples: the same parameters give the same samples, on any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from vocemo.lab.augment.transform import Samples

Parameters = TypeVar("Parameters")


class Degradation(Protocol[Parameters]):
    """One way to make a recording worse without changing what is said in it, and how."""

    def draw(self, rng: np.random.Generator, speaker: str) -> Parameters:
        """Parameters for one clip; all of its randomness.

        speaker: who speaks in the clip; voices in the background must be others'.
        """
        ...

    def apply(self, samples: Samples, sample_rate: int, parameters: Parameters) -> Samples:
        """The worse samples, (N,) -> (M,) float32; the samples given are left as they were."""
        ...


@dataclass(frozen=True)
class AsRecorded:
    """Nothing is done: what all else is held against."""

    def draw(self, rng: np.random.Generator, speaker: str) -> None:
        """Nothing to draw."""

    def apply(self, samples: Samples, sample_rate: int, parameters: None) -> Samples:
        """The samples themselves."""
        return samples


@dataclass(frozen=True)
class SeedParameters:
    """All that a degradation draws where its randomness is a noise of the clip's length: the noise's seed."""

    seed: int

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> SeedParameters:
        """Any seed, each as likely."""
        return cls(int(rng.integers(2**63)))

    @property
    def rng(self) -> np.random.Generator:
        """A generator at its beginning."""
        return np.random.default_rng(self.seed)


AnyDegradation = Degradation[Any]
