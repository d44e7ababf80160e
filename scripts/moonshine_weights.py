"""Moonshine tiny's encoder out of the wheel that it is published in, as a file of tensors.

    pip download --no-deps moonshine-voice==0.0.49
    python scripts/moonshine_weights.py moonshine_voice-0.0.49-*.whl moonshine_tiny_encoder.pt

The wheel holds the network as ONNX Runtime keeps it, its dense layers as bytes with one scale each: they are
written as the numbers that these bytes stand for. Names are those of Transformers' MoonshineEncoder.
"""

from __future__ import annotations

import argparse
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

INSIDE = "moonshine_voice/assets/tiny-en/encoder_model.ort"
KINDS = {1: np.float32, 2: np.uint8, 3: np.int8, 7: np.int64}  # of onnx.TensorProto
DENSE = "/MatMul_quant"


def graph_of(model: bytes) -> Any:
    """The graph of a model in ONNX Runtime's own format."""
    import onnxruntime.tools.ort_format_model  # noqa: F401 - tells where the next one lies
    from ort_flatbuffers_py.fbs.InferenceSession import InferenceSession

    return InferenceSession.GetRootAs(model, 0).Model().Graph()


def tensors_of(graph: Any) -> dict[str, np.ndarray]:
    """Its initialisers by name."""
    found = {}
    for number in range(graph.InitializersLength()):
        tensor = graph.Initializers(number)
        shape = [tensor.Dims(axis) for axis in range(tensor.DimsLength())]
        values = np.frombuffer(tensor.RawDataAsNumpy().tobytes(), KINDS[tensor.DataType()])
        found[tensor.Name().decode()] = values.reshape(shape)
    return found


def dense_layers(graph: Any, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the bytes of each dense layer stand for: (out, in)."""
    found = {}
    for number in range(graph.NodesLength()):
        node = graph.Nodes(number)
        name = node.Name().decode()
        if name.endswith(DENSE):
            kept = node.Inputs(1).decode().removesuffix("_quantized")
            whole = tensors[f"{kept}_quantized"].astype(np.float32) - np.float32(
                tensors[f"{kept}_zero_point"]
            )
            layer = name.removeprefix("/").removesuffix(DENSE).replace("/", ".")
            found[f"{layer}.weight"] = (whole * tensors[f"{kept}_scale"]).T
    return found


def state_dict(model: bytes) -> dict[str, torch.Tensor]:
    """The encoder's tensors by the names of Transformers."""
    graph = graph_of(model)
    tensors = tensors_of(graph)
    kept = {name: values for name, values in tensors.items() if name.startswith(("layers.", "layer_norm."))}
    for number in (1, 2, 3):
        kept[f"conv{number}.weight"] = tensors[f"conv{number}.weight_add_tensor"]
    kept |= {"conv2.bias": tensors["conv2.bias"], "conv3.bias": tensors["conv3.bias"]}
    kept |= {
        "groupnorm.weight": tensors["onnx::Mul_2080"][:, 0],
        "groupnorm.bias": tensors["onnx::Add_2081"][:, 0],
    }
    kept |= dense_layers(graph, tensors)
    return {name: torch.from_numpy(np.array(values, np.float32)) for name, values in sorted(kept.items())}


def main() -> None:
    """Read the wheel, write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheel")
    parser.add_argument("out")
    arguments = parser.parse_args()
    with zipfile.ZipFile(arguments.wheel) as wheel:
        state = state_dict(wheel.read(INSIDE))
    torch.save(state, arguments.out)
    numbers = sum(values.numel() for values in state.values())
    print(f"{numbers:,} numbers in {len(state)} tensors: {arguments.out}")


if __name__ == "__main__":
    main()
