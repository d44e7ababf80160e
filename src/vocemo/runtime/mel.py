"""The mel scale, and a mel spectrogram to look at, in NumPy: the lab's own needs PyTorch."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FRAME_S = 0.032  # two periods of a voice at 62 Hz
HOP_S = 0.008
FLOOR_DB = 70.0  # below the loudest cell, where a picture shows no more


def hz_to_mel(hz: ArrayLike) -> NDArray[np.float64]:
    """Frequencies in Hz on the mel scale, 2595 log10(1 + f / 700); any shape.

    Source: O'Shaughnessy (1987), Speech Communication.

    >>> round(float(hz_to_mel(1000.0)), 3)
    999.986
    """
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hz, np.float64) / 700.0))


def mel_to_hz(mel: ArrayLike) -> NDArray[np.float64]:
    """Mel values as frequencies in Hz, the inverse of `hz_to_mel`; any shape.

    >>> round(float(mel_to_hz(hz_to_mel(440.0))), 6)
    440.0
    """
    return np.asarray(700.0 * (10.0 ** (np.asarray(mel, np.float64) / 2595.0) - 1.0))


def mel_edges(bands: int, top_hz: float) -> NDArray[np.float64]:
    """The edges of adjoining bands of equal width in mel, from 0 to top_hz: (bands + 1,), in Hz.

    >>> mel_edges(2, 8000.0).round().tolist()
    [0.0, 1768.0, 8000.0]
    """
    edges = mel_to_hz(np.linspace(0.0, float(hz_to_mel(top_hz)), bands + 1))
    edges[0], edges[-1] = 0.0, top_hz  # exactly
    return edges


def power_frames(samples: NDArray[np.floating], frame: int, hop: int) -> NDArray[np.float64]:
    """The power spectra of frames under a Hann window: (frames, frame // 2 + 1).

    Frame t is centred on sample t * hop, with zeros beyond the ends; 1 + N // hop frames.
    """
    padded = np.pad(np.asarray(samples, np.float64), (frame // 2, frame - frame // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, frame)[::hop][: 1 + len(samples) // hop]
    return np.asarray(np.abs(np.fft.rfft(frames * hann(frame))) ** 2)


def hann(frame: int) -> NDArray[np.float64]:
    """The periodic Hann window, (frame,)."""
    return np.asarray(0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(frame) / frame))


def mel_filters(rate_hz: int, frame: int, bands: int) -> NDArray[np.float64]:
    """Triangular filters of height 1, evenly spaced in mel: (frame // 2 + 1, bands).

    Source: Davis & Mermelstein (1980), on the scale of `hz_to_mel`.
    """
    edges = mel_edges(bands + 1, rate_hz / 2)
    bins = np.arange(frame // 2 + 1)[:, None] * (rate_hz / frame)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    return np.asarray(np.clip(np.minimum(rising, falling), 0.0, None))


def mel_db(samples: NDArray[np.floating], rate_hz: int, bands: int = 48) -> NDArray[np.float64]:
    """The mel spectrogram in dB below its loudest cell, down to -FLOOR_DB: (bands, frames).

    samples: (N,). Frames last FRAME_S, one every HOP_S, frame t centred on t * HOP_S.

    >>> mel_db(np.zeros(16_000), 16_000).shape
    (48, 126)
    """
    frame, hop = round(FRAME_S * rate_hz), max(1, round(HOP_S * rate_hz))
    power = power_frames(samples, frame, hop) @ mel_filters(rate_hz, frame, bands)
    loudest = float(power.max())
    if loudest <= 0.0:
        return np.full((bands, len(power)), -FLOOR_DB)
    return np.asarray(10.0 * np.log10(np.maximum(power.T / loudest, 10.0 ** (-FLOOR_DB / 10.0))))
