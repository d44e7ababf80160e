"""The log-mel spectrogram that BYOL-S was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from vocemo.errors import UsageError
from vocemo.lab.features import FilterBank, Normalise, Spectrum, frame_lengths, mel_filters, mirror_ends
from vocemo.lab.features.frames import by_clips
from vocemo.lab.front_ends.given import Given
from vocemo.lab.front_ends.registry import FRONT_ENDS

SAMPLE_RATE_HZ = 16_000
N_FFT = 1024  # samples at that rate, 64 ms
HOP = 160  # likewise, 10 ms
BANDS = 64
FMIN_HZ, FMAX_HZ = 60.0, 7_800.0
FLOOR = torch.finfo(torch.float32).eps  # added to each band's power before its logarithm


@FRONT_ENDS.register("byol-s-mel")
class ByolSMel(Given):
    """64 mel bands (HTK) from 60 to 7,800 Hz, 100 frames a second, as logarithms.

    `ranges_hz` are the ends of the bands of several pictures, each of 64, one above the other: of a narrower
    range the same encoder sees finer bands, and the harmonics of low voices one by one.

    It takes 16 kHz, and multiples of it, whose bands are those of 16 kHz: the same stretches of time are
    transformed, and what lies above 7,800 Hz is in no band.

    One `mean` and one `deviation`, of all bands of the training clips unless they are given, bring them to
    its scale. Given ones are the same in every fold, and with them what frozen stages make of a clip. What
    lies before the first and after a clip's last sample is its mirror image.

    Source: Niizumi et al. (2021), "BYOL for Audio", section IV-A; Scheidwasser-Clow et al. (2022), "SERAB",
    whose statistics are those of the corpus at hand.
    """

    def __init__(
        self,
        *,
        sample_rate_hz: int,
        mean: float | None = None,
        deviation: float | None = None,
        ranges_hz: Sequence[Sequence[float]] = ((FMIN_HZ, FMAX_HZ),),
    ) -> None:
        times, rest = divmod(sample_rate_hz, SAMPLE_RATE_HZ)
        super().__init__("byol-s-mel", sample_rate_hz if rest else SAMPLE_RATE_HZ, SAMPLE_RATE_HZ)
        self.n_fft, self.hop = times * N_FFT, times * HOP
        self.spectrum = Spectrum(self.n_fft, self.hop, centred=False)
        filters = [
            mel_filters(sample_rate_hz, self.n_fft, BANDS, low_hz, high_hz, htk=True, slaney_norm=False)
            for low_hz, high_hz in _checked(ranges_hz)
        ]
        self.bands = BANDS * len(filters)
        self.pictures = tuple(slice(first, first + BANDS) for first in range(0, self.bands, BANDS))
        # A transform of so many more samples has amplitudes so many times as high.
        self.bank = FilterBank(torch.cat(filters, dim=1) / times**2)
        self.normalise = Normalise(self.bands)
        if (mean is None) != (deviation is None) or (deviation is not None and not deviation > 0):
            raise UsageError(
                f"front_end.mean is {mean}, front_end.deviation {deviation}; valid: both, the deviation "
                "above 0, or neither, for those of the training clips"
            )
        self.given = mean is not None and deviation is not None
        if mean is not None and deviation is not None:
            self.normalise.mean.fill_(mean)
            self.normalise.std.fill_(deviation)

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (batch, N), lengths (batch,) -> features (batch, 1, bands, frames), frames (batch,)."""
        logarithms, frames = self._logarithms(samples, lengths)
        normal: Tensor = self.normalise(logarithms, frames)
        return normal.unsqueeze(1), frames

    def frames(self, samples: int | None) -> int | None:
        """Frames of so many samples."""
        return None if samples is None else 1 + samples // self.hop

    @torch.no_grad()
    def fit(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Learn the mean and the deviation of all bands together, unless they are given."""
        if self.given:
            return
        self.normalise.fit(self._logarithms(samples, lengths) for samples, lengths in batches)
        mean = self.normalise.mean.mean()
        # Bands have as many frames each: the whole's variance is the mean of theirs and that of their means.
        variance = (self.normalise.std.square() + (self.normalise.mean - mean).square()).mean()
        self.normalise.mean.fill_(mean)
        self.normalise.std.fill_(variance.sqrt())

    def _logarithms(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Shape: (batch, bands, frames), frames (batch,)."""
        mirrored = mirror_ends(samples, lengths, self.n_fft // 2)
        found = by_clips(self._of_mirrored, mirrored, None, self.n_fft / self.hop)
        return found.transpose(1, 2), frame_lengths(lengths, self.hop)

    def _of_mirrored(self, samples: Tensor, _: Tensor | None) -> Tensor:
        bands: Tensor = self.bank(self.spectrum.by_frame(samples))
        return (bands + FLOOR).log()


def _checked(ranges_hz: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """Pairs of ends. Raises UsageError for anything else."""
    try:
        pairs = [(float(low_hz), float(high_hz)) for low_hz, high_hz in ranges_hz]
    except (TypeError, ValueError):
        pairs = []
    if not pairs or not all(0 <= low_hz < high_hz <= SAMPLE_RATE_HZ / 2 for low_hz, high_hz in pairs):
        raise UsageError(
            f"front_end.ranges_hz is {ranges_hz!r}; valid: a list of ranges, each its lower and its upper "
            f"end, from 0 to {SAMPLE_RATE_HZ // 2} Hz"
        )
    return pairs
