"""What stands in front of a model: prepared samples to normalised features, inside the graph.

A front end is composed of the modules of `lab.features` and filed in `FRONT_ENDS` under the name that
recipes use. It has `channels` and `bands`, takes samples (batch, N) with their lengths (batch,) and
gives features (batch, channels, bands, frames) with each clip's valid frames (batch,). What it must
learn (mean and variance) it learns by `fit`, from training clips alone, before the first epoch.
"""

from vocemo.lab.front_ends import (
    byol_s_mel,
    efficientat_mel,
    ge2e_mel,
    joined,
    mel,
    mfcc,
    mfcc_mel,
    stacked,
    waveform,
    whisper_mel,
)
from vocemo.lab.front_ends.registry import FRONT_ENDS, FrontEnd, build

__all__ = [
    "FRONT_ENDS",
    "FrontEnd",
    "build",
    "byol_s_mel",
    "efficientat_mel",
    "ge2e_mel",
    "joined",
    "mel",
    "mfcc",
    "mfcc_mel",
    "stacked",
    "waveform",
    "whisper_mel",
]
