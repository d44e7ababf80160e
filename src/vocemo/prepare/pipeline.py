"""From samples as they were recorded to samples as a model takes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vocemo.audio.resampling import check_rate, resample
from vocemo.errors import TooShortAudioError
from vocemo.prepare.options import Preparation
from vocemo.prepare.signal import (
    SILENCE_DBFS,
    Samples,
    as_mono,
    dbfs,
    frame_rms,
    peak,
    reduce_noise,
    rms,
    trim_bounds,
    widen,
)

UNHEARD_WITHOUT_A_WORD_S = 0.25  # a syllable: cutting off less than that is not worth a warning


@dataclass(frozen=True, eq=False)
class Prepared:
    """Samples as a model takes them."""

    samples: Samples  # (N,)
    length: int  # samples before the zeros at the end, if there are any
    warnings: tuple[str, ...]
    silent: bool  # nothing to recognise; such samples are passed on as they are, never amplified
    start_s: float = 0.0  # where in the recording the first of the samples stood


def prepare(samples: NDArray[np.generic], sample_rate: int, preparation: Preparation) -> Prepared:
    """Prepare a recording for a model.

    samples: (N,) or (channels, N), floats with full scale 1 or integers. sample_rate: theirs, in Hz.
    In order: mean over channels; offset; resampling; DC removal, x - mean(x); noise reduction; trim;
    level, x * 10^(L/20) / max|x| or x * 10^(L/20) / sqrt(mean(x^2)); crop, or zeros at the end.
    Silence, whose loudest 32 ms stay below SILENCE_DBFS, is neither cleaned, trimmed nor levelled.
    errors: EmptyAudioError, NonFiniteAudioError, TooShortAudioError, UsageError, MissingExtraError
        (noise reduction without the extra `denoise`).

    >>> prepare(np.zeros(16_000), 16_000, Preparation(level="peak")).silent
    True
    """
    p = preparation
    mono = _from_offset(as_mono(samples), check_rate(sample_rate), p)
    x = resample(mono, sample_rate, p.sample_rate)
    if not len(x):
        raise TooShortAudioError(f"{len(mono)} samples at {sample_rate} Hz are none at {p.sample_rate} Hz")
    if p.remove_dc:
        x = x - np.float32(x.mean(dtype=np.float64))
    loudness = frame_rms(x, p.sample_rate)
    warnings = _silence(loudness, "its loudest moment")
    if not warnings and p.noise_reduction != "none":
        x = reduce_noise(x, p.sample_rate, p.noise_reduction)
        loudness = frame_rms(x, p.sample_rate)
        warnings = _silence(loudness, "what noise reduction leaves")
    silent, first = bool(warnings), 0
    if not silent:
        first, stop = _trimmed(len(x), loudness, p)
        x = _levelled(x[first:stop], p)
        warnings = _unheard(len(x), p)
    first += _crop_start(len(x), p)
    x, length = _fitted(x, p)
    if np.may_share_memory(x, samples):  # whoever changes the answer must not change the question
        x = x.copy()
    start_s = round(p.offset_s * sample_rate) / sample_rate + first / p.sample_rate
    return Prepared(np.ascontiguousarray(x, np.float32), length, warnings, silent, start_s)


def _silence(loudness: NDArray[np.float64], what: str) -> tuple[str, ...]:
    loudest_db = dbfs(float(loudness.max()))
    return (f"silent: {what} is at {loudest_db:.0f} dBFS",) if loudest_db < SILENCE_DBFS else ()


def _unheard(length: int, p: Preparation) -> tuple[str, ...]:
    if p.length is None or length - p.length <= UNHEARD_WITHOUT_A_WORD_S * p.sample_rate:
        return ()
    where = "in the middle" if p.crop == "centre" else "at the start"
    of = f"of the {length / p.sample_rate:.1f} s"
    behind = f" behind the first {p.offset_s:g} s" if p.offset_s else ""
    return (f"cut: the model heard the {p.length_s:g} s {where} {of}{behind}",)


def _from_offset(mono: Samples, sample_rate: int, p: Preparation) -> Samples:
    rest = mono[round(p.offset_s * sample_rate) :]
    if len(rest) < max(1, round(p.min_length_s * sample_rate)):
        behind = f" behind the offset of {p.offset_s:g} s" if p.offset_s else ""
        raise TooShortAudioError(
            f"lasts {len(mono) / sample_rate:.3f} s; at least {p.min_length_s:g} s{behind} are needed"
        )
    return rest


def _trimmed(length: int, loudness: NDArray[np.float64], p: Preparation) -> tuple[int, int]:
    """The first sample that trimming leaves, and the one after the last."""
    if p.trim_below_peak_db is None:
        return 0, length
    start, stop = trim_bounds(loudness, p.sample_rate, p.trim_below_peak_db, length)
    return widen(start, stop, max(1, round(p.min_length_s * p.sample_rate)), length)


def _levelled(x: Samples, p: Preparation) -> Samples:
    if p.level == "none":
        return x
    now = peak(x) if p.level == "peak" else rms(x)
    return x * np.float32(10 ** (p.level_db / 20) / now) if now > 0 else x


def _crop_start(length: int, p: Preparation) -> int:
    return max(0, length - (p.length or length)) // 2 if p.crop == "centre" else 0


def _fitted(x: Samples, p: Preparation) -> tuple[Samples, int]:
    wanted = p.length
    if wanted is None or len(x) == wanted:
        return x, len(x)
    if len(x) > wanted:
        start = _crop_start(len(x), p)
        return x[start : start + wanted], wanted
    padded = np.zeros(wanted, np.float32)
    padded[: len(x)] = x
    return padded, len(x)
