"""Fundamental frequency: candidates from the autocorrelation, and the smoothest path through them.

Source: Boersma, P. (1993), "Accurate short-term analysis of the fundamental frequency and the
harmonics-to-noise ratio of a sampled sound", Proceedings of the Institute of Phonetic Sciences 17,
97-110; thresholds and costs are those that Praat's "Sound: To Pitch (ac)..." has today. The range is
narrowed to the voice in a second pass: De Looze, C. & Hirst, D. (2008), "Detecting changes in key and
range for the automatic modelling and coding of intonation", Speech Prosody; with the ceiling that Hirst
gives for expressive speech.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vocemo import audio
from vocemo.errors import UsageError

RATE_HZ = 16_000  # what the tracker works at; harmonics beyond 8 kHz tell nothing of the fundamental
PERIODS_A_FRAME = 3  # of the lowest pitch: fewer, and its autocorrelation has no clear second peak
FLOOR_OF_QUARTILE, CEILING_OF_QUARTILE = 0.75, 2.5  # of the first and third quartile of a first path
CLEARLY_PERIODIC = 0.8  # in correlation; a voice with less in most frames is judged by its better half
FRAMES_AT_ONCE = 2**12  # bounds memory: about 20 MB of spectra


@dataclass(frozen=True)
class PitchOptions:
    """Where the fundamental is sought, and what a frame must show to count as voiced.

    The range takes in creaky men and singing women; costs are per 10 ms, in units of correlation.
    """

    min_hz: float = 60.0
    max_hz: float = 750.0
    hop_s: float = 0.01
    silence_threshold: float = 0.03  # a frame softer than this share of the clip's peak is not voiced
    voicing_threshold: float = 0.45  # the correlation that an unvoiced frame may have
    octave_cost: float = 0.01  # per octave downwards: of two equal peaks, the higher pitch
    octave_jump_cost: float = 0.35
    voicing_change_cost: float = 0.14
    candidates: int = 6  # of each frame, beside "unvoiced"

    def __post_init__(self) -> None:
        """Refuse a range that the tracker cannot seek in."""
        if not 20.0 <= self.min_hz < self.max_hz <= RATE_HZ / 8:
            raise UsageError(
                f"pitch from {self.min_hz:g} to {self.max_hz:g} Hz; valid: 20 <= min_hz < max_hz <= "
                f"{RATE_HZ / 8:g}"
            )
        if not 0.001 <= self.hop_s <= 0.1:
            raise UsageError(f"hop_s {self.hop_s:g}; valid: 0.001 to 0.1 seconds")


@dataclass(frozen=True, eq=False)
class PitchTrack:
    """Frames centred at `time_s` (frames,), their pitch in Hz, NaN where unvoiced (frames,)."""

    time_s: NDArray[np.float64]
    f0_hz: NDArray[np.float64]

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """Which frames have a pitch, (frames,)."""
        return ~np.isnan(self.f0_hz)


def track_pitch(
    samples: NDArray[np.float32], sample_rate: int, options: PitchOptions | None = None
) -> PitchTrack:
    """The fundamental frequency of a recording.

    samples: float32 (N,). sample_rate: Hz.
    Returns 1 + N // hop frames, frame t centred at t * hop_s, zeros beyond the ends.
    errors: UsageError for samples of another shape.

    >>> tone = np.sin(2 * np.pi * 220 * np.arange(16_000) / 16_000, dtype=np.float32)
    >>> track = track_pitch(tone, 16_000)
    >>> track.f0_hz.shape, round(float(np.nanmedian(track.f0_hz)), 1)
    ((101,), 220.0)
    """
    chosen = PitchOptions() if options is None else options
    if samples.ndim != 1:
        raise UsageError(f"samples of shape {samples.shape}; valid: one channel, (N,)")
    heard = audio.resample(samples, sample_rate, RATE_HZ) if sample_rate != RATE_HZ else samples
    count = 1 + int(round(len(samples) / (sample_rate * chosen.hop_s), 6))
    time_s = np.arange(count, dtype=np.float64) * np.float64(chosen.hop_s)
    peak = float(np.abs(heard - heard.mean()).max()) if len(heard) else 0.0
    if peak == 0.0:
        return PitchTrack(time_s, np.full(count, np.nan))
    parts = [
        _candidates(heard, np.arange(first, min(first + FRAMES_AT_ONCE, count)), peak, chosen)
        for first in range(0, count, FRAMES_AT_ONCE)
    ]
    f0_hz = np.concatenate([part[0] for part in parts])
    strength = np.concatenate([part[1] for part in parts])
    frames = np.arange(count)
    path = _best_path(f0_hz, strength, chosen)
    likely = _likely(f0_hz, f0_hz[frames, path], strength[frames, path])
    if not likely.all():
        path = _best_path(f0_hz, np.where(likely, strength, -np.inf), chosen)
    return PitchTrack(time_s, f0_hz[frames, path])


def _likely(
    f0_hz: NDArray[np.float64], track_hz: NDArray[np.float64], strength: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which candidates lie in the range of this voice, by what is clearly periodic in a first path.

    So where a voice creaks, which is weakly periodic, a formant's ringing is not taken for a pitch two
    octaves up. "Unvoiced" is always likely.
    """
    voiced = ~np.isnan(track_hz)
    if not voiced.any():
        return np.ones(f0_hz.shape, np.bool_)
    firm = voiced & (strength >= min(CLEARLY_PERIODIC, float(np.median(strength[voiced]))))
    lower, upper = np.percentile(track_hz[firm], (25, 75))
    inside = (f0_hz >= FLOOR_OF_QUARTILE * lower) & (f0_hz <= CEILING_OF_QUARTILE * upper)
    likely: NDArray[np.bool_] = inside | np.isnan(f0_hz)
    return likely


