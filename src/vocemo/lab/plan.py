"""What a cross-validation teaches a training without validation: how long, at which rates, how sure.

A model that ships is trained on every clip (protocol `all`), so nothing is left to stop it, to lower its
rate or to calibrate it. The folds of a cross-validation of the same recipe did that on their own
validation speakers; their medians are its plan.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vocemo.errors import RunError, UsageError
from vocemo.lab import checkpoint, selective
from vocemo.lab.evaluate.predictions import Predictions
from vocemo.lab.history import History
from vocemo.lab.outcome import Outcome
from vocemo.lab.recipe import Recipe
from vocemo.lab.selective import Threshold


@dataclass(frozen=True)
class Plan:
    """A training without validation."""

    recipe: str
    recipe_sha256: str
    protocol: str  # of the cross-validation
    runs: int
    learning_rates: tuple[float, ...]  # one an epoch; as many as there are epochs
    temperature: float
    thresholds: tuple[Threshold, ...] = ()  # by the wanted risk; a risk that none reaches is left out
    distance_ratio: float | None = None  # the limit of the distance over its median in training

    @property
    def epochs(self) -> int:
        """How long to train."""
        return len(self.learning_rates)

    def followed_by(self, recipe: Recipe) -> Recipe:
        """The recipe for as many epochs as the plan has; a cycle of the rate is gone through to its end.

        Raises UsageError where the plan is another recipe's.
        """
        if self.recipe_sha256 != recipe.sha256:
            raise UsageError(
                f"the plan was learnt with recipe {self.recipe} as it was then; "
                f"this is {recipe.name}, or has other settings"
            )
        if recipe.training.schedule == "one-cycle":
            return recipe
        return dataclasses.replace(recipe, training=dataclasses.replace(recipe.training, epochs=self.epochs))

    def write(self, path: Path) -> None:
        """Write as JSON."""
        checkpoint.write_json(path, dataclasses.asdict(self))

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Read plan.json, or that of a folder that `vocemo crossval` wrote.

        Raises UsageError where there is none, RunError for a broken one.
        """
        file = path / "plan.json" if path.is_dir() else path
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            rates = tuple(data["learning_rates"])
            thresholds = tuple(Threshold(**each) for each in data.get("thresholds", ()))
            return cls(**{**data, "learning_rates": rates, "thresholds": thresholds})
        except FileNotFoundError:
            raise UsageError(
                f"no plan at {file}; a finished vocemo crossval writes one into its folder"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{file} is no plan: {error}") from error


def learn(
    histories: Sequence[History],
    outcomes: Sequence[Outcome],
    validation: Predictions,
    *,
    recipe: str,
    recipe_sha256: str,
    protocol: str,
) -> Plan:
    """The medians of a cross-validation's runs.

    Epochs: the median of the best epochs. Rates: the median, over the runs, of each epoch's rate; a run that
    had ended by then counts with its last. Temperature: the geometric mean, since it divides logits.
    Thresholds: from the answers of all runs to their validation clips, together. Distance ratio: the median.
    """
    epochs = round(float(np.median([outcome.best_epoch for outcome in outcomes])))
    rates = [
        float(np.median([history[min(epoch, len(history) - 1)].learning_rate for history in histories]))
        for epoch in range(epochs)
    ]
    temperature = float(np.exp(np.mean(np.log([outcome.temperature for outcome in outcomes]))))
    ratios = [outcome.distances.ratio for outcome in outcomes if outcome.distances]
    known = [ratio for ratio in ratios if ratio is not None]
    return Plan(
        recipe,
        recipe_sha256,
        protocol,
        len(outcomes),
        tuple(rates),
        temperature,
        selective.thresholds(validation),
        float(np.median(known)) if known else None,
    )
