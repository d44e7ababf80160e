"""The log-mel spectrogram that Whisper's encoders were trained on."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from vocemo.lab.features import Spectrum, frame_mask, mel_filters
from vocemo.lab.features.frames import without_padding
from vocemo.lab.front_ends.given import Given
from vocemo.lab.front_ends.registry import FRONT_ENDS

SAMPLE_RATE_HZ = 16_000
N_FFT = 400  # samples, 25 ms
HOP = 160  # samples, 10 ms
LEAST_POWER = 1e-10
RANGE = 8.0  # decades kept under a clip's loudest value
SHIFT, SCALE = 4.0, 4.0


@FRONT_ENDS.register("whisper-mel")
class WhisperMel(Given):
    """Log-mel bands, 100 frames a second, 8 decades under the clip's loudest: (log10(power) + 4) / 4.

    `bands` are 80, and 128 from Whisper large-v3 on. Whisper fills every clip to 30 s with silence; the
    frames here are those of the clip's own samples, each as it is there. It takes 16 kHz.

    Source: Radford et al. (2022), "Robust Speech Recognition via Large-Scale Weak Supervision", section 2.2;
    `log_mel_spectrogram` of github.com/openai/whisper.
    """

    filters: Tensor

    def __init__(self, *, sample_rate_hz: int, bands: int = 80) -> None:
        super().__init__("whisper-mel", sample_rate_hz, SAMPLE_RATE_HZ)
        self.bands = bands
        self.spectrum = Spectrum(N_FFT, HOP, centred=False)
        self.register_buffer("filters", mel_filters(SAMPLE_RATE_HZ, N_FFT, bands), persistent=False)

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (batch, N), lengths (batch,) -> features (batch, 1, bands, frames), frames (batch,)."""
        half = N_FFT // 2
        # Mirrored before the first sample; after the last comes the silence that fills 30 s.
        own = functional.pad(without_padding(samples, lengths), (0, half + HOP))
        power = self.spectrum.by_frame(torch.cat([own[:, 1 : half + 1].flip(1), own], dim=1))
        frames = torch.div(lengths + HOP - 1, HOP, rounding_mode="floor")
        power = power[:, : (samples.shape[1] + HOP - 1) // HOP]
        valid = frame_mask(frames, power.shape[1])[:, :, None]
        logarithms = (power @ self.filters).clamp(min=LEAST_POWER).log10()
        loudest = torch.where(valid, logarithms, -torch.inf).amax(dim=(1, 2), keepdim=True)
        scaled = (torch.maximum(logarithms, loudest - RANGE) + SHIFT) / SCALE
        return torch.where(valid, scaled, 0.0).transpose(1, 2).unsqueeze(1), frames

    def frames(self, samples: int | None) -> int | None:
        """Frames of so many samples."""
        return None if samples is None else (samples + HOP - 1) // HOP
