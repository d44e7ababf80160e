"""Filters over the bins of a spectrum, most of whose weights are zero."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Filters multiplied together with the bins that they share: each filter is zero outside its
# triangle, and sixteen neighbours still fill the registers of a matrix product.
FILTERS_IN_GROUP = 16


class FilterBank(nn.Module):
    """What each filter lets through of each frame's power.

    Args:
        filters: (bins, bands), one filter a column, neighbours beside each other.

    Shape: (batch, frames, bins) -> (batch, frames, bands).

    >>> FilterBank(torch.tensor([[1.0, 0.0], [0.5, 0.5]]))(torch.tensor([[[2.0, 4.0]]]))
    tensor([[[4., 2.]]])
    """

    filters: Tensor

    def __init__(self, filters: Tensor) -> None:
        super().__init__()
        self.register_buffer("filters", filters, persistent=False)
        self._groups = [
            (first, *_bins_of(filters[:, first : first + FILTERS_IN_GROUP]))
            for first in range(0, filters.shape[1], FILTERS_IN_GROUP)
        ]

    def forward(self, power: Tensor) -> Tensor:
        """One product in a graph and on a GPU; elsewhere over those bins alone where filters are not zero."""
        if power.is_cuda or torch.compiler.is_compiling():
            return power @ self.filters
        batch, count, bins = power.shape
        rows = power.reshape(batch * count, bins)
        sums = [
            rows[:, low:high] @ self.filters[low:high, first : first + FILTERS_IN_GROUP]
            for first, low, high in self._groups
        ]
        return torch.cat(sums, dim=1).reshape(batch, count, self.filters.shape[1])


def _bins_of(filters: Tensor) -> tuple[int, int]:
    """The first bin, and one past the last, in which any of some filters is not zero."""
    bins = filters.amax(dim=1).nonzero()
    return (int(bins[0]), int(bins[-1]) + 1) if len(bins) else (0, 1)
