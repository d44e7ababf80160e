"""Deltas: how features change from frame to frame."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocemo.errors import UsageError


def slope_kernel(width: int, order: int) -> Tensor:
    """Weights that give the order-th derivative of the polynomial fitted to a run of frames.

    The polynomial has degree `order`, so that its derivative is the same all along the run.

    Shape: (width,) float32.

    Source: Savitzky & Golay (1964).

    >>> slope_kernel(3, 1)
    tensor([-0.5000,  0.0000,  0.5000])
    """
    half = width // 2
    frames = torch.arange(-half, half + 1, dtype=torch.float64)
    powers = frames[:, None] ** torch.arange(order + 1, dtype=torch.float64)
    weights: Tensor = torch.linalg.pinv(powers)[order] * math.factorial(order)
    # The derivative is even or odd in time as its order is: take off the rounding that says otherwise.
    weights = (weights + (-1) ** order * weights.flip(0)) / 2.0
    return weights.float()


class Deltas(nn.Module):
    """The local derivative of features over time.

    Args:
        width: frames that a polynomial is fitted to, odd, at least 3.
        order: which derivative, and the polynomial's degree: 1 for deltas, 2 for delta-deltas.

    Within half a width of either end of a clip the polynomial of the first or last `width` frames
    stands, so that nothing is made up beyond the clip. A clip of fewer frames, which librosa
    refuses, is taken as if its last frame went on.

    Shape: (batch, bands, frames), frame lengths (batch,) or None -> the same shape.
    Raises UsageError for an even or too small width, or an order outside 1 to width - 1.

    Source: librosa's `feature.delta(mode="interp")`; Furui (1986).

    >>> Deltas(width=3)(torch.tensor([[[0.0, 1.0, 2.0, 4.0]]]))
    tensor([[[1.0000, 1.0000, 1.5000, 1.5000]]])
    """

    kernel: Tensor

    def __init__(self, width: int = 9, order: int = 1) -> None:
        super().__init__()
        if width < 3 or width % 2 == 0:
            raise UsageError(f"a width of {width} frames; valid: odd, at least 3")
        if not 1 <= order < width:
            raise UsageError(f"order {order}; valid: 1 to {width - 1}")
        self.width, self.order = width, order
        self.register_buffer("kernel", slope_kernel(width, order), persistent=False)

    def forward(self, features: Tensor, frame_lengths: Tensor | None = None) -> Tensor:
        """The derivative, (batch, bands, frames)."""
        batch, bands, frames = features.shape
        if frame_lengths is None:
            frame_lengths = torch.full((batch,), frames, dtype=torch.int64, device=features.device)
        clip_frames = frame_lengths[:, None]
        at = torch.arange(frames + self.width - 1, device=features.device)
        going_on = _pick(features, torch.minimum(at, clip_frames - 1))
        rows = going_on.reshape(batch * bands, 1, frames + self.width - 1)
        slopes = functional.conv1d(rows, self.kernel[None, None]).reshape(batch, bands, frames)
        # slopes[t] belongs to frame t + half; the first and the last fit serve the ends.
        half = self.width // 2
        last = clip_frames.clamp(min=self.width) - self.width
        return _pick(slopes, torch.minimum((at[:frames] - half).clamp(min=0), last))


def _pick(features: Tensor, frames: Tensor) -> Tensor:
    """Frames by number: (batch, bands, frames) and (batch, picked) -> (batch, bands, picked)."""
    index = frames[:, None, :].expand(-1, features.shape[1], -1)
    return torch.gather(features, 2, index)
