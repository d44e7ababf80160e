"""LSTMs in integers: what they compute, that no clip hears another, and the way back to torch."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper
from torch import Tensor, nn

from vocemo.lab.export import onnx_bundle
from vocemo.lab.export.onnx_lstm import levels_of, lstms_in_integers, weight_of
from vocemo.lab.models.lstm import Lstm

INSIDE, STATE = 6, 24


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Lstm(INSIDE, STATE), Lstm(STATE, STATE)

    def forward(self, x: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """The states of both."""
        states = self.first(x, frames)
        return states, self.second(states.transpose(1, 2).transpose(1, 2), frames)


class Whole(nn.Module):
    """As a bundle's graph holds its network."""

    def __init__(self) -> None:
        super().__init__()
        self.network = Two()

    def forward(self, x: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        first, second = self.network(x, frames)
        return first, second


@pytest.fixture(scope="module")
def whole() -> Whole:
    torch.manual_seed(0)
    made = Whole().eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(3.0)
    return made


@pytest.fixture(scope="module")
def graph(whole: Whole) -> onnx.ModelProto:
    batch, time = torch.export.Dim("batch"), torch.export.Dim("time")
    with onnx_bundle._quiet(), torch.inference_mode():
        program = torch.onnx.export(
            whole,
            (torch.randn(2, 9, INSIDE), torch.tensor([9, 4])),
            input_names=["x", "frames"],
            dynamo=True,
            opset_version=onnx_bundle.OPSET,
            dynamic_shapes=({0: batch, 1: time}, {0: batch}),
        )
    assert program is not None
    model = program.model_proto
    assert lstms_in_integers(model, whole.network) == 1  # type: ignore[arg-type]
    onnx.checker.check_model(model)
    return model


@pytest.fixture(scope="module")
def session(graph: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph.SerializeToString(), options, ["CPUExecutionProvider"])


def by_hand(lstm: Lstm, x: np.ndarray) -> np.ndarray:
    """One clip's states (T, H), Hochreiter & Schmidhuber with rounded weights and inputs."""

    def rounded(values: np.ndarray) -> np.ndarray:
        """To 255 levels from the least to the greatest, zero among them."""
        low, high = min(values.min(), 0.0), max(values.max(), 0.0)
        scale = (high - low) / 255 or 1.0
        zero = np.rint(-low / scale)
        return (np.clip(np.rint(values / scale) + zero, 0, 255) - zero) * scale

    into, onto = (
        weight_of(*levels_of(getattr(lstm, f"weight_{kind}_l0").detach().numpy())) for kind in ("ih", "hh")
    )
    bias = (lstm.bias_ih_l0 + lstm.bias_hh_l0).detach().numpy()
    sigmoid = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731  (an equation's function)
    heard, state, cell, states = rounded(x) @ into.T, np.zeros(STATE), np.zeros(STATE), []
    for row in heard:
        i, f, g, o = np.split(row + onto @ rounded(state) + bias, 4)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
        state = sigmoid(o) * np.tanh(cell)
        states.append(state)
    return np.array(states)


def test_it_is_the_equation_with_rounded_numbers(whole: Whole, session: onnxruntime.InferenceSession) -> None:
    x = np.random.default_rng(1).standard_normal((1, 40, INSIDE)).astype(np.float32)
    first, second = session.run(None, {"x": x, "frames": np.array([40])})
    expected = by_hand(whole.network.second, first[0])
    with torch.no_grad():
        exact = whole(torch.from_numpy(x), torch.tensor([40]))[1][0].numpy()
    # A level apart where a half is rounded; further from what it stands for than from the equation.
    assert np.abs(second[0] - expected).max() < 0.02
    assert np.square(second[0] - expected).mean() < 0.25 * np.square(second[0] - exact).mean()
    assert np.square(second[0] - exact).mean() < np.square(exact).mean() / 10**2  # 20 dB below


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=5), st.integers(0, 99), st.floats(0.01, 100.0))
def test_no_clip_hears_another_or_what_it_is_padded_with(
    session: onnxruntime.InferenceSession, frames: list[int], seed: int, padding: float
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((len(frames), max(frames), INSIDE)).astype(np.float32)
    for row, own in zip(x, frames, strict=True):
        row[own:] = padding
    together = session.run(None, {"x": x, "frames": np.array(frames)})[1]
    for row, own in enumerate(frames):
        alone = session.run(None, {"x": x[row : row + 1, :own], "frames": np.array([own])})[1]
        np.testing.assert_array_equal(together[row, :own], alone[0])
        assert not together[row, own:].any()


def test_the_graph_keeps_the_weights_once_and_gives_them_back(graph: onnx.ModelProto, whole: Whole) -> None:
    kept = {each.name: numpy_helper.to_array(each) for each in graph.graph.initializer}
    assert not any(name.startswith("network.second.weight") and name.endswith("_l0") for name in kept)
    assert [node.op_type for node in graph.graph.node].count("LSTM") == 1
    for kind in ("weight_ih_l0", "weight_hh_l0"):
        exact = getattr(whole.network.second, kind).detach().numpy()
        back = weight_of(
            kept[f"network.second.{kind}_int8"],
            kept[f"network.second.{kind}_scale"],
        )
        largest = np.abs(exact).max(1, keepdims=True)
        assert (np.abs(back - exact) <= 0.51 * largest / 64).all()


def test_the_first_lstm_keeps_float32(whole: Whole, session: onnxruntime.InferenceSession) -> None:
    x = torch.randn(2, 12, INSIDE)
    frames = torch.tensor([12, 5])
    first = session.run(None, {"x": x.numpy(), "frames": frames.numpy()})[0]
    with torch.no_grad():
        np.testing.assert_allclose(first, whole(x, frames)[0].numpy(), atol=1e-5)
