"""Mixup: two clips at once, and an answer that is as much the one as the other; `loss.Loss` is told of it.

Source: Zhang, Cisse, Dauphin & Lopez-Paz (2018), "mixup: Beyond Empirical Risk Minimization", equation 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Mixture:
    """With which clip each one is mixed, and how much of it stays."""

    partners: NDArray[np.int64]  # (clips,), places in the batch
    shares: NDArray[np.float32]  # (clips,), from a half to 1

    def features(self, features: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Features (batch, ..., T) and valid frames (batch,), mixed; the longer clip's frames.

        Where one of the two has ended, the other stands alone, of its own share.
        """
        partners = torch.from_numpy(self.partners).to(frames.device)
        shares = torch.from_numpy(self.shares).to(features).reshape(-1, *[1] * (features.ndim - 1))
        return torch.lerp(features[partners], features, shares), torch.maximum(frames, frames[partners])


def draw_mixture(rng: np.random.Generator, clips: int, alpha: float) -> Mixture:
    """Shares from Beta(alpha, alpha), the larger part each clip's own, with partners dealt at random.

    >>> mixture = draw_mixture(np.random.default_rng(0), 4, alpha=0.2)
    >>> bool((mixture.shares >= 0.5).all())
    True
    """
    shares = rng.beta(alpha, alpha, clips).astype(np.float32)
    return Mixture(rng.permutation(clips), np.maximum(shares, 1 - shares))
