"""Training clips as a recipe wants them learnt from: varied, cropped, in batches."""

from __future__ import annotations

from vocemo.lab import augment
from vocemo.lab.augment.spectral import spectral_chain
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.dataset import TrainingSet
from vocemo.lab.recipe import Recipe
from vocemo.lab.waveforms import Waveforms


def training_set(clips: tuple[Clip, ...], recipe: Recipe, waveforms: Waveforms) -> TrainingSet:
    """Training clips with the recipe's augmentation; clips that hold their own copies get no further ones."""
    copied = any(clip.variant for clip in clips)
    return TrainingSet(
        clips=clips,
        emotions=recipe.emotions,
        waveforms=waveforms,
        pool=recipe.augmentation.pool if recipe.augmentation.pooled and not copied else 0,
        live=augment.chain(recipe.augmentation.live) if recipe.augmentation.live else None,
        batch_size=recipe.training.batch_size,
        crop_s=recipe.training.crop_s,
        spectral=spectral_chain(recipe.augmentation.spectral) if recipe.augmentation.spectral else None,
        enlarge="none" if copied else recipe.augmentation.enlarge,
        sampling=recipe.training.sampling,
        own_emotions=recipe.training.own_emotions,
    )
