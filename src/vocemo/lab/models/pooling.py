"""States of many layers and frames to one vector a clip."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vocemo.errors import UnknownNameError
from vocemo.lab.models.masking import frame_mask

POOLINGS = ("attentive", "statistics")
LEAST_VARIANCE = 1e-6  # keeps the slope of the root finite where a number does not change along a clip


class LayerMix(nn.Module):
    """The sum of several layers' states, each weighed by a learnt share of 1; all alike at first.

    Shape: (batch, layers, D, frames) -> (batch, D, frames).

    Source: Peters et al. (2018), "Deep contextualized word representations", equation 1.
    """

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.scores = nn.Parameter(torch.zeros(layers))

    def forward(self, hidden: Tensor) -> Tensor:
        """The weighed sum, (batch, D, frames)."""
        return (hidden * torch.softmax(self.scores, 0)[:, None, None]).sum(dim=1)


class StatisticsPooling(nn.Module):
    """Mean and standard deviation over a clip's own frames, weighed by attention or all alike.

    Args:
        width: D, numbers of a frame.
        pooling: "attentive" weighs each frame by a learnt score, softmax over a clip's own; "statistics" does
            not, and has no weights.
        hidden: neurons of the score's hidden layer.

    Shape: (batch, D, T), frames (batch,) -> (batch, 2 D), attention (batch, T), which sums to 1.
    Raises UnknownNameError for another pooling.

    Source: Okabe, Koshinaka & Shinoda (2018), "Attentive Statistics Pooling for Deep Speaker Embedding",
    equations 3 to 6.
    """

    def __init__(self, width: int, pooling: str = "attentive", hidden: int = 64) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise UnknownNameError("pooling", str(pooling), POOLINGS)
        self.score: nn.Module | None = None
        if pooling == "attentive":
            self.score = nn.Sequential(nn.Conv1d(width, hidden, 1), nn.Tanh(), nn.Conv1d(hidden, 1, 1))

    def forward(self, states: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation side by side, and what each frame counted."""
        own = frame_mask(frames, states.shape[-1])
        scores = torch.zeros_like(own) if self.score is None else self.score(states)[:, 0].float()
        attention = torch.softmax(torch.where(own > 0, scores, -torch.inf), dim=1)
        # Padding may hold anything, and even what weighs nothing must be a number.
        states = torch.where(own[:, None] > 0, states.float(), 0.0)
        weights = attention[:, None]
        mean = (states * weights).sum(-1)
        variance = ((states - mean[..., None]).square() * weights).sum(-1)
        return torch.cat([mean, (variance + LEAST_VARIANCE).sqrt()], dim=1), attention
