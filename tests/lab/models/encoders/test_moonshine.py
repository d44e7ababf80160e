"""The encoder over samples against that of Transformers, whose names its weights have."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers
from torch import Tensor

import fabricate_encoder
from vocemo.errors import UsageError
from vocemo.lab.models.encoders import ENCODERS
from vocemo.lab.models.encoders.moonshine import LEAST

LAYERS = 6


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fabricate_encoder.save_moonshine(tmp_path_factory.mktemp("weights") / "moonshine.pt")


@pytest.fixture(scope="module")
def theirs(published: Path) -> transformers.PreTrainedModel:
    encoder = fabricate_encoder.moonshine_of_transformers(transformers)
    encoder.load_state_dict(torch.load(published, weights_only=True))
    return encoder


def plainly(theirs: transformers.PreTrainedModel, depth: int, samples: Tensor) -> Tensor:
    """What Transformers' layers add up to for one clip (N,), two and two frames: (frames, 288)."""
    kept: list[Tensor] = []
    handle = theirs.layers[depth - 1].register_forward_hook(lambda *given: kept.append(given[-1]))
    with torch.no_grad():
        theirs(samples[None])
    handle.remove()
    given = kept[0][0] if isinstance(kept[0], tuple) else kept[0]
    states = given.reshape(-1, given.shape[-1])
    frames = len(states) // 2
    return states[: 2 * frames].reshape(frames, 2, -1).mean(1) if frames else states


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("samples", [LEAST, 4_000, 20_000])
def test_its_states_are_those_of_transformers_alone_and_in_a_batch(
    depth: int, samples: int, published: Path, theirs: transformers.PreTrainedModel
) -> None:
    encoder = ENCODERS["moonshine"](channels=1, bands=1, depth=depth).eval()
    encoder.load(published)
    clips = 0.1 * torch.randn(2, 1, 1, 24_000, generator=torch.Generator().manual_seed(samples))
    expected = plainly(theirs, depth, clips[0, 0, 0, :samples])
    clips[0, ..., samples:] = 5.0  # whatever stands there is not heard
    with torch.no_grad():
        states = encoder(clips, torch.tensor([samples, 24_000]))
    assert states.frames.tolist() == [len(expected), 30]
    torch.testing.assert_close(states.hidden[0, 0, :, : len(expected)].T, expected, atol=1e-4, rtol=1e-4)
    assert encoder.width == states.hidden.shape[2] == 288


def test_a_clip_of_less_than_a_frame_has_one_in_any_batch(published: Path) -> None:
    encoder = ENCODERS["moonshine"](channels=1, bands=1, depth=1).eval()
    encoder.load(published)
    clips = 0.1 * torch.randn(2, 1, 1, 9_000)
    with torch.no_grad():
        alone = encoder(clips[:1, ..., :300], torch.tensor([300]))
        batch = encoder(clips, torch.tensor([300, 9_000]))
    assert alone.frames.tolist() == [1]
    assert batch.frames.tolist() == [1, 11]
    torch.testing.assert_close(alone.hidden[0, 0, :, :1], batch.hidden[0, 0, :, :1], atol=1e-5, rtol=1e-5)


def test_samples_in_blocks_are_heard_as_one_by_one(published: Path) -> None:
    clips, frames = 0.1 * torch.randn(2, 1, 160, 50), torch.tensor([50, 33])
    one_by_one = clips.transpose(2, 3).reshape(2, 1, 1, -1)
    found = []
    for features, lengths in ((clips, frames), (one_by_one, 160 * frames)):
        encoder = ENCODERS["moonshine"](channels=1, bands=features.shape[2], depth=1).eval()
        encoder.load(published)
        with torch.no_grad():
            found.append(encoder(features, lengths))
    assert found[0].frames.tolist() == found[1].frames.tolist()
    torch.testing.assert_close(found[0].hidden, found[1].hidden, atol=0, rtol=0)


@pytest.mark.parametrize("stages", range(6))
def test_it_goes_on_from_wherever_it_stopped(stages: int, published: Path) -> None:
    encoder = ENCODERS["moonshine"](channels=1, bands=1, depth=2).eval()
    encoder.load(published)
    clips, frames = 0.1 * torch.randn(2, 1, 1, 9_000), torch.tensor([9_000, 6_000])
    with torch.no_grad():
        whole, parted = encoder(clips, frames), encoder.first(clips, frames, stages)
        behind = encoder.rest(parted, stages)
        encoder.give_up(stages)
        left = encoder.rest(parted, stages)
    for found in (behind, left):
        torch.testing.assert_close(found.hidden, whole.hidden)
        assert found.frames.tolist() == whole.frames.tolist() == [11, 7]
    assert len(encoder.stages()) == 5


