"""The stacked vector: a whole clip as 2,376 numbers, for networks without a time axis."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vocemo.errors import UsageError
from vocemo.lab.features.mfcc import Mfcc
from vocemo.lab.features.rms import Rms
from vocemo.lab.features.spectrum import Dft
from vocemo.lab.features.zcr import ZeroCrossingRate

SAMPLE_RATE_HZ = 22_050
OFFSET_S = 0.6  # where the excerpt begins in the recording: preparation cuts it, not this module
LENGTH_S = 2.5
N_FFT = 2048  # samples, 93 ms
HOP = 512  # samples, 23 ms
N_MFCC = 20

SAMPLES = int(LENGTH_S * SAMPLE_RATE_HZ)  # 55,125
FRAMES = 1 + SAMPLES // HOP  # 108
VALUES = FRAMES * (1 + 1 + N_MFCC)  # 2,376


class StackedVector(nn.Module):
    """Zero-crossing rate, root mean square and MFCC of 2.5 s of audio, end to end.

    It takes audio prepared beforehand: 22.05 kHz, mono, the 2.5 s from 0.6 s into the recording,
    zeros behind a recording that is shorter. Its numbers, in order:

        0    ...  107    zero-crossing rate of frames 0 to 107
        108  ...  215    root mean square of frames 0 to 107
        216  ...  2375   MFCC, frame by frame: coefficients 0 to 19 of frame 0, then of frame 1, ...

    This is the layout of `np.hstack([np.squeeze(zcr), np.squeeze(rms), np.ravel(mfcc.T)])` over
    librosa's features with their defaults.

    Shape: (batch, 55_125) -> (batch, 2_376).
    Raises UsageError for another number of samples.

    >>> StackedVector()(torch.zeros(2, 55_125)).shape
    torch.Size([2, 2376])
    """

    def __init__(self, *, dft: Dft = "fft") -> None:
        super().__init__()
        self.zcr = ZeroCrossingRate(N_FFT, HOP)
        self.rms = Rms(N_FFT, HOP)
        self.mfcc = Mfcc(SAMPLE_RATE_HZ, N_MFCC, N_FFT, HOP, dft=dft)

    def forward(self, samples: Tensor) -> Tensor:
        """The vectors, (batch, 2_376)."""
        if samples.ndim != 2 or samples.shape[1] != SAMPLES:
            raise UsageError(
                f"samples of shape {tuple(samples.shape)}; valid: (batch, {SAMPLES}), "
                f"{LENGTH_S} s at {SAMPLE_RATE_HZ} Hz"
            )
        coefficients = self.mfcc(samples).transpose(1, 2).flatten(start_dim=1)
        return torch.cat([self.zcr(samples)[:, 0], self.rms(samples)[:, 0], coefficients], dim=1)
