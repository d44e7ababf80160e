"""What samples tell of a fault on their way: what was cut off, a scale of its own, reversed wires."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vocemo.audio.flat_tops import FlatTops, greatest

BEYOND_FULL_SCALE = 4.0  # lossy codecs overshoot a little; this much is an integer's scale in a float file
CANCELLED = 1e-4  # energy of the mean over that of the channels: -40 dB, where a reversed wire is the cause


class Faults:
    """Samples as they come -> warnings, once all have come.

    Flat tops are looked for in each channel: the mean of one that was cut off and a whole one has none.
    """

    def __init__(self) -> None:
        self._tops: list[FlatTops] = []
        self._loudest = self._channel_energy = self._mono_energy = 0.0

    def push(self, block: NDArray[np.float32], mono: NDArray[np.float32]) -> None:
        """Take a block, (n, channels), and its mean over channels, (n,)."""
        channels = block.shape[1]
        self._tops += [FlatTops() for _ in range(channels - len(self._tops))]
        for tops, samples in zip(self._tops, block.T, strict=False):
            tops.push(np.ascontiguousarray(samples))  # 14 times as fast as every other sample in its place
        self._loudest = max(self._loudest, greatest(mono))
        if channels > 1:
            self._channel_energy += float(np.einsum("ij,ij->", block, block)) / channels
            self._mono_energy += float(np.einsum("i,i->", mono, mono))

    def warnings(self) -> list[str]:
        """What is to be said."""
        found = []
        clipped = max((tops.clipped_share for tops in self._tops), default=0.0)
        if self._loudest > BEYOND_FULL_SCALE:
            found.append(f"its samples reach {self._loudest:.3g}, far beyond full scale (1)")
        elif clipped:
            whose = "its" if len(self._tops) == 1 else "a channel's"
            found.append(f"clipped: {clipped:.1%} of {whose} samples are cut off")
        if self._mono_energy < self._channel_energy * CANCELLED:
            found.append("its channels cancel each other: their mean is almost silent")
        return found
