"""Spectral augmentations one after another, each with its probability, as a recipe lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vocemo.lab.augment.listed import listed
from vocemo.lab.augment.spectral.transform import SPECTRAL_AUGMENTATIONS, SpectralAugmentation


@dataclass(frozen=True)
class SpectralStep:
    """One augmentation of a chain, and how often a clip gets it."""

    name: str
    p: float
    augmentation: SpectralAugmentation[Any]


@dataclass(frozen=True)
class SpectralChain:
    """Spectral augmentations in order. Holds no state."""

    steps: tuple[SpectralStep, ...]

    def __call__(
        self,
        features: Tensor,
        frames: Tensor,
        rng: np.random.Generator,
        parts: Sequence[slice] = (slice(None),),
    ) -> tuple[Tensor, Tensor]:
        """Features (batch, channels, bands, T) and valid frames (batch,), each clip varied by its own draws.

        `parts` are the bands of the pictures that stand one above the other, each varied by itself and all by
        the same draws: what is slower in one is slower in the others.
        """
        before = rng.bit_generator.state
        pictures = []
        now = frames
        for part in parts:
            rng.bit_generator.state = before
            picture, now = self._vary(features[:, :, part], frames, rng)
            pictures.append(picture)
        return pictures[0] if len(pictures) == 1 else torch.cat(pictures, dim=2), now

    def _vary(self, features: Tensor, frames: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """One picture of each clip, varied.

        A step draws for every clip, also for those that it passes over, so that neither its probability nor
        its options change what the others draw.
        """
        for step in self.steps:
            hit = torch.from_numpy(rng.random(len(frames)) < step.p).to(frames.device)
            parameters = step.augmentation.draw(rng, len(frames))
            if not step.p:
                continue
            varied, now = step.augmentation.apply(features, frames, parameters)
            features = torch.where(hit[:, None, None, None], varied, features)
            frames = torch.where(hit, now, frames)
        return features, frames


def spectral_chain(tables: Sequence[Mapping[str, object]]) -> SpectralChain:
    """A chain from a recipe's list of tables, each with a `name`, perhaps a probability `p`, and options.

    Raises UnknownNameError for a name or an option that does not exist, UsageError for a value that an option
    cannot take.

    >>> vary = spectral_chain([{"name": "band-mask", "p": 0.5, "max_share": 0.1}])
    >>> vary.steps[0].augmentation
    BandMask(max_share=0.1, masks=2)
    """
    found = (listed(SPECTRAL_AUGMENTATIONS, table) for table in tables)
    return SpectralChain(tuple(SpectralStep(name, p, made) for name, p, made in found))