def test_states_stand_side_by_side_the_last_layers_behind(published: Path) -> None:
    clips, frames = 0.1 * torch.randn(2, 1, 1, 9_000), torch.tensor([9_000, 6_000])
    found = []
    for depth, states in ((1, 1), (2, 1), (2, 2)):
        encoder = ENCODERS["moonshine"](channels=1, bands=1, depth=depth, states=states).eval()
        encoder.load(published)
        with torch.no_grad():
            found.append(encoder(clips, frames).hidden[0])
    assert encoder.width == 2 * 288
    torch.testing.assert_close(found[2], torch.cat(found[:2], dim=1))
    for stages in range(6):  # wherever it stopped
        with torch.no_grad():
            left = encoder.rest(encoder.first(clips, frames, stages), stages)
        torch.testing.assert_close(left.hidden[0], found[2])


@pytest.mark.parametrize("rank", [1, 100, 288])
def test_in_its_narrower_form_the_second_convolution_is_the_product_of_two(
    rank: int, published: Path, tmp_path: Path
) -> None:
    narrow = ENCODERS["moonshine"](channels=1, bands=1, depth=1, rank=rank).eval()
    path = fabricate_encoder.save_moonshine(tmp_path / "narrow.pt", rank)
    narrow.load(path)
    given = torch.load(path, weights_only=True)
    whole = torch.load(published, weights_only=True)
    product = torch.einsum("or,rik->oik", given["conv2.widen.weight"][..., 0], given["conv2.narrow.weight"])
    torch.save({**whole, "conv2.weight": product}, tmp_path / "whole.pt")
    wide = ENCODERS["moonshine"](channels=1, bands=1, depth=1).eval()
    wide.load(tmp_path / "whole.pt")
    clips, frames = 0.1 * torch.randn(1, 1, 1, 9_000), torch.tensor([9_000])
    with torch.no_grad():
        torch.testing.assert_close(
            narrow(clips, frames).hidden, wide(clips, frames).hidden, atol=1e-4, rtol=1e-4
        )
    with pytest.raises(UsageError, match="is not what scripts"):
        narrow.load(published)


def test_layers_that_are_not_used_are_not_read(published: Path) -> None:
    sizes = []
    for depth in (2, 3):
        encoder = ENCODERS["moonshine"](channels=1, bands=1, depth=depth)
        encoder.load(published)
        sizes.append(sum(p.numel() for p in encoder.parameters()))
    assert sizes[1] - sizes[0] == 4 * 288**2 + 2 * 288 * 1152 + 1152 + 288 + 2 * 288
    assert "Moonshine" in encoder.credit(published).citation


def test_what_layers_add_is_dropped_in_training_alone(published: Path) -> None:
    encoder = ENCODERS["moonshine"](channels=1, bands=1, depth=1, dropout=0.5)
    clips, frames = 0.1 * torch.randn(1, 1, 1, 9_000), torch.tensor([9_000])
    with torch.no_grad():
        one, other = encoder(clips, frames).hidden, encoder(clips, frames).hidden
        encoder.eval()
        same = encoder(clips, frames).hidden, encoder(clips, frames).hidden
    assert not torch.allclose(one, other)
    assert torch.equal(*same)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"bands": 64}, "takes 1 channel of samples, one by one or 160 a frame, not 1 of 64"),
        ({"channels": 2}, "takes 1 channel of samples, one by one or 160 a frame, not 2 of 1"),
        ({"depth": LAYERS + 1}, r"encoder_depth is 7; valid of encoder moonshine: 1 to 6"),
        ({"depth": 2, "states": 3}, r"encoder_states is 3; valid of 2 layers: 1 to 2"),
        ({"rank": 289}, r"encoder_rank is 289; valid of encoder moonshine: 1 to 288"),
    ],
)
def test_what_it_cannot_be_built_with(options: dict[str, int], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ENCODERS["moonshine"](**{"channels": 1, "bands": 1, **options})


def test_a_file_that_is_another_networks_is_refused(tmp_path: Path) -> None:
    other = fabricate_encoder.save_published("byol-s", tmp_path / "byol.pth")
    encoder = ENCODERS["moonshine"](channels=1, bands=1)
    for path, said in ((other, "is not what scripts"), (tmp_path / "none.pt", "no weights at")):
        with pytest.raises(UsageError, match=said):
            encoder.load(path)
