"""What a spectral augmentation is: a variation of a batch's features, drawn clip by clip.

It stands behind the front end, where features are normalised: 0 is a band's mean over the training clips, and
1 its deviation. Parameters are drawn from a generator, one for each clip, and applied to all clips at once,
on whatever device the features are.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vocemo.lab.registry import Registry

Drawn = NDArray[np.float32]  # (clips, ...), a row a clip

Parameters = TypeVar("Parameters")


class SpectralAugmentation(Protocol[Parameters]):
    """One way to vary a picture of a voice without changing its emotion."""

    def draw(self, rng: np.random.Generator, clips: int) -> Parameters:
        """Parameters of one variation of each clip; all of its randomness."""
        ...

    def apply(self, features: Tensor, frames: Tensor, parameters: Parameters) -> tuple[Tensor, Tensor]:
        """Features (batch, channels, bands, T) and valid frames (batch,), varied; those given are left."""
        ...


SPECTRAL_AUGMENTATIONS: Registry[type[SpectralAugmentation[Any]]] = Registry("spectral augmentation")
