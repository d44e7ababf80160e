"""The recurrent speaker encoder against one LSTM of three layers, as it is published."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import fabricate_encoder
from vocemo.errors import UsageError
from vocemo.lab.models.encoders import ENCODERS


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fabricate_encoder.save_published("ge2e", tmp_path_factory.mktemp("weights") / "pretrained.pt")


def plainly(path: Path, depth: int, features: Tensor) -> Tensor:
    """What the published layers make of one clip's features (40, T): (frames, 256)."""
    state = torch.load(path, weights_only=True)["model_state"]
    lstm = nn.LSTM(40, 256, 3, batch_first=True)
    lstm.load_state_dict({name.removeprefix("lstm."): value for name, value in state.items()})
    x = (torch.exp(3 * features.double() - 6) - 1e-7).clamp(min=0).float().T[None]
    for layer in range(depth):
        one = nn.LSTM(256 if layer else 40, 256, batch_first=True)
        one.load_state_dict(
            {f"{kind}_l0": getattr(lstm, f"{kind}_l{layer}") for kind in KINDS},
        )
        with torch.no_grad():
            x, _ = one(x)
    frames = len(x[0]) // 8
    return x[0, : 8 * frames].reshape(frames, 8, 256).mean(1) if frames else x[0].mean(0, keepdim=True)


KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("frames", [3, 8, 61])
def test_its_states_are_those_of_the_published_network_alone_and_in_a_batch(
    depth: int, frames: int, published: Path
) -> None:
    encoder = ENCODERS["ge2e"](channels=1, bands=40, depth=depth).eval()
    encoder.load(published)
    random = torch.Generator().manual_seed(frames)
    clips = torch.randn(2, 1, 40, 100, generator=random)
    expected = plainly(published, depth, clips[0, 0, :, :frames])
    clips[0, :, :, frames:] = 5.0  # whatever stands there is not heard
    with torch.no_grad():
        states = encoder(clips, torch.tensor([frames, 100]))
    assert states.frames.tolist() == [max(1, frames // 8), 12]
    torch.testing.assert_close(states.hidden[0, 0, :, : len(expected)].T, expected, atol=1e-5, rtol=1e-4)
    assert encoder.width == states.hidden.shape[2] == 256


@pytest.mark.parametrize("stages", [0, 1, 2])
def test_it_goes_on_from_wherever_it_stopped(stages: int, published: Path) -> None:
    encoder = ENCODERS["ge2e"](channels=1, bands=40, depth=2).eval()
    encoder.load(published)
    clips, frames = torch.randn(2, 1, 40, 50), torch.tensor([50, 33])
    with torch.no_grad():
        whole, parted = encoder(clips, frames), encoder.first(clips, frames, stages)
        behind = encoder.rest(parted, stages)
        encoder.give_up(stages)
        left = encoder.rest(parted, stages)
    for found in (behind, left):
        torch.testing.assert_close(found.hidden, whole.hidden)
        assert found.frames.tolist() == whole.frames.tolist() == [6, 4]
    assert len(encoder.stages()) == 2


def test_layers_that_are_not_used_are_not_read(published: Path) -> None:
    encoder = ENCODERS["ge2e"](channels=1, bands=40, depth=2)
    encoder.load(published)
    assert sum(p.numel() for p in encoder.parameters()) == 4 * 256 * (40 + 256 + 2) + 4 * 256 * (512 + 2)
    assert "Resemblyzer" in encoder.credit(published).citation


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"bands": 64}, "takes 1 channel of 40 bands, not 1 of 64"),
        ({"channels": 2}, "takes 1 channel of 40 bands, not 2 of 40"),
        ({"depth": 4}, r"encoder_depth is 4; valid of encoder ge2e: 1 to 3"),
    ],
)
def test_what_it_cannot_be_built_with(options: dict[str, int], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ENCODERS["ge2e"](**{"channels": 1, "bands": 40, **options})


def test_a_file_that_is_another_networks_is_refused(tmp_path: Path) -> None:
    other = fabricate_encoder.save_published("byol-s", tmp_path / "byol.pth")
    encoder = ENCODERS["ge2e"](channels=1, bands=40)
    for path, said in ((other, "is not the checkpoint"), (tmp_path / "none.pt", "no weights at")):
        with pytest.raises(UsageError, match=said):
            encoder.load(path)
