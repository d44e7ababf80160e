"""The mel spectrogram that the speaker encoder of Resemblyzer was trained on."""

from __future__ import annotations

import torch
from torch import Tensor

from vocemo.lab.features import MelSpectrogram, frame_lengths, frame_mask
from vocemo.lab.front_ends.given import Given
from vocemo.lab.front_ends.registry import FRONT_ENDS

SAMPLE_RATE_HZ = 16_000
N_FFT = 400  # samples, 25 ms
HOP = 160  # likewise, 10 ms
BANDS = 40
FLOOR = 1e-7  # added to each band's power before its logarithm, below what 16 bits can hold of speech
MEAN, DEVIATION = -6.0, 3.0  # bring the logarithms of speech of -30 dBFS to about mean 0 and deviation 1


@FRONT_ENDS.register("ge2e-mel")
class Ge2eMel(Given):
    """40 mel bands (Slaney) up to 8 kHz, 100 frames a second: (ln(power + 1e-7) + 6) / 3.

    The encoder was trained on the powers themselves, and takes the logarithms back (encoder `ge2e`): what
    varies a picture in between, as warps and equalisers do, works on logarithms. `gain_db` is added to a
    recording's level: the encoder knows speech of -30 dBFS and louder. It takes 16 kHz.

    Source: `wav_to_mel_spectrogram` of github.com/resemble-ai/Resemblyzer, after Wan et al. (2018),
    "Generalized End-to-End Loss for Speaker Verification", section 3.
    """

    bands = BANDS

    def __init__(self, *, sample_rate_hz: int, gain_db: float = 0.0) -> None:
        super().__init__("ge2e-mel", sample_rate_hz, SAMPLE_RATE_HZ)
        self.mel = MelSpectrogram(SAMPLE_RATE_HZ, N_FFT, HOP, BANDS)
        self.gain = 10.0 ** (float(gain_db) / 10.0)

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (batch, N), lengths (batch,) -> features (batch, 1, 40, frames), frames (batch,)."""
        power = self.mel(samples, lengths) * self.gain
        frames = frame_lengths(lengths, HOP)
        scaled = ((power + FLOOR).log() - MEAN) / DEVIATION
        own = frame_mask(frames, scaled.shape[2])[:, None]
        return torch.where(own, scaled, 0.0).unsqueeze(1), frames

    def frames(self, samples: int | None) -> int | None:
        """Frames of so many samples."""
        return None if samples is None else 1 + samples // HOP
