"""Features resized to one number of frames."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResizeTime(nn.Module):
    """Every clip's own frames stretched or squeezed to one number of frames, by linear interpolation.

    Frame j of F stands at (j + 1/2) L / F - 1/2 among a clip's own L frames, held within them, as
    `torch.nn.functional.interpolate(mode="linear", align_corners=False)` places it for one clip alone.

    Shape: (batch, bands, T), frame lengths (batch,) -> (batch, bands, frames).

    >>> ResizeTime(2)(torch.tensor([[[0.0, 1.0, 2.0, 3.0, 9.0]]]), torch.tensor([4]))
    tensor([[[0.5000, 2.5000]]])
    """

    centres: Tensor

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.frames = frames
        self.register_buffer("centres", (torch.arange(frames) + 0.5) / frames, persistent=False)

    def forward(self, features: Tensor, frame_lengths: Tensor) -> Tensor:
        """The resized features, (batch, bands, frames)."""
        last = (frame_lengths - 1)[:, None].to(features.dtype)
        place = (self.centres * frame_lengths[:, None] - 0.5).clamp(min=0.0)
        place = torch.minimum(place, last)
        before = place.floor()
        after = torch.minimum(before + 1, last)
        weight = (place - before)[:, None, :]

        def frame(index: Tensor) -> Tensor:
            return features.gather(2, index.long()[:, None, :].expand(-1, features.shape[1], -1))

        return frame(before) * (1 - weight) + frame(after) * weight
