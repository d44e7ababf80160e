"""The root mean square of each frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vocemo.lab.features.frames import by_clips, check_frame, frame_means, without_padding


class Rms(nn.Module):
    """The root mean square of each frame of samples.

    Args:
        frame_length: samples of a frame, even.
        hop: samples from one frame's centre to the next.

    Shape: (batch, samples), lengths (batch,) or None -> (batch, 1, 1 + samples // hop).
    Raises UsageError for an odd frame or an empty hop.

    Source: librosa's `feature.rms(center=True, pad_mode="constant")`.

    >>> Rms(frame_length=4, hop=2)(torch.full((1, 4), 0.5))
    tensor([[[0.3536, 0.5000, 0.3536]]])
    """

    def __init__(self, frame_length: int = 2048, hop: int = 512) -> None:
        super().__init__()
        check_frame(frame_length, hop)
        self.frame_length, self.hop = frame_length, hop

    def forward(self, samples: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The root mean square, (batch, 1, frames)."""
        return by_clips(self._root, samples, lengths, overlap=1.0)

    def _root(self, samples: Tensor, lengths: Tensor | None) -> Tensor:
        squares = without_padding(samples, lengths).square()
        frames = 1 + samples.shape[1] // self.hop
        power = frame_means(squares, self.frame_length, self.hop, frames)
        # The least positive number instead of zero keeps the slope of the root finite in silence.
        return power.clamp(min=torch.finfo(power.dtype).tiny).sqrt()[:, None]
