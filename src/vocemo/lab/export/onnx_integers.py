"""Convolutions of an ONNX graph computed in 8-bit integers, several times as fast where a processor has such.

A convolution whose input was normalised over batches and rectified is told by that normalisation how large
its input becomes: each channel's numbers are about normally distributed, with the shift as their mean and the
scale as their deviation, so that no recording need be heard (Nagel, van Baalen, Blankevoort & Welling 2019,
"Data-Free Quantization Through Weight Equalization and Bias Correction", section 4.2.1). What rounded weights
add to each output in the mean is taken from its bias, by the same distribution (section 4.2.2). Dense layers
over frames are convolutions of one frame; a normalisation in front of them is folded into their weights.

Weights have 8 bits with a scale for each output channel, inputs a byte. Some processors add products in pairs
of 16 bits: below 128, four deviations, no pair overflows, and all processors give the same numbers.

The graph says so as ONNX does, by pairs of QuantizeLinear and DequantizeLinear around what is meant, which a
runtime makes one step in integers of (Jacob et al. 2018, "Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference", equation 7).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vocemo.lab.export.onnx_weights import rounded
from vocemo.lab.models.frame_layers import FrameLayers
from vocemo.lab.models.normalised_convolution import NormalisedConvolution
from vocemo.lab.network import Network

DEVIATIONS = 8.0  # of its channel's normal distribution that a byte reaches; what is larger counts as that
LEVELS = 255
LEAST_PRODUCTS = 256  # to one number of the output: fewer are not worth the rounding
# What leaves numbers within their range and zero where it was: a rectifier, pooling, padding's mask, layout.
_BETWEEN = ("Relu", "MaxPool", "Mul", "Reshape", "Transpose", "Unsqueeze", "Gather")


def compute_in_integers(model: Any, network: Network) -> int:
    """Let a graph's large convolutions be computed in integers, in place; gives how many were.

    They are those of `NormalisedConvolution` and `FrameLayers` that hear what another has given, through a
    rectifier, and perhaps pooling and masks; the first of several, which hears the picture, keeps float32.
    """
    found = _Convolutions(model.graph, network)
    chosen = [node for node in model.graph.node if found.is_to_be_in_integers(node)]
    heard: dict[str, str] = {}
    for node in chosen:
        _fold_norm_before(model.graph, node, found)
        _put_into_integers(model.graph, node, found, heard)
    return len(chosen)


class _Convolutions:
    """The normalised convolutions of a graph, and what is known of their outputs."""

    def __init__(self, graph: Any, network: Network) -> None:
        from onnx import numpy_helper

        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self._maker = {name: node for node in graph.node for name in node.output}
        self._outputs: dict[str, _Outputs] = {}  # by the name of the convolution's weight
        for name, module in network.named_modules():
            if isinstance(module, NormalisedConvolution):
                self._outputs[f"network.{name}.0.weight"] = _Outputs.of(module[1])
            elif isinstance(module, FrameLayers):
                for place, norm in enumerate(module.layers):
                    if isinstance(norm, nn.BatchNorm1d):
                        self._outputs[f"network.{name}.layers.{place - 1}.weight"] = _Outputs.of(norm)

    def is_to_be_in_integers(self, node: Any) -> bool:
        """Whether a node is a convolution of which enough is known."""
        if node.op_type != "Conv" or node.input[1] not in self._outputs or len(node.input) < 3:
            return False
        products = int(np.prod(self.constants[node.input[1]].shape[1:]))
        return products >= LEAST_PRODUCTS and self.before(node) is not None

    def before(self, node: Any) -> _Outputs | None:
        """The outputs that a convolution hears; None where they are not known, or have a sign."""
        norm = self.norm_before(node)
        rectified, name = False, node.input[0] if norm is None else norm.input[0]
        while True:
            maker = self._maker.get(name)
            if maker is None:
                return None
            if maker.op_type == "Conv":
                return self._outputs.get(maker.input[1]) if rectified else None
            if maker.op_type not in _BETWEEN:
                return None
            rectified |= maker.op_type == "Relu"
            name = maker.input[0]

    def norm_before(self, node: Any) -> Any | None:
        """The normalisation right before a convolution of one place, which that can carry, or None."""
        maker = self._maker.get(node.input[0])
        of_one = self.constants[node.input[1]].shape[2:] == (1,)
        return maker if of_one and maker is not None and maker.op_type == "BatchNormalization" else None

    def behind(self, node: Any) -> _Outputs:
        """Its own outputs."""
        return self._outputs[node.input[1]]


@dataclass(frozen=True)
class _Outputs:
    """A normalised convolution's outputs, as its normalisation describes them."""

    largest: float
    means: NDArray[np.float64]  # of each channel, behind the rectifier

    @classmethod
    def of(cls, norm: nn.Module) -> _Outputs:
        assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
        shift, scale = (each.detach().double() for each in (norm.bias, norm.weight.abs()))
        # The mean of a normal distribution whose part below 0 counts as 0: Nagel et al., section 4.2.2.
        away = shift / scale.clamp(min=torch.finfo(torch.float32).tiny)
        density = torch.exp(-away.square() / 2) / math.sqrt(2 * math.pi)
        means = shift * torch.special.ndtr(away) + scale * density
        return cls(float((shift + DEVIATIONS * scale).max()), means.numpy())


