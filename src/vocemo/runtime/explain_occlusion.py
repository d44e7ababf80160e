"""Take parts of a clip away without leaving a hole: exchange them for what its background sounds like.

A hole of digital silence is itself something that a model hears: in a noisy call it stands out. The exchange
is linear, so that a moment, a band and a moment of a band are one operation: with the background noise n, the
filter of band b and a fade w between 0 and 1,

    x' = x + w * band_b(n - x),    and the bands add up to n - x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from vocemo.errors import UnknownNameError, UsageError
from vocemo.runtime.mel import FRAME_S, hann, hz_to_mel, mel_edges, power_frames

Neutral = Literal["background", "silence"]
Samples = NDArray[np.float32]  # (N,)

QUIETEST = 0.1  # of the frames stand for the background
BELOW_CLIP_DB = (
    20.0  # the noise lies at least so far below the clip: without a pause its quietest frames are speech
)
FADE_S = 0.01  # at each end of an exchanged moment: a sudden change would be heard as a click
EDGE_SHARE = 0.25  # of a band's width, on either side of an edge, over which its filter falls
RINGING_S = 0.1  # zeros around the clip, so that no filter reaches round from its end to its beginning


@dataclass(frozen=True)
class Occlusion:
    """How finely a recording is explained.

    `window_s` and `hop_s`: the length of a moment and the step from one to the next, in seconds. `bands`: how
    many, of equal width in mel. `columns`: the most columns of the map of moments by bands; 0 leaves it out.
    `neutral`: what parts are exchanged for, noise with the recording's own background spectrum or silence.
    `parts`: the most windows of a long recording that are explained. `seed`: of the noise.

    Raises UsageError for a number that makes no sense and UnknownNameError for another `neutral`.

    >>> Occlusion(hop_s=0.5)
    Traceback (most recent call last):
        ...
    vocemo.errors.UsageError: hop_s 0.5; valid: above 0 and at most window_s 0.3, or moments are left out
    """

    window_s: float = 0.3  # about a syllable with its neighbours
    hop_s: float = 0.1
    bands: int = 12
    columns: int = 24
    neutral: Neutral = "background"
    parts: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.neutral not in get_args(Neutral):
            raise UnknownNameError("neutral", str(self.neutral), get_args(Neutral))
        if not self.window_s > 0.0:
            raise UsageError(f"window_s {self.window_s}; valid: above 0")
        if not 0.0 < self.hop_s <= self.window_s:
            raise UsageError(
                f"hop_s {self.hop_s}; valid: above 0 and at most window_s {self.window_s}, "
                "or moments are left out"
            )
        for name, least in (("bands", 2), ("columns", 0), ("parts", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} {getattr(self, name)}; valid: at least {least}")


class Occluder:
    """One clip, and what it is without parts of itself.

    samples: (N,) float32, as the model hears them, without padding. `edges_hz`: (bands + 1,).
    """

    def __init__(self, samples: Samples, rate_hz: int, occlusion: Occlusion) -> None:
        """Make the background and filter it into bands."""
        self._clip, self._rate = samples, rate_hz
        generator = np.random.default_rng(occlusion.seed)
        if occlusion.neutral == "background":
            noise = background(samples, rate_hz, generator)
        else:
            noise = np.zeros_like(samples)
        self.edges_hz = mel_edges(occlusion.bands, rate_hz / 2)
        self._whole = noise - samples
        self._bands = split_bands(self._whole, rate_hz, self.edges_hz)

    def without(self, fade: NDArray[np.floating] | float = 1.0, band: int | None = None) -> Samples:
        """The clip with a band, or all of it, exchanged by as much as `fade` says: (N,) or one number."""
        change = self._whole if band is None else self._bands[band]
        return np.asarray(self._clip + np.asarray(fade, np.float32) * change, np.float32)

    def fade(self, start: int, stop: int) -> Samples:
        """1 from sample `start` to `stop`, with raised cosines outwards over FADE_S: (N,)."""
        return fade(len(self._clip), start, stop, round(FADE_S * self._rate))


def fade(length: int, start: int, stop: int, ramp: int) -> Samples:
    """1 in [start, stop), 0 elsewhere, with raised cosines of `ramp` samples outside: (length,).

    >>> fade(6, 2, 4, 1).tolist()
    [0.0, 0.5, 1.0, 1.0, 0.5, 0.0]
    """
    rise = 0.5 - 0.5 * np.cos(np.pi * np.arange(1, ramp + 1) / (ramp + 1))
    shape = np.concatenate([rise, np.ones(stop - start), rise[::-1]])
    first, last = start - ramp, stop + ramp
    weights = np.zeros(length, np.float32)
    weights[max(first, 0) : min(last, length)] = shape[max(-first, 0) : len(shape) - max(last - length, 0)]
    return weights


def spans(length: int, window: int, hop: int) -> list[tuple[int, int]]:
    """Overlapping stretches that cover `length` samples; the last one ends with them.

    A clip shorter than four windows is covered by shorter ones, so that there is always something to compare.

    >>> spans(10, 2, 2), spans(9, 2, 2)
    ([(0, 2), (2, 4), (4, 6), (6, 8), (8, 10)], [(0, 2), (2, 4), (4, 6), (6, 8), (7, 9)])
    """
    step = hop / window
    window = max(1, min(window, length // 4))
    hop = max(1, round(step * window))
    starts = [*range(0, max(length - window, 0), hop), max(length - window, 0)]
    return [(start, min(start + window, length)) for start in starts]


def background(samples: Samples, rate_hz: int, generator: np.random.Generator) -> Samples:
    """Noise with the spectrum of a clip's quietest frames, of the clip's own length: (N,) float32.

    The mean power spectrum of the quietest tenth of its frames shapes white noise; it lies at least
    BELOW_CLIP_DB below the clip's own level. Digital silence gives silence.
    """
    frame = max(2, 2 * round(FRAME_S * rate_hz / 2))
    # Frames that reach beyond the ends would pass for quiet.
    whole = power_frames(samples, frame, frame // 2)[1:-1] if len(samples) >= 2 * frame else None
    power = power_frames(samples, frame, frame // 2) if whole is None else whole
    level = power.sum(1)
    quiet = power[level <= np.quantile(level, QUIETEST)].mean(0) / np.sum(hann(frame) ** 2)
    count = len(samples)
    white = np.fft.rfft(generator.standard_normal(count))
    gain = np.interp(np.fft.rfftfreq(count), np.fft.rfftfreq(frame), np.sqrt(quiet))
    noise = np.fft.irfft(white * gain, count)
    most = np.sqrt(np.mean(np.square(samples, dtype=np.float64))) * 10.0 ** (-BELOW_CLIP_DB / 20.0)
    now = np.sqrt(np.mean(noise**2))
    return np.asarray(noise * min(1.0, most / now) if now > 0.0 else noise, np.float32)


def split_bands(samples: Samples, rate_hz: int, edges_hz: NDArray[np.float64]) -> NDArray[np.float32]:
    """A clip in bands that add up to it again: (bands, N).

    Filters without delay (linear phase), by FFT: flat within a band, with raised cosines over its edges
    in mel that overlap with its neighbours'.
    """
    pad = round(RINGING_S * rate_hz)
    padded = np.pad(np.asarray(samples, np.float64), pad)
    spectrum = np.fft.rfft(padded)
    mel = hz_to_mel(np.fft.rfftfreq(len(padded), 1.0 / rate_hz))
    edges = hz_to_mel(edges_hz)
    half = EDGE_SHARE * (edges[1] - edges[0])
    above = 0.5 - 0.5 * np.cos(np.pi * np.clip((mel - edges[1:-1, None] + half) / (2 * half), 0.0, 1.0))
    above = np.vstack([np.ones_like(mel), above, np.zeros_like(mel)])
    bands = np.empty((len(edges) - 1, len(samples)), np.float32)
    for band in range(len(bands)):
        filtered = np.fft.irfft(spectrum * (above[band] - above[band + 1]), len(padded))
        bands[band] = filtered[pad : pad + len(samples)]
    return bands
