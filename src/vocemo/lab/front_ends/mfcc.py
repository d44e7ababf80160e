"""MFCCs as an image."""

from __future__ import annotations

from torch import Tensor

from vocemo.lab.features import Mfcc
from vocemo.lab.front_ends.image import Image
from vocemo.lab.front_ends.registry import FRONT_ENDS


@FRONT_ENDS.register("mfcc")
class MfccBands(Image):
    """Mel-frequency cepstral coefficients of each frame as one channel, a band a coefficient.

    `energy` adds a band with the frames' RMS in dB, `width` resizes every clip to so many frames.
    """

    def __init__(
        self,
        *,
        sample_rate_hz: int,
        n_fft: int = 2048,
        hop: int = 512,
        bands: int = 40,
        mel_bands: int = 128,
        energy: bool = False,
        width: int | None = None,
    ) -> None:
        super().__init__(bands, n_fft, hop, energy=energy, width=width)
        self.mfcc = Mfcc(sample_rate_hz, n_mfcc=bands, n_fft=n_fft, hop=hop, n_mels=mel_bands)

    def features(self, samples: Tensor, lengths: Tensor, frames: Tensor) -> Tensor:
        """Coefficients, (batch, bands, T)."""
        coefficients: Tensor = self.mfcc(samples, lengths)
        return coefficients
