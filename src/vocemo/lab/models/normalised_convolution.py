"""A convolution with the batch normalisation behind it, which it can carry."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class NormalisedConvolution(nn.Sequential):
    """A convolution, batch normalisation, and perhaps a rectifier.

    Where training leaves the normalisation's statistics as they are, as in fine-tuning, it is a factor and a
    summand for each channel, and the convolution carries them: a step is a sixth faster.

    On a processor a convolution of each channel by itself is slower in half the width, and what its summand
    learns costs as much as all else that it learns, where a sum costs next to nothing: it keeps the full
    width, by autocast too, and the summand stands behind it.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Shape: (batch, channels, height, width) -> that of the convolution's output."""
        convolve, norm, *rest = self
        assert isinstance(convolve, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
        if convolve.groups > 1 and x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            with torch.autocast("cpu", enabled=False):
                return self.forward(x.float())
        mean, variance = norm.running_mean, norm.running_var
        if self.training and not norm.training and mean is not None and variance is not None:
            scale = norm.weight * torch.rsqrt(variance + norm.eps)
            own = mean if convolve.bias is None else mean - convolve.bias
            weight, bias = convolve.weight * scale[:, None, None, None], norm.bias - own * scale
            apart = convolve.groups > 1
            carried = None if apart else bias
            x = functional.conv2d(
                x, weight, carried, convolve.stride, convolve.padding, groups=convolve.groups
            )
            if apart:
                x = x + bias[:, None, None]
        else:
            x = norm(convolve(x))
        for step in rest:
            x = step(x)
        return x
