"""Spectral augmentation: variations of the features of a batch, on the device where they are.

>>> from vocemo.lab.augment.spectral import SPECTRAL_AUGMENTATIONS
>>> sorted(SPECTRAL_AUGMENTATIONS)
['band-mask', 'band-warp', 'equaliser', 'time-mask', 'time-warp']
"""

from vocemo.lab.augment.spectral.chain import SpectralChain, SpectralStep, spectral_chain
from vocemo.lab.augment.spectral.masks import BandMask, MaskParameters, TimeMask
from vocemo.lab.augment.spectral.transform import SPECTRAL_AUGMENTATIONS, SpectralAugmentation
from vocemo.lab.augment.spectral.warp import (
    BandWarp,
    BandWarpParameters,
    Equaliser,
    EqualiserParameters,
    TimeWarp,
    TimeWarpParameters,
)

__all__ = [
    "SPECTRAL_AUGMENTATIONS",
    "BandMask",
    "BandWarp",
    "BandWarpParameters",
    "Equaliser",
    "EqualiserParameters",
    "MaskParameters",
    "SpectralAugmentation",
    "SpectralChain",
    "SpectralStep",
    "TimeMask",
    "TimeWarp",
    "TimeWarpParameters",
    "spectral_chain",
]
