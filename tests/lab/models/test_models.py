"""Every architecture of the registry: padding cannot be heard, everything learns."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab import device, network, sheet
from vocemo.lab import recipe as recipes
from vocemo.lab.models import MODELS, build

CHANNELS, BANDS, FRAMES, EMOTIONS = 2, 32, 53, 6
LENGTHS = (50, 1, 7, 33, 8, 49)  # frames: one, odd and even, just below and at the longest

# Channels and bands of those that take no others.
OWN_SHAPE = {"encoder-head": (1, 128)}

FIXED = ("mel-cnn2d", "stacked-cnn1d")  # these read every frame by a weight of its own

every_model = pytest.mark.parametrize("name", list(MODELS))


def shape_of(name: str) -> dict[str, int]:
    channels, bands = OWN_SHAPE.get(name, (CHANNELS, BANDS))
    return {"channels": channels, "bands": bands}


def model_of(name: str, seed: int = 0) -> nn.Module:
    """A model whose weights, biases and moving statistics are all away from where they start."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build(name, {}, **shape_of(name), frames=FRAMES, emotions=EMOTIONS)
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                with torch.no_grad():
                    # Kernels keep their mean: all weights above 0 would drive an LSTM to its ends.
                    tensor.add_(
                        0.2 * torch.rand_like(tensor) if tensor.ndim < 2 else 0.01 * torch.randn_like(tensor)
                    )
    return model


def features_of(name: str, lengths: tuple[int, ...], seed: int = 1) -> tuple[Tensor, Tensor]:
    """Features of clips with noise of their own past their ends; a stacked vector has no end but its own."""
    generator = torch.Generator().manual_seed(seed)
    if name == "stacked-cnn1d":
        lengths = (FRAMES,) * len(lengths)
    shape = len(lengths), *shape_of(name).values(), FRAMES
    return torch.randn(shape, generator=generator), torch.tensor(lengths)


