"""A convolution that carries the batch normalisation behind it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vocemo.lab.models.normalised_convolution import NormalisedConvolution

EACH, APART = 1, 6  # groups: all channels together, each by itself


def made(groups: int, kernel: int = 3) -> NormalisedConvolution:
    torch.manual_seed(0)
    layer = NormalisedConvolution(
        nn.Conv2d(6, 6, kernel, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(6),
        nn.Hardswish(),
    )
    for values in (layer[1].running_mean, layer[1].weight, layer[1].bias):
        nn.init.normal_(values)
    nn.init.uniform_(layer[1].running_var, 0.5, 2.0)
    return layer


def learnt(layer: nn.Module, x: Tensor) -> list[Tensor]:
    """What it gives, and the slopes of a loss by what went in and by each parameter."""
    x = x.clone().requires_grad_()
    layer.zero_grad()
    out = layer(x)
    out.mean(dim=2).square().sum().backward()
    return [out, x.grad, *(each.grad for each in layer.parameters())]


@pytest.mark.parametrize("groups", [EACH, APART])
def test_it_is_the_convolution_and_the_normalisation_and_learns_like_them(groups: int) -> None:
    layer, x = made(groups), torch.randn(2, 6, 5, 7)
    layer.train()[1].eval()  # as in fine-tuning
    plain = nn.Sequential(*layer)
    for one, other in zip(learnt(layer, x), learnt(plain, x), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_on_a_processor_half_the_width_is_for_channels_together(training: bool) -> None:
    x = torch.randn(2, 6, 5, 7)
    for groups, width in ((EACH, torch.bfloat16), (APART, torch.float32)):
        layer = made(groups, kernel=1 if groups == EACH else 3).train(training)
        layer[1].eval()
        with torch.autocast("cpu", torch.bfloat16):
            out = layer(x)
        assert out.dtype == width
        tolerance = 1e-6 if width == torch.float32 else 0.1
        torch.testing.assert_close(out.float(), layer(x), atol=tolerance, rtol=tolerance)
