"""What one recording measures: level, noise, clipping, pitch; and a digest of its samples."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vocemo.audio.flat_tops import clipped_samples
from vocemo.lab.explore.pitch import PitchOptions, track_pitch
from vocemo.prepare.signal import SILENCE_DBFS, dbfs, frame_rms, hop_samples, peak, rms

Samples = NDArray[np.float32]

LEAST_DBFS = -120.0  # what digital silence is counted as: below the last bit of 16
NOISE_PERCENTILE = 10.0  # of the frames' levels: pauses and what stands around the speech
SOUNDS_BELOW_LOUDEST_DB = 40.0  # a frame counts as sounding down to so much under the loudest
FEWEST_VOICED_FRAMES = 5  # 50 ms; with less there is no pitch to speak of


@dataclass(frozen=True, slots=True)
class ClipStatistics:
    """The measures of one recording; levels in dB relative to full scale, an amplitude of 1.

    `speech_dbfs` is the level of the frames that sound, `noise_floor_dbfs` the level that a tenth of
    all frames stay under. Pitch is None where nothing is voiced; its range goes from the 5th to the
    95th percentile of the voiced frames. `voiced_share` is of the frames that sound.
    """

    duration_s: float
    sample_rate: int  # Hz
    rms_dbfs: float
    speech_dbfs: float
    peak_dbfs: float
    noise_floor_dbfs: float
    sounding_s: float
    silent: bool
    clipped_samples: int
    f0_median_hz: float | None
    f0_low_hz: float | None
    f0_high_hz: float | None
    voiced_share: float
    digest: str  # of the samples and their rate

    @property
    def f0_range_semitones(self) -> float | None:
        """From the 5th to the 95th percentile of the pitch."""
        if self.f0_low_hz is None or self.f0_high_hz is None:
            return None
        return 12 * math.log2(self.f0_high_hz / self.f0_low_hz)

    @property
    def snr_db(self) -> float:
        """How far the speech stands above the noise floor."""
        return self.speech_dbfs - self.noise_floor_dbfs


def measure(samples: Samples, sample_rate: int, pitch: PitchOptions | None = None) -> ClipStatistics:
    """All measures of a recording.

    samples: float32 (N,), N at least 1. sample_rate: Hz.

    >>> tone = 0.5 * np.sin(2 * np.pi * 200 * np.arange(16_000) / 16_000, dtype=np.float32)
    >>> measured = measure(tone, 16_000)
    >>> round(measured.rms_dbfs, 2), round(measured.peak_dbfs, 2), round(measured.f0_median_hz)
    (-9.03, -6.02, 200)
    """
    frames = frame_rms(samples, sample_rate)
    hop_s = hop_samples(sample_rate) / sample_rate
    sounding = frames >= frames.max() * 10 ** (-SOUNDS_BELOW_LOUDEST_DB / 20)
    silent = dbfs(float(frames.max())) < SILENCE_DBFS
    track = track_pitch(samples, sample_rate, pitch)
    nearest = np.minimum(np.round(track.time_s / hop_s).astype(np.int64), len(frames) - 1)
    voiced = track.voiced & sounding[nearest] & (not silent)
    f0_hz = track.f0_hz[voiced]
    low, middle, high = (
        (float(q) for q in np.percentile(f0_hz, (5, 50, 95)))
        if len(f0_hz) >= FEWEST_VOICED_FRAMES
        else (None, None, None)
    )
    heard = int(sounding[nearest].sum())
    return ClipStatistics(
        duration_s=len(samples) / sample_rate,
        sample_rate=sample_rate,
        rms_dbfs=level_dbfs(rms(samples)),
        speech_dbfs=level_dbfs(float(np.sqrt(np.square(frames[sounding]).mean()))),
        peak_dbfs=level_dbfs(peak(samples)),
        noise_floor_dbfs=level_dbfs(float(np.percentile(frames, NOISE_PERCENTILE))),
        sounding_s=0.0 if silent else min(float(sounding.sum()) * hop_s, len(samples) / sample_rate),
        silent=silent,
        clipped_samples=clipped_samples(samples),
        f0_median_hz=middle,
        f0_low_hz=low,
        f0_high_hz=high,
        voiced_share=float(voiced.sum()) / heard if heard and not silent else 0.0,
        digest=samples_digest(samples, sample_rate),
    )


def level_dbfs(amplitude: float) -> float:
    """Decibels relative to full scale, and no less than LEAST_DBFS.

    >>> level_dbfs(0.1), level_dbfs(0.0)
    (-20.0, -120.0)
    """
    return max(dbfs(amplitude), LEAST_DBFS)


def samples_digest(samples: Samples, sample_rate: int) -> str:
    """Equal for equal samples at an equal rate, whatever their container: 32 hexadecimal digits."""
    digest = hashlib.blake2b(f"{sample_rate}:".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(samples, dtype="<f4").tobytes())
    return digest.hexdigest()
