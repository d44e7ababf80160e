"""Where a training stands, and what is told of it to those who look on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from vocemo.lab import history as progress
from vocemo.lab.history import EpochRecord, History
from vocemo.lab.network import Network
from vocemo.lab.recipe_options import TrainingOptions
from vocemo.lab.weight_average import WeightAverage


@dataclass(frozen=True)
class ValidationScores:
    """Validation figures of one epoch: loss in nats, the others fractions of 1."""

    loss: float
    accuracy: float
    uar: float


@dataclass(frozen=True)
class Step:
    """One step of the optimiser, for those who look on."""

    epoch: int  # from 1
    batch: int  # from 1
    batches: int  # in an epoch
    clips: int
    learning_rate: float
    loss: Tensor  # (), mean over the batch in nats; it stays on the device, and reading it makes a GPU wait


class Callback(Protocol):
    """Something that looks on: each method is called by `fit`, none changes what is learnt."""

    def on_batch(self, step: Step) -> None:
        """After each step."""

    def on_epoch(self, state: TrainingState) -> None:
        """After each epoch, its record the last of the state's history."""


@dataclass
class TrainingState:
    """All that training needs to go on from the end of an epoch."""

    network: Network
    optimizer: torch.optim.Optimizer
    options: TrainingOptions
    history: History = ()
    average: WeightAverage | None = None

    @property
    def answering(self) -> Network:
        """The network that is validated and kept: the average over the steps, where there is one."""
        return self.network if self.average is None else self.average.network

    @property
    def best(self) -> EpochRecord:
        """The epoch to keep, of one or more."""
        return progress.best(self.history, self.options)

    @property
    def is_best(self) -> bool:
        """Whether the last epoch is the one to keep."""
        return self.best.epoch == self.history[-1].epoch
