"""The weights of an ONNX graph in half the space or a quarter of it; the front end's constants as they are.

Float16 weights are cast back on loading. 8-bit ones stand with a scale for each place of their first
dimension (the output channels) and are multiplied out, so that what is computed stays float32: the file
changes, and how fast it answers hardly. Weights that were published as bytes, and frozen since, stand as
these bytes in either form, and lose nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vocemo.bundle import Weights

LEAST_VALUES = 256  # smaller tensors (biases, statistics) are not worth their rounding
SCOPES = "pkg.torch.onnx.name_scopes"  # where torch's exporter notes the modules around a node
LARGEST = 127  # of a signed byte, used symmetrically
_BYTES = 256
_EXACT = 1e-6  # of the largest of the values: a few roundings of float32


def store_weights(model: Any, weights: Weights) -> None:
    """Store an ONNX model's weights, in place, as float16 or int8.

    Weights are the float32 initialisers that a part of the network behind its front end takes; the exporter
    notes of each node which part it comes from.
    """
    from onnx import TensorProto, helper, numpy_helper

    taken = {name for node in model.graph.node if _is_of_the_model(node) for name in node.input}
    stored, nodes = [], []
    for tensor in list(model.graph.initializer):
        values = numpy_helper.to_array(tensor) if tensor.data_type == TensorProto.FLOAT else None
        if values is None or values.size < LEAST_VALUES or tensor.name not in taken:
            stored.append(tensor)
            continue
        name = tensor.name
        given = as_bytes(values)
        if given is not None:
            # A runtime may take DequantizeLinear for a wish to multiply in integers, which these are not.
            bytes_of, scale, zero = (f"{name}_{part}" for part in ("bytes", "scale", "zero"))
            stored.append(numpy_helper.from_array(given[0], bytes_of))
            stored.append(numpy_helper.from_array(given[1], scale))
            stored.append(numpy_helper.from_array(given[2], zero))
            nodes += [
                helper.make_node("Cast", [bytes_of], [f"{bytes_of}_float"], to=TensorProto.FLOAT),
                helper.make_node("Sub", [f"{bytes_of}_float", zero], [f"{bytes_of}_signed"]),
                helper.make_node("Mul", [f"{bytes_of}_signed", scale], [name]),
            ]
        elif weights == "float16":
            stored.append(numpy_helper.from_array(values.astype(np.float16), f"{name}_float16"))
            nodes.append(helper.make_node("Cast", [f"{name}_float16"], [name], to=TensorProto.FLOAT))
        else:
            levels, scales, axis = rounded(values)
            stored.append(numpy_helper.from_array(levels, f"{name}_int8"))
            stored.append(numpy_helper.from_array(scales, f"{name}_scale"))
            nodes.append(
                helper.make_node("DequantizeLinear", [f"{name}_int8", f"{name}_scale"], [name], axis=axis)
            )
    del model.graph.initializer[:]
    model.graph.initializer.extend(stored)
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *rest])


def _is_of_the_model(node: Any) -> bool:
    return any("network.model" in entry.value for entry in node.metadata_props if entry.key == SCOPES)


def as_bytes(
    values: NDArray[np.float32],
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]] | None:
    """Values as bytes, with one scale and the byte that stands for 0: (bytes - zero) * scale is them.

    None where they are no such values: as a network learns them they hardly ever are.

    >>> levels, scale, zero = as_bytes(np.array([-0.5, 0.0, 0.25, 1.5], np.float32))
    >>> levels.tolist(), float(scale), int(zero)
    ([0, 2, 3, 8], 0.25, 2)
    >>> as_bytes(np.sqrt(np.arange(9, dtype=np.float32))) is None
    True
    """
    distinct = np.unique(values)
    if not 1 < len(distinct) <= _BYTES:
        return None
    least, most = float(distinct[0]), float(distinct[-1])
    near = _EXACT * max(-least, most)
    for steps in range(len(distinct) - 1, _BYTES):  # the fewest that all of them are whole numbers of
        scale = np.float32((most - least) / steps)
        zero, levels = np.rint(-least / scale), np.rint((distinct - least) / scale)
        if 0 <= zero < _BYTES and np.abs((levels - zero) * scale - distinct).max() <= near:
            levels = np.rint((values - least) / scale)
            return levels.astype(np.uint8), np.asarray(scale), np.asarray(zero, np.float32)
    return None


def rounded(
    values: NDArray[np.float32], levels: int = LARGEST
) -> tuple[NDArray[np.int8], NDArray[np.float32], int]:
    """Values as 8-bit levels, with a scale for each place along an axis: levels * scale is near them.

    The axis is the first that has more than one place; levels reach from -levels to levels.

    >>> found, scales, axis = rounded(np.array([[1.0, -0.5], [0.0, 0.0]], np.float32))
    >>> found.tolist(), (found * scales[:, None]).round(2).tolist(), axis
    ([[127, -64], [0, 0]], [[1.0, -0.5], [0.0, 0.0]], 0)
    """
    axis = next((number for number, size in enumerate(values.shape) if size > 1), 0)
    rest = tuple(number for number in range(values.ndim) if number != axis)
    largest = np.abs(values).max(axis=rest, keepdims=True)
    scales = np.maximum(largest / levels, np.finfo(np.float32).tiny).astype(np.float32)
    found = np.rint(values / scales).clip(-levels, levels).astype(np.int8)
    return found, scales.reshape(-1), axis
