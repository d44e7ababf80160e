"""Decode any recording to float32 mono at a rate, whole or in chunks; probe, resample and write.

>>> import numpy as np, tempfile, pathlib
>>> tone = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000, dtype=np.float32)
>>> path = pathlib.Path(tempfile.mkdtemp()) / "tone.flac"
>>> write(path, tone, 16_000)
>>> audio = decode(path, sample_rate=8_000)
>>> audio.samples.shape, audio.samples.dtype.name, audio.duration_s, audio.warnings
((8000,), 'float32', 1.0, ())
"""

from vocemo.audio.decoding import Audio, AudioInfo, decode, decode_chunks, probe
from vocemo.audio.resampling import resample
from vocemo.audio.source import Source
from vocemo.audio.writing import write

__all__ = ["Audio", "AudioInfo", "Source", "decode", "decode_chunks", "probe", "resample", "write"]
