"""A recording through an MP3 encoder at a constant bit rate, by libsndfile."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import soundfile

from vocemo import audio
from vocemo.lab.augment.transform import Samples

# Sample rates of MPEG-2 layer III, and its bit rates, between which libsndfile goes by a level from 0 to 1.
# MPEG-1 has nothing below 32 kbit/s, where it is at its worst; an encoder so low takes MPEG-2 for its rates.
RATES_HZ = (16_000, 22_050, 24_000)
_MOST_KBITS, _LEAST_KBITS = 160.0, 8.0


@dataclass(frozen=True)
class Mp3:
    """MP3 of one channel at a constant bit rate.

    Gives what a decoder gives of the file: the encoder's delay and padding, a tenth of a second of near
    silence, stay. A rate that MPEG-2 layer III lacks becomes the next that it has, and comes back afterwards.
    """

    kbits: float = 32.0

    def draw(self, rng: np.random.Generator, speaker: str) -> None:
        """Nothing to draw."""

    def apply(self, samples: Samples, sample_rate: int, parameters: None) -> Samples:
        """The samples as they come out of the file, (N,) -> (M,), M about 0.1 s more than N."""
        rate = next((each for each in RATES_HZ if each >= sample_rate), RATES_HZ[-1])
        file = encoded(audio.resample(samples, sample_rate, rate), rate, self.kbits)
        return audio.decode(file, sample_rate).samples


def encoded(samples: Samples, sample_rate: int, kbits: float) -> bytes:
    """An MP3 file of samples, clipped at full scale.

    sample_rate: one of `RATES_HZ`. kbits: 8 to 160; libsndfile takes the nearest that there is.
    """
    level = (_MOST_KBITS - kbits) / (_MOST_KBITS - _LEAST_KBITS)
    file = io.BytesIO()
    soundfile.write(
        file,
        np.clip(samples, -1.0, 1.0),
        sample_rate,
        format="MP3",
        subtype="MPEG_LAYER_III",
        compression_level=level,
        bitrate_mode="CONSTANT",
    )
    return file.getvalue()


@lru_cache(maxsize=1)
def unavailable() -> str:
    """Why MP3 cannot be written here; empty where it can.

    It takes libsndfile 1.1 with LAME, and soundfile 0.13 to choose a bit rate.
    """
    version = f"soundfile {soundfile.__version__} with libsndfile {soundfile.__libsndfile_version__}"
    if "MP3" not in soundfile.available_formats():
        return f"{version} writes no MP3"
    try:
        size = len(encoded(np.zeros(RATES_HZ[0], np.float32), RATES_HZ[0], 32.0))
    except (TypeError, ValueError, RuntimeError) as error:
        return f"{version} writes no MP3 of a chosen bit rate: {error}"
    if not 3_500 <= size <= 5_000:
        return f"{version} writes a second of MP3 at 32 kbit/s into {size} bytes, not about 4,000"
    return ""
