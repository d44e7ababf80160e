"""A recipe as it trains where it begins with trained weights, from few clips.

A recipe's own epochs and batches are for weights that know nothing. `AdaptationOptions` stand in their place;
one cycle of the rate ends near zero, so that no validation has to say when to stop.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from vocemo.errors import UsageError
from vocemo.lab.corpora.clip import Manifest
from vocemo.lab.recipe import Recipe
from vocemo.lab.recipe_options import AugmentationOptions, Variation

# What stands in the place of a training's option, by its key; None: nothing does, one cycle needs none.
_IN_PLACE_OF = {
    "training.epochs": "adaptation.epochs",
    "training.batch_size": "adaptation.batch_size",
    "training.own_emotions": None,
    "training.schedule": None,
    "training.patience": None,
    "training.plateau_patience": None,
    "training.plateau_factor": None,
    "training.min_learning_rate": None,
}
_ALWAYS = "its rate goes through one cycle, and clips are compared among the emotions that they are of"


def applied(recipe: Recipe, settings: Sequence[str] = ()) -> Recipe:
    """The recipe with its adaptation's options in the place of its training's.

    settings: those of the command line, as `recipe.load` takes them.

    Raises UsageError for a setting that would have no effect.

    >>> from vocemo.lab import recipe as recipes
    >>> applied(recipes.load("mfcc-cnn", ["adaptation.epochs=7"])).training.epochs
    7
    >>> applied(recipes.load("mfcc-cnn"), ["training.epochs=7"])
    Traceback (most recent call last):
        ...
    vocemo.errors.UsageError: training.epochs has no effect on a training that begins with trained weights; \
set adaptation.epochs
    """
    options = recipe.adaptation
    for setting in settings:
        key = setting.partition("=")[0].strip()
        if key in _IN_PLACE_OF:
            instead = _IN_PLACE_OF[key]
            told = f"set {instead}" if instead else _ALWAYS
            raise UsageError(f"{key} has no effect on a training that begins with trained weights; {told}")
        if key.startswith("augmentation.") and not _heard(key, options.augmentation):
            raise UsageError(
                f"{key} has no effect where adaptation.augmentation is {options.augmentation}; "
                f"set adaptation.augmentation={'live' if '.live' in key or '.spectral' in key else 'full'}"
            )
    epochs = max(options.epochs, 1)  # none at all is not trained (`experiment.run_fold`)
    training = dataclasses.replace(
        recipe.training,
        epochs=epochs,
        patience=epochs,
        batch_size=options.batch_size,
        learning_rate=options.rate_factor * recipe.training.learning_rate,
        schedule="one-cycle",
        own_emotions=True,  # of emotions that no clip has, nothing is to be learnt: not that they never occur
    )
    return dataclasses.replace(
        recipe, training=training, augmentation=_augmentation(recipe.augmentation, options.augmentation)
    )


def too_few(manifest: Manifest, recipe: Recipe) -> bool:
    """Whether some clips are too few to hold any out for validation."""
    return len(manifest) < recipe.adaptation.validate_from


def _augmentation(own: AugmentationOptions, wanted: Variation) -> AugmentationOptions:
    if wanted == "full":
        return own
    if wanted == "none":
        return AugmentationOptions()
    # A short training does not see as many views as it would have to make.
    return dataclasses.replace(own, views=0, pool=0, pooled=(), enlarge="none")


def _heard(key: str, wanted: Variation) -> bool:
    """Whether an option of the augmentation is of account."""
    return wanted == "full" or (wanted == "live" and key.split(".")[1] in ("live", "spectral"))
