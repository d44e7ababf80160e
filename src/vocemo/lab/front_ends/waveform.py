"""The samples themselves, for encoders that begin with convolutions over them."""

from __future__ import annotations

import torch
from torch import Tensor

from vocemo.lab.features import frame_mask
from vocemo.lab.front_ends.given import Given
from vocemo.lab.front_ends.registry import FRONT_ENDS

SAMPLE_RATE_HZ = 16_000
LEAST_VARIANCE = 1e-7  # added to a clip's variance


@FRONT_ENDS.register("waveform")
class Waveform(Given):
    """Each clip's samples, with mean 0 and variance 1 over its own: (batch, 1, 1, N), a frame a sample.

    `normalise` is false for an encoder that was trained on samples as they are, such as WavLM's base: the
    file preprocessor_config.json beside its weights says it under do_normalize. It takes 16 kHz.

    Source: Baevski et al. (2020), "wav2vec 2.0", section 4.2.
    """

    bands = 1

    def __init__(self, *, sample_rate_hz: int, normalise: bool = True) -> None:
        super().__init__("waveform", sample_rate_hz, SAMPLE_RATE_HZ)
        self.normalise = normalise

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (batch, N), lengths (batch,) -> (batch, 1, 1, N), lengths (batch,)."""
        valid = frame_mask(lengths, samples.shape[1])
        own = torch.where(valid, samples, 0.0)
        if self.normalise:
            count = lengths[:, None].to(own.dtype)
            centred = torch.where(valid, own - own.sum(1, keepdim=True) / count, 0.0)
            variance = centred.square().sum(1, keepdim=True) / count
            own = centred / (variance + LEAST_VARIANCE).sqrt()
        return own[:, None, None, :], lengths

    def frames(self, samples: int | None) -> int | None:
        """As many as samples."""
        return samples
