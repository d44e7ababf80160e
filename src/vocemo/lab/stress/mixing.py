"""A noise under a voice at a signal-to-noise ratio, both measured where somebody speaks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vocemo.lab.augment.add_noise import coloured_noise
from vocemo.lab.augment.background_noise import excerpt
from vocemo.lab.augment.recordings import Recordings
from vocemo.lab.augment.transform import Samples
from vocemo.lab.stress.active_speech import active_power, active_speech
from vocemo.lab.stress.degradation import SeedParameters

# Mean square below which a noise is silence: -100 dBFS, less than one step of 16 bits.
_SILENT_BELOW = 1e-10


def mixed(samples: Samples, sample_rate: int, noise: Samples, snr_db: float) -> Samples:
    """The samples with the noise at a ratio, (N,) and (N,) -> (N,).

    The ratio is 10 log10(power of the speech / power of the noise), both over the active part of the speech
    (`active_speech`): silence around the voice leaves it as it is, and so does what the noise does there.
    Silence, and a noise that is silent wherever somebody speaks, change nothing.

    >>> speech, noise = np.ones(800, np.float32), np.full(800, 5, np.float32)
    >>> mixed(speech, 8_000, noise, 20.0)[:2]
    array([1.1, 1.1], dtype=float32)
    """
    active = active_speech(samples, sample_rate)
    power, noise_power = active_power(samples, active), active_power(noise, active)
    if power == 0 or noise_power < _SILENT_BELOW:
        return samples
    scale = math.sqrt(power / 10 ** (snr_db / 10) / noise_power)
    return samples + noise * np.float32(scale)


@dataclass(frozen=True)
class WhiteNoise:
    """White Gaussian noise: as strong at every frequency up to half the sample rate."""

    snr_db: float

    def draw(self, rng: np.random.Generator, speaker: str) -> SeedParameters:
        """The noise's seed."""
        return SeedParameters.drawn(rng)

    def apply(self, samples: Samples, sample_rate: int, parameters: SeedParameters) -> Samples:
        """The samples with noise, (N,) -> (N,)."""
        noise = coloured_noise(len(samples), sample_rate, "white", parameters.rng)
        return mixed(samples, sample_rate, noise, self.snr_db)


@dataclass(frozen=True)
class ExcerptParameters:
    """A drawn excerpt of a recording."""

    recording: str
    start: float  # where the excerpt lies, from 0 to 1: among all that fit


@dataclass(frozen=True)
class RecordedNoise:
    """An excerpt of the user's own recordings; one that is shorter than the clip is repeated."""

    snr_db: float
    recordings: Recordings

    def draw(self, rng: np.random.Generator, speaker: str) -> ExcerptParameters:
        """A recording, each as likely whatever its length, and where in it."""
        names = self.recordings.names
        return ExcerptParameters(names[int(rng.integers(len(names)))], rng.random())

    def apply(self, samples: Samples, sample_rate: int, parameters: ExcerptParameters) -> Samples:
        """The samples with noise, (N,) -> (N,). Raises UsageError for a recording that cannot be decoded."""
        heard = self.recordings.samples(parameters.recording, sample_rate)
        noise = excerpt(heard, len(samples), parameters.start)
        return mixed(samples, sample_rate, noise, self.snr_db)
