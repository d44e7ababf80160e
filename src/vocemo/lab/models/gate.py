"""Which lesson of a committee a recording is like, and how much its members are asked for that.

A member that has only learnt from quiet recordings knows these best, and knows nothing of a telephone. Among
members whose lessons differ a gate learns to tell the lessons' recordings apart, and each member's
probabilities then count for as much as the recording is likely to be from its lesson: a mixture of experts
whose gate is the posterior of their own inputs (Xu, Jordan & Hinton 1995, "An Alternative Model for Mixtures
of Experts"), after Jacobs, Jordan, Nowlan & Hinton (1991), "Adaptive Mixtures of Local Experts".
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vocemo.lab.models.pooling import StatisticsPooling


class Gate(nn.Module):
    """States of a frozen encoder -> what each member counts.

    Mean and deviation over a clip's own frames -> batch normalisation -> `hidden` rectified numbers ->
    lessons.

    Args:
        width: D, numbers of a frame.
        lessons: each member's lesson, from 0; several may have the same, and share what it counts.
        hidden: neurons of the hidden layer.

    Shape: (batch, D, T), frames (batch,) -> (batch, members), logarithms of weights that sum to 1.
    """

    def __init__(self, width: int, lessons: Sequence[int], hidden: int) -> None:
        super().__init__()
        self.lessons = tuple(lessons)
        self.pool = StatisticsPooling(width, "statistics")
        self.tell = nn.Sequential(
            nn.BatchNorm1d(2 * width),
            nn.Linear(2 * width, hidden),
            nn.ReLU(),
            nn.Linear(hidden, max(self.lessons) + 1),
        )
        members = torch.tensor([self.lessons.count(lesson) for lesson in self.lessons])
        self.register_buffer("_shared_by", members.float().log(), persistent=False)

    def forward(self, states: Tensor, frames: Tensor) -> Tensor:
        """The logarithm of what each member counts."""
        of_lessons = torch.log_softmax(self.tell(self.pooled(states, frames)), dim=1)
        shared_by: Tensor = self.get_buffer("_shared_by")
        return of_lessons[:, list(self.lessons)] - shared_by

    def pooled(self, states: Tensor, frames: Tensor) -> Tensor:
        """What is told apart: (batch, D, T), frames (batch,) -> (batch, 2 D)."""
        numbers: Tensor = self.pool(states, frames)[0]
        return numbers

    def loss(self, pooled: Sequence[Tensor | None]) -> Tensor:
        """Cross-entropy in nats against the lessons of all members, each with its batch of `pooled` clips;
        None of a member that stands on another encoder.

        All are normalised together: by itself, a batch of one lesson would look like that of any other.
        """
        heard = [(own, lesson) for own, lesson in zip(pooled, self.lessons, strict=True) if own is not None]
        targets = [torch.full((len(own),), lesson, device=own.device) for own, lesson in heard]
        told = self.tell(torch.cat([own for own, _ in heard]))
        return nn.functional.cross_entropy(told, torch.cat(targets))
