"""Mel-frequency cepstral coefficients."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from vocemo.errors import UsageError
from vocemo.lab.features.decibel import ToDecibel
from vocemo.lab.features.frames import frame_lengths
from vocemo.lab.features.mel import MelSpectrogram
from vocemo.lab.features.spectrum import Dft


def cosine_basis(n_mels: int, n_mfcc: int) -> Tensor:
    """The first vectors of the orthonormal DCT-II.

    c[m, k] = sqrt((2 - [k = 0]) / n_mels) cos(pi k (2 m + 1) / (2 n_mels))

    Shape: (n_mels, n_mfcc) float32, one vector a column.

    >>> cosine_basis(4, 1).T
    tensor([[0.5000, 0.5000, 0.5000, 0.5000]])
    """
    band = torch.arange(n_mels, dtype=torch.float64)[:, None]
    order = torch.arange(n_mfcc, dtype=torch.float64)
    scale = torch.where(order == 0, math.sqrt(1.0 / n_mels), math.sqrt(2.0 / n_mels))
    return (scale * torch.cos(math.pi * order * (2.0 * band + 1.0) / (2.0 * n_mels))).float()


class Mfcc(nn.Module):
    """The mel-frequency cepstral coefficients of each clip.

    Args:
        sample_rate_hz: samples a second.
        n_mfcc: coefficients kept, the first is the level; 13 to 40 are usual.
        n_fft, hop, n_mels, fmin_hz, fmax_hz, win_length, htk, slaney_norm, dft: see `MelSpectrogram`.
        top_db: dynamic range kept under the clip's loudest value, in dB; None: all.
        amin: see `ToDecibel`.

    Shape: (batch, samples), lengths (batch,) or None -> (batch, n_mfcc, 1 + samples // hop).
    Raises UsageError for more coefficients than bands.

    Source: Davis & Mermelstein (1980); librosa's `feature.mfcc`, defaults included.

    >>> Mfcc(22_050, n_mfcc=20)(torch.zeros(1, 55_125)).shape
    torch.Size([1, 20, 108])
    """

    basis: Tensor
    basis_of_mean: Tensor

    def __init__(
        self,
        sample_rate_hz: int,
        n_mfcc: int = 20,
        n_fft: int = 2048,
        hop: int = 512,
        n_mels: int = 128,
        fmin_hz: float = 0.0,
        fmax_hz: float | None = None,
        *,
        win_length: int | None = None,
        htk: bool = False,
        slaney_norm: bool = True,
        top_db: float | None = 80.0,
        amin: float = 1e-10,
        dft: Dft = "fft",
    ) -> None:
        super().__init__()
        if not 1 <= n_mfcc <= n_mels:
            raise UsageError(f"{n_mfcc} coefficients of {n_mels} mel bands; valid: 1 to {n_mels}")
        self.n_mfcc, self.hop = n_mfcc, hop
        self.mel = MelSpectrogram(
            sample_rate_hz,
            n_fft,
            hop,
            n_mels,
            fmin_hz,
            fmax_hz,
            win_length=win_length,
            htk=htk,
            slaney_norm=slaney_norm,
            dft=dft,
        )
        self.decibel = ToDecibel(amin=amin, top_db=top_db)
        basis_of_mean = torch.zeros(n_mfcc)
        basis_of_mean[0] = math.sqrt(n_mels)
        self.register_buffer("basis", cosine_basis(n_mels, n_mfcc), persistent=False)
        self.register_buffer("basis_of_mean", basis_of_mean, persistent=False)

    def of_mel(self, mel: Tensor, frame_lengths: Tensor | None = None) -> Tensor:
        """The coefficients of a mel power spectrogram that is there already.

        Shape: (batch, n_mels, frames), frame lengths (batch,) or None -> (batch, n_mfcc, frames).
        """
        decibels: Tensor = self.decibel(mel, frame_lengths).transpose(1, 2)
        # The mean goes round the product, into coefficient 0 alone: sums of like numbers near -100
        # would round by some 1e-3 dB.
        mean = decibels.mean(dim=2, keepdim=True)
        coefficients = (decibels - mean) @ self.basis + mean * self.basis_of_mean
        return coefficients.transpose(1, 2)

    def forward(self, samples: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The coefficients, (batch, n_mfcc, frames)."""
        valid = None if lengths is None else frame_lengths(lengths, self.hop)
        return self.of_mel(self.mel(samples, lengths), valid)
