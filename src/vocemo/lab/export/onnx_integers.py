"""Convolutions of an ONNX graph computed in 8-bit integers, several times as fast where a processor has such.

A convolution whose input was normalised over batches and rectified is told by that normalisation how large
its input becomes: each channel's numbers are about normally distributed, with the shift as their mean and the
scale as their deviation, so that no recording need be heard (Nagel, van Baalen, Blankevoort & Welling 2019,
"Data-Free Quantization Through Weight Equalization and Bias Correction", section 4.2.1). Weights are rounded
to 8 bits with a scale for each output channel, inputs to 7 bits of a byte: where a processor adds products in
pairs of 16 bits, none then overflows, and all processors give the same numbers. What lies beyond the range
has the other half of the byte.

The graph says so as ONNX does, by pairs of QuantizeLinear and DequantizeLinear around what is meant, which a
runtime makes one step in integers of (Jacob et al. 2018, "Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference", equation 7).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from vocemo.errors import UsageError
from vocemo.lab.export.onnx_weights import rounded
from vocemo.lab.models.normalised_convolution import NormalisedConvolution
from vocemo.lab.network import Network

DEVIATIONS = (
    6.0  # that a channel's numbers reach: of the normal distribution one in a thousand million is larger
)
LEVELS = 127  # of an input's byte, up to that
LEAST_PRODUCTS = 256  # to one number of the output: fewer are not worth the rounding
# What leaves numbers within their range and zero where it was: a rectifier, pooling, padding's mask, layout.
_BETWEEN = ("Relu", "MaxPool", "Mul", "Reshape", "Transpose")


def compute_in_integers(model: Any, network: Network) -> int:
    """Let a graph's large convolutions be computed in integers, in place; gives how many were.

    They are those of `NormalisedConvolution` that hear what another has given, through a rectifier, and
    perhaps pooling and masks; the first of several, which hears the picture, keeps float32.

    Raises UsageError where the network has none.
    """
    found = _Convolutions(model.graph, network)
    chosen = [node for node in model.graph.node if found.is_to_be_in_integers(node)]
    if not chosen:
        raise UsageError(
            "no convolution of this model can be computed in integers: valid: models with two or more "
            "normalised convolutions behind each other, as base; export it with --quantize float16 or int8"
        )
    for node in chosen:
        _put_into_integers(model.graph, node, found)
    return len(chosen)


class _Convolutions:
    """The normalised convolutions of a graph, and how large their outputs become."""

    def __init__(self, graph: Any, network: Network) -> None:
        from onnx import numpy_helper

        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self._maker = {name: node for node in graph.node for name in node.output}
        self._largest = {
            f"network.{name}.0.weight": _largest(module)
            for name, module in network.named_modules()
            if isinstance(module, NormalisedConvolution)
        }

    def is_to_be_in_integers(self, node: Any) -> bool:
        """Whether a node is a convolution with a known range before it and behind it."""
        if node.op_type != "Conv" or node.input[1] not in self._largest or len(node.input) < 3:
            return False
        products = int(np.prod(self.constants[node.input[1]].shape[1:]))
        return products >= LEAST_PRODUCTS and self.largest_before(node) is not None

    def largest_before(self, node: Any) -> float | None:
        """How large a convolution's input becomes; None where that is not known, or it has a sign."""
        rectified, name = False, node.input[0]
        while True:
            maker = self._maker.get(name)
            if maker is None:
                return None
            if maker.op_type == "Conv":
                return self._largest.get(maker.input[1]) if rectified else None
            if maker.op_type not in _BETWEEN:
                return None
            rectified |= maker.op_type == "Relu"
            name = maker.input[0]

    def largest_behind(self, node: Any) -> float:
        """How large its output becomes."""
        return self._largest[node.input[1]]


def _largest(convolution: NormalisedConvolution) -> float:
    norm = convolution[1]
    assert isinstance(norm, nn.BatchNorm2d)
    return float((norm.bias + DEVIATIONS * norm.weight.abs()).detach().max())


def _put_into_integers(graph: Any, node: Any, found: _Convolutions) -> None:
    """Put pairs of QuantizeLinear and DequantizeLinear around a convolution."""
    from onnx import helper, numpy_helper

    before = found.largest_before(node)
    assert before is not None
    x, weight, bias = node.input[:3]
    x_scale, y_scale = before / LEVELS, found.largest_behind(node) / LEVELS
    levels, scales, _ = rounded(found.constants[weight])
    shift_scales = (scales * np.float32(x_scale)).astype(np.float32)
    shift = np.rint(found.constants[bias] / shift_scales).astype(np.int32)
    name, out = node.output[0], f"{node.output[0]}_float"
    given: dict[str, NDArray[Any]] = {
        f"{name}_x_scale": np.asarray(x_scale, np.float32),
        f"{name}_y_scale": np.asarray(y_scale, np.float32),
        f"{name}_zero": np.asarray(0, np.uint8),
        f"{weight}_int8": levels,
        f"{weight}_scale": scales,
        f"{bias}_int32": shift,
        f"{bias}_scale": shift_scales,
    }
    replaced = [tensor for tensor in graph.initializer if tensor.name in (weight, bias)]
    for tensor in replaced:
        graph.initializer.remove(tensor)
    graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in given.items())
    make = helper.make_node
    place = list(graph.node).index(node)
    leading = [
        make("QuantizeLinear", [x, f"{name}_x_scale", f"{name}_zero"], [f"{name}_x_levels"]),
        make("DequantizeLinear", [f"{name}_x_levels", f"{name}_x_scale", f"{name}_zero"], [f"{name}_x"]),
        make("DequantizeLinear", [f"{weight}_int8", f"{weight}_scale"], [weight], axis=0),
        make("DequantizeLinear", [f"{bias}_int32", f"{bias}_scale"], [bias], axis=0),
    ]
    trailing = [
        make("QuantizeLinear", [out, f"{name}_y_scale", f"{name}_zero"], [f"{name}_levels"]),
        make("DequantizeLinear", [f"{name}_levels", f"{name}_y_scale", f"{name}_zero"], [name]),
    ]
    node.input[0], node.output[0] = f"{name}_x", out
    for number, each in enumerate(leading):
        graph.node.insert(place + number, each)
    place = list(graph.node).index(node)
    for number, each in enumerate(trailing):
        graph.node.insert(place + 1 + number, each)
