"""Masks: bands and stretches of time that a network must do without.

Source: Park et al. (2019), "SpecAugment: A Simple Data Augmentation Method for Automatic Speech Recognition",
section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vocemo.errors import UsageError
from vocemo.lab.augment.spectral.transform import SPECTRAL_AUGMENTATIONS, Drawn
from vocemo.lab.augment.transform import need_range


@dataclass(frozen=True)
class MaskParameters:
    """Masks as shares: of the widest mask there is, and of the places where one may begin."""

    widths: Drawn  # (clips, masks), from 0 to 1
    starts: Drawn  # (clips, masks), from 0 to 1


def _draw(rng: np.random.Generator, clips: int, masks: int) -> MaskParameters:
    drawn = rng.random((2, clips, masks)).astype(np.float32)
    return MaskParameters(drawn[0], drawn[1])


def _covered(length: Tensor, size: int, widest: Tensor, parameters: MaskParameters) -> Tensor:
    """Whether each of `size` places is masked, where each clip has `length` of them: (batch, size)."""
    device = length.device
    widths = torch.from_numpy(parameters.widths).to(device) * widest[:, None]
    starts = torch.from_numpy(parameters.starts).to(device) * (length[:, None] - widths).clamp(min=0)
    places = torch.arange(size, device=device)[None, :, None] + 0.5
    inside = (places >= starts[:, None]) & (places < (starts + widths)[:, None])
    return inside.any(dim=2)


@SPECTRAL_AUGMENTATIONS.register("band-mask")
@dataclass(frozen=True)
class BandMask:
    """Set up to `max_share` of the bands, neighbours, to their mean, `masks` times."""

    max_share: float = 0.15
    masks: int = 2

    def __post_init__(self) -> None:
        """Refuse what is no number of masks."""
        need_range("band-mask: share", 0.0, self.max_share, 0.0, 1.0)
        if self.masks < 1:
            raise UsageError(f"band-mask: masks is {self.masks}; valid: 1 or more")

    def draw(self, rng: np.random.Generator, clips: int) -> MaskParameters:
        """Widths from 0 to the widest, uniform, anywhere."""
        return _draw(rng, clips, self.masks)

    def apply(self, features: Tensor, frames: Tensor, parameters: MaskParameters) -> tuple[Tensor, Tensor]:
        """The features with masked bands at 0."""
        bands = torch.full_like(frames, features.shape[2])
        masked = _covered(bands, features.shape[2], bands * self.max_share, parameters)
        return features.masked_fill(masked[:, None, :, None], 0.0), frames


@SPECTRAL_AUGMENTATIONS.register("time-mask")
@dataclass(frozen=True)
class TimeMask:
    """Set a stretch of up to `max_share` of a clip to the bands' means, `masks` times."""

    max_share: float = 0.1
    masks: int = 2

    def __post_init__(self) -> None:
        """Refuse what is no number of masks."""
        need_range("time-mask: share", 0.0, self.max_share, 0.0, 1.0)
        if self.masks < 1:
            raise UsageError(f"time-mask: masks is {self.masks}; valid: 1 or more")

    def draw(self, rng: np.random.Generator, clips: int) -> MaskParameters:
        """Widths from 0 to the widest, uniform, anywhere in the clip."""
        return _draw(rng, clips, self.masks)

    def apply(self, features: Tensor, frames: Tensor, parameters: MaskParameters) -> tuple[Tensor, Tensor]:
        """The features with masked frames at 0."""
        masked = _covered(frames, features.shape[3], frames * self.max_share, parameters)
        return features.masked_fill(masked[:, None, None, :], 0.0), frames
