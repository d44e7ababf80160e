"""The samples themselves, for encoders that begin with convolutions over them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from vocemo.errors import UsageError
from vocemo.lab.features import frame_lengths, frame_mask
from vocemo.lab.front_ends.given import Given
from vocemo.lab.front_ends.registry import FRONT_ENDS

SAMPLE_RATE_HZ = 16_000
LEAST_VARIANCE = 1e-7  # added to a clip's variance


@FRONT_ENDS.register("waveform")
class Waveform(Given):
    """Each clip's samples, with mean 0 and variance 1 over its own: (batch, 1, 1, N), a frame a sample.

    With a `block` of more samples than one, so many that follow each other stand one above the other, and are
    a frame: (batch, 1, block, 1 + N // block), zeros behind a clip's last. So samples stand `joined` to
    pictures of as many frames a second; they are no picture themselves.

    `normalise` is false for an encoder that was trained on samples as they are, such as WavLM's base: the
    file preprocessor_config.json beside its weights says it under do_normalize. It takes 16 kHz.

    Source: Baevski et al. (2020), "wav2vec 2.0", section 4.2.
    """

    def __init__(self, *, sample_rate_hz: int, normalise: bool = True, block: int = 1) -> None:
        super().__init__("waveform", sample_rate_hz, SAMPLE_RATE_HZ)
        if block < 1:
            raise UsageError(f"front_end.block is {block!r}; valid: a number of samples, 1 or more")
        self.normalise, self.bands = normalise, block
        if block > 1:
            self.pictures: tuple[slice, ...] = ()

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (batch, N), lengths (batch,) -> (batch, 1, block, T), frames (batch,)."""
        valid = frame_mask(lengths, samples.shape[1])
        own = torch.where(valid, samples, 0.0)
        if self.normalise:
            count = lengths[:, None].to(own.dtype)
            centred = torch.where(valid, own - own.sum(1, keepdim=True) / count, 0.0)
            variance = centred.square().sum(1, keepdim=True) / count
            own = centred / (variance + LEAST_VARIANCE).sqrt()
        if self.bands == 1:
            return own[:, None, None, :], lengths
        whole = functional.pad(own, (0, self.bands - own.shape[1] % self.bands))
        blocks = whole.reshape(own.shape[0], -1, self.bands).transpose(1, 2)
        return blocks.unsqueeze(1), frame_lengths(lengths, self.bands)

    def frames(self, samples: int | None) -> int | None:
        """As many as samples, or blocks."""
        return samples if samples is None or self.bands == 1 else 1 + samples // self.bands
