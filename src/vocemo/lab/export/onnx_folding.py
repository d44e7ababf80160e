"""A choice of columns folded into the matrix that follows it.

The transform inside a graph computes its bins in an order of its own, and the mel filters want them in
theirs. Choosing columns moves every power once through memory; with the rows of the filters in the computed
order the product is the same, and nothing is moved: x[:, chosen] @ B = x @ B', where B' holds each row of B
at the place that was chosen for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def fold_choices(model: Any) -> int:
    """Fold each Gather of constant columns into the constant matrix of the MatMul behind it, in place.

    Only where nothing else reads what was chosen. Gives how many were folded.
    """
    from onnx import numpy_helper

    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    readers: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    widths = {value.name: _last_of(value) for value in graph.value_info}
    kept_outputs = {value.name for value in graph.output}
    gone: set[str] = set()
    for gather in [node for node in graph.node if node.op_type == "Gather"]:
        axis = next((entry.i for entry in gather.attribute if entry.name == "axis"), 0)
        behind = readers.get(gather.output[0], [])
        width = widths.get(gather.input[0])
        if gather.output[0] in kept_outputs or gather.input[1] not in constants or not width:
            continue
        if len(behind) != 1 or behind[0].op_type != "MatMul" or behind[0].input[0] != gather.output[0]:
            continue
        chosen = numpy_helper.to_array(constants[gather.input[1]])
        matrix_name = behind[0].input[1]
        if matrix_name not in constants or axis not in (-1, _rank_of(graph, gather.input[0]) - 1):
            continue
        matrix = numpy_helper.to_array(constants[matrix_name])
        if chosen.ndim != 1 or matrix.ndim != 2 or len(readers[matrix_name]) != 1:
            continue
        spread_out = numpy_helper.from_array(spread(matrix, chosen, width), matrix_name)
        constants[matrix_name].CopyFrom(spread_out)
        behind[0].input[0] = gather.input[0]
        graph.node.remove(gather)
        gone |= {gather.output[0], matrix_name}
    described = [value for value in graph.value_info if value.name not in gone]  # whose shapes still hold
    del graph.value_info[:]
    graph.value_info.extend(described)
    read = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in read]:
        graph.initializer.remove(tensor)
    return len(gone) // 2


def spread(matrix: NDArray[np.float32], chosen: NDArray[np.int64], width: int) -> NDArray[np.float32]:
    """Rows of a matrix at the places that were chosen for them: (chosen, m) -> (width, m).

    >>> spread(np.array([[1.0], [2.0]], np.float32), np.array([2, 0]), width=4).T.tolist()
    [[2.0, 0.0, 1.0, 0.0]]
    """
    whole = np.zeros((width, matrix.shape[1]), matrix.dtype)
    np.add.at(whole, chosen % width, matrix)
    return whole


def _last_of(value: Any) -> int | None:
    dimensions = value.type.tensor_type.shape.dim
    return dimensions[-1].dim_value or None if dimensions else None


def _rank_of(graph: Any, name: str) -> int:
    return next((len(v.type.tensor_type.shape.dim) for v in graph.value_info if v.name == name), 0)
