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


def learnt_channels_last(image: Tensor) -> Tensor:
    """The same image, whose gradient will lie with its channels last too.

    What is learnt of an image's mean over bands, say, comes back with the frames side by side; each step from
    there on, to the first layer, would go through memory both ways at once, and takes ten times as long.
    """
    if image.requires_grad and image.device.type == "cpu":
        image.register_hook(_laid_out)  # type: ignore[no-untyped-call]  # torch gives it no types
    return image


def _laid_out(gradient: Tensor) -> Tensor:
    return gradient.contiguous(memory_format=torch.channels_last)
