"""Too loud, too quiet, clipped: levels as a recorder of 16 bits keeps them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vocemo.lab.augment.gain import Gain, GainParameters
from vocemo.lab.augment.transform import Samples
from vocemo.lab.stress.active_speech import active_level_dbov, active_speech

_STEPS = 2**15  # of 16 bits, from 0 to full scale


@dataclass(frozen=True)
class GainAtRecorder:
    """Another gain in front of a recorder: what passes full scale is clipped, the rest rounded to 16 bits."""

    gain_db: float

    def draw(self, rng: np.random.Generator, speaker: str) -> None:
        """Nothing to draw."""

    def apply(self, samples: Samples, sample_rate: int, parameters: None) -> Samples:
        """The samples as they are recorded, (N,) -> (N,)."""
        return as_16_bits(Gain().apply(samples, sample_rate, GainParameters(self.gain_db)))


@dataclass(frozen=True)
class ActiveLevel:
    """Recorded so that active speech has this level, whatever it had."""

    level_dbov: float

    def draw(self, rng: np.random.Generator, speaker: str) -> None:
        """Nothing to draw."""

    def apply(self, samples: Samples, sample_rate: int, parameters: None) -> Samples:
        """The samples as they are recorded, (N,) -> (N,); silence stays."""
        level_dbov = active_level_dbov(samples, sample_rate)
        if math.isinf(level_dbov):
            return samples
        gain = GainParameters(self.level_dbov - level_dbov)
        return as_16_bits(Gain().apply(samples, sample_rate, gain))


@dataclass(frozen=True)
class Clipped:
    """So loud that a share of the samples of active speech lies at full scale; the former level is kept."""

    share: float

    def draw(self, rng: np.random.Generator, speaker: str) -> None:
        """Nothing to draw."""

    def apply(self, samples: Samples, sample_rate: int, parameters: None) -> Samples:
        """The clipped samples, (N,) -> (N,); silence stays."""
        active = np.abs(samples[active_speech(samples, sample_rate)])
        if not len(active):
            return samples
        ceiling = np.float32(np.quantile(active, 1 - self.share))
        return np.clip(samples, -ceiling, ceiling)


def as_16_bits(samples: Samples) -> Samples:
    """Clipped at full scale and rounded to steps of 16 bits.

    >>> (as_16_bits(np.array([1.5, -1.5, 1e-5, 2e-5], np.float32)) * 2**15).astype(int)
    array([ 32767, -32768,      0,      1])
    """
    steps = np.clip(np.rint(samples * np.float32(_STEPS)), -_STEPS, _STEPS - 1)
    return np.asarray(steps / np.float32(_STEPS), np.float32)
