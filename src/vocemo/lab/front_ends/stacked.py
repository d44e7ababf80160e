"""The stacked vector as a sequence."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from vocemo.errors import UsageError
from vocemo.lab.features import Normalise, StackedVector
from vocemo.lab.features.stacked import SAMPLE_RATE_HZ, VALUES
from vocemo.lab.front_ends.registry import FRONT_ENDS


@FRONT_ENDS.register("stacked")
class Stacked(nn.Module):
    """The 2,376 numbers of `StackedVector`, each standardised on its own, as one band of 2,376 frames.

    It takes clips of 2.5 s at 22.05 kHz, with zeros behind a shorter one; what is no number counts as 0.
    """

    channels = 1
    bands = 1

    def __init__(self, *, sample_rate_hz: int) -> None:
        super().__init__()
        if sample_rate_hz != SAMPLE_RATE_HZ:
            raise UsageError(f"the stacked vector is made of {SAMPLE_RATE_HZ} Hz, not of {sample_rate_hz} Hz")
        self.vector = StackedVector()
        self.normalise = Normalise(VALUES)

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (batch, 55_125), lengths (batch,) -> (batch, 1, 1, 2_376), frames (batch,)."""
        normal: Tensor = self.normalise(self._column(samples))
        normal = torch.where(torch.isfinite(normal), normal, 0.0)
        return normal.transpose(1, 2).unsqueeze(1), torch.full_like(lengths, VALUES)

    def frames(self, samples: int | None) -> int | None:
        """2,376, whatever the samples."""
        return VALUES

    def fit(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Learn the mean and deviation of each of the 2,376 numbers."""
        with torch.no_grad():
            self.normalise.fit((self._column(samples), None) for samples, _ in batches)

    def _column(self, samples: Tensor) -> Tensor:
        vector: Tensor = self.vector(samples)
        return torch.where(torch.isfinite(vector), vector, 0.0).unsqueeze(2)
