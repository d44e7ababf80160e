"""The architectures: one file each, filed in `MODELS` under the name that recipes use."""

from vocemo.lab.models import dual_channel_cnn
from vocemo.lab.models.output import Output
from vocemo.lab.models.registry import MODELS, build

__all__ = ["MODELS", "Output", "build", "dual_channel_cnn"]