def _fold_norm_before(graph: Any, node: Any, found: _Convolutions) -> None:
    """Let a convolution of one place carry the normalisation before it, where there is one."""
    from onnx import numpy_helper

    norm = found.norm_before(node)
    if norm is None:
        return
    scale, shift, mean, variance = (found.constants[name].astype(np.float64) for name in norm.input[1:5])
    epsilon = next((each.f for each in norm.attribute if each.name == "epsilon"), 1e-5)
    scale = scale / np.sqrt(variance + epsilon)
    _, weight, bias = node.input
    exact = found.constants[weight].astype(np.float64)
    carried = {
        weight: exact * scale[:, None],
        bias: found.constants[bias] + exact[:, :, 0] @ (shift - mean * scale),
    }
    for tensor in graph.initializer:
        if tensor.name in carried:
            found.constants[tensor.name] = values = carried[tensor.name].astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    node.input[0] = norm.input[0]
    if not any(norm.output[0] in other.input for other in graph.node):
        graph.node.remove(norm)
        read = {name for other in graph.node for name in other.input}
        for tensor in [tensor for tensor in graph.initializer if tensor.name not in read]:
            graph.initializer.remove(tensor)


def _put_into_integers(graph: Any, node: Any, found: _Convolutions, heard: dict[str, str]) -> None:
    """Put pairs of QuantizeLinear and DequantizeLinear around a convolution.

    heard: what is in integers already, by the name of what it stands for; several may hear the same.
    """
    from onnx import helper, numpy_helper

    before = found.before(node)
    assert before is not None
    x, weight, bias = node.input[:3]
    x_scale, y_scale = before.largest / LEVELS, found.behind(node).largest / LEVELS
    exact = found.constants[weight].astype(np.float64)
    levels, scales, _ = rounded(found.constants[weight])
    of_outputs = scales.reshape(-1, *[1] * (levels.ndim - 1)).astype(np.float64)
    added = (levels * of_outputs - exact).reshape(*levels.shape[:2], -1).sum(2)
    # Where bands have become channels, each band has all of the channels that were.
    expected = (added * np.tile(before.means, added.shape[1] // len(before.means))).sum(1)
    shift_scales = (scales * np.float32(x_scale)).astype(np.float32)
    shift = np.rint((found.constants[bias] - expected) / shift_scales).astype(np.int32)
    name, out = node.output[0], f"{node.output[0]}_float"
    given: dict[str, NDArray[Any]] = {
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
    make = helper.make_node
    place = list(graph.node).index(node)
    leading = [
        make("DequantizeLinear", [f"{weight}_int8", f"{weight}_scale"], [weight], axis=0),
        make("DequantizeLinear", [f"{bias}_int32", f"{bias}_scale"], [bias], axis=0),
    ]
    if x not in heard:
        heard[x] = f"{name}_x"
        given[f"{name}_x_scale"] = np.asarray(x_scale, np.float32)
        leading += [
            make("QuantizeLinear", [x, f"{name}_x_scale", f"{name}_zero"], [f"{name}_x_levels"]),
            make("DequantizeLinear", [f"{name}_x_levels", f"{name}_x_scale", f"{name}_zero"], [f"{name}_x"]),
        ]
    graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in given.items())
    trailing = [
        make("QuantizeLinear", [out, f"{name}_y_scale", f"{name}_zero"], [f"{name}_levels"]),
        make("DequantizeLinear", [f"{name}_levels", f"{name}_y_scale", f"{name}_zero"], [name]),
    ]
    node.input[0], node.output[0] = heard[x], out
    for number, each in enumerate(leading):
        graph.node.insert(place + number, each)
    place = list(graph.node).index(node)
    for number, each in enumerate(trailing):
        graph.node.insert(place + 1 + number, each)
