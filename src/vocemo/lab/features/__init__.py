"""Acoustic features as torch modules: (batch, samples) -> (batch, bands, frames), on any device.

Each module agrees with librosa, gives a clip in a padded batch what it gives the clip alone (say
its length), lets gradients through, and can be exported (`use_export_kernels`).
"""

from vocemo.lab.features.decibel import ToDecibel
from vocemo.lab.features.deltas import Deltas
from vocemo.lab.features.emphasis import pre_emphasis
from vocemo.lab.features.filter_bank import FilterBank
from vocemo.lab.features.frames import frame_lengths, frame_mask, frame_signal
from vocemo.lab.features.kaldi import kaldi_filters
from vocemo.lab.features.mel import MelSpectrogram, mel_filters
from vocemo.lab.features.mfcc import Mfcc
from vocemo.lab.features.mirror import mirror_ends
from vocemo.lab.features.normalise import Normalise
from vocemo.lab.features.resize import ResizeTime
from vocemo.lab.features.rms import Rms
from vocemo.lab.features.spectrum import Spectrum, use_export_kernels
from vocemo.lab.features.stacked import StackedVector
from vocemo.lab.features.zcr import ZeroCrossingRate

__all__ = [
    "Deltas",
    "FilterBank",
    "MelSpectrogram",
    "Mfcc",
    "Normalise",
    "ResizeTime",
    "Rms",
    "Spectrum",
    "StackedVector",
    "ToDecibel",
    "ZeroCrossingRate",
    "frame_lengths",
    "frame_mask",
    "frame_signal",
    "kaldi_filters",
    "mel_filters",
    "mirror_ends",
    "pre_emphasis",
    "use_export_kernels",
]
