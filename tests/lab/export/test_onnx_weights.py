from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from vocemo.bundle import METADATA_KEY, Bundle, Weights
from vocemo.lab.export import onnx_weights
from vocemo.lab.export.parity import noisy_tones


@given(
    arrays(
        np.float32,
        array_shapes(min_dims=1, max_dims=4, max_side=5),
        elements=st.floats(-1e3, 1e3, width=32),
    )
)
def test_a_rounded_value_is_half_a_step_away_at_most(values: np.ndarray) -> None:
    levels, scales, axis = onnx_weights.rounded(values)
    shape = [1] * values.ndim
    shape[axis] = -1
    steps = scales.reshape(shape)
    assert levels.shape == values.shape and len(scales) == values.shape[axis]
    assert (np.abs(levels * steps - values) <= 0.5001 * steps).all()


@pytest.mark.parametrize(("weights", "bytes_each"), [("float16", 2), ("int8", 1)])
def test_the_model_s_weights_are_stored_so_and_the_front_end_s_constants_are_not(
    learnt_bundle: Path, tmp_path: Path, weights: Weights, bytes_each: int
) -> None:
    model = onnx.load(learnt_bundle)
    before = {tensor.name: tensor for tensor in model.graph.initializer}
    onnx_weights.store_weights(model, weights)
    onnx.checker.check_model(model, full_check=True)
    after = {tensor.name: tensor for tensor in model.graph.initializer}
    kind = {"float16": onnx.TensorProto.FLOAT16, "int8": onnx.TensorProto.INT8}[weights]
    stored = {name for name, tensor in after.items() if tensor.data_type == kind}
    assert stored and all("network.model" in name for name in stored)
    kept = [name for name in after if "front_end" in name]
    assert len(kept) > 5 and all(after[name] == before[name] for name in kept)
    weights_of = {name.removesuffix(f"_{weights}") for name in stored}
    assert sum(len(after[name].raw_data) for name in stored) * (4 // bytes_each) == sum(
        len(before[name].raw_data) for name in weights_of
    )
    path = tmp_path / "small.onnx"
    onnx.save(model, path)
    assert {entry.key for entry in model.metadata_props} >= {METADATA_KEY}
    small, large = Bundle.open(path, device="cpu"), Bundle.open(learnt_bundle, device="cpu")
    for samples, lengths in noisy_tones(large.info.preparation):
        expected = large.run(samples, lengths)["logits"]
        found = small.run(samples, lengths)["logits"]
        assert 0 < np.abs(found - expected).max() < (0.01 if weights == "float16" else 0.2)
