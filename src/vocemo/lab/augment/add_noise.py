"""Noise under the voice, white or coloured, at a signal-to-noise ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.augment.transform import AUGMENTATIONS, Samples, need_range

# How the power falls with frequency: as 1 / f^exponent, by 3.01 dB an octave for an exponent of 1.
COLOURS = {"white": 0.0, "pink": 1.0, "brown": 2.0, "blue": -1.0, "violet": -2.0}

# Below this the spectrum is flat, so that the power of brown noise is not all rumble.
_FLAT_BELOW_HZ = 50.0

# A frame sounds where its level is within so much of the loudest frame's.
_ACTIVE_BELOW_LOUDEST_DB = 40.0
_FRAME_S = 0.02


@dataclass(frozen=True)
class AddNoiseParameters:
    """A drawn noise: the seed of its samples, its colour and its ratio."""

    snr_db: float
    colour: str
    seed: int


@AUGMENTATIONS.register("noise")
@dataclass(frozen=True)
class AddNoise:
    """Add noise at a ratio uniform in decibels, of a colour drawn from `colours`.

    The ratio is 10 log10(power of the active part / power of the noise); the active part is made of the
    20 ms frames no more than 40 dB under the loudest, so that pauses do not raise the noise's share.
    Silence stays silent: there is nothing to measure a ratio by.
    """

    min_snr_db: float = 10.0
    max_snr_db: float = 40.0
    colours: tuple[str, ...] = ("white",)

    def __post_init__(self) -> None:
        """Refuse a range that is none, and colours that do not exist."""
        need_range("noise: SNR in dB", self.min_snr_db, self.max_snr_db, -30.0, 120.0)
        if not self.colours:
            raise UsageError(f"noise: colours is empty. Valid: {', '.join(COLOURS)}")
        for colour in self.colours:
            if colour not in COLOURS:
                raise UnknownNameError("colour of augmentation noise", colour, COLOURS)

    def draw(self, rng: np.random.Generator) -> AddNoiseParameters:
        """A ratio, a colour, and the seed of the noise."""
        snr_db = rng.uniform(self.min_snr_db, self.max_snr_db)
        colour = self.colours[int(rng.integers(len(self.colours)))]
        return AddNoiseParameters(snr_db, colour, int(rng.integers(2**63)))

    def apply(self, samples: Samples, sample_rate: int, parameters: AddNoiseParameters) -> Samples:
        """The samples with noise, (N,) -> (N,)."""
        power = active_power(samples, sample_rate)
        if power == 0:
            return samples
        noise = coloured_noise(
            len(samples), sample_rate, parameters.colour, np.random.default_rng(parameters.seed)
        )
        wanted = power / 10 ** (parameters.snr_db / 10)
        noise *= np.float32(np.sqrt(wanted / np.mean(np.square(noise, dtype=np.float64))))
        noise += samples
        return noise


def active_power(samples: Samples, sample_rate: int) -> float:
    """Mean square of the samples where the recording sounds; 0 for silence.

    >>> tone = np.sin(np.arange(16_000) * 0.3, dtype=np.float32)
    >>> padded = np.concatenate([np.zeros(16_000, np.float32), tone])
    >>> round(active_power(tone, 16_000), 3), round(active_power(padded, 16_000), 3)
    (0.5, 0.5)
    """
    frame = max(1, round(_FRAME_S * sample_rate))
    starts = np.arange(0, len(samples), frame)
    energies = np.add.reduceat(np.square(samples, dtype=np.float64), starts)
    sizes = np.minimum(frame, len(samples) - starts)
    powers = energies / sizes
    active = powers >= powers.max() * 10 ** (-_ACTIVE_BELOW_LOUDEST_DB / 10)
    return float(energies[active].sum() / sizes[active].sum())


def coloured_noise(length: int, sample_rate: int, colour: str, rng: np.random.Generator) -> Samples:
    """Gaussian noise whose power falls as 1 / f^exponent of its colour, (length,); its level is any."""
    exponent = COLOURS[colour]
    if exponent == 0:
        return rng.standard_normal(length, dtype=np.float32)
    # Drawn as a spectrum, of a length of small factors for the transform; the rest is cut off.
    longer = -(-length // 1024) * 1024
    frequencies = np.fft.rfftfreq(longer, 1 / sample_rate).astype(np.float32)
    spectrum = rng.standard_normal(2 * len(frequencies), dtype=np.float32).view(np.complex64)
    spectrum *= np.maximum(frequencies, np.float32(_FLAT_BELOW_HZ)) ** np.float32(-exponent / 2)
    return np.fft.irfft(spectrum, longer)[:length].astype(np.float32)
