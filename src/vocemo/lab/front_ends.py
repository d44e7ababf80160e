"""What stands in front of a model: prepared samples to normalised features, inside the graph.

A front end is composed of the modules of `lab.features` and filed in `FRONT_ENDS` under the name that
recipes use. It has `channels` and `bands`, takes samples (batch, N) with their lengths (batch,) and
gives features (batch, channels, bands, frames) with each clip's valid frames (batch,). What it must
learn (mean and variance) it learns by `fit`, from training clips alone, before the first epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from vocemo.lab import registry
from vocemo.lab.features import Mfcc, Normalise, frame_lengths


class FrontEnd(Protocol):
    """The face of every front end."""

    channels: int
    bands: int

    def __call__(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (batch, N), lengths (batch,) -> features (batch, channels, bands, T), frames (batch,)."""

    def fit(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Learn the normalisation from batches of training samples and lengths."""


FRONT_ENDS: registry.Registry[Callable[..., nn.Module]] = registry.Registry("front end")


def build(name: str, options: Mapping[str, Any], *, sample_rate_hz: int) -> Any:
    """The named front end at a sample rate in Hz.

    Raises UnknownNameError for a name or an option that does not exist, UsageError for a value that it
    cannot take.
    """
    return registry.build(FRONT_ENDS, name, options, sample_rate_hz=sample_rate_hz)


@FRONT_ENDS.register("mfcc-mel")
class MfccMel(nn.Module):
    """MFCCs and the mel spectrogram in dB as two channels of one image, each band normalised.

    There are as many coefficients as bands, so that the channels have one shape.
    """

    channels = 2

    def __init__(self, *, sample_rate_hz: int, n_fft: int = 1024, hop: int = 512, bands: int = 40) -> None:
        super().__init__()
        self.bands, self.hop = bands, hop
        self.mfcc = Mfcc(sample_rate_hz, n_mfcc=bands, n_fft=n_fft, hop=hop, n_mels=bands)
        self.normalise = Normalise(2 * bands)

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (batch, N), lengths (batch,) -> features (batch, 2, bands, frames), frames (batch,)."""
        features, frames = self._stacked(samples, lengths)
        normal: Tensor = self.normalise(features, frames)
        return normal.reshape(normal.shape[0], 2, self.bands, -1), frames

    def fit(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Learn each band's mean and deviation."""
        with torch.no_grad():
            self.normalise.fit(self._stacked(samples, lengths) for samples, lengths in batches)

    def _stacked(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        frames = frame_lengths(lengths, self.hop)
        mel = self.mfcc.mel(samples, lengths)
        decibels = self.mfcc.decibel(mel, frames)
        return torch.cat([self.mfcc.of_mel(mel, frames), decibels], dim=1), frames
