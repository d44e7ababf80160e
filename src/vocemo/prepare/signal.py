"""The steps of preparation, each a pure function of samples."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vocemo.audio.channels import downmix
from vocemo.audio.sound import no_sound
from vocemo.errors import EmptyAudioError, MissingExtraError, NonFiniteAudioError, UsageError
from vocemo.prepare.options import NoiseReduction

Samples = NDArray[np.float32]  # (N,)

HOP_S = 0.008
HOPS_A_FRAME = 4  # 32 ms, two periods of a voice at 62 Hz

# Loudest frame of a recording that holds nothing to recognise. Speech, even whispered far from the
# microphone, stays well above; the dither of 16 bits lies at about -96 dBFS.
SILENCE_DBFS = -70.0

MOST_CHANNELS = 64


def as_mono(samples: NDArray[np.generic]) -> Samples:
    """Any array of samples as float32 (N,), the mean over channels.

    samples: (N,) or (channels, N), floats with full scale 1 or integers with their own full scale.
    errors: UsageError for another shape or type, EmptyAudioError, NonFiniteAudioError.

    >>> as_mono(np.array([0, 16384, -32768], np.int16))
    array([ 0. ,  0.5, -1. ], dtype=float32)
    """
    mono = downmix(as_floats(samples).T)
    if fault := no_sound(mono):
        raise NonFiniteAudioError("sample {} is {}".format(*fault))
    return mono


def as_floats(samples: NDArray[np.generic]) -> NDArray[np.float32]:
    """Any array of samples as float32 (channels, N), full scale 1.

    samples, errors: as `as_mono`, but for NonFiniteAudioError: they are not looked at.
    """
    array = np.asarray(samples)
    if array.ndim not in (1, 2) or array.dtype.kind not in "fiu":
        raise UsageError(
            f"samples of type {array.dtype} and shape {array.shape}; valid: numbers, (N,) or (channels, N)"
        )
    if array.size == 0:
        raise EmptyAudioError("holds no samples")
    if array.ndim == 2 and len(array) > MOST_CHANNELS:
        raise UsageError(
            f"samples of shape {array.shape} would have {len(array)} channels; give (channels, N)"
        )
    if array.dtype.kind == "u":
        array = array.astype(np.float64) / 2.0 ** (8 * array.itemsize - 1) - 1
    elif array.dtype.kind == "i":
        array = array / 2.0 ** (8 * array.itemsize - 1)
    with np.errstate(over="ignore"):  # a float64 too large for float32 is infinite
        return np.atleast_2d(np.asarray(array, np.float32))


def frame_rms(samples: Samples, sample_rate: int) -> NDArray[np.float64]:
    """RMS of overlapping frames, frame t centred on sample t * hop, zeros beyond the ends.

    r[t] = sqrt(1/F * sum(x[t*H - F/2 + i]^2, i = 0..F-1)), H = 8 ms, F = 4 H; 1 + N // H frames.
    samples: (N,). Returns (frames,).
    source: the definition of `librosa.feature.rms(center=True)`, computed from sums over hops.
    """
    hop = hop_samples(sample_rate)
    count = 1 + len(samples) // hop
    before = HOPS_A_FRAME // 2
    blocks = np.zeros((count + HOPS_A_FRAME - 1) * hop, np.float64)
    filled = blocks[before * hop :]
    np.square(samples[: len(filled)], out=filled[: len(samples)], dtype=np.float64)
    energy = blocks.reshape(-1, hop).sum(axis=1)
    total = energy[:count].copy()
    for k in range(1, HOPS_A_FRAME):
        total += energy[k : k + count]
    level: NDArray[np.float64] = np.sqrt(total / (HOPS_A_FRAME * hop))
    return level


def hop_samples(sample_rate: int) -> int:
    """Samples between frames."""
    return max(1, round(HOP_S * sample_rate))


def trim_bounds(
    rms: NDArray[np.float64], sample_rate: int, below_peak_db: float, length: int
) -> tuple[int, int]:
    """First sample, and the one after the last, of what is left when silent ends are trimmed.

    A frame t is kept if 20 log10(r[t] / max r) > -below_peak_db; what is left goes from the first such
    frame's centre to one hop after the last one's. rms: as `frame_rms` gives it. length: N.
    source: the definition of `librosa.effects.trim`.
    """
    hop = hop_samples(sample_rate)
    kept = np.flatnonzero(rms > rms.max() * 10 ** (-below_peak_db / 20))
    if not len(kept):
        return 0, length
    return int(kept[0]) * hop, min(length, (int(kept[-1]) + 1) * hop)


def widen(start: int, stop: int, least: int, length: int) -> tuple[int, int]:
    """A part of at least `least` samples around [start, stop), within [0, length).

    >>> widen(90, 95, 20, 100)
    (80, 100)
    """
    missing = min(least, length) - (stop - start)
    if missing <= 0:
        return start, stop
    start = min(max(0, start - missing // 2), length - min(least, length))
    return start, start + min(least, length)


def dbfs(amplitude: float) -> float:
    """Decibels relative to full scale 1.

    >>> dbfs(0.1), dbfs(0.0)
    (-20.0, -inf)
    """
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def rms(samples: Samples) -> float:
    """Root of the mean square."""
    return math.sqrt(float(np.square(samples, dtype=np.float64).mean()))


def peak(samples: Samples) -> float:
    """Largest magnitude."""
    return max(float(samples.max()), -float(samples.min()))


def reduce_noise(samples: Samples, sample_rate: int, how: NoiseReduction) -> Samples:
    """Spectral gating by noisereduce.

    how: "stationary" takes one threshold a band from the whole clip; "nonstationary" lets it follow the clip.
    errors: MissingExtraError without the extra `denoise`.
    source: Sainburg, Thielk & Gentner 2020, doi:10.1371/journal.pcbi.1008228 (noisereduce).
    """
    if how == "none":
        return samples
    try:
        import noisereduce
    except ImportError:
        raise MissingExtraError("noise reduction", "denoise") from None
    clean = noisereduce.reduce_noise(y=samples, sr=sample_rate, stationary=how == "stationary", n_jobs=1)
    # Its ratio of levels is 0/0 where a recording holds exact zeros.
    return np.nan_to_num(np.asarray(clean, np.float32), copy=False)
