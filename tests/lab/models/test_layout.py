"""Images as the quick convolutions and pooling take them."""

import pytest
import torch

from vocemo.lab import models
from vocemo.lab.models.layout import channels_last


def lies_channels_last(image: torch.Tensor) -> bool:
    """By the strides, which tell it of one channel too, where `is_contiguous` says yes to either layout."""
    return image.stride(1) == 1 and image.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("shape", [(2, 1, 5, 7), (2, 3, 5, 7), (2, 1, 1, 9), (1, 4, 1, 9)])
def test_one_channel_too_and_the_values_stay(shape):
    image = torch.randn(shape)
    laid = channels_last(image)
    assert lies_channels_last(laid)
    assert torch.equal(laid, image)


@pytest.mark.parametrize(
    ("name", "bands", "frames"),
    [
        ("dual-channel-cnn", 64, 60),
        ("mel-cnn", 64, 60),
        ("mel-cnn2d", 64, 60),
        ("mfcc-cnn-lstm", 40, 60),
        ("stacked-cnn1d", 1, 256),
    ],
)
def test_every_pooling_of_a_network_gets_it_so(name, bands, frames):
    model = models.build(name, {}, channels=1, bands=bands, frames=frames, emotions=3).train()
    seen = []

    def note(module, inputs, output):
        if inputs[0].shape[1] > 1:  # masks have one channel, and are small
            seen.append(lies_channels_last(inputs[0]))

    for module in model.modules():
        if isinstance(module, torch.nn.MaxPool2d):
            module.register_forward_hook(note)
    model(torch.randn(2, 1, bands, frames), torch.tensor([frames, frames]))
    assert seen
    assert all(seen)
