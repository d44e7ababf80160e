"""How an image lies in memory."""

from __future__ import annotations

import torch
from torch import Tensor


def channels_last(image: Tensor) -> Tensor:
    """The image (batch, channels, height, width) with the channels of each place side by side.

    Convolution and pooling on the processor are up to fifteen times as fast so, and their outputs stay so.
    An image of one channel counts as laid out either way: `contiguous` would leave it as it is, and all that
    follows would be the slow kind. A copy settles it.
    """
    return image.clone(memory_format=torch.channels_last)
