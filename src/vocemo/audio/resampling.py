"""Change of sample rate by soxr, at once and as a stream: both give the same numbers."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from vocemo.errors import UsageError

QUALITY = "HQ"  # 20 bits: stop band at -125 dB, pass band to 0.91 of the lower Nyquist frequency
PROMPT = "LQ"  # 16 bits, a shorter filter: half the delay of HQ as a stream, for what need not be beautiful

# Outside these the header is wrong: it would make a second of sound into hours of samples.
LOWEST_HZ = 1_000
HIGHEST_HZ = 768_000


def check_rate(sample_rate: int, what: str = "sample rate") -> int:
    """The rate as an int, or a UsageError if it is none that sound has.

    >>> check_rate(16_000)
    16000
    """
    if (
        isinstance(sample_rate, bool)
        or not isinstance(sample_rate, (int, float, np.integer))
        or not LOWEST_HZ <= sample_rate <= HIGHEST_HZ
        or not float(sample_rate).is_integer()
    ):
        raise UsageError(
            f"{what} {repr(sample_rate)[:80]}; valid: a whole number of Hz, {LOWEST_HZ} to {HIGHEST_HZ}"
        )
    return int(sample_rate)


def resample(samples: NDArray[np.float32], rate_from: int, rate_to: int) -> NDArray[np.float32]:
    """Samples at another rate.

    samples: float32 (N,). rate_from, rate_to: Hz. Returns float32 of about N * rate_to / rate_from samples.
    errors: UsageError for a rate that sound does not have.
    source: the SoX Resampler library, quality "HQ" (sourceforge.net/projects/soxr).

    >>> resample(np.zeros(48_000, np.float32), 48_000, 16_000).shape
    (16000,)
    """
    check_rate(rate_from)
    check_rate(rate_to)
    if rate_from == rate_to:
        return samples
    return np.asarray(soxr.resample(samples, rate_from, rate_to, QUALITY), np.float32)


class Resampler:
    """Resampling of blocks as they come; its blocks joined are what `resample` gives for all at once.

    quality: `QUALITY`, or `PROMPT` for a stream that somebody waits for.
    """

    def __init__(self, rate_from: int, rate_to: int, quality: str = QUALITY) -> None:
        """Rates in Hz."""
        self._stream = (
            soxr.ResampleStream(rate_from, rate_to, 1, dtype="float32", quality=quality)
            if rate_from != rate_to
            else None
        )

    def push(self, block: NDArray[np.float32], last: bool = False) -> NDArray[np.float32]:
        """What can be said so far; after `last`, everything has been said."""
        if self._stream is None:
            return block
        return np.asarray(self._stream.resample_chunk(block, last=last), np.float32)
