"""A bundle that hears one stretch of time and one band of frequencies, and nothing else.

Its logits are (k log(e), 0), where e is the mean square of what comes through its filter within its
stretch: an explanation of its answer has to name that stretch and that band.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vocemo.bundle import METADATA_KEY, BundleInfo
from vocemo.prepare import Preparation

EMOTIONS = ("angry", "calm")
RATE_HZ = 16_000
SLOPE, FLOOR = 0.5, 1e-6
TAPS = 129
ATTENTION_FRAMES = 10


def write(
    path: Path,
    *,
    moment_s: tuple[float, float] = (0.0, 1e6),
    band_hz: tuple[float, float] | None = None,
    preparation: Preparation | None = None,
    attention: bool = False,
) -> Path:
    """Write one; moment_s counts from the start of the prepared clip."""
    kernel = np.zeros(TAPS) if band_hz is None else bandpass(*band_hz)
    if band_hz is None:
        kernel[TAPS // 2] = 1.0
    about = BundleInfo(
        name="listener",
        emotions=EMOTIONS,
        preparation=preparation or Preparation(sample_rate=RATE_HZ, remove_dc=False, max_length_s=8.0),
    )
    model = _model(kernel, moment_s, attention)
    helper.set_model_props(model, {METADATA_KEY: about.to_json()})
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def bandpass(low_hz: float, high_hz: float) -> np.ndarray:
    """A windowed sinc."""
    n = np.arange(TAPS) - TAPS // 2
    ideal = [2 * hz / RATE_HZ * np.sinc(2 * hz / RATE_HZ * n) for hz in (high_hz, low_hz)]
    return (ideal[0] - ideal[1]) * np.hamming(TAPS)


def _model(kernel: np.ndarray, moment_s: tuple[float, float], attention: bool) -> onnx.ModelProto:
    constants = {
        "kernel": kernel[None, None].astype(np.float32),
        "from": np.array(round(moment_s[0] * RATE_HZ), np.int64),
        "to": np.array(round(moment_s[1] * RATE_HZ), np.int64),
        "zero": np.array(0, np.int64),
        "one": np.array(1, np.int64),
        "axis_one": np.array([1], np.int64),
        "floor": np.array(FLOOR, np.float32),
        "slopes": np.array([[SLOPE, 0.0]], np.float32),
        "frames": np.arange(ATTENTION_FRAMES, dtype=np.float32)[None],
    }
    nodes = [
        helper.make_node("Unsqueeze", ["samples", "axis_one"], ["image"]),
        helper.make_node("Conv", ["image", "kernel"], ["wide"], pads=[TAPS // 2, TAPS // 2]),
        helper.make_node("Squeeze", ["wide", "axis_one"], ["filtered"]),
        helper.make_node("Shape", ["samples"], ["width"], start=1, end=2),
        helper.make_node("Squeeze", ["width"], ["n"]),
        helper.make_node("Range", ["zero", "n", "one"], ["index"]),
        helper.make_node("Less", ["index", "from"], ["before"]),
        helper.make_node("Not", ["before"], ["begun"]),
        helper.make_node("Less", ["index", "to"], ["going"]),
        helper.make_node("And", ["begun", "going"], ["within"]),
        helper.make_node("Unsqueeze", ["lengths", "axis_one"], ["ends"]),
        helper.make_node("Less", ["index", "ends"], ["real"]),
        helper.make_node("And", ["within", "real"], ["heard"]),
        helper.make_node("Cast", ["heard"], ["gate"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["filtered", "gate"], ["gated"]),
        helper.make_node("Mul", ["gated", "gated"], ["squares"]),
        helper.make_node("ReduceSum", ["squares", "axis_one"], ["sum"], keepdims=1),
        helper.make_node("Cast", ["ends"], ["count"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["sum", "count"], ["mean"]),
        helper.make_node("Add", ["mean", "floor"], ["energy"]),
        helper.make_node("Log", ["energy"], ["embedding"]),
        helper.make_node("MatMul", ["embedding", "slopes"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    widths = {"probabilities": 2, "logits": 2, "embedding": 1}
    if attention:
        # 0, 1, 2 ... for every clip.
        nodes += [
            helper.make_node("Sub", ["embedding", "embedding"], ["nought"]),
            helper.make_node("Add", ["nought", "frames"], ["attention"]),
        ]
        widths["attention"] = ATTENTION_FRAMES
    graph = helper.make_graph(
        nodes,
        "listener",
        [
            helper.make_tensor_value_info("samples", TensorProto.FLOAT, ["batch", "n_samples"]),
            helper.make_tensor_value_info("lengths", TensorProto.INT64, ["batch"]),
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
            for name, width in widths.items()
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 10  # what the oldest ONNX Runtime that vocemo takes can read
    return model
