"""Mel filters as Kaldi makes them: triangles in mel, where librosa's are triangles in Hz."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vocemo.errors import UsageError

KALDI_MEL = 1127.0  # mel = 1127 ln(1 + f / 700 Hz)
KALDI_CORNER_HZ = 700.0


def kaldi_mel(hz: Tensor) -> Tensor:
    """Frequencies in Hz on Kaldi's mel scale; any shape.

    >>> kaldi_mel(torch.tensor([0.0, 700.0]))
    tensor([  0.0000, 781.1769])
    """
    return KALDI_MEL * torch.log1p(hz / KALDI_CORNER_HZ)


def kaldi_filters(sample_rate_hz: int, n_fft: int, n_mels: int, fmin_hz: float, fmax_hz: float) -> Tensor:
    """Triangular filters of height 1, evenly spaced on the mel scale and straight-sided on it.

    Args:
        sample_rate_hz: samples a second.
        n_fft: points of the transform.
        n_mels: how many filters.
        fmin_hz: where the first filter begins.
        fmax_hz: where the last filter ends.

    The bin at half the sample rate is in no filter.

    Shape: (n_fft // 2 + 1, n_mels) float32, one filter a column.
    Raises UsageError for an empty or impossible band.

    Source: Kaldi's `feat/mel-computations.cc`.

    >>> kaldi_filters(32_000, 1024, 128, 0.0, 15_000.0).shape
    torch.Size([513, 128])
    """
    if n_mels < 1:
        raise UsageError(f"{n_mels} mel bands; valid: at least 1")
    if not 0.0 <= fmin_hz < fmax_hz <= sample_rate_hz / 2:
        raise UsageError(
            f"a band from {fmin_hz:g} to {fmax_hz:g} Hz; "
            f"valid: 0 <= fmin_hz < fmax_hz <= {sample_rate_hz / 2:g}"
        )
    low, high = (KALDI_MEL * math.log1p(hz / KALDI_CORNER_HZ) for hz in (fmin_hz, fmax_hz))
    edges = torch.linspace(low, high, n_mels + 2, dtype=torch.float64)
    bins = kaldi_mel(torch.arange(n_fft // 2 + 1, dtype=torch.float64) * (sample_rate_hz / n_fft))[:, None]
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    filters = torch.minimum(rising, falling).clamp(min=0.0)
    filters[-1] = 0.0
    return filters.float()
