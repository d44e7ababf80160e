"""The LSTM against that of torch, and as a node of an ONNX graph against itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from vocemo.lab.export import onnx_bundle
from vocemo.lab.models.lstm import Lstm


@pytest.fixture
def lstm() -> Lstm:
    torch.manual_seed(0)
    return Lstm(5, 7).eval()


def test_it_is_the_lstm_of_torch(lstm: Lstm) -> None:
    plain = nn.LSTM(5, 7, batch_first=True)
    plain.load_state_dict(lstm.state_dict())
    x, frames = torch.randn(3, 11, 5), torch.tensor([11, 4, 1])
    states, expected = lstm(x, frames), plain(x)[0]
    for row, own in enumerate(frames.tolist()):
        assert torch.equal(states[row, :own], expected[row, :own])
        assert not states[row, own:].any()


def test_it_goes_into_a_graph_as_one_node_for_any_batch_and_length(lstm: Lstm, tmp_path: Path) -> None:
    batch, time = torch.export.Dim("batch"), torch.export.Dim("time")
    with onnx_bundle._quiet(), torch.inference_mode():
        program = torch.onnx.export(
            lstm,
            (torch.randn(2, 9, 5), torch.tensor([9, 4])),
            dynamo=True,
            opset_version=18,
            dynamic_shapes=({0: batch, 1: time}, {0: batch}),
        )
    assert program is not None
    onnx.save(program.model_proto, tmp_path / "lstm.onnx")
    kinds = [node.op_type for node in program.model_proto.graph.node]
    assert kinds.count("LSTM") == 1 and not {"Loop", "Scan"} & set(kinds)
    session = onnxruntime.InferenceSession(tmp_path / "lstm.onnx", providers=["CPUExecutionProvider"])
    for shape in ((1, 1, 5), (2, 9, 5), (4, 30, 5)):
        x, frames = torch.randn(shape), torch.arange(shape[0], 0, -1) * shape[1] // shape[0]
        given = dict(
            zip((each.name for each in session.get_inputs()), (x.numpy(), frames.numpy()), strict=True)
        )
        np.testing.assert_allclose(session.run(None, given)[0], lstm(x, frames).detach().numpy(), atol=1e-6)
