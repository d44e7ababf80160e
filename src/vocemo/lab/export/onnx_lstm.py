"""LSTMs of an ONNX graph computed in 8-bit integers, three times as fast: their weights then stay in a cache.

Each step multiplies one clip's state by all weights: a processor spends its time on fetching them, and a
quarter of the bytes is fetched sooner. States lie between -1 and 1, so that an LSTM that hears another's is
given 255 levels of their range; the first, which hears a picture, keeps float32, since the powers in a
picture span more than a byte can tell apart.

Some processors add products in pairs of 16 bits: weights have seven bits, so that no pair overflows beside a
byte, and all processors give the same numbers.

A runtime takes the range from the numbers at hand. So that a clip's answer does not depend on what stands
beside it, clips go through one by one, each for its own frames alone.
https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md, DynamicQuantizeLSTM.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vocemo.lab.export.onnx_weights import SCOPES, rounded
from vocemo.lab.models.lstm import Lstm
from vocemo.lab.network import Network

DOMAIN = "com.microsoft"
BIASES = "biases"  # the name of both in a graph, behind that of the LSTM
LEVELS = 64  # of a weight, to each side: 2 * 64 * 255 < 2**15
ORDER = (0, 3, 1, 2)  # of torch's gates (input, forget, cell, output) in ONNX: input, output, forget, cell
# What stands between one LSTM's states and the next one's input.
_BETWEEN = ("Gather", "Transpose", "Squeeze", "Unsqueeze", "Reshape")


def lstms_in_integers(model: Any, network: Network) -> int:
    """Let each LSTM that hears another's states be computed in integers, in place; gives how many were."""
    graph = model.graph
    names = [f"network.{name}" for name, module in network.named_modules() if isinstance(module, Lstm)]
    maker = {name: node for node in graph.node for name in node.output}
    chosen = [node for node in graph.node if node.op_type == "LSTM" and _hears_an_lstm(node, maker)]
    for node in chosen:
        _put_into_integers(graph, node, next(name for name in names if _is_of(node, name)))
    if chosen:
        _remove_unread(graph)
        if DOMAIN not in [each.domain for each in model.opset_import]:
            own = model.opset_import.add()
            own.domain, own.version = DOMAIN, 1
    return len(chosen)


def levels_of(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A weight of torch (4 H, inside) as the runtime wants it: levels (1, inside, 4 H), scales (1, 4 H)."""
    levels, scales, _ = rounded(_turned(weight), LEVELS)
    return np.ascontiguousarray(levels.T)[None], scales[None]


def weight_of(levels: NDArray[Any], scales: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weight of torch that `levels_of` was given, but for its rounding.

    >>> weight = np.linspace(-1.0, 1.0, 24, dtype=np.float32).reshape(8, 3)
    >>> bool(np.abs(weight_of(*levels_of(weight)) - weight).max() < 0.01)
    True
    """
    return _turned((levels[0] * scales).T, np.argsort(ORDER))


def biases_of(both: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The biases of torch (4 H,) for input and state, from those of a graph (1, 8 H)."""
    into, onto = (_turned(each, np.argsort(ORDER)) for each in np.split(both[0], 2))
    return into, onto


def _turned(
    values: NDArray[np.float32], order: Sequence[int] | NDArray[np.int64] = ORDER
) -> NDArray[np.float32]:
    """Rows of four gates, the gates in another order."""
    gates = values.reshape(4, -1, *values.shape[1:])
    return np.ascontiguousarray(gates[list(order)].reshape(values.shape))


def _is_of(node: Any, module: str) -> bool:
    return any(f"'{module}'" in entry.value for entry in node.metadata_props if entry.key == SCOPES)


def _hears_an_lstm(node: Any, maker: dict[str, Any]) -> bool:
    before = maker.get(node.input[0])
    while before is not None and before.op_type in _BETWEEN:
        before = maker.get(before.input[0])
    return before is not None and before.op_type == "LSTM"


def _put_into_integers(graph: Any, node: Any, name: str) -> None:
    """Let a node of the module of that name go through its clips one by one, in integers."""
    from onnx import TensorProto, helper, numpy_helper

    constants = {each.name: each for each in graph.initializer}
    given: dict[str, NDArray[Any]] = {f"{name}.one": np.array([1]), f"{name}.two": np.array([2])}
    weights = []
    for kind in ("weight_ih_l0", "weight_hh_l0"):
        levels, scales = levels_of(numpy_helper.to_array(constants[f"{name}.{kind}"]))
        key = f"{name}.{kind}"
        given |= {
            f"{key}_int8": levels,
            f"{key}_scale": scales,
            f"{key}_zero": np.zeros_like(scales, np.int8),
        }
        weights.append(key)
    biases = [numpy_helper.to_array(constants[f"{name}.bias_{kind}_l0"]) for kind in ("ih", "hh")]
    given[f"{name}.{BIASES}"] = np.concatenate([_turned(each) for each in biases])[None]
    into, onto = weights
    make, state = helper.make_node, next(each.i for each in node.attribute if each.name == "hidden_size")
    x, _, _, _, frames = node.input
    own = f"{name}.clip"
    body = helper.make_graph(
        [
            make("Unsqueeze", [f"{own}.x", f"{name}.one"], [f"{own}.batch"]),
            make("Unsqueeze", [f"{own}.frames", f"{name}.zero"], [f"{own}.lengths"]),
            make(
                "DynamicQuantizeLSTM",
                [
                    *(f"{own}.batch", f"{into}_int8", f"{onto}_int8", f"{name}.{BIASES}", f"{own}.lengths"),
                    *("", "", "", f"{into}_scale", f"{into}_zero", f"{onto}_scale", f"{onto}_zero"),
                ],
                [f"{own}.states"],
                domain=DOMAIN,
                hidden_size=state,
            ),
            make("Squeeze", [f"{own}.states", f"{name}.two"], [f"{own}.made"]),
        ],
        f"{name}.clip",
        [
            helper.make_tensor_value_info(f"{own}.x", TensorProto.FLOAT, [None, None]),
            helper.make_tensor_value_info(f"{own}.frames", TensorProto.INT32, []),
        ],
        [helper.make_tensor_value_info(f"{own}.made", TensorProto.FLOAT, [None, 1, state])],
    )
    given[f"{name}.zero"] = np.array([0])
    scan = make(
        "Scan",
        [x, frames],
        [node.output[0]],
        name=node.name,
        body=body,
        num_scan_inputs=2,
        scan_input_axes=[1, 0],
        scan_output_axes=[2],
    )
    scan.metadata_props.extend(node.metadata_props)
    place = list(graph.node).index(node)
    graph.node.remove(node)
    graph.node.insert(place, scan)
    graph.initializer.extend(numpy_helper.from_array(values, key) for key, values in given.items())


def _remove_unread(graph: Any) -> None:
    """Remove what nothing reads any longer: nodes that only made weights ready, and the weights."""
    kept = {value.name for value in graph.output}
    while True:
        read = kept | {name for node in graph.node for name in _read_by(node)}
        idle = [node for node in graph.node if not read.intersection(node.output)]
        for node in idle:
            graph.node.remove(node)
        if not idle:
            break
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in read]:
        graph.initializer.remove(tensor)


def _read_by(node: Any) -> list[str]:
    inner = [each for attribute in node.attribute if attribute.HasField("g") for each in attribute.g.node]
    return [*node.input, *(name for each in inner for name in _read_by(each))]
