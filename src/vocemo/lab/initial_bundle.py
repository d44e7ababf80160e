"""The weights of an ONNX bundle, back in a network that its recipe describes.

The exporter keeps the names of weights, and notes at each node the modules that it comes from. A batch
normalisation behind a convolution or a dense layer is gone: its scale is in that layer's weights, its shift
in that layer's bias. Here the layer takes what stands in the graph, and the normalisation becomes one that
only adds: statistics of 0 and 1, scale 1, and the bias as its shift. That is the same function, exactly. The
statistics of the front end stand in the graph without a name, at the nodes that subtract and divide by them,
and so do the weights of a dense layer over frames and of a normalisation over a clip. An LSTM in integers
keeps its weights in another order.

Whatever the recipe says, the network must answer as the bundle does, or it is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vocemo.bundle import Bundle
from vocemo.errors import BundleError, MissingExtraError, UsageError
from vocemo.lab import network
from vocemo.lab.export.onnx_lstm import BIASES, biases_of, weight_of
from vocemo.lab.export.onnx_weights import SCOPES
from vocemo.lab.export.parity import TOLERANCE, compare, noisy_tones
from vocemo.lab.features import Normalise
from vocemo.lab.mahalanobis import Gaussians
from vocemo.lab.network import Network
from vocemo.lab.recipe import Recipe

Array = NDArray[np.float32]
ROUNDED_TOLERANCE = 0.25  # of a probability, where the bundle rounds what it computes with
_ROOT = "network."  # where `BundleGraph` keeps the network
_FUSED = ("Conv", "Gemm", "MatMul")
_OF_BYTES = {"Sub": np.subtract, "Mul": np.multiply}  # what makes weights of bytes


def network_of(bundle: Bundle, recipe: Recipe) -> tuple[Network, Gaussians | None]:
    """The bundle's network, in evaluation mode, and what its distance is measured from, where it has one.

    Raises UsageError for a bundle that is no ONNX file, or that another model or front end made than the
    recipe describes; BundleError where its graph keeps weights in a way that is not known here;
    MissingExtraError where what reads the graph is not installed.
    """
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("to begin with a bundle's weights, vocemo train", "export") from None
    if bundle.clip_samples is not None:
        raise UsageError(
            f"{bundle.path.name} is a .tflite file; a training begins with a run or an .onnx file"
        )
    graph = _Graph(onnx.load(bundle.path).graph)
    made = network.build(recipe, seed=0).eval()
    _fill(made, graph, bundle.path.name)
    difference = compare(made, bundle, noisy_tones(recipe.preparation), "noisy tones").difference
    # What is computed in integers there is computed in float32 here.
    if not difference <= (ROUNDED_TOLERANCE if bundle.info.weights == "mixed" else TOLERANCE):
        raise UsageError(
            f"{bundle.path.name} and a network of recipe {recipe.name} with its weights differ by "
            f"{difference:.2g} in a probability: its front end or model had other options (front_end.*, "
            "model.*); set them as they were"
        )
    return made, graph.gaussians()


class _Graph:
    """The constants of an ONNX graph by name, as its nodes see them, and its nodes by module."""

    def __init__(self, graph: Any) -> None:
        from onnx import numpy_helper

        self.constants: dict[str, Array] = {
            tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer
        }
        self.nodes: list[tuple[Any, tuple[str, ...]]] = []
        for node in graph.node:
            if node.op_type == "Cast" and node.input[0] in self.constants:  # stored as float16, or bytes
                self.constants[node.output[0]] = self.constants[node.input[0]].astype(np.float32)
            elif node.op_type in _OF_BYTES and all(name in self.constants for name in node.input):
                one, other = (self.constants[name] for name in node.input)
                self.constants[node.output[0]] = _OF_BYTES[node.op_type](one, other)
            elif node.op_type == "DequantizeLinear" and node.input[0] in self.constants:
                self.constants[node.output[0]] = self._multiplied(node)
            else:
                self.nodes.append((node, _modules(node)))

    def _multiplied(self, node: Any) -> Array:
        levels, scales = (self.constants[name] for name in node.input[:2])
        axis = next((each.i for each in node.attribute if each.name == "axis"), 1)
        shape = [-1 if number == axis else 1 for number in range(levels.ndim)]
        return np.asarray(levels.astype(np.float32) * scales.reshape(shape), np.float32)

    def of(self, module: str, kinds: Iterable[str]) -> list[Any]:
        """The nodes of some kinds that come from a module."""
        return [node for node, names in self.nodes if module in names and node.op_type in tuple(kinds)]

    def constant(self, node: Any, place: int) -> Array | None:
        """What a node takes at a place, where it is a constant."""
        return self.constants.get(node.input[place]) if place < len(node.input) else None

    def gaussians(self) -> Gaussians | None:
        if "distance.means" not in self.constants:
            return None
        means, scales, directions, precisions, rest = (
            self.constants[f"distance.{name}"]
            for name in ("means", "scales", "directions", "precisions", "rest")
        )
        return Gaussians(means, scales, directions, precisions, float(rest), self._reach())

    def _reach(self) -> float:
        """How far a number counts: the exporter makes one step of both ends, with names of its own."""
        divided = {node.output[0] for node, _ in self.nodes if "distance.scales" in node.input}
        for node, _ in self.nodes:
            if node.op_type == "Clip" and node.input[0] in divided:
                most = self.constant(node, 2)
                return np.inf if most is None else float(most)
        return np.inf  # an older vocemo's had no end


def _modules(node: Any) -> tuple[str, ...]:
    """The modules around a node, by name, from the outermost."""
    noted = next((entry.value for entry in node.metadata_props if entry.key == SCOPES), "[]")
    return tuple(part.strip(" '\"") for part in noted.strip("[]").split(","))


def _fill(made: Network, graph: _Graph, name: str) -> None:
    """Put the graph's weights into a network, in place."""
    state = dict(made.state_dict())
    missing = list[str]()
    folded = dict[str, Array | None]()  # by a normalisation's name, the bias that it takes; None: none
    empty = set[str]()  # biases of layers before it, which that one bias stands for
    for place, module in made.named_modules():
        if not isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) or _there(place, graph):
            continue
        if not graph.of(_ROOT + place, (*_FUSED, "BatchNormalization")):
            folded[place] = None  # the layer behind it carries it (`export.onnx_integers`)
            continue
        fused = graph.of(_ROOT + place, _FUSED)
        if len(fused) != 1 or len(fused[0].input) < 3:
            missing.append(place)
            continue
        _, weight, bias = (str(each).removeprefix(_ROOT) for each in fused[0].input[:3])
        folded[place] = None if bias in state else graph.constant(fused[0], 2)
        if bias not in state:
            empty.add(f"{weight.removesuffix('.weight')}.bias")
    for key, value in state.items():
        place, _, part = key.rpartition(".")
        owner = made.get_submodule(place)
        if place in folded:
            assert isinstance(owner, nn.BatchNorm1d | nn.BatchNorm2d)
            state[key] = _adding(part, folded[place], owner.eps, value)
            continue
        if key in empty:
            state[key] = torch.zeros_like(value)
            continue
        given = graph.constants.get(_ROOT + key)
        if given is None and isinstance(owner, Normalise):
            given = _of_normalise(graph, _ROOT + place, part)
        if given is None and isinstance(owner, nn.GroupNorm):
            given = _of_channels(graph, _ROOT + place, part, len(value))
        if given is None and isinstance(owner, nn.LSTM):
            given = _of_lstm(graph, _ROOT + place, part)
        if given is None and isinstance(owner, nn.Linear) and part == "weight":
            given = _of_dense(graph, _ROOT + place)
        if given is None and key.startswith("front_end."):
            continue  # a constant of the front end, which its options decide
        if given is None and part == "num_batches_tracked":
            continue
        if given is None:
            missing.append(key)
        elif given.shape != tuple(value.shape):
            raise UsageError(
                f"{name} has {key} as {list(given.shape)}, the recipe as {list(value.shape)}: its model or "
                "front end had other options (model.*, front_end.*); set them as they were"
            )
        else:
            state[key] = torch.from_numpy(given.copy()).to(value.dtype)
    if missing:
        raise BundleError(
            f"{name} keeps {', '.join(missing[:4])}{' and more' if len(missing) > 4 else ''} in a way that "
            "cannot be taken back; begin with the run that it was exported from"
        )
    made.load_state_dict(state)


