"""What the front ends of one channel share: normalised bands over time, at one width if asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from vocemo.lab.features import Normalise, ResizeTime, Rms, ToDecibel, frame_lengths


class Image(nn.Module):
    """Features of one channel, each band normalised by training's mean and deviation.

    Args:
        bands: bands of the features, the energy's not counted.
        n_fft, hop: samples of a frame, and from frame to frame.
        energy: whether the frames' RMS in dB is one band more.
        width: the frames that every clip is resized to; None: as many as it has.
    """

    channels = 1

    def __init__(self, bands: int, n_fft: int, hop: int, *, energy: bool, width: int | None) -> None:
        super().__init__()
        self.hop = hop
        self.bands = bands + energy
        self.rms = Rms(n_fft, hop) if energy else None
        self.decibel = ToDecibel(top_db=80.0)
        self.resize = ResizeTime(width) if width else None
        self.normalise = Normalise(self.bands)

    @abstractmethod
    def features(self, samples: Tensor, lengths: Tensor, frames: Tensor) -> Tensor:
        """Samples (batch, N), lengths and valid frames (batch,) -> (batch, bands, T)."""

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (batch, N), lengths (batch,) -> features (batch, 1, bands, T), frames (batch,)."""
        features, frames = self._resized(samples, lengths)
        normal: Tensor = self.normalise(features, frames)
        return normal.unsqueeze(1), frames

    def frames(self, samples: int | None) -> int | None:
        """Frames of so many samples, or those that every clip is resized to."""
        if self.resize is not None:
            return self.resize.frames
        return None if samples is None else 1 + samples // self.hop

    def fit(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Learn each band's mean and deviation."""
        with torch.no_grad():
            self.normalise.fit(self._resized(samples, lengths) for samples, lengths in batches)

    def _resized(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        frames = frame_lengths(lengths, self.hop)
        features = self.features(samples, lengths, frames)
        if self.rms is not None:
            power = self.rms(samples, lengths).square()
            features = torch.cat([features, self.decibel(power, frames)], dim=1)
        if self.resize is None:
            return features, frames
        return self.resize(features, frames), torch.full_like(frames, self.resize.frames)
