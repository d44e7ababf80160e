"""Convolutions in integers: what they compute, what may be computed so, and that a runtime does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

import vocemo
from vocemo.bundle import Bundle, BundleInfo, TrainingInfo
from vocemo.errors import UsageError
from vocemo.lab import initial_bundle, network
from vocemo.lab import recipe as recipes
from vocemo.lab.export import onnx_bundle, onnx_integers
from vocemo.lab.export.parity import noisy_tones
from vocemo.lab.export.run import export_run
from vocemo.lab.models.frame_layers import FrameLayers
from vocemo.lab.models.normalised_convolution import NormalisedConvolution
from vocemo.lab.network import Network
from vocemo.lab.recipe import Recipe

CHANNELS = 32


class Blocks(nn.Module):
    """Two normalised convolutions as an encoder has them: pooling, a rectifier and a mask between."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = (
            NormalisedConvolution(nn.Conv2d(given, CHANNELS, 3, padding=1), nn.BatchNorm2d(CHANNELS))
            for given in (1, CHANNELS)
        )

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The second's input and its output."""
        x = functional.max_pool2d(self.first(x), 2).relu() * mask
        return x, functional.max_pool2d(self.second(x), 2).relu()


class Whole(nn.Module):
    """As a bundle's graph holds its network."""

    def __init__(self) -> None:
        super().__init__()
        self.network = Blocks()

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        inner, outer = self.network(x, mask)
        return inner, outer


def settle(module: nn.Module, *batches: tuple[Tensor, ...]) -> None:
    """Statistics of batch normalisations as of a network that has heard such batches."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.momentum = None
    module.train()
    with torch.no_grad():
        for batch in batches:
            module(*batch)
    module.eval()


@pytest.fixture(scope="module")
def blocks() -> Whole:
    torch.manual_seed(0)
    whole = Whole()
    for norm in (whole.network.first[1], whole.network.second[1]):
        nn.init.uniform_(norm.weight, 0.3, 1.5)
        nn.init.uniform_(norm.bias, -0.5, 0.5)
    settle(whole, *((torch.randn(4, 1, 16, 40), torch.ones(4, 1, 1, 20)) for _ in range(20)))
    return whole


@pytest.fixture(scope="module")
def graphs(blocks: Whole) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """In float32 and in integers."""
    given = (torch.randn(2, 1, 16, 40), torch.ones(2, 1, 1, 20))
    with onnx_bundle._quiet():
        program = torch.onnx.export(blocks, given, dynamo=True, opset_version=onnx_bundle.OPSET)
    assert program is not None
    plain, rounded = program.model_proto, onnx.ModelProto()
    rounded.CopyFrom(plain)
    assert onnx_integers.compute_in_integers(rounded, blocks.network) == 1
    onnx.checker.check_model(rounded, full_check=True)
    return plain, rounded


def session(model: onnx.ModelProto, *, optimised: bool = True) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])


def heard(seed: int, padded: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    mask = np.ones((2, 1, 1, 20), np.float32)
    mask[1, ..., 20 - padded :] = 0
    return {"x": rng.standard_normal((2, 1, 16, 40)).astype(np.float32), "mask": mask}


def constant(model: onnx.ModelProto, end: str) -> np.ndarray:
    (found,) = (numpy_helper.to_array(each) for each in model.graph.initializer if each.name.endswith(end))
    return found


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 20))
def test_it_is_the_arithmetic_of_integers(
    graphs: tuple[onnx.ModelProto, onnx.ModelProto], blocks: Whole, seed: int, padded: int
) -> None:
    """Jacob et al. (2018), equation 7, in exact integers, but for where a half is rounded to."""
    model = graphs[1]
    weight, w_scale = (constant(model, f"second.0.weight_{end}") for end in ("int8", "scale"))
    shift, x_scale, y_scale = (constant(model, end) for end in ("_int32", "_x_scale", "_y_scale"))
    inner, outer = session(model).run(None, heard(seed, padded))
    levels = np.rint(inner / x_scale).clip(0, 255)
    # Exact: no sum reaches 2**53.
    sums = functional.conv2d(
        *(torch.from_numpy(a.astype(np.float64)) for a in (levels, weight, shift)), padding=1
    )
    scale = (w_scale.astype(np.float64) * x_scale / y_scale)[:, None, None]
    expected = np.rint(sums.numpy() * scale).clip(0, 255)
    expected = functional.max_pool2d(torch.from_numpy(expected), 2).numpy() * y_scale
    assert np.abs(outer - expected).max() <= 1.001 * y_scale
    assert (np.abs(outer - expected) > 1e-3 * y_scale).mean() < 1e-3


def test_it_is_near_what_it_stands_for(graphs: tuple[onnx.ModelProto, onnx.ModelProto]) -> None:
    whole, rounded = (session(each) for each in graphs)
    error = power = 0.0
    for seed in range(5):
        expected, found = (each.run(None, heard(seed, 3))[1] for each in (whole, rounded))
        error, power = error + np.square(found - expected).sum(), power + np.square(expected).sum()
    assert 0 < error < power / 10**2.5  # 25 dB below


def in_integers(model: Path, folder: Path) -> list[onnx.NodeProto]:
    """The convolutions that a runtime computes in integers."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    onnxruntime.InferenceSession(model.read_bytes(), options, ["CPUExecutionProvider"])
    nodes = onnx.load(folder / "optimised.onnx").graph.node
    return [node for node in nodes if node.op_type == "QLinearConv"]


