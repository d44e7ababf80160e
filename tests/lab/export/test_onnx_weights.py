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


@given(
    arrays(np.uint8, array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=12)),
    st.floats(2**-13, 8.0, width=32),
    st.integers(0, 255),
)
def test_what_was_bytes_is_these_bytes_again(levels: np.ndarray, scale: float, zero: int) -> None:
    values = ((levels.astype(np.float32) - zero) * np.float32(scale)).astype(np.float32)
    given = onnx_weights.as_bytes(values)
    if given is None:  # all alike, or all on one side of 0 and far from it: no byte stands for 0
        assert len(np.unique(values)) == 1 or values.min() > 0 or values.max() < 0
        return
    found, step, nothing = given
    again = (found.astype(np.float32) - nothing) * step
    np.testing.assert_allclose(again, values, atol=1e-6 * np.abs(values).max(), rtol=0)


@pytest.mark.parametrize("size", [300, 4_000])
def test_what_was_learnt_is_no_bytes(size: int) -> None:
    values = np.random.default_rng(size).standard_normal(size).astype(np.float32)
    assert onnx_weights.as_bytes(values) is None
    assert onnx_weights.as_bytes(values[:3]) is None


def test_weights_of_bytes_lose_nothing_in_a_small_file(learnt_bundle: Path, tmp_path: Path) -> None:
    model = onnx.load(learnt_bundle)
    sizes = {}
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim > 1 and values.size >= onnx_weights.LEAST_VALUES:
            step = np.abs(values).max() / 100
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.rint(values / step) * step, tensor.name))
            sizes[tensor.name] = values.size
    onnx.save(model, tmp_path / "large.onnx")
    onnx_weights.store_weights(model, "float16")
    onnx.checker.check_model(model, full_check=True)
    of_bytes = [t for t in model.graph.initializer if t.name.endswith("_bytes")]
    assert of_bytes and all(len(t.raw_data) == sizes[t.name.removesuffix("_bytes")] for t in of_bytes)
    onnx.save(model, tmp_path / "small.onnx")
    small = Bundle.open(tmp_path / "small.onnx", device="cpu")
    large = Bundle.open(tmp_path / "large.onnx", device="cpu")
    for samples, lengths in noisy_tones(large.info.preparation):
        found, expected = (each.run(samples, lengths)["probabilities"] for each in (small, large))
        np.testing.assert_allclose(found, expected, atol=2e-3)  # what is no bytes is float16
