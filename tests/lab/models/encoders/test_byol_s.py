"""BYOL-S's encoder against its own state dict, read by a plain pass over the published layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from vocemo import audio
from vocemo.errors import UsageError
from vocemo.lab import front_ends
from vocemo.lab.models.encoders import ENCODERS, Encoder

PUBLISHED = "byol_s_default_512.pth"
MODULES = (0, 4, 8)  # the published convolutions; each normalisation is the next


def published(seed: int = 0) -> dict[str, Tensor]:
    """A state dict under the published names, nothing in it 0 or 1."""
    random = torch.Generator().manual_seed(seed)

    def some(*shape: int, scale: float) -> Tensor:
        return scale * torch.randn(*shape, generator=random)

    state: dict[str, Tensor] = {}
    for number, place in enumerate(MODULES):
        inside = 64 if number else 1
        state[f"features.{place}.weight"] = some(64, inside, 3, 3, scale=(9 * inside) ** -0.5)
        state[f"features.{place}.bias"] = some(64, scale=0.2)
        at = f"features.{place + 1}"
        state[f"{at}.weight"] = 1 + some(64, scale=0.2)
        state[f"{at}.bias"] = some(64, scale=0.2)
        state[f"{at}.running_mean"] = some(64, scale=0.2)
        state[f"{at}.running_var"] = 0.5 + some(64, scale=1.0).abs()
        state[f"{at}.num_batches_tracked"] = torch.tensor(7)
    for place in (0, 3):
        state[f"fc.{place}.weight"] = some(512, 512, scale=512**-0.5)
        state[f"fc.{place}.bias"] = some(512, scale=0.2)
    return state


def plainly(state: dict[str, Tensor], x: Tensor) -> Tensor:
    """The last layer's outputs for one clip (1, 1, 64, T), without a mask: (T // 8, 512)."""
    for place in MODULES:
        x = functional.conv2d(
            x, state[f"features.{place}.weight"], state[f"features.{place}.bias"], padding=1
        )
        at = f"features.{place + 1}"
        moments = state[f"{at}.running_mean"], state[f"{at}.running_var"]
        x = functional.batch_norm(x, *moments, state[f"{at}.weight"], state[f"{at}.bias"])
        x = functional.max_pool2d(x.relu(), 2, 2)
    rows = x[0].permute(2, 1, 0).reshape(x.shape[3], -1)  # a frame's bands, of each its channels
    for place in (0, 3):
        rows = functional.linear(rows, state[f"fc.{place}.weight"], state[f"fc.{place}.bias"]).relu()
    return rows


def encoder_with(state: dict[str, Tensor], folder: Path) -> Encoder:
    path = folder / PUBLISHED
    torch.save(state, path)
    encoder = ENCODERS["byol-s"](channels=1, bands=64)
    encoder.load(path)
    return encoder.eval()


