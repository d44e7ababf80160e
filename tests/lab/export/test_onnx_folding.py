"""Folding leaves every answer as it was, and moves nothing that somebody else reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from vocemo.lab.export.onnx_folding import fold_choices, spread


@given(st.integers(1, 6), st.lists(st.integers(-6, 5), min_size=1, max_size=8), st.integers(0, 9))
def test_a_choice_and_a_matrix_are_one_matrix(columns: int, chosen: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    x = random.normal(size=(3, 6)).astype(np.float32)
    matrix = random.normal(size=(len(chosen), columns)).astype(np.float32)
    picked = np.array(chosen)
    assert x @ spread(matrix, picked, 6) == pytest.approx(x[:, picked] @ matrix, abs=1e-5)


def graph(*, read_twice: bool = False, axis: int = 2) -> Any:
    """(batch, 4, 4) chosen along an axis, and multiplied by a matrix (4, 2)."""
    random = np.random.default_rng(0)
    nodes = [
        helper.make_node("Abs", ["x"], ["a"]),
        helper.make_node("Gather", ["a", "chosen"], ["g"], axis=axis),
        helper.make_node("MatMul", ["g", "m"], ["y"]),
        helper.make_node("Neg", ["g" if read_twice else "a"], ["z"]),
    ]
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 4, width])
        for name, width in [("x", 4), ("y", 2), ("z", 4)]
    ]
    made = helper.make_graph(
        nodes,
        "test",
        values[:1],
        values[1:],
        [
            numpy_helper.from_array(np.array([3, 0, 1, 2]), "chosen"),
            numpy_helper.from_array(random.normal(size=(4, 2)).astype(np.float32), "m"),
        ],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return onnx.shape_inference.infer_shapes(model)


def answers(model: Any) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(1).normal(size=(2, 4, 4)).astype(np.float32)
    return list(session.run(None, {"x": x}))


def test_it_is_folded_where_nobody_else_reads_it() -> None:
    model = graph()
    before = answers(model)
    assert fold_choices(model) == 1
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node] == ["Abs", "MatMul", "Neg"]
    assert [tensor.name for tensor in model.graph.initializer] == ["m"]
    for one, other in zip(answers(model), before, strict=True):
        assert one == pytest.approx(other, abs=1e-6)


@pytest.mark.parametrize("options", [{"read_twice": True}, {"axis": 1}])
def test_it_stays_where_it_cannot_be_folded(options: dict[str, Any]) -> None:
    model = graph(**options)
    before = model.SerializeToString()
    assert fold_choices(model) == 0 and model.SerializeToString() == before


def test_a_bundle_s_spectrum_is_not_put_in_order(learnt_bundle: Path) -> None:
    model = onnx.load(learnt_bundle)
    constants = {tensor.name for tensor in model.graph.initializer}
    ordered = [n for n in model.graph.node if n.op_type == "Gather" and n.input[1] in constants]
    filters = [n for n in model.graph.node if any("filters" in name for name in n.input)]
    assert filters and not {name for n in ordered for name in n.output} & {f.input[0] for f in filters}
