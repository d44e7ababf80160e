"""The tiny bundle of `fabricate_bundle` as a TFLite file, made by hand from the format's schema.

It answers one clip of fixed length as its ONNX twin answers a batch, so that what runs TFLite can be tested
where nothing that writes it is installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

import fabricate_bundle
from vocemo.bundle import METADATA_KEY, BundleInfo
from vocemo.bundle.seal import sealed

_TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "int32": schema.TensorType.INT32,
    "bool": schema.TensorType.BOOL,
}
_OP = schema.BuiltinOperator


def write(
    path: Path,
    about: BundleInfo | None = None,
    *,
    metadata: str | None = None,
    drop: str = "",
    samples: int | None = None,
    behind: bool = False,
) -> Path:
    """Write the tiny bundle.

    metadata: the text under the metadata key in place of the description's; "" leaves the key out.
    drop: the name of an output to leave out. samples: of its clip, by default what its description needs.
    behind: let the text lie behind the tables, as large constants may.
    """
    about = fabricate_bundle.info() if about is None else about
    prepared = about.preparation
    count = samples or prepared.length or round(prepared.max_length_s * prepared.sample_rate)
    text = about.to_json() if metadata is None else metadata
    path.parent.mkdir(parents=True, exist_ok=True)
    content = _model(count, drop, text.encode(), behind=behind)
    path.write_bytes(sealed(content + text.encode() if behind else content))
    return path


class _Graph:
    """Tensors and operations, added one after another."""

    def __init__(self) -> None:
        self.buffers = [schema.BufferT()]  # the first is that of tensors without contents
        self.tensors: list[Any] = []
        self.codes: list[int] = []
        self.operators: list[Any] = []

    def tensor(self, name: str, shape: tuple[int, ...], kind: str = "float32", buffer: int = 0) -> int:
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name, list(shape), _TYPES[kind], buffer
        self.tensors.append(made)
        return len(self.tensors) - 1

    def constant(self, values: np.ndarray) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self.buffers.append(buffer)
        name = f"constant {len(self.tensors)}"
        return self.tensor(name, values.shape, values.dtype.name, len(self.buffers) - 1)

    def add(
        self,
        code: int,
        inputs: list[int],
        shape: tuple[int, ...],
        *,
        kind: str = "float32",
        name: str = "",
        options: Any = None,
    ) -> int:
        if code not in self.codes:
            self.codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = self.codes.index(code)
        operator.inputs = inputs
        operator.outputs = [self.tensor(name or f"step {len(self.tensors)}", shape, kind)]
        if options is not None:
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(
                schema.BuiltinOptions, type(options).__name__.removesuffix("T")
            )
        self.operators.append(operator)
        return operator.outputs[0]


def _options(kind: str, **values: object) -> Any:
    made = getattr(schema, f"{kind}T")()
    for name, value in values.items():
        setattr(made, name, value)
    return made


def _answers(g: _Graph, samples: int, length: int, n: int) -> dict[str, int]:
    """The graph's outputs by name; the same steps as `fabricate_bundle._model`."""
    keep = {"options": _options("ReducerOptions", keepDims=True)}
    columns = g.constant(np.array([1], np.int32))
    floor = g.constant(np.array([fabricate_bundle.FLOOR], np.float32))
    count = g.add(_OP.CAST, [length], (1,))
    index = g.constant(np.arange(n, dtype=np.float32)[None])
    within = g.add(_OP.LESS, [index, count], (1, n), kind="bool")
    mask = g.add(_OP.CAST, [within], (1, n))
    clip = g.add(_OP.MUL, [samples, mask], (1, n))
    squares = g.add(_OP.MUL, [clip, clip], (1, n))
    total = g.add(_OP.SUM, [squares, columns], (1, 1), **keep)
    mean_square = g.add(_OP.DIV, [total, count], (1, 1))
    energy = g.add(_OP.ADD, [mean_square, floor], (1, 1))
    log_energy = g.add(_OP.LOG, [energy], (1, 1))
    size = g.constant(np.array([1, n - 1], np.int32))
    first, second = (g.constant(np.array([0, at], np.int32)) for at in (0, 1))
    later = g.add(_OP.SLICE, [clip, second, size], (1, n - 1))
    earlier = g.add(_OP.SLICE, [clip, first, size], (1, n - 1))
    both = g.add(_OP.SLICE, [mask, second, size], (1, n - 1))
    difference = g.add(_OP.SUB, [later, earlier], (1, n - 1))
    kept = g.add(_OP.MUL, [difference, both], (1, n - 1))
    kept_squares = g.add(_OP.MUL, [kept, kept], (1, n - 1))
    kept_sum = g.add(_OP.SUM, [kept_squares, columns], (1, 1), **keep)
    kept_mean = g.add(_OP.DIV, [kept_sum, count], (1, 1))
    roughness = g.add(_OP.DIV, [kept_mean, energy], (1, 1))
    ones = g.add(_OP.DIV, [energy, energy], (1, 1))
    joined = _options("ConcatenationOptions", axis=1)
    embedding = g.add(
        _OP.CONCATENATION, [log_energy, roughness, ones], (1, 3), name="embedding", options=joined
    )
    weights = g.constant(np.ascontiguousarray(fabricate_bundle.WEIGHTS.T))
    bias = g.constant(np.zeros(4, np.float32))
    dense = _options("FullyConnectedOptions")
    logits = g.add(_OP.FULLY_CONNECTED, [embedding, weights, bias], (1, 4), name="logits", options=dense)
    softmax = _options("SoftmaxOptions", beta=1.0)
    probabilities = g.add(_OP.SOFTMAX, [logits], (1, 4), name="probabilities", options=softmax)
    return {"probabilities": probabilities, "logits": logits, "embedding": embedding}


def _model(n: int, drop: str, text: bytes, *, behind: bool) -> bytes:
    graph = _Graph()
    inputs = {"samples": graph.tensor("samples", (1, n)), "length": graph.tensor("length", (1,), "int32")}
    answers = _answers(graph, inputs["samples"], inputs["length"], n)
    outputs = {name: index for name, index in answers.items() if name != drop}
    subgraph = _options(
        "SubGraph",
        tensors=graph.tensors,
        inputs=list(inputs.values()),
        outputs=list(outputs.values()),
        operators=graph.operators,
        name="main",
    )
    signature = _options(
        "SignatureDef",
        signatureKey="serving_default",
        subgraphIndex=0,
        inputs=[_options("TensorMap", name=name, tensorIndex=index) for name, index in inputs.items()],
        outputs=[_options("TensorMap", name=name, tensorIndex=index) for name, index in outputs.items()],
    )
    codes = [
        _options("OperatorCode", builtinCode=code, deprecatedBuiltinCode=min(code, 127), version=1)
        for code in graph.codes
    ]
    held = schema.BufferT()
    entries = []
    if text:
        graph.buffers.append(held)
        entries = [_options("Metadata", name=METADATA_KEY, buffer=len(graph.buffers) - 1)]

    def packed(offset: int) -> bytes:
        if behind:
            held.offset, held.size = offset, len(text)
        else:
            held.data = np.frombuffer(text, np.uint8)
        model = _options(
            "Model",
            version=3,
            description="tiny",
            operatorCodes=codes,
            subgraphs=[subgraph],
            buffers=graph.buffers,
            signatureDefs=[signature],
            metadata=entries,
        )
        builder = flatbuffers.Builder(2**20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    return packed(len(packed(1)))
