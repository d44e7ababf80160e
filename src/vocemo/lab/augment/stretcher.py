"""The phase vocoder that pitch shift and tempo share: Signalsmith Stretch, by python-stretch.

It changes both in one pass, so that a chain's shift and stretch cost what one of them does, and blur the
sound once.

It compensates its own delay: what sounds at t seconds still does (at t / rate when stretched), and its
length is that of the input over the rate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import python_stretch

from vocemo.lab.augment.transform import Samples

SLOWEST = 0.5  # below this rate the library's answers differ from call to call

Parameters = TypeVar("Parameters")


@dataclass(frozen=True)
class Stretching:
    """What one pass does; pitch and tempo leave each other alone, so that their order means nothing."""

    semitones: float = 0.0
    rate: float = 1.0

    def then(self, other: Stretching) -> Stretching:
        """Both, one after the other.

        >>> Stretching(semitones=2).then(Stretching(semitones=-1, rate=1.25))
        Stretching(semitones=1.0, rate=1.25)
        """
        return Stretching(float(self.semitones + other.semitones), self.rate * other.rate)


class Stretches(ABC, Generic[Parameters]):
    """An augmentation that the phase vocoder makes: a chain makes neighbours in one pass."""

    @abstractmethod
    def stretching(self, parameters: Parameters) -> Stretching | None:
        """What drawn parameters ask of the vocoder; None where they are made in another way."""


def stretch(samples: Samples, sample_rate: int, *, semitones: float = 0.0, rate: float = 1.0) -> Samples:
    """Change pitch and tempo, each without the other: (N,) -> (about N / rate,).

    semitones: how far up the pitch goes, formants with it.
    rate: how much faster.
    """
    stretcher = python_stretch.Signalsmith.Stretch()
    # The library's own saving, three quarters of the cost: hops of 40 % of a block instead of 25 %.
    # Hops of 50 % would save a fifth more, and make a steady tone flutter by 2 to 5 dB.
    stretcher.preset(1, sample_rate, cheaper=True)
    stretcher.setTransposeSemitones(semitones)
    stretcher.setTimeFactor(rate)
    # A copy, since the library takes no array that is read-only.
    stretched: Samples = np.asarray(stretcher.process(samples[None].copy()), np.float32)[0]
    return stretched
