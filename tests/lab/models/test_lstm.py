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
    x = torch.randn(3, 11, 5)
    assert torch.equal(lstm(x), plain(x)[0])


def test_it_goes_into_a_graph_as_one_node_for_any_batch_and_length(lstm: Lstm, tmp_path: Path) -> None:
    axes = ({0: torch.export.Dim("batch"), 1: torch.export.Dim("time")},)
    with onnx_bundle._quiet(), torch.inference_mode():
        program = torch.onnx.export(
            lstm, (torch.randn(2, 9, 5),), dynamo=True, opset_version=18, dynamic_shapes=axes
        )
    assert program is not None
    onnx.save(program.model_proto, tmp_path / "lstm.onnx")
    kinds = [node.op_type for node in program.model_proto.graph.node]
    assert kinds.count("LSTM") == 1 and not {"Loop", "Scan"} & set(kinds)
    session = onnxruntime.InferenceSession(tmp_path / "lstm.onnx", providers=["CPUExecutionProvider"])
    for shape in ((1, 1, 5), (2, 9, 5), (4, 30, 5)):
        x = torch.randn(shape)
        made = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]
        np.testing.assert_allclose(made, lstm(x).detach().numpy(), atol=1e-6)
