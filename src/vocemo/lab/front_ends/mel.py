"""The mel spectrogram as an image."""

from __future__ import annotations

from torch import Tensor

from vocemo.lab.features import MelSpectrogram
from vocemo.lab.front_ends.image import Image
from vocemo.lab.front_ends.registry import FRONT_ENDS


@FRONT_ENDS.register("mel")
class Mel(Image):
    """The mel spectrogram in dB, 80 dB under the clip's loudest, as one channel.

    `energy` adds a band with the frames' RMS in dB, `width` resizes every clip to so many frames.
    """

    def __init__(
        self,
        *,
        sample_rate_hz: int,
        n_fft: int = 2048,
        hop: int = 512,
        bands: int = 128,
        energy: bool = False,
        width: int | None = None,
    ) -> None:
        super().__init__(bands, n_fft, hop, energy=energy, width=width)
        self.mel = MelSpectrogram(sample_rate_hz, n_fft, hop, bands)

    def features(self, samples: Tensor, lengths: Tensor, frames: Tensor) -> Tensor:
        """Decibels, (batch, bands, T)."""
        decibels: Tensor = self.decibel(self.mel(samples, lengths), frames)
        return decibels
