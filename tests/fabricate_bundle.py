"""A tiny bundle made by hand: two statistics of the waveform through one linear layer.

Its inputs, outputs and metadata are those of a trained one, it masks by lengths, and its answers can be
worked out with pencil and paper: the louder, the angrier; the higher the pitch, the happier.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vocemo.bundle import METADATA_KEY, BundleInfo, TrainingInfo
from vocemo.prepare import Preparation

EMOTIONS = ("neutral", "happy", "sad", "angry")
RATE_HZ = 16_000
# Columns as EMOTIONS; rows: log mean square, mean square of the difference over mean square, constant.
WEIGHTS = np.array([[0.0, 0.0, -0.5, 0.5], [-2.0, 6.0, -2.0, 0.0], [0.0, -1.0, -4.0, 3.0]], np.float32)
FLOOR = 1e-8  # keeps the logarithm and the quotient of silence finite


def expected(samples: np.ndarray) -> np.ndarray:
    """What the graph must say of one clip, by NumPy."""
    clip = samples.astype(np.float64)
    energy = np.sum(clip**2) / len(clip)
    roughness = np.sum(np.diff(clip) ** 2) / len(clip) / (energy + FLOOR)
    logits = np.array([np.log(energy + FLOOR), roughness, 1.0]) @ WEIGHTS
    return np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()


def info(**changes: object) -> BundleInfo:
    """The tiny bundle's description, with changes."""
    values: dict[str, object] = {
        "name": "tiny",
        "vocemo_version": "0.1.0",
        "emotions": EMOTIONS,
        "preparation": Preparation(sample_rate=RATE_HZ, remove_dc=False, max_length_s=4.0),
        "licence": "CC-BY-NC-SA-4.0",
        "attribution": ("RAVDESS (Livingstone and Russo 2018)",),
        "training": TrainingInfo(
            corpora=("ravdess-speech",),
            clips=1440,
            speakers=24,
            protocol="all",
            recipe="dual-channel-cnn",
            parameters=1234,
            duration_p05_s=3.2,
            duration_median_s=3.7,
        ),
        "results": ({"protocol": "random", "leaky": True, "metrics": {"uar": {"mean": 0.7, "sd": 0.01}}},),
    }
    return BundleInfo(**(values | changes))


def write(
    path: Path,
    about: BundleInfo | None = None,
    *,
    metadata: str | None = None,
    drop: str = "",
    batch: int | str = "batch",
    distance: bool = False,
) -> Path:
    """Write the tiny bundle.

    metadata: the text under the metadata key in place of the description's; "" leaves the key out.
    drop: the name of an output to leave out. batch: the graph's batch size, any by default.
    distance: whether it has that output, which is the roughness: the higher the pitch, the farther.
    """
    about = info() if about is None else about
    outputs = ["probabilities", "logits", "embedding", *["distance"][: 1 if distance else 0]]
    model = _model([name for name in outputs if name != drop], batch)
    text = about.to_json() if metadata is None else metadata
    if text:
        helper.set_model_props(model, {METADATA_KEY: text})
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


def _model(outputs: list[str], batch: int | str) -> onnx.ModelProto:
    constants = {
        "weights": WEIGHTS,
        "floor": np.array(FLOOR, np.float32),
        "zero": np.array(0, np.int64),
        "one": np.array(1, np.int64),
        "columns": np.array([1], np.int64),
        "from_one": np.array([1], np.int64),
        "to_last": np.array([-1], np.int64),
        "from_zero": np.array([0], np.int64),
        "to_end": np.array([2**62], np.int64),
    }
    nodes = [
        # mask[b, i] = i < lengths[b]
        helper.make_node("Shape", ["samples"], ["width"], start=1, end=2),
        helper.make_node("Squeeze", ["width"], ["n"]),
        helper.make_node("Range", ["zero", "n", "one"], ["index"]),
        helper.make_node("Unsqueeze", ["lengths", "columns"], ["ends"]),
        helper.make_node("Less", ["index", "ends"], ["within"]),
        helper.make_node("Cast", ["within"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["ends"], ["count"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["samples", "mask"], ["clip"]),
        # energy = sum(clip^2) / count
        helper.make_node("Mul", ["clip", "clip"], ["squares"]),
        helper.make_node("ReduceSum", ["squares", "columns"], ["sum"], keepdims=1),
        helper.make_node("Div", ["sum", "count"], ["mean_square"]),
        helper.make_node("Add", ["mean_square", "floor"], ["energy"]),
        helper.make_node("Log", ["energy"], ["log_energy"]),
        # roughness = sum(diff(clip)^2) / count / energy
        helper.make_node("Slice", ["clip", "from_one", "to_end", "columns"], ["later"]),
        helper.make_node("Slice", ["clip", "from_zero", "to_last", "columns"], ["earlier"]),
        helper.make_node("Slice", ["mask", "from_one", "to_end", "columns"], ["both"]),
        helper.make_node("Sub", ["later", "earlier"], ["difference"]),
        helper.make_node("Mul", ["difference", "both"], ["kept"]),
        helper.make_node("Mul", ["kept", "kept"], ["kept_squares"]),
        helper.make_node("ReduceSum", ["kept_squares", "columns"], ["kept_sum"], keepdims=1),
        helper.make_node("Div", ["kept_sum", "count"], ["kept_mean"]),
        helper.make_node("Div", ["kept_mean", "energy"], ["roughness"]),
        helper.make_node("Div", ["energy", "energy"], ["ones"]),
        helper.make_node("Squeeze", ["roughness", "columns"], ["distance"]),
        helper.make_node("Concat", ["log_energy", "roughness", "ones"], ["embedding"], axis=1),
        helper.make_node("MatMul", ["embedding", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    widths = {"probabilities": len(EMOTIONS), "logits": len(EMOTIONS), "embedding": 3}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info("samples", TensorProto.FLOAT, [batch, "n_samples"]),
            helper.make_tensor_value_info("lengths", TensorProto.INT64, [batch]),
        ],
        [
            helper.make_tensor_value_info(
                name, TensorProto.FLOAT, [batch, widths[name]] if name in widths else [batch]
            )
            for name in outputs
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 10  # what the oldest ONNX Runtime that vocemo takes can read
    return model
