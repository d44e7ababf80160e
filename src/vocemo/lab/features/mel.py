"""The mel scale, its filters and the mel spectrogram."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from vocemo.errors import UsageError
from vocemo.lab.features.filter_bank import FilterBank
from vocemo.lab.features.frames import by_clips, by_frames
from vocemo.lab.features.spectrum import Dft, Spectrum

# Slaney's scale: linear up to 1 kHz, 15 mel, then 27 mel for each factor of 6.4.
SLANEY_HZ_PER_MEL = 200.0 / 3.0
SLANEY_KNEE_HZ = 1000.0
SLANEY_KNEE_MEL = SLANEY_KNEE_HZ / SLANEY_HZ_PER_MEL
SLANEY_LOG_STEP = math.log(6.4) / 27.0


def hz_to_mel(hz: float, *, htk: bool = False) -> float:
    """A frequency in Hz on the mel scale, Slaney's or (htk) O'Shaughnessy's.

    Source: Slaney (1998), Auditory Toolbox; O'Shaughnessy (1987), 2595 log10(1 + f / 700).

    >>> round(hz_to_mel(1000.0), 3), round(hz_to_mel(1000.0, htk=True), 3)
    (15.0, 999.986)
    """
    if htk:
        return 2595.0 * math.log10(1.0 + hz / 700.0)
    if hz < SLANEY_KNEE_HZ:
        return hz / SLANEY_HZ_PER_MEL
    return SLANEY_KNEE_MEL + math.log(hz / SLANEY_KNEE_HZ) / SLANEY_LOG_STEP


def mel_to_hz(mel: Tensor, *, htk: bool = False) -> Tensor:
    """Mel values as frequencies in Hz, the inverse of `hz_to_mel`; any shape.

    >>> mel_to_hz(torch.tensor([0.0, 15.0]))
    tensor([   0., 1000.])
    """
    if htk:
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    above = SLANEY_KNEE_HZ * torch.exp(SLANEY_LOG_STEP * (mel - SLANEY_KNEE_MEL))
    return torch.where(mel < SLANEY_KNEE_MEL, mel * SLANEY_HZ_PER_MEL, above)


def mel_filters(
    sample_rate_hz: int,
    n_fft: int,
    n_mels: int,
    fmin_hz: float = 0.0,
    fmax_hz: float | None = None,
    *,
    htk: bool = False,
    slaney_norm: bool = True,
) -> Tensor:
    """Triangular filters, evenly spaced on the mel scale.

    Args:
        sample_rate_hz: samples a second.
        n_fft: points of the transform.
        n_mels: how many filters.
        fmin_hz: where the first filter begins.
        fmax_hz: where the last filter ends; None: half the sample rate.
        htk: space them on the HTK mel scale instead of Slaney's.
        slaney_norm: give every filter the same area (energy) rather than the same height.

    Shape: (n_fft // 2 + 1, n_mels) float32, one filter a column.
    Raises UsageError for an empty or impossible band.

    Source: Slaney (1998), Auditory Toolbox; librosa's `filters.mel`.

    >>> mel_filters(16_000, n_fft=512, n_mels=40).shape
    torch.Size([257, 40])
    """
    top_hz = sample_rate_hz / 2 if fmax_hz is None else fmax_hz
    if n_mels < 1:
        raise UsageError(f"{n_mels} mel bands; valid: at least 1")
    if not 0.0 <= fmin_hz < top_hz <= sample_rate_hz / 2:
        raise UsageError(
            f"a band from {fmin_hz:g} to {top_hz:g} Hz; "
            f"valid: 0 <= fmin_hz < fmax_hz <= {sample_rate_hz / 2:g}"
        )
    low, high = hz_to_mel(fmin_hz, htk=htk), hz_to_mel(top_hz, htk=htk)
    edges = mel_to_hz(torch.linspace(low, high, n_mels + 2, dtype=torch.float64), htk=htk)
    bins = torch.arange(n_fft // 2 + 1, dtype=torch.float64)[:, None] * (sample_rate_hz / n_fft)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins - left) / (centre - left)
    falling = (right - bins) / (right - centre)
    filters = torch.minimum(rising, falling).clamp(min=0.0)
    if slaney_norm:
        filters = filters * (2.0 / (right - left))
    return filters.float()


class MelSpectrogram(nn.Module):
    """The mel spectrogram of each clip.

    Args:
        sample_rate_hz: samples a second.
        n_fft: samples of a frame, even.
        hop: samples from one frame's centre to the next.
        n_mels: bands.
        fmin_hz: where the lowest band begins.
        fmax_hz: where the highest band ends; None: half the sample rate.
        power: exponent of the magnitudes that the filters add: 2 for power, 1 for magnitude.
        win_length: samples of the window; None: the whole frame.
        htk: HTK's mel scale instead of Slaney's.
        slaney_norm: filters of equal area rather than equal height.
        dft: see `Spectrum`.

    Shape: (batch, samples), lengths (batch,) or None -> (batch, n_mels, 1 + samples // hop).
    Raises UsageError for options that make no filters.

    Source: librosa's `feature.melspectrogram(center=True, pad_mode="constant")`.

    >>> MelSpectrogram(16_000, n_fft=512, hop=160, n_mels=64)(torch.zeros(2, 16_000)).shape
    torch.Size([2, 64, 101])
    """

    def __init__(
        self,
        sample_rate_hz: int,
        n_fft: int = 2048,
        hop: int = 512,
        n_mels: int = 128,
        fmin_hz: float = 0.0,
        fmax_hz: float | None = None,
        power: float = 2.0,
        *,
        win_length: int | None = None,
        htk: bool = False,
        slaney_norm: bool = True,
        dft: Dft = "fft",
    ) -> None:
        super().__init__()
        if power <= 0.0:
            raise UsageError(f"a power of {power:g}; valid: above 0")
        self.sample_rate_hz, self.hop, self.n_mels, self.exponent = sample_rate_hz, hop, n_mels, power
        self.spectrum = Spectrum(n_fft, hop, win_length, dft)
        filters = mel_filters(
            sample_rate_hz, n_fft, n_mels, fmin_hz, fmax_hz, htk=htk, slaney_norm=slaney_norm
        )
        self.bank = FilterBank(filters)

    def _of_frames(self, frames: Tensor) -> Tensor:
        """Mel bands of frames, (batch, frames, n_fft) -> (batch, frames, n_mels)."""
        power = self.spectrum.power(frames)
        if self.exponent != 2.0:
            # The least positive number instead of zero keeps the slope of the root finite.
            power = power.clamp(min=torch.finfo(power.dtype).tiny) ** (self.exponent / 2.0)
        bands: Tensor = self.bank(power)
        return bands

    def by_frame(self, samples: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The mel spectrogram, a frame a row: (batch, frames, n_mels)."""
        return by_frames(self.spectrum.frames(samples, lengths), self._of_frames)

    def forward(self, samples: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The mel spectrogram, (batch, n_mels, frames)."""
        overlap = self.spectrum.n_fft / self.hop
        return by_clips(self.by_frame, samples, lengths, overlap).transpose(1, 2)
