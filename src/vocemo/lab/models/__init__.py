"""The architectures: one file each, filed in `MODELS` under the name that recipes use."""

from vocemo.lab.models import (
    committee,
    dual_channel_cnn,
    encoder_head,
    mel_cnn,
    mel_cnn2d,
    mfcc_cnn,
    mfcc_cnn_lstm,
    residual_cnn,
    stacked_cnn1d,
)
from vocemo.lab.models.branches import Branch, branches, trunk_state, trunks
from vocemo.lab.models.encoders import Credit
from vocemo.lab.models.heads import carried_over, heads
from vocemo.lab.models.output import Output
from vocemo.lab.models.registry import MODELS, build, settled

__all__ = [
    "MODELS",
    "Branch",
    "Credit",
    "Output",
    "branches",
    "build",
    "carried_over",
    "committee",
    "dual_channel_cnn",
    "encoder_head",
    "heads",
    "mel_cnn",
    "mel_cnn2d",
    "mfcc_cnn",
    "mfcc_cnn_lstm",
    "residual_cnn",
    "settled",
    "stacked_cnn1d",
    "trunk_state",
    "trunks",
]
