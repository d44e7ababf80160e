"""In what condition a recording is: whether it is a telephone's, and how far speech stands above the noise.

Measured on frames of 32 ms as they come, in memory that does not grow: what each level of frames held.
Frames down to 25 dB below the loudest count as sounding. The limits lie where recordings of RAVDESS, EMO-DB
and AESDD are hardly ever remarked on as they are, and nearly always once a telephone's band or noise at 10 dB
was put on them (`scripts/measure_condition.py`, docs/audio.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vocemo.prepare.signal import SILENCE_DBFS

FRAME_S = 0.032
SOUNDING_DB = 25.0  # below the loudest frame
LOW_HZ, HIGH_HZ = (300.0, 3_400.0), (4_500.0, 7_200.0)  # a telephone's band, and what it lacks
NARROW_BELOW_DB = -45.0  # of the high band's power over the low one's
NOISY_BELOW_DB = 12.0  # of the sounding frames' power over what the quietest frames stay under
QUIET_SHARE = 0.02  # of all frames: even speech that was cut tightly has so much of a pause
SHORTEST_S = 1.5  # less says nothing of a recording's band and pauses
_STEP_DB = 0.25  # levels that are told apart
_LEAST_DB, _MOST_DB = -120.0, 60.0


class SoundCondition:
    """Samples at `rate`, in Hz, as they come -> remarks, once all have come."""

    def __init__(self, rate: int) -> None:
        self._size = round(FRAME_S * rate)
        self._hann = np.hanning(self._size)
        hz = np.fft.rfftfreq(self._size, 1 / rate)
        self._low, self._high = ((hz >= low) & (hz <= high) for low, high in (LOW_HZ, HIGH_HZ))
        self._wide = rate / 2 >= HIGH_HZ[1]
        levels = round((_MOST_DB - _LEAST_DB) / _STEP_DB) + 1
        self._frames, self._power, self._in_low, self._in_high = np.zeros((4, levels))
        self._held = np.zeros(0, np.float32)

    def push(self, samples: NDArray[np.float32]) -> None:
        """Take samples, (n,), of any number."""
        held = np.concatenate([self._held, samples])
        count = len(held) // self._size
        self._held = held[count * self._size :].copy()
        frames = held[: count * self._size].reshape(count, self._size)
        for some in np.array_split(frames, max(1, count // 512)):
            self._take(some)

    def remarks(self) -> list[str]:
        """What is to be said, which is nothing of silence and of less than 1.5 s."""
        total = int(self._frames.sum())
        if total * FRAME_S < SHORTEST_S:
            return []
        loudest = int(np.flatnonzero(self._frames)[-1])
        if _LEAST_DB + loudest * _STEP_DB < SILENCE_DBFS:
            return []
        sounding = slice(max(0, loudest - round(SOUNDING_DB / _STEP_DB)), loudest + 1)
        found = []
        narrow_db = _db(self._in_high[sounding].sum() / max(self._in_low[sounding].sum(), 1e-30))
        if self._wide and narrow_db < NARROW_BELOW_DB:
            found.append("narrow-band: nothing above 4 kHz, as over a telephone; its answer is less reliable")
        quiet = int(np.searchsorted(np.cumsum(self._frames), QUIET_SHARE * total))
        speech_db = _db(self._power[sounding].sum() / self._frames[sounding].sum())
        above_db = speech_db - (_LEAST_DB + quiet * _STEP_DB)
        if above_db < NOISY_BELOW_DB:
            found.append(
                f"noisy: speech stands {above_db:.0f} dB above the background; its answer is less reliable"
            )
        return found

    def _take(self, frames: NDArray[np.float32]) -> None:
        power = np.square(frames, dtype=np.float64).mean(1)
        level = np.clip(
            (10 * np.log10(np.maximum(power, 1e-30)) - _LEAST_DB) / _STEP_DB, 0, len(self._frames) - 1
        )
        place = np.rint(level).astype(np.intp)
        spectrum = np.square(np.abs(np.fft.rfft(frames * self._hann, axis=1)))
        for kept, values in (
            (self._frames, np.ones(len(frames))),
            (self._power, power),
            (self._in_low, spectrum[:, self._low].sum(1)),
            (self._in_high, spectrum[:, self._high].sum(1)),
        ):
            np.add.at(kept, place, values)


def _db(ratio: float) -> float:
    return float(10 * np.log10(max(ratio, 1e-30)))
