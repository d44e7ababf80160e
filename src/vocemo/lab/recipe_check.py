"""Whether all that a recipe names can be built, and goes together."""

from __future__ import annotations

import warnings

import torch

from vocemo.errors import UsageError, VocemoError
from vocemo.lab import augment, experiment, models, network
from vocemo.lab.augment.spectral import spectral_chain
from vocemo.lab.network import Network
from vocemo.lab.recipe import Recipe


def check(recipe: Recipe, *, to_train: bool = False) -> None:
    """Build all that a recipe names and run a moment of silence through it.

    What is wrong with a recipe is so known before a corpus is read or a folder made; with `to_train`, also
    whether trained weights that it begins with are there. Raises UnknownNameError for a name that does not
    exist, UsageError for values that do not go together.
    """
    experiment.waveforms_for(recipe)
    augment.chain(recipe.augmentation.live)
    spectral_chain(recipe.augmentation.spectral)
    length = recipe.preparation.length or recipe.preparation.sample_rate
    clips = min(recipe.training.batch_size, 2)
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of layers without inputs, which fail below
            candidate = network.build(recipe, seed=0).eval()
            if recipe.augmentation.views and not models.branches(candidate.model):
                raise UsageError(
                    f"augmentation.views is {recipe.augmentation.views}, which keeps what frozen stages make "
                    f"of a clip, and model {recipe.model.name} has no such with these options; "
                    "set model.frozen_stages, or augmentation.views=0"
                )
            _check_views(candidate, recipe.augmentation.views)
            if to_train:
                if candidate.has_gate and not recipe.augmentation.views:
                    raise UsageError("model.gate learns from kept views: set augmentation.views")
                candidate.begin()
            candidate(torch.zeros(2, length), torch.tensor([length, length]))
            # In training as well: batch normalisation without a time axis takes no batch of one clip.
            candidate.train()(torch.zeros(clips, length), torch.tensor([length] * clips))
    except VocemoError:
        raise
    except (RuntimeError, ValueError) as error:
        raise UsageError(
            f"recipe {recipe.name}: front end {recipe.front_end.name} and model {recipe.model.name} with "
            f"these options take no clip of {length / recipe.preparation.sample_rate:g} s, or no batch of "
            f"{recipe.training.batch_size}: {error}"
        ) from error


def _check_views(candidate: Network, views: int) -> None:
    for learner in range(candidate.learners()):
        _, past = candidate.lesson(learner).views_of(views)
        if views and past > views:
            raise UsageError(
                f"member {learner} of the committee has views up to {past}, and augmentation.views is {views}"
            )
