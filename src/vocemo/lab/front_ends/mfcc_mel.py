"""MFCCs and mel spectrogram side by side."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from vocemo.lab.features import Mfcc, Normalise, frame_lengths
from vocemo.lab.front_ends.registry import FRONT_ENDS


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

    def frames(self, samples: int | None) -> int | None:
        """Frames of so many samples."""
        return None if samples is None else 1 + samples // self.hop

    def fit(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Learn each band's mean and deviation."""
        with torch.no_grad():
            self.normalise.fit(self._stacked(samples, lengths) for samples, lengths in batches)

    def _stacked(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        frames = frame_lengths(lengths, self.hop)
        mel = self.mfcc.mel(samples, lengths)
        decibels = self.mfcc.decibel(mel, frames)
        return torch.cat([self.mfcc.of_mel(mel, frames), decibels], dim=1), frames
