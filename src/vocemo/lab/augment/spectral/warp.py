"""Other throats and other tempi: the picture of a voice stretched along its bands or along time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vocemo.errors import UsageError
from vocemo.lab.augment.spectral.interpolate import read_at
from vocemo.lab.augment.spectral.transform import SPECTRAL_AUGMENTATIONS, Drawn
from vocemo.lab.augment.transform import need_range


@dataclass(frozen=True)
class BandWarpParameters:
    """Where a band's content comes from: band b of B is what was at `scale` b + `shift` B."""

    scale: Drawn  # (clips,)
    shift: Drawn  # (clips,), as a share of all bands


@SPECTRAL_AUGMENTATIONS.register("band-warp")
@dataclass(frozen=True)
class BandWarp:
    """Stretch and shift the bands, as a longer or shorter vocal tract and a lower or higher voice do.

    On a mel scale a factor on all frequencies is nearly a shift where they are high and a stretch where they
    are low; both are drawn.

    Source: Jaitly & Hinton (2013), "Vocal Tract Length Perturbation (VTLP) improves speech recognition",
    which warps frequencies when it computes the bands.
    """

    max_stretch: float = 0.1
    max_shift: float = 0.04  # of all bands

    def __post_init__(self) -> None:
        """Refuse what is no range."""
        need_range("band-warp: stretch", 0.0, self.max_stretch, 0.0, 0.5)
        need_range("band-warp: shift", 0.0, self.max_shift, 0.0, 1.0)

    def draw(self, rng: np.random.Generator, clips: int) -> BandWarpParameters:
        """A stretch and a shift of each clip, uniform."""
        scale = 1 + rng.uniform(-self.max_stretch, self.max_stretch, clips)
        shift = rng.uniform(-self.max_shift, self.max_shift, clips)
        return BandWarpParameters(scale.astype(np.float32), shift.astype(np.float32))

    def apply(
        self, features: Tensor, frames: Tensor, parameters: BandWarpParameters
    ) -> tuple[Tensor, Tensor]:
        """The warped features, of the shape that they had."""
        scale, shift = (
            torch.from_numpy(drawn).to(features.device) for drawn in (parameters.scale, parameters.shift)
        )
        count = features.shape[2]
        bands = torch.arange(count, device=features.device, dtype=torch.float32)
        return read_at(features, scale[:, None] * bands + shift[:, None] * count), frames


@dataclass(frozen=True)
class TimeWarpParameters:
    """How many times as fast each clip is spoken."""

    rate: Drawn  # (clips,)


@SPECTRAL_AUGMENTATIONS.register("time-warp")
@dataclass(frozen=True)
class TimeWarp:
    """Speak faster or slower, at the same pitch; what would pass the end of the batch is cut off."""

    min_rate: float = 0.85
    max_rate: float = 1.15

    def __post_init__(self) -> None:
        """Refuse what is no range."""
        need_range("time-warp: rate", self.min_rate, self.max_rate, 0.25, 4.0)

    def draw(self, rng: np.random.Generator, clips: int) -> TimeWarpParameters:
        """A rate of each clip, uniform on a logarithmic scale: twice as fast is as likely as half."""
        logarithms = rng.uniform(np.log(self.min_rate), np.log(self.max_rate), clips)
        return TimeWarpParameters(np.exp(logarithms).astype(np.float32))

    def apply(
        self, features: Tensor, frames: Tensor, parameters: TimeWarpParameters
    ) -> tuple[Tensor, Tensor]:
        """Features of the shape that they had, 0 past a clip's new end, and the new valid frames."""
        rate = torch.from_numpy(parameters.rate).to(features.device)
        width = features.shape[3]
        now = (frames / rate).round().long().clamp(1, width)
        # Frame t is what was at rate t; the last own frame is never read past.
        places = torch.arange(width, device=features.device) * rate[:, None]
        places = torch.minimum(places, (frames[:, None] - 1).float())
        warped = read_at(features.transpose(2, 3), places).transpose(2, 3)
        own = torch.arange(width, device=features.device) < now[:, None]
        return warped * own[:, None, None, :], now


@dataclass(frozen=True)
class EqualiserParameters:
    """Amplitudes of cosines over the bands, the slowest first."""

    amplitudes: Drawn  # (clips, waves)


@SPECTRAL_AUGMENTATIONS.register("equaliser")
@dataclass(frozen=True)
class Equaliser:
    """Another microphone, another room: a smooth curve over the bands is added to every frame.

    The curve is a sum of cosines of 0.5 to `waves` / 2 periods over the bands and a constant, of normal
    amplitudes, each `deviation` / sqrt(waves) of the bands' own deviations.
    """

    deviation: float = 0.3
    waves: int = 4

    def __post_init__(self) -> None:
        """Refuse what is no range."""
        need_range("equaliser: deviation", 0.0, self.deviation, 0.0, 10.0)
        if self.waves < 1:
            raise UsageError(f"equaliser: waves is {self.waves}; valid: 1 or more")

    def draw(self, rng: np.random.Generator, clips: int) -> EqualiserParameters:
        """Amplitudes of each clip's curve."""
        amplitudes = rng.normal(0, self.deviation / np.sqrt(self.waves), (clips, self.waves))
        return EqualiserParameters(amplitudes.astype(np.float32))

    def apply(
        self, features: Tensor, frames: Tensor, parameters: EqualiserParameters
    ) -> tuple[Tensor, Tensor]:
        """The features with the curves added to the clips' own frames."""
        bands, width = features.shape[2:]
        places = (torch.arange(bands, device=features.device) + 0.5) / bands
        waves = torch.arange(self.waves, device=features.device)
        cosines = torch.cos(torch.pi * waves[:, None] * places)  # (waves, bands)
        curves = torch.from_numpy(parameters.amplitudes).to(features.device) @ cosines
        own = torch.arange(width, device=features.device) < frames[:, None]
        return features + curves[:, None, :, None] * own[:, None, None, :], frames
