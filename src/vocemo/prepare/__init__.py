"""Preparation of samples for a model: one code for training and answering, its options in the bundle.

>>> import numpy as np
>>> samples = np.sin(np.arange(48_000) / 20, dtype=np.float32)
>>> ready = prepare(samples, 48_000, Preparation(length_s=2.0, level="rms"))
>>> ready.samples.shape, ready.length, ready.silent
((32000,), 16000, False)
"""

from vocemo.prepare.options import Crop, Level, NoiseReduction, Preparation
from vocemo.prepare.pipeline import Prepared, prepare
from vocemo.prepare.signal import SILENCE_DBFS, as_mono, trim_bounds
from vocemo.prepare.window import windows

__all__ = [
    "SILENCE_DBFS",
    "Crop",
    "Level",
    "NoiseReduction",
    "Preparation",
    "Prepared",
    "as_mono",
    "prepare",
    "trim_bounds",
    "windows",
]