def test_a_runtime_makes_one_step_in_integers_of_it(
    graphs: tuple[onnx.ModelProto, onnx.ModelProto], tmp_path: Path
) -> None:
    onnx.save(graphs[1], tmp_path / "integers.onnx")
    assert len(in_integers(tmp_path / "integers.onnx", tmp_path)) == 1
    plain, merged = (session(graphs[1], optimised=each).run(None, heard(3))[1] for each in (False, True))
    step = float(constant(graphs[1], "_y_scale"))
    assert np.abs(plain - merged).max() <= 1.001 * step


def test_the_range_is_what_the_normalisation_says(
    graphs: tuple[onnx.ModelProto, onnx.ModelProto], blocks: Whole
) -> None:
    for end, block in (("_x_scale", blocks.network.first), ("_y_scale", blocks.network.second)):
        norm = block[1]
        largest = max(b + 8 * abs(w) for b, w in zip(norm.bias.tolist(), norm.weight.tolist(), strict=True))
        assert constant(graphs[1], end) * 255 == pytest.approx(largest, rel=1e-5)


def test_what_rounded_weights_add_in_the_mean_is_taken_from_the_bias(
    graphs: tuple[onnx.ModelProto, onnx.ModelProto], blocks: Whole
) -> None:
    """By drawn numbers: inputs as the normalisation says they are lead to outputs of equal means."""
    norm = blocks.network.first[1]
    drawn = torch.randn(CHANNELS, 200_000, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    means = (drawn * norm.weight[:, None].abs() + norm.bias[:, None]).clamp(min=0).mean(1).detach().numpy()
    plain, rounded = graphs
    exact = constant(plain, "second.0.weight").astype(np.float64)
    own = constant(rounded, "second.0.weight_int8") * constant(rounded, "second.0.weight_scale")[
        :, None, None, None
    ].astype(np.float64)
    shifts = constant(rounded, "_int32") * constant(rounded, "bias_scale").astype(np.float64)
    before = (exact.sum((2, 3)) * means).sum(1) + constant(plain, "second.0.bias")
    after = (own.sum((2, 3)) * means).sum(1) + shifts
    uncorrected = (own.sum((2, 3)) * means).sum(1) + constant(plain, "second.0.bias")
    assert np.abs(after - before).max() < 0.1 * np.abs(uncorrected - before).max()


class Heads(nn.Module):
    """Frames of four bands of a rectified convolution's channels, through layers of two members."""

    def __init__(self) -> None:
        super().__init__()
        self.block = NormalisedConvolution(nn.Conv2d(1, 64, 3, padding=1), nn.BatchNorm2d(64))
        self.members = nn.ModuleList(FrameLayers(4 * 64, hidden) for hidden in ([64, 32], [32]))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What the layers hear, and what they say."""
        states = self.block(x).relu().transpose(1, 2).flatten(1, 2)
        return states, torch.cat([member(states) for member in self.members], dim=1)


def test_layers_over_frames_carry_the_normalisation_before_them(tmp_path: Path) -> None:
    torch.manual_seed(3)
    whole = Whole()
    whole.network = Heads()
    for norm in whole.network.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(norm.weight, 0.8, 1.2)  # one byte serves channels of like size
            nn.init.uniform_(norm.bias, 0.0, 0.5)
    whole.forward = whole.network.forward
    settle(whole, *((torch.randn(4, 1, 4, 40),) for _ in range(30)))
    with onnx_bundle._quiet():
        program = torch.onnx.export(whole, (torch.randn(2, 1, 4, 40),), dynamo=True, opset_version=18)
    assert program is not None
    plain, rounded = program.model_proto, onnx.ModelProto()
    rounded.CopyFrom(plain)
    found = onnx_integers._Convolutions(rounded.graph, whole.network)
    convolutions = [node for node in rounded.graph.node if node.op_type == "Conv"]
    first = [node for node in convolutions if found.norm_before(node) is not None]
    assert len(first) == 2
    for node in first:
        onnx_integers._fold_norm_before(rounded.graph, node, found)
    assert [node.op_type for node in rounded.graph.node].count("BatchNormalization") == 0
    x = {"x": np.random.default_rng(1).standard_normal((2, 1, 4, 40)).astype(np.float32)}
    exact = session(plain).run(None, x)
    np.testing.assert_allclose(session(rounded).run(None, x)[1], exact[1], atol=1e-5, rtol=1e-4)
    rounded.CopyFrom(plain)
    assert onnx_integers.compute_in_integers(rounded, whole.network) == 2  # 64 products are too few
    onnx.save(rounded, tmp_path / "integers.onnx")
    one, other = in_integers(tmp_path / "integers.onnx", tmp_path)
    assert one.input[0] == other.input[0]  # what both hear is put into integers once
    error = session(rounded).run(None, x)[1] - exact[1]
    assert 0 < np.square(error).mean() < np.square(exact[1]).mean() / 10**2.5
    assert abs(error.mean()) < 0.05 * np.sqrt(np.square(exact[1]).mean())  # nothing is added in the mean


def test_a_model_without_such_convolutions_is_refused(learnt: tuple[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing of this model can be computed in integers"):
        export_run(learnt[1], tmp_path / "no.onnx", weights="mixed")
    with pytest.raises(UsageError, match=r"mixed is for \.onnx files"):
        export_run(learnt[1], tmp_path / "no.tflite", to="tflite", weights="mixed")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def chosen() -> Recipe:
    """Two networks upon BYOL-S's blocks and one upon LSTMs, random."""
    maps, states = (
        f"{{name='encoder-head', weights='random', hidden=[16], {own}}}"
        for own in ("encoder='byol-s', encoder_maps=true, part=0", "encoder='ge2e', encoder_depth=2, part=1")
    )
    return recipes.load(
        "base",
        [
            "preparation.sample_rate=16000",
            "front_end={name='joined', members=[{name='byol-s-mel'}, {name='ge2e-mel'}]}",
            f"model={{name='committee', members=[{maps}, {maps}, {states}]}}",
            "augmentation.views=0",
        ],
    )


@pytest.fixture(scope="module")
def encoder(chosen: Recipe) -> Network:
    """With statistics of noise and of tones."""
    made = network.build(chosen, seed=0)
    torch.manual_seed(1)
    for norm in made.modules():  # equal ones would be one in the file
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.uniform_(norm.bias, -0.3, 0.3)
    noise = [(0.1 * torch.randn(3, 16_000), torch.full((3,), 16_000)) for _ in range(4)]
    tones = [  # twice each: a clip alone has no statistics
        tuple(torch.from_numpy(array).repeat_interleave(2, dim=0) for array in batch)
        for batch in noisy_tones(chosen.preparation)
    ]
    settle(made, *noise, *tones)
    return made


def test_a_bundle_in_integers_answers_as_its_network_and_can_be_begun_with(
    encoder: Network, chosen: Recipe, tmp_path: Path
) -> None:
    info = BundleInfo(
        name="base",
        vocemo_version=vocemo.__version__,
        emotions=chosen.emotions,
        preparation=chosen.preparation,
        licence="none",
        attribution=("nobody",),
        training=TrainingInfo(corpora=("none",), clips=1, speakers=1, protocol="all"),
    )
    path = tmp_path / "mixed.onnx"
    parity = onnx_bundle.write_bundle(encoder, info, path, "mixed")
    assert 0 < parity.difference < 0.1
    bundle = Bundle.open(path, device="cpu")
    assert bundle.info.weights == "mixed"
    kinds = {each.data_type for each in onnx.load(path).graph.initializer}
    assert {onnx.TensorProto.INT8, onnx.TensorProto.FLOAT16} <= kinds
    assert len(in_integers(path, tmp_path)) == 6  # of two members two blocks and a layer over frames
    assert [node.op_type for node in onnx.load(path).graph.node].count("Scan") == 1
    begun, _ = initial_bundle.network_of(bundle, chosen)
    own = encoder.model.members[0].encoder.blocks[1][0].weight
    taken = begun.model.members[0].encoder.blocks[1]
    # The bundle's carries its normalisation.
    norm = encoder.model.members[0].encoder.blocks[1][1]
    carried = own * (norm.weight / torch.sqrt(norm.running_var + norm.eps))[:, None, None, None]
    torch.testing.assert_close(taken[0].weight, carried, atol=float(carried.abs().max()) / 100, rtol=0.02)
    of_lstms, taken_lstms = (each.model.members[2].encoder.lstms.state_dict() for each in (encoder, begun))
    for name, values in of_lstms.items():
        step = values.abs().max() / 64
        torch.testing.assert_close(taken_lstms[name], values, atol=float(step), rtol=1e-3)
    rng = np.random.default_rng(0)
    samples = (0.1 * rng.standard_normal((3, 32_000))).astype(np.float32)
    lengths = np.array([32_000, 20_000, 9_000])
    for row, count in enumerate(lengths):
        samples[row, count:] = 0
    together = bundle.run(samples, lengths)["probabilities"]
    with torch.inference_mode():
        exact = encoder(torch.from_numpy(samples), torch.from_numpy(lengths)).logits.softmax(1)
    np.testing.assert_allclose(together, exact, atol=0.06)
    # Alone as in a batch.
    for row, count in enumerate(lengths):
        alone = bundle.run(samples[row : row + 1, :count], lengths[row : row + 1])["probabilities"]
        np.testing.assert_allclose(together[row], alone[0], atol=1e-4)