def _candidates(
    heard: NDArray[np.float32], frames: NDArray[np.int64], peak: float, options: PitchOptions
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pitches and strengths of some frames, each (frames, 1 + candidates), "unvoiced" (NaN) first."""
    window, correction, size = _window(options.min_hz)
    longest, shortest = len(correction) - 2, int(RATE_HZ / options.max_hz)
    centres = np.round(frames * options.hop_s * RATE_HZ).astype(np.int64)
    half = len(window) // 2
    padded = np.zeros(centres[-1] - centres[0] + len(window), np.float32)
    low, high = int(centres[0]) - half, int(centres[-1]) - half + len(window)
    inside = heard[max(0, low) : max(0, high)]
    padded[max(0, -low) : max(0, -low) + len(inside)] = inside
    framed = np.lib.stride_tricks.sliding_window_view(padded, len(window))[centres - centres[0]]
    framed = framed - framed.mean(1, keepdims=True)
    local_peak = np.abs(framed).max(1)
    spectrum = np.fft.rfft(framed * window, size)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    correlation = np.fft.irfft(power, size)[:, : longest + 2]
    energy = correlation[:, :1]
    correlation = np.divide(correlation, energy, out=np.zeros_like(correlation), where=energy > 0)
    correlation /= correction
    before, middle, after = (
        correlation[:, shortest - 1 : longest],
        correlation[:, shortest : longest + 1],
        correlation[:, shortest + 1 : longest + 2],
    )
    is_peak = (middle > before) & (middle >= after) & (middle > 0)
    # A peak's height favours high pitches a little, or each period's multiples would do as well.
    favour = options.octave_cost * np.log2(options.min_hz * np.arange(shortest, longest + 1) / RATE_HZ)
    ranked = np.where(is_peak, middle - favour.astype(np.float32), -np.inf)
    best = np.argpartition(-ranked, options.candidates - 1, axis=1)[:, : options.candidates]
    found = np.isfinite(np.take_along_axis(ranked, best, 1))
    y0, y1, y2 = (np.take_along_axis(y, best, 1).astype(np.float64) for y in (before, middle, after))
    # The top of the parabola through a peak and its neighbours.
    curvature = np.where(found, y0 - 2 * y1 + y2, -1.0)
    offset = np.where(found, 0.5 * (y0 - y2) / np.minimum(curvature, -1e-12), 0.0)
    height = np.minimum(y1 - 0.25 * (y0 - y2) * offset, 1.0)
    lag = best + shortest + offset
    f0_hz = np.where(found, RATE_HZ / lag, np.nan)
    strength = np.where(
        found, height - options.octave_cost * np.log2(options.min_hz * lag / RATE_HZ), -np.inf
    )
    softness = (local_peak / peak) / (options.silence_threshold / (1 + options.voicing_threshold))
    unvoiced = options.voicing_threshold + np.maximum(0.0, 2.0 - softness)
    return (
        np.concatenate([np.full((len(frames), 1), np.nan), f0_hz], 1),
        np.concatenate([unvoiced[:, None], strength], 1),
    )


@lru_cache(maxsize=8)
def _window(min_hz: float) -> tuple[NDArray[np.float32], NDArray[np.float32], int]:
    """A Hann window, its own autocorrelation at the lags that are sought, and the transform's size."""
    length = round(PERIODS_A_FRAME * RATE_HZ / min_hz) // 2 * 2
    lags = int(RATE_HZ / min_hz) + 3
    size = -(-(length + lags) // 120) * 120  # small factors: a fast transform
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(length) + 0.5) / length)
    own = np.fft.irfft(np.square(np.abs(np.fft.rfft(window, size))), size)[:lags]
    return window.astype(np.float32), (own / own[0]).astype(np.float32), size


def _best_path(
    f0_hz: NDArray[np.float64], strength: NDArray[np.float64], options: PitchOptions
) -> NDArray[np.int64]:
    """The candidate of each frame that gives the strongest path less its jumps, (frames,)."""
    count = len(f0_hz)
    octave = np.log2(np.where(np.isnan(f0_hz), 1.0, f0_hz))
    voiced = ~np.isnan(f0_hz)
    scale = 0.01 / options.hop_s
    jump = np.abs(octave[:-1, :, None] - octave[1:, None, :]) * (scale * options.octave_jump_cost)
    both = voiced[:-1, :, None] & voiced[1:, None, :]
    change = (voiced[:-1, :, None] != voiced[1:, None, :]) * (scale * options.voicing_change_cost)
    cost = np.where(both, jump, change)
    came_from = np.zeros(f0_hz.shape, np.int64)
    score = strength[0]
    columns = np.arange(f0_hz.shape[1])
    for frame in range(1, count):
        reached = score[:, None] - cost[frame - 1]
        origin = reached.argmax(0)
        came_from[frame] = origin
        score = reached[origin, columns] + strength[frame]
    path = np.empty(count, np.int64)
    path[-1] = int(score.argmax())
    for frame in range(count - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    return path
