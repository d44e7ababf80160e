"""Voices under the voice: other people talk in the room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vocemo.errors import UsageError
from vocemo.lab.augment.add_noise import active_power
from vocemo.lab.augment.background_noise import excerpt
from vocemo.lab.augment.synthetic_voice import VOICES, synthetic_voice
from vocemo.lab.augment.transform import AUGMENTATIONS, Samples, need_range


@dataclass(frozen=True)
class BabbleParameters:
    """A drawn ratio, and voices, each a number and where its excerpt begins (from 0 to 1)."""

    snr_db: float
    voices: tuple[tuple[int, float], ...]


@AUGMENTATIONS.register("babble")
@dataclass(frozen=True)
class Babble:
    """Add some synthetic voices, equally loud each, at a ratio uniform in decibels.

    The ratio is that of the clip's active part, as under `noise`, to all voices together. Silence stays
    silent. For recordings of real voices see `background-noise`.
    """

    min_snr_db: float = 5.0
    max_snr_db: float = 30.0
    min_talkers: int = 1
    max_talkers: int = 8

    def __post_init__(self) -> None:
        """Refuse a range that is none."""
        need_range("babble: SNR in dB", self.min_snr_db, self.max_snr_db, -30.0, 120.0)
        if not 1 <= self.min_talkers <= self.max_talkers <= VOICES:
            raise UsageError(
                f"babble: {self.min_talkers} to {self.max_talkers} talkers is no range; "
                f"valid: 1 <= minimum <= maximum <= {VOICES}"
            )

    def draw(self, rng: np.random.Generator) -> BabbleParameters:
        """A ratio, and different voices."""
        snr_db = rng.uniform(self.min_snr_db, self.max_snr_db)
        talkers = int(rng.integers(self.min_talkers, self.max_talkers + 1))
        # As many draws whatever the number of talkers, so that it changes nothing in what others draw.
        numbers, starts = rng.permutation(VOICES), rng.random(VOICES)
        return BabbleParameters(snr_db, tuple((int(numbers[n]), float(starts[n])) for n in range(talkers)))

    def apply(self, samples: Samples, sample_rate: int, parameters: BabbleParameters) -> Samples:
        """The samples with voices, (N,) -> (N,)."""
        power = active_power(samples, sample_rate)
        if power == 0:
            return samples
        babble = np.zeros(len(samples), np.float32)
        for number, start in parameters.voices:
            babble += excerpt(synthetic_voice(number, sample_rate), len(samples), start)
        babble_power = float(np.mean(np.square(babble, dtype=np.float64)))
        if babble_power == 0:  # a clip so short that it lies within a pause
            return samples
        scale = np.sqrt(power / 10 ** (parameters.snr_db / 10) / babble_power)
        return samples + babble * np.float32(scale)
