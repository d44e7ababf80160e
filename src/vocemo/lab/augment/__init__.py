"""Waveform augmentation: variations of a recording that leave its emotion as it was.

>>> from vocemo.lab.augment import AUGMENTATIONS
>>> sorted(AUGMENTATIONS)
['background-noise', 'gain', 'noise', 'pitch-shift', 'speed', 'time-shift']
"""

from vocemo.lab.augment.add_noise import AddNoise, AddNoiseParameters
from vocemo.lab.augment.background_noise import BackgroundNoise, BackgroundNoiseParameters
from vocemo.lab.augment.chain import Chain, Step, chain
from vocemo.lab.augment.gain import Gain, GainParameters
from vocemo.lab.augment.pitch_shift import PitchShift, PitchShiftParameters
from vocemo.lab.augment.speed import Speed, SpeedParameters
from vocemo.lab.augment.time_shift import TimeShift, TimeShiftParameters
from vocemo.lab.augment.transform import AUGMENTATIONS, Augmentation

__all__ = [
    "AUGMENTATIONS",
    "AddNoise",
    "AddNoiseParameters",
    "Augmentation",
    "BackgroundNoise",
    "BackgroundNoiseParameters",
    "Chain",
    "Gain",
    "GainParameters",
    "PitchShift",
    "PitchShiftParameters",
    "Speed",
    "SpeedParameters",
    "Step",
    "TimeShift",
    "TimeShiftParameters",
    "chain",
]