@every_model
def test_a_clip_alone_is_the_clip_in_a_padded_batch(name: str) -> None:
    model = model_of(name).eval()
    features, lengths = features_of(name, LENGTHS)
    with torch.inference_mode():
        together = model(features, lengths)
        for row, length in enumerate(lengths.tolist()):
            own = features[row : row + 1, :, :, :length]
            if name in FIXED:  # they have no other length: something else stands past the clip's end
                own = torch.nn.functional.pad(own, (0, FRAMES - length), value=7.0)
            alone = model(own, lengths[row : row + 1])
            torch.testing.assert_close(alone.logits[0], together.logits[row], atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(alone.embedding[0], together.embedding[row], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("stride", [[1, 3], [3, 1], [4, 4]])
def test_a_longer_first_stride_neither_hears_the_padding_nor_skips_a_frame(stride: list[int]) -> None:
    model = build("residual-cnn", {"stride": stride}, channels=2, bands=BANDS, frames=None, emotions=EMOTIONS)
    model.eval()
    features, lengths = features_of("residual-cnn", LENGTHS)
    with torch.inference_mode():
        together = model(features, lengths).logits
        for row, length in enumerate(LENGTHS):
            alone = model(features[row : row + 1, :, :, :length], lengths[row : row + 1]).logits[0]
            torch.testing.assert_close(alone, together[row], atol=1e-5, rtol=1e-5)
            changed = features[row : row + 1].clone()
            changed[..., length - 1] += 5.0
            assert not torch.allclose(model(changed, lengths[row : row + 1]).logits[0], together[row])


@every_model
def test_every_own_frame_is_heard(name: str) -> None:
    model = model_of(name).eval()
    features, lengths = features_of(name, (20,))
    with torch.inference_mode():
        before = model(features, lengths).logits
        for frame in range(20):
            changed = features.clone()
            changed[:, :, :, frame] += 5.0
            assert not torch.equal(model(changed, lengths).logits, before), f"frame {frame} changes nothing"


@every_model
def test_the_answer_has_the_shapes_that_it_promises(name: str) -> None:
    model = model_of(name).eval()
    features, lengths = features_of(name, LENGTHS)
    with torch.inference_mode():
        output = model(features, lengths)
    assert output.logits.shape == (len(LENGTHS), EMOTIONS)
    assert output.embedding.ndim == 2 and len(output.embedding) == len(LENGTHS)
    assert torch.isfinite(output.logits).all()
    if output.attention is not None:
        torch.testing.assert_close(output.attention.sum(1), torch.ones(len(LENGTHS)))


@every_model
def test_gradients_reach_every_parameter(name: str) -> None:
    model = model_of(name).train()
    features, lengths = features_of(name, (50, 41, 33, 20, 48, 50, 37, 44))
    torch.nn.functional.cross_entropy(model(features, lengths).logits, torch.arange(8) % EMOTIONS).backward()
    for parameter, tensor in model.named_parameters():
        if parameter.endswith("pool.score.2.bias"):
            continue  # a softmax over frames is blind to what all their scores share
        assert tensor.grad is not None and tensor.grad.abs().sum() > 0, f"{parameter} learns nothing"


@every_model
def test_answers_are_repeatable_and_what_drops_out_drops_in_training_alone(name: str) -> None:
    model = model_of(name)
    features, lengths = features_of(name, LENGTHS)
    with torch.inference_mode():
        model.eval()
        assert torch.equal(model(features, lengths).logits, model(features, lengths).logits)


@every_model
def test_wrong_options_name_the_valid_ones(name: str) -> None:
    with pytest.raises(UnknownNameError, match="Valid: "):
        build(name, {"no_such_option": 1}, **shape_of(name), frames=FRAMES, emotions=EMOTIONS)


def test_wrong_names_and_values_are_refused() -> None:
    for stride in ([5, 1], [2], [0, 2]):
        with pytest.raises(UsageError, match=r"two of \[1, 2, 3, 4\]"):
            build("residual-cnn", {"stride": stride}, channels=1, bands=32, frames=None, emotions=2)
    with pytest.raises(UnknownNameError, match="dual-channel-cnn"):
        build("dual-chanel-cnn", {}, channels=2, bands=8, frames=None, emotions=2)
    with pytest.raises(UsageError, match="dropout=7"):
        build("dual-channel-cnn", {"dropout": 7}, channels=2, bands=8, frames=None, emotions=2)


@pytest.mark.parametrize(("widths", "hidden", "bands"), [((4, 8, 16), 10, 40), ((6,), 3, 9), ((2, 3), 5, 64)])
def test_parameters_of_the_dual_channel_cnn(widths: tuple[int, ...], hidden: int, bands: int) -> None:
    model = build(
        "dual-channel-cnn",
        {"widths": widths, "hidden": hidden},
        channels=2,
        bands=bands,
        frames=None,
        emotions=8,
    )
    kernels = sum(3 * 3 * before * after for before, after in pairwise((2, *widths)))
    norms = 2 * (sum(widths) + hidden)  # a scale and a shift each
    pooled = bands // 2 ** len(widths)
    dense = (2 * widths[-1] * pooled + 1) * hidden + (hidden + 1) * 8
    assert sum(p.numel() for p in model.parameters()) == kernels + norms + dense


def test_the_shipped_recipe_counts_its_moving_statistics_apart() -> None:
    recipe = recipes.load("dual-channel-cnn")
    trainable, moving = network.build(recipe, seed=0).parameter_counts()
    options = recipe.model.options
    assert moving == 2 * (sum(options["widths"]) + options["hidden"])
    kept = sheet.read("dual-channel-cnn")
    assert (kept.trainable, kept.not_trainable) == (trainable, moving)


def test_weights_come_from_the_seed_alone() -> None:
    recipe = recipes.load("dual-channel-cnn")
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again, other = (network.build(recipe, seed).state_dict() for seed in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["model.classify.weight"], other["model.classify.weight"])


def test_the_stacked_cnn_has_exactly_the_described_parameters() -> None:
    """7,193,736 parameters, 7,189,384 trainable and 4,352 not, and Keras's "same" lengths at each pooling."""
    net = network.build(recipes.load("stacked-cnn1d"), seed=0)
    trainable, moving = net.parameter_counts()
    assert (trainable, moving, trainable + moving) == (7_189_384, 4_352, 7_193_736)
    kept = sheet.read("stacked-cnn1d")
    assert (kept.trainable, kept.not_trainable) == (trainable, moving)
    pooled = [layer.output[-1] for layer in kept.layers if layer.kind == "MaxPool2d"]
    assert pooled == [1188, 594, 297, 149, 75]


@pytest.mark.parametrize("frames", [9, 10, 11, 12, 13])
def test_pooling_is_padded_as_keras_does(frames: int) -> None:
    """Windows of 5 with stride 2, "same": output i covers inputs 2 i - before to 2 i - before + 4."""
    options = {"widths": (3,), "kernels": (1,), "pools": (5,), "drops": (0.0,), "hidden": 2}
    model = build("stacked-cnn1d", options, channels=1, bands=1, frames=frames, emotions=2).eval()
    out = -(-frames // 2)
    before = max((out - 1) * 2 + 5 - frames, 0) // 2
    x = torch.randn(1, 3, 1, frames)
    block = model.blocks[0]
    block.convolve, block.normalise = nn.Identity(), nn.Identity()
    found = block(x)
    hinge = torch.relu(x)
    expected = [hinge[..., max(2 * i - before, 0) : 2 * i - before + 5].amax(-1) for i in range(out)]
    torch.testing.assert_close(found, torch.stack(expected, dim=-1))


@pytest.mark.parametrize("name", FIXED)
def test_clips_of_their_own_lengths_are_refused_by_name(name: str) -> None:
    with pytest.raises(UsageError, match=r"preparation\.length_s"):
        build(name, {}, channels=1, bands=32, frames=None, emotions=2)


@every_model
def test_half_width_training_gives_float32_answers_near_those_of_full_width(name: str) -> None:
    if name == "mfcc-cnn-lstm" and not device.gains_by_bfloat16(torch.device("cpu")):
        pytest.skip(
            "oneDNN has LSTMs in bfloat16 only where the processor has it; elsewhere none are trained so"
        )
    using = [each for each in map(recipes.load, recipes.names()) if each.model.name == name]
    recipe = using[0] if using else recipes.load("residual-cnn", [f'model={{name="{name}"}}'])
    net = network.build(recipe, seed=1)
    length = recipe.preparation.length or recipe.preparation.sample_rate
    samples = 0.1 * torch.randn(4, length, generator=torch.Generator().manual_seed(0))
    lengths = torch.full((4,), length)
    for module in net.modules():
        if isinstance(module, nn.Dropout | nn.Dropout2d):
            module.p = 0.0
    net.train()
    if name == "encoder-head":
        # Its head is normalised over the batch: of clips that are all noise, that would leave rounding alone.
        net.model.normalise.eval()
    full = net(samples, lengths)
    net.half_width = True
    half = net(samples, lengths)
    assert half.logits.dtype == half.embedding.dtype == torch.float32
    assert not torch.equal(full.logits, half.logits), "nothing ran in bfloat16"
    scale = full.logits.abs().max()
    assert (full.logits - half.logits).abs().max() < 0.1 * scale + 0.02
    # An answer is never given in half the width.
    net.eval()
    answered = net(samples, lengths).logits
    net.half_width = False
    assert torch.equal(answered, net(samples, lengths).logits)
