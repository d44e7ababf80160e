"""Dense layers over each frame of an encoder's states, and the maps that they go over."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from vocemo.errors import UsageError
from vocemo.lab.models import build
from vocemo.lab.models.encoders import ENCODERS
from vocemo.lab.models.frame_layers import FrameLayers

SHAPE: dict[str, Any] = {"channels": 1, "bands": 128, "frames": None, "emotions": 4}
OPTIONS = {"weights": "random", "encoder_depth": 13, "encoder_maps": True}


def test_each_frame_goes_through_them_by_itself() -> None:
    torch.manual_seed(0)
    layers = FrameLayers(6, (5, 3)).eval()
    states = torch.randn(2, 6, 7)
    with torch.no_grad():
        whole = layers(states)
        alone = torch.stack([layers(states[..., t : t + 1])[..., 0] for t in range(7)], dim=2)
        first, second = (each.weight[:, :, 0] for each in layers.layers if isinstance(each, torch.nn.Conv1d))
        by_hand = ((states[1, :, 2] @ first.T).relu() @ second.T).relu()  # fresh norms: mean 0, variance 1
    torch.testing.assert_close(whole, alone)
    torch.testing.assert_close(whole[1, :, 2], by_hand, rtol=1e-4, atol=1e-5)


def test_maps_are_what_the_last_stage_gives_band_by_band() -> None:
    torch.manual_seed(0)
    encoder = ENCODERS["efficientat-mn04"](channels=1, bands=128, depth=13, maps=True).eval()
    assert encoder.width == 48 * 8
    features, frames = torch.randn(2, 1, 128, 70), torch.tensor([70, 33])
    with torch.no_grad():
        states = encoder(features, frames)
        partway = encoder.first(features, frames, 13)
        behind = encoder.rest(partway, 13)
    assert partway.states == () and states.hidden.shape == (2, 1, 384, 5)
    torch.testing.assert_close(states.hidden, partway.x.flatten(1, 2)[:, None])
    torch.testing.assert_close(behind.hidden, states.hidden)
    assert states.frames.tolist() == [5, 3]  # one of 16 frames, rounded up


def test_maps_of_byol_s_are_what_its_dense_layers_take() -> None:
    torch.manual_seed(0)
    whole = ENCODERS["byol-s"](channels=1, bands=64).eval()
    encoder = ENCODERS["byol-s"](channels=1, bands=64, maps=True).eval()
    encoder.load_state_dict({k: v for k, v in whole.state_dict().items() if not k.startswith("fc.")})
    features, frames = torch.randn(2, 1, 64, 70), torch.tensor([70, 33])
    with torch.no_grad():
        states = encoder(features, frames)
        dense = whole.fc(states.hidden[:, 0].transpose(1, 2)).transpose(1, 2)
        behind = encoder.rest(encoder.first(features, frames, 3), 3)
        expected = whole(features, frames)
    assert encoder.width == states.hidden.shape[2] == 512 and len(encoder.stages()) == 3
    torch.testing.assert_close(dense, expected.hidden[:, 0])
    torch.testing.assert_close(behind.hidden, states.hidden)
    assert states.frames.tolist() == expected.frames.tolist() == [8, 4]


def test_a_head_over_maps_answers_alone_as_in_a_batch() -> None:
    torch.manual_seed(0)
    model = build("encoder-head", {**OPTIONS, "hidden": [9, 8], "context": 4}, **SHAPE).eval()
    assert model.classify.in_features == 2 * (8 + 4)
    features = torch.randn(2, 1, 128, 90)
    with torch.no_grad():
        together = model(features, torch.tensor([90, 40])).logits
        alone = model(features[1:, ..., :40], torch.tensor([40])).logits
    torch.testing.assert_close(together[1:], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hidden": [8, 0]}, r"model\.hidden is \[8, 0\]"),
        ({"encoder": "byol-s", "encoder_depth": 3}, r"model\.encoder_depth is for encoder=efficientat-mn04"),
        ({"encoder_dropout": 0.1}, r"model\.encoder_dropout is for encoder=byol-s, moonshine alone"),
        ({"encoder": "byol-s", "encoder_dropout": 2.0}, "dropout probability"),
        ({"encoder": "byol-s", "encoder_dropout": 0.1, "encoder_maps": True}, "has no dense layers"),
    ],
)
def test_what_a_head_cannot_be_built_with(options: dict[str, Any], said: str) -> None:
    bands = 64 if "encoder" in options else 128
    with pytest.raises(UsageError, match=said):
        build("encoder-head", {"weights": "random", **options}, **{**SHAPE, "bands": bands})


@pytest.mark.parametrize("learnt_in_front", [False, True])
@pytest.mark.parametrize("momentum", [0.1, None])  # None: statistics are the mean over all batches
def test_learning_frame_by_frame_is_learning_from_convolutions(
    learnt_in_front: bool, momentum: float | None
) -> None:
    torch.manual_seed(0)
    layers, plain = FrameLayers(12, (7, 5), dropout=0.0), FrameLayers(12, (7, 5), dropout=0.0)
    layers.normalise.momentum = plain.normalise.momentum = momentum
    with torch.no_grad():
        layers.normalise.weight.uniform_(-2.0, 2.0)
        layers.normalise.bias.uniform_(-1.0, 1.0)
    plain.load_state_dict(layers.state_dict())
    states = torch.rand(3, 12, 9) * 50 + torch.arange(12)[:, None] * 10
    seen = [states.clone().requires_grad_(learnt_in_front) for _ in range(2)]
    for _ in range(2):  # statistics go on from those before
        made, expected = layers(seen[0]), plain.layers(plain.normalise(seen[1]))
    torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-4)
    wanted = torch.randn_like(expected)
    for each in (made, expected):
        (each * wanted).sum().backward()
    for (name, mine), theirs in zip(layers.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-3, atol=2e-4, msg=name)
    for (name, mine), theirs in zip(layers.named_buffers(), plain.buffers(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5, msg=name)
    if learnt_in_front:
        torch.testing.assert_close(seen[0].grad, seen[1].grad, rtol=1e-3, atol=2e-4)
