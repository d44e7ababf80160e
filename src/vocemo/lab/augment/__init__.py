"""Waveform augmentation: variations of a recording that leave its emotion as it was.

>>> from vocemo.lab.augment import AUGMENTATIONS
>>> print(*sorted(AUGMENTATIONS))
babble background-noise gain noise pitch-shift room speed telephone time-shift tone
"""

from vocemo.lab.augment.add_noise import AddNoise, AddNoiseParameters
from vocemo.lab.augment.babble import Babble, BabbleParameters
from vocemo.lab.augment.background_noise import BackgroundNoise, BackgroundNoiseParameters
from vocemo.lab.augment.chain import Chain, Step, chain
from vocemo.lab.augment.gain import Gain, GainParameters
from vocemo.lab.augment.pitch_shift import PitchShift, PitchShiftParameters
from vocemo.lab.augment.room import Room, RoomParameters
from vocemo.lab.augment.speed import Speed, SpeedParameters
from vocemo.lab.augment.telephone import TelephoneCall, TelephoneParameters
from vocemo.lab.augment.time_shift import TimeShift, TimeShiftParameters
from vocemo.lab.augment.tone import Tone, ToneParameters
from vocemo.lab.augment.transform import AUGMENTATIONS, Augmentation

__all__ = [
    "AUGMENTATIONS",
    "AddNoise",
    "AddNoiseParameters",
    "Augmentation",
    "Babble",
    "BabbleParameters",
    "BackgroundNoise",
    "BackgroundNoiseParameters",
    "Chain",
    "Gain",
    "GainParameters",
    "PitchShift",
    "PitchShiftParameters",
    "Room",
    "RoomParameters",
    "Speed",
    "SpeedParameters",
    "Step",
    "TelephoneCall",
    "TelephoneParameters",
    "TimeShift",
    "TimeShiftParameters",
    "Tone",
    "ToneParameters",
    "chain",
]
