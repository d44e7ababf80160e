"""The zero-crossing rate."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocemo.errors import UsageError
from vocemo.lab.features.frames import by_clips, check_frame, frame_mask, frame_means


class ZeroCrossingRate(nn.Module):
    """How many of a frame's samples have another sign than the sample before them.

    Args:
        frame_length: samples of a frame, even.
        hop: samples from one frame's centre to the next.
        threshold: what lies no further from zero than this is zero.
        zero_pos: zero counts as positive; otherwise it is a third sign.

    What lies before the first and after the last sample repeats them, so it crosses nothing. A
    frame's own first sample is compared with none. The rate is a count: no gradient flows through.

    Shape: (batch, samples), lengths (batch,) or None -> (batch, 1, 1 + samples // hop), 0 to 1.
    Raises UsageError for an odd frame, an empty hop or a negative threshold.

    Source: librosa's `feature.zero_crossing_rate`.

    >>> alternating = torch.tensor([[1.0, -1.0, 1.0, -1.0]])
    >>> ZeroCrossingRate(frame_length=4, hop=2)(alternating)
    tensor([[[0.2500, 0.7500, 0.2500]]])
    """

    def __init__(
        self,
        frame_length: int = 2048,
        hop: int = 512,
        *,
        threshold: float = 1e-10,
        zero_pos: bool = True,
    ) -> None:
        super().__init__()
        check_frame(frame_length, hop)
        if threshold < 0.0:
            raise UsageError(f"a threshold of {threshold:g}; valid: 0 or more")
        self.frame_length, self.hop = frame_length, hop
        self.threshold, self.zero_pos = threshold, zero_pos

    def forward(self, samples: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The rate, (batch, 1, frames)."""
        return by_clips(self._rate, samples, lengths, overlap=1.0)

    def _rate(self, samples: Tensor, lengths: Tensor | None) -> Tensor:
        frames = 1 + samples.shape[1] // self.hop
        # Signs as 0.0 and 1.0: numbers, unlike truth values, go through the vector units.
        crossings = _changes(samples.detach().clone().lt_(-self.threshold))
        if not self.zero_pos:
            above = _changes(samples.detach().clone().gt_(self.threshold))
            crossings = torch.maximum(crossings, above)
        if lengths is not None:
            crossings = crossings * frame_mask(lengths - 1, samples.shape[1] - 1)
        rates = frame_means(crossings, self.frame_length, self.hop, frames)
        # A frame's last sample and the next are a pair too, but the next is not of the frame.
        half = self.frame_length // 2
        leaving = functional.pad(crossings[:, half - 1 :: self.hop], (0, half // self.hop + 1))
        return (rates - leaving[:, :frames] / self.frame_length)[:, None]


def _changes(signs: Tensor) -> Tensor:
    """1.0 where a sample differs from the one before, (batch, samples - 1)."""
    return (signs[:, 1:] - signs[:, :-1]).abs()