@pytest.mark.parametrize("frames", [8, 31, 64, 101])
def test_its_states_are_the_published_networks_outputs_alone_and_in_a_batch(
    frames: int, tmp_path: Path
) -> None:
    state = published()
    encoder = encoder_with(state, tmp_path)
    random = torch.Generator().manual_seed(frames)
    clips = torch.randn(2, 1, 64, 120, generator=random)
    expected = plainly(state, clips[:1, :, :, :frames])
    clips[0, :, :, frames:] = 1e3  # whatever stands there is not heard
    states = encoder(clips, torch.tensor([frames, 120]))
    assert states.frames.tolist() == [frames // 8, 15]
    torch.testing.assert_close(states.hidden[0, 0, :, : frames // 8].T, expected, atol=1e-5, rtol=1e-5)


def test_its_maps_are_read_from_the_published_file_and_its_dense_layers_are_not(tmp_path: Path) -> None:
    state = published()
    whole = encoder_with(state, tmp_path)
    maps = ENCODERS["byol-s"](channels=1, bands=64, maps=True)
    torch.save(state, tmp_path / "published.pth")
    maps.load(tmp_path / "published.pth")
    kept = maps.state_dict()
    assert kept and not any(name.startswith("fc.") for name in kept)
    for name, value in kept.items():
        assert torch.equal(value, whole.state_dict()[name]), name


@pytest.mark.parametrize("stages", [0, 1, 3])
def test_of_several_pictures_each_is_heard_by_itself(tmp_path: Path, stages: int) -> None:
    torch.save(published(), tmp_path / PUBLISHED)
    one, three = (ENCODERS["byol-s"](channels=1, bands=64 * n, maps=True).eval() for n in (1, 3))
    for encoder in (one, three):
        encoder.load(tmp_path / PUBLISHED)
    assert three.width == 3 * one.width
    random = torch.Generator().manual_seed(0)
    clips, frames = torch.randn(2, 1, 192, 100, generator=random), torch.tensor([61, 100])
    expected = torch.cat([one(clips[:, :, k : k + 64], frames).hidden for k in (0, 64, 128)], dim=2)
    found = three.rest(three.first(clips, frames, stages), stages)
    assert found.frames.tolist() == [7, 12]
    torch.testing.assert_close(found.hidden, expected, atol=1e-5, rtol=1e-5)


def test_several_pictures_are_for_maps_alone() -> None:
    with pytest.raises(UsageError, match=r"64 bands, or several times 64 with encoder_maps, not 1 of 128"):
        ENCODERS["byol-s"](channels=1, bands=128)
    with pytest.raises(UsageError, match=r"of 64 bands, not 1 of 100"):
        ENCODERS["byol-s"](channels=1, bands=100, maps=True)


def test_less_than_one_of_its_frames_is_one(tmp_path: Path) -> None:
    encoder = encoder_with(published(), tmp_path)
    states = encoder(torch.randn(1, 1, 64, 5), torch.tensor([5]))
    assert states.frames.tolist() == [1]
    assert torch.isfinite(states.hidden).all()


def test_statistics_that_training_leaves_as_they_are_give_the_same_states_and_slopes(tmp_path: Path) -> None:
    encoder = encoder_with(published(), tmp_path).double()
    features = torch.randn(2, 1, 64, 60, dtype=torch.float64)
    frames = torch.tensor([60, 41])

    def answered() -> tuple[Tensor, list[Tensor]]:
        hidden = encoder(features, frames).hidden
        return hidden, list(torch.autograd.grad(hidden.square().mean(), list(encoder.parameters())))

    encoder.eval()  # module after module
    expected, slopes = answered()
    encoder.blocks.train()
    for module in encoder.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    hidden, carried = answered()
    torch.testing.assert_close(hidden, expected)
    for slope, one in zip(slopes, carried, strict=True):
        torch.testing.assert_close(one, slope)


def test_the_published_weights_are_used_whole_and_hear_speech_as_no_noise(
    weights_dir: Path, corpora_dir: Path
) -> None:
    state = torch.load(weights_dir / PUBLISHED, weights_only=True)
    encoder = ENCODERS["byol-s"](channels=1, bands=64)
    encoder.load(weights_dir / PUBLISHED)
    assert sum(p.numel() for p in encoder.parameters()) == sum(
        value.numel() for name, value in state.items() if "running" not in name and "batches" not in name
    )
    encoder.eval()
    path = next((corpora_dir / "ravdess").rglob("03-01-05-02-01-01-01.*"))
    speech = audio.decode(path, 16_000).samples
    front_end = front_ends.build("byol-s-mel", {}, sample_rate_hz=16_000)
    given = torch.from_numpy(np.ascontiguousarray(speech))[None]
    front_end.fit([(given, torch.tensor([given.shape[1]]))])
    features, frames = front_end(given, torch.tensor([given.shape[1]]))
    with torch.no_grad():
        found = encoder(features, frames).hidden[0, 0, :, : int(frames[0]) // 8].T
        torch.testing.assert_close(found, plainly(state, features), atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda state: state.pop("fc.3.bias"), "fc.3.bias"),
        (lambda state: state.update({"features.0.weight": torch.zeros(64, 1, 5, 5)}), "blocks.0.0.weight"),
    ],
)
def test_what_is_no_state_dict_of_it_is_refused(spoil: object, said: str, tmp_path: Path) -> None:
    state = published()
    spoil(state)
    with pytest.raises(UsageError, match=f"is not the state dict of BYOL-S.*(?s:.*){said}"):
        encoder_with(state, tmp_path)


def test_features_of_another_shape_are_answered_with_the_front_end() -> None:
    with pytest.raises(UsageError, match=r"front_end\.name=byol-s-mel"):
        ENCODERS["byol-s"](channels=1, bands=128)
