"""Trained once more, on validation clips too, as long as validation said.

A fold's validation speakers are taken from training: they choose the epoch and the temperature, and nothing
is learnt from them. Once they have chosen, they may teach: the fold is trained again from the start on
training and validation clips together, for as many epochs, and its temperature, thresholds and limit are
those that were chosen before. The test chooses nothing, neither the first time nor now.

Hastie, Tibshirani & Friedman (2009), "The Elements of Statistical Learning", section 7.10.1: what
cross-validation chose is then fitted to all the data.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

from vocemo.errors import UsageError
from vocemo.lab import plan
from vocemo.lab.crossval import Job
from vocemo.lab.evaluate.predictions import Predictions
from vocemo.lab.plan import Plan
from vocemo.lab.recipe import Recipe
from vocemo.lab.run import RunFolder

REMARK = "trained again on training and validation speakers, as validation chose"


def with_validation(job: Job) -> Job:
    """The job with its validation clips in training. Raises UsageError where it has none."""
    fold = job.fold
    if not fold.validation:
        raise UsageError(f"protocol {fold.protocol} has no validation clips to train on once more")
    if fold.validation_is_test:
        raise UsageError(
            f"under protocol {fold.protocol} the validation clips are the test: they cannot be trained on"
        )
    merged = dataclasses.replace(fold, train=fold.train + fold.validation, validation=())
    return dataclasses.replace(job, fold=merged)


def plans(chosen_in: Path, recipe: Recipe, jobs: Iterable[Job]) -> dict[int, Plan]:
    """What validation chose in each fold, by a finished cross-validation of the same recipe and clips.

    jobs: as they are before `with_validation`. Of several seeds there, a fold's plan is their median.

    Raises UsageError where the folder has no such run of a fold, one of another recipe or of other clips;
    RunError where one is not complete.
    """
    folds = {job.fold.index: job.fold for job in jobs}
    found: dict[int, Plan] = {}
    for index, fold in folds.items():
        folders = [RunFolder(path) for path in sorted(chosen_in.glob(f"seed-*/fold-{index}"))]
        if not folders:
            raise UsageError(
                f"{chosen_in} has no run of fold {index}; --refit takes the folder of a finished vocemo "
                "crossval with the same recipe, corpora and protocol"
            )
        clips = (len(fold.train), len(fold.validation), len(fold.test))
        for folder in folders:
            info = folder.info()
            if (info.recipe.sha256, info.protocol, info.clips) != (recipe.sha256, fold.protocol, clips):
                raise UsageError(
                    f"{folder.path} was trained with other settings, another protocol or other clips: "
                    f"recipe {info.recipe.name}, {info.protocol}, clips {info.clips}; "
                    f"asked for is {recipe.name}, {fold.protocol}, {clips}"
                )
        found[index] = _learnt(folders, recipe, fold.protocol)
    return found


def _learnt(folders: Sequence[RunFolder], recipe: Recipe, protocol: str) -> Plan:
    return plan.learn(
        [folder.history() for folder in folders],
        [folder.outcome() for folder in folders],
        Predictions.concatenate(Predictions.read(folder.validation_predictions) for folder in folders),
        recipe=recipe.name,
        recipe_sha256=recipe.sha256,
        protocol=protocol,
    )
