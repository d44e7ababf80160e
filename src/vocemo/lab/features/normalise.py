"""Mean and variance normalisation, learnt from training data alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import torch
from torch import Tensor, nn

from vocemo.errors import UsageError
from vocemo.lab.features.frames import frame_mask

# A band that never changes (above a corpus's bandwidth, say) is centred and not blown up.
LEAST_DEVIATION = 1e-5


class Normalise(nn.Module):
    """Each band less its mean, over its standard deviation, both learnt by `fit`.

    Args:
        bands: bands of the features.

    Before `fit` it changes nothing. Frames past a clip's length become zero, the mean.
    Mean and deviation are saved in the state dict.

    Shape: (batch, bands, frames), frame lengths (batch,) or None -> the same shape.

    >>> normalise = Normalise(1).fit([(torch.tensor([[[1.0, 3.0]]]), None)])
    >>> normalise(torch.tensor([[[1.0, 2.0, 3.0]]]))
    tensor([[[-1.,  0.,  1.]]])
    """

    mean: Tensor
    std: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.bands = bands
        self.register_buffer("mean", torch.zeros(bands))
        self.register_buffer("std", torch.ones(bands))

    @torch.no_grad()
    def fit(self, batches: Iterable[tuple[Tensor, Tensor | None]]) -> Self:
        """Learn mean and deviation from batches of (features, frame lengths or None).

        Whoever calls it gives training data alone; frames past a clip's length do not count.
        Raises UsageError if there is not a single frame.

        Source: the pairwise update of Chan, Golub & LeVeque (1983), in float64.
        """
        count, mean, squares = 0, torch.zeros(()), torch.zeros(())
        for features, lengths in batches:
            frames = features.detach().double().transpose(1, 2)  # (batch, frames, bands)
            rows = (
                frames.flatten(end_dim=1) if lengths is None else frames[frame_mask(lengths, frames.shape[1])]
            )
            if not len(rows):
                continue
            batch_mean = rows.mean(dim=0)
            batch_squares = (rows - batch_mean).square().sum(dim=0)
            if not count:
                count, mean, squares = len(rows), batch_mean, batch_squares
                continue
            both = count + len(rows)
            shift = batch_mean - mean
            squares = squares + batch_squares + shift.square() * (count * len(rows) / both)
            mean = mean + shift * (len(rows) / both)
            count = both
        if not count:
            raise UsageError("no frame to learn the normalisation from; valid: at least one training clip")
        self.mean.copy_(mean)
        self.std.copy_((squares / count).sqrt().clamp(min=LEAST_DEVIATION))
        return self

    def forward(self, features: Tensor, frame_lengths: Tensor | None = None) -> Tensor:
        """The normalised features, (batch, bands, frames)."""
        normal = (features - self.mean[:, None]) / self.std[:, None]
        if frame_lengths is None:
            return normal
        return torch.where(frame_mask(frame_lengths, features.shape[2])[:, None, :], normal, 0.0)
