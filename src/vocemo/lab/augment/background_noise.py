"""Noise as it was recorded: streets, rooms, crowds, under the voice."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from vocemo.lab.augment import recordings
from vocemo.lab.augment.add_noise import active_power
from vocemo.lab.augment.recordings import Recordings
from vocemo.lab.augment.transform import AUGMENTATIONS, Samples, need_range

# Mean square below which an excerpt is silence: -100 dBFS, less than one step of 16 bits.
_SILENT_BELOW = 1e-10


@dataclass(frozen=True)
class BackgroundNoiseParameters:
    """A drawn excerpt and its ratio."""

    snr_db: float
    recording: str
    start: float  # where the excerpt lies, from 0 to 1: among all that fit


@AUGMENTATIONS.register("background-noise")
@dataclass(frozen=True)
class BackgroundNoise:
    """Add an excerpt of a recording below `folder` at a ratio uniform in decibels.

    Each recording is drawn as often, whatever its length; one that is shorter than the clip is repeated. The
    ratio is 10 log10(power of the clip's active part / power of the excerpt), the active part as under
    `noise`. Silence stays silent, and a silent excerpt adds nothing.
    """

    folder: str = ""
    min_snr_db: float = 5.0
    max_snr_db: float = 30.0
    _recordings: Recordings = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse a range that is none, and a folder without recordings."""
        need_range("background-noise: SNR in dB", self.min_snr_db, self.max_snr_db, -30.0, 120.0)
        object.__setattr__(self, "_recordings", recordings.below(self.folder, "background-noise"))

    @property
    def content(self) -> str:
        """A digest of the recordings."""
        return self._recordings.digest()

    def draw(self, rng: np.random.Generator) -> BackgroundNoiseParameters:
        """A ratio, a recording, and where in it the excerpt lies."""
        snr_db = rng.uniform(self.min_snr_db, self.max_snr_db)
        name = self._recordings.names[int(rng.integers(len(self._recordings.names)))]
        return BackgroundNoiseParameters(snr_db, name, rng.random())

    def apply(self, samples: Samples, sample_rate: int, parameters: BackgroundNoiseParameters) -> Samples:
        """The samples with noise, (N,) -> (N,)."""
        power = active_power(samples, sample_rate)
        heard = self._recordings.samples(parameters.recording, sample_rate)
        noise = excerpt(heard, len(samples), parameters.start)
        noise_power = float(np.mean(np.square(noise, dtype=np.float64)))
        if power == 0 or noise_power < _SILENT_BELOW:
            return samples
        scale = np.sqrt(power / 10 ** (parameters.snr_db / 10) / noise_power)
        return samples + noise * np.float32(scale)


def excerpt(recording: Samples, length: int, start: float) -> Samples:
    """So many samples of a recording, (length,); one that is shorter is repeated from some sample on.

    start: from 0, the first place possible, to 1, the last.

    >>> excerpt(np.arange(5.0), 3, 0.99), excerpt(np.arange(3.0), 5, 0.5)
    (array([2., 3., 4.]), array([1., 2., 0., 1., 2.]))
    """
    if len(recording) >= length:
        first = min(int(start * (len(recording) - length + 1)), len(recording) - length)
        return recording[first : first + length]
    first = int(start * len(recording)) % len(recording)
    return np.take(recording, np.arange(first, first + length), mode="wrap")
