"""A voice in a room: convolution with a synthetic impulse response."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vocemo.lab.augment.room import convolved, room_response
from vocemo.lab.augment.transform import Samples
from vocemo.lab.stress.degradation import SeedParameters

DIRECT_TO_REVERBERANT_DB = 0.0  # what a listener has at the critical distance


@dataclass(frozen=True)
class Reverberation:
    """A room of this reverberation time, another one for each clip; as long as the clip, the rest is cut."""

    rt60_s: float

    def draw(self, rng: np.random.Generator, speaker: str) -> SeedParameters:
        """The seed of the room's response."""
        return SeedParameters.drawn(rng)

    def apply(self, samples: Samples, sample_rate: int, parameters: SeedParameters) -> Samples:
        """The samples as they sound in the room, (N,) -> (N,)."""
        response = room_response(self.rt60_s, sample_rate, parameters.rng, DIRECT_TO_REVERBERANT_DB)
        return convolved(samples, response)
