"""What each epoch gave, and what follows from it: the best epoch, the next learning rate, the end.

All of it are pure functions of the records so far. A resumed run therefore needs no other memory to go on
exactly as an unbroken one.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vocemo.lab.recipe_options import TrainingOptions


@dataclass(frozen=True)
class EpochRecord:
    """One epoch's figures; losses are mean cross-entropies in nats, the others fractions of 1."""

    epoch: int  # from 1
    learning_rate: float
    train_loss: float  # with label smoothing and dropout, as it is minimised
    train_accuracy: float
    validation_loss: float | None = None  # plain, in evaluation mode
    validation_accuracy: float | None = None
    validation_uar: float | None = None
    seconds: float = 0.0
    energy_j: float | None = None  # of the processor, where it counts it; see `energy`

    def to_dict(self) -> dict[str, Any]:
        """Plain data for one line of `metrics.jsonl`."""
        return dataclasses.asdict(self)


History = tuple[EpochRecord, ...]


def badness(record: EpochRecord, options: TrainingOptions) -> float:
    """The monitored figure, lower is better; infinite where it is missing or not a number."""
    value = record.validation_loss if options.monitor == "loss" else record.validation_uar
    if value is None or math.isnan(value):
        return math.inf
    return value if options.monitor == "loss" else -value


def best(history: Sequence[EpochRecord], options: TrainingOptions) -> EpochRecord:
    """The epoch to keep: that with the best monitored figure, the earliest of equals.

    Without validation, or where the options say so, it is the last.
    """
    if options.keep == "last" or history[-1].validation_loss is None:
        return history[-1]
    return min(history, key=lambda record: badness(record, options))


def finished(history: Sequence[EpochRecord], options: TrainingOptions) -> bool:
    """Whether training ends here: epochs are used up, or `patience` of them brought nothing better."""
    if not history:
        return False
    last = history[-1]
    if last.epoch >= options.epochs:
        return True
    return last.validation_loss is not None and last.epoch - best(history, options).epoch >= options.patience


def next_learning_rate(history: Sequence[EpochRecord], options: TrainingOptions) -> float:
    """The rate of the next epoch: it falls by `plateau_factor` after `plateau_patience` epochs without gain.

    Counting starts anew after each fall, as in torch's ReduceLROnPlateau with threshold 0 and a patience of
    one less: torch's is the number of epochs that are forgiven.
    """
    rate, lowest, waited = options.learning_rate, math.inf, 0
    for record in history:
        value = badness(record, options)
        if record.validation_loss is None:
            continue
        lowest, waited = (value, 0) if value < lowest else (lowest, waited + 1)
        if waited >= options.plateau_patience:
            fallen = max(rate * options.plateau_factor, options.min_learning_rate)
            rate, waited = min(rate, fallen), 0  # a rate that began below the least stays where it is
    return rate
