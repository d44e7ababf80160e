"""A narrow-band telephone call: 300 to 3400 Hz, 8 kHz, eight bits of mu-law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vocemo.lab.augment.telephone import RATE_HZ, called
from vocemo.lab.augment.transform import Samples
from vocemo.lab.stress.active_speech import active_level_dbov

BAND_HZ = (300.0, 3400.0)


@dataclass(frozen=True)
class Telephone:
    """Band limits, mu-law at the level of a network, and back to the former rate and level."""

    def draw(self, rng: np.random.Generator, speaker: str) -> None:
        """Nothing to draw."""

    def apply(self, samples: Samples, sample_rate: int, parameters: None) -> Samples:
        """The samples as they come out of the telephone, (N,) -> (N,), without delay."""
        return called(samples, sample_rate, BAND_HZ, lambda narrow: active_level_dbov(narrow, RATE_HZ))