def _there(place: str, graph: _Graph) -> bool:
    return f"{_ROOT}{place}.running_mean" in graph.constants


def _adding(part: str, bias: Array | None, eps: float, like: torch.Tensor) -> torch.Tensor:
    """What makes a normalisation one that adds a bias, where there is one, and does nothing else."""
    if part == "bias" and bias is not None:
        return torch.from_numpy(bias.copy())
    if part == "running_var":
        return torch.full_like(like, 1.0 - eps)
    return torch.ones_like(like) if part == "weight" else torch.zeros_like(like)


def _of_dense(graph: _Graph, module: str) -> Array | None:
    """A layer's weights where it goes over frames: the graph multiplies by them turned round."""
    nodes = graph.of(module, ["MatMul"])
    turned = graph.constant(nodes[0], 1) if len(nodes) == 1 else None
    return None if turned is None else np.ascontiguousarray(turned.T)


def _of_lstm(graph: _Graph, module: str, part: str) -> Array | None:
    """A weight or bias of an LSTM in integers, by its name in torch."""
    if part.startswith("bias"):
        both = graph.constants.get(f"{module}.{BIASES}")
        return None if both is None else biases_of(both)[part == "bias_hh_l0"]
    levels, scales = (graph.constants.get(f"{module}.{part}_{each}") for each in ("int8", "scale"))
    return None if levels is None or scales is None else weight_of(levels, scales)


def _of_channels(graph: _Graph, module: str, part: str, channels: int) -> Array | None:
    """What a normalisation multiplies each channel by, or adds to it."""
    nodes = graph.of(module, ["Mul" if part == "weight" else "Add"])
    each = [
        values for node in nodes for place in (0, 1) if (values := graph.constant(node, place)) is not None
    ]
    found = [values for values in each if values.size == channels]
    return found[0].reshape(-1) if len(found) == 1 else None


def _of_normalise(graph: _Graph, module: str, part: str) -> Array | None:
    nodes = graph.of(module, ["Sub" if part == "mean" else "Div"])
    found = [values for node in nodes if (values := graph.constant(node, 1)) is not None]
    return found[0].reshape(-1) if len(found) == 1 else None
