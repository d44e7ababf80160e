"""The log-mel spectrogram that the EfficientAT encoders were trained on."""

from __future__ import annotations

import torch
from torch import Tensor

from vocemo.lab.features import (
    FilterBank,
    Spectrum,
    frame_lengths,
    frame_mask,
    kaldi_filters,
    mirror_ends,
    pre_emphasis,
)
from vocemo.lab.features.frames import by_clips
from vocemo.lab.front_ends.given import Given
from vocemo.lab.front_ends.registry import FRONT_ENDS

SAMPLE_RATE_HZ = 32_000
N_FFT = 1024  # samples, 32 ms
WINDOW = 800  # samples, 25 ms
HOP = 320  # samples, 10 ms
BANDS = 128
FMAX_HZ = 15_000.0
FLOOR = 1e-5  # added to each band's power before its logarithm
SHIFT, SCALE = 4.5, 5.0  # bring the logarithms of AudioSet to about mean 0 and deviation 1


@FRONT_ENDS.register("efficientat-mel")
class EfficientAtMel(Given):
    """128 Kaldi mel bands from 0 to 15 kHz, 100 frames a second: (ln(power + 1e-5) + 4.5) / 5.

    Pre-emphasis by 0.97 comes first, then a symmetric Hann window of 25 ms inside frames of 32 ms; what lies
    before the first and after a clip's last sample is its mirror image. It takes 32 kHz.

    Source: Schmid, Koutini & Widmer (2023), "Efficient Large-Scale Audio Tagging Via Transformer-To-CNN
    Knowledge Distillation"; github.com/fschmid56/EfficientAT, as evaluated.
    """

    bands = BANDS

    def __init__(self, *, sample_rate_hz: int) -> None:
        super().__init__("efficientat-mel", sample_rate_hz, SAMPLE_RATE_HZ)
        self.spectrum = Spectrum(N_FFT, HOP, WINDOW, periodic=False, centred=False)
        filters = kaldi_filters(SAMPLE_RATE_HZ, N_FFT, BANDS, 0.0, FMAX_HZ)
        self.bank = FilterBank(filters)

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (batch, N), lengths (batch,) -> features (batch, 1, 128, frames), frames (batch,)."""
        emphasised, own = pre_emphasis(samples), lengths - 1
        frames = frame_lengths(own, HOP)
        logarithms = by_clips(self._logarithms, mirror_ends(emphasised, own, N_FFT // 2), None, N_FFT / HOP)
        valid = frame_mask(frames, logarithms.shape[1])[:, :, None]
        return torch.where(valid, logarithms, 0.0).transpose(1, 2).unsqueeze(1), frames

    def _logarithms(self, samples: Tensor, _: Tensor | None) -> Tensor:
        """Shape: (batch, N) -> (batch, frames, 128)."""
        bands: Tensor = self.bank(self.spectrum.by_frame(samples))
        return ((bands + FLOOR).log() + SHIFT) / SCALE

    def frames(self, samples: int | None) -> int | None:
        """Frames of so many samples."""
        return None if samples is None else 1 + (samples - 1) // HOP
