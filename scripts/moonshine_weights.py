"""Moonshine tiny's encoder out of the wheel that it is published in, as a file of tensors.

    pip download --no-deps moonshine-voice==0.0.49
    python scripts/moonshine_weights.py moonshine_voice-0.0.49-*.whl moonshine_tiny_encoder.pt
    python scripts/moonshine_weights.py moonshine_voice-0.0.49-*.whl moonshine_tiny_encoder_224.pt \\
        --rank 224 --speech emodb:DATA/emodb --speech aesdd:DATA/aesdd

The wheel holds the network as ONNX Runtime keeps it, its dense layers as bytes with one scale each: they are
written as the numbers that these bytes stand for. Names are those of Transformers' MoonshineEncoder.

With a rank, its second convolution (1.16 of 7.7 million parameters) is written as one that makes fewer
numbers of a stretch, and one that makes all of them of these. What it makes of the given speech has hardly
more dimensions than that: the narrow ones are its principal axes (Zhang et al. 2016, "Accelerating Very Deep
Convolutional Networks", section 3.1).
"""

from __future__ import annotations

import argparse
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

INSIDE = "moonshine_voice/assets/tiny-en/encoder_model.ort"
KINDS = {1: np.float32, 2: np.uint8, 3: np.int8, 7: np.int64}  # of onnx.TensorProto
DENSE = "/MatMul_quant"


def graph_of(model: bytes) -> Any:
    """The graph of a model in ONNX Runtime's own format."""
    import onnxruntime.tools.ort_format_model  # noqa: F401 - tells where the next one lies
    from ort_flatbuffers_py.fbs.InferenceSession import InferenceSession  # type: ignore[import-not-found]

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


def narrowed(state: Mapping[str, torch.Tensor], rank: int, specs: Sequence[str]) -> dict[str, torch.Tensor]:
    """The same, its second convolution of a rank: axes of what it makes of every fourth clip."""
    weight, bias = state["conv2.weight"], state["conv2.bias"]
    mean, axes, kept = principal_axes(convolved(state, specs), rank)
    print(f"{rank} of {len(axes)} axes hold {100 * kept:.2f} % of what the second convolution makes")
    left = {name: values for name, values in state.items() if not name.startswith("conv2.")}
    return left | {
        "conv2.narrow.weight": torch.einsum("or,oik->rik", axes, weight),
        "conv2.widen.weight": axes[:, :, None].clone(),
        "conv2.widen.bias": mean + axes @ (axes.T @ (bias - mean)),
    }


def convolved(state: Mapping[str, torch.Tensor], specs: Sequence[str]) -> Iterator[torch.Tensor]:
    """What the second convolution makes of clips of these corpora: (576, frames) of each."""
    from vocemo.lab import experiment, recipe
    from vocemo.lab.corpora.reading import read
    from vocemo.lab.models.encoders.moonshine import Moonshine

    encoder = Moonshine(channels=1, bands=1, depth=1).eval()
    encoder.stages()[0].load_state_dict(
        {
            "convolution.weight": state["conv1.weight"],
            "norm.weight": state["groupnorm.weight"],
            "norm.bias": state["groupnorm.bias"],
        }
    )
    of = recipe.load("base", (), [spec.partition(":")[0] for spec in specs])
    waveforms = experiment.waveforms_for(of)
    for spec in specs:
        for clip in list(read(spec))[::4]:
            samples = torch.as_tensor(np.array(waveforms.clip(clip)))
            x = encoder.first(samples[None, None, None], torch.tensor([len(samples)]), 1).x
            yield torch.nn.functional.conv1d(x, state["conv2.weight"], state["conv2.bias"], stride=3)[0]


@torch.no_grad()
def principal_axes(made: Iterable[torch.Tensor], rank: int) -> tuple[torch.Tensor, torch.Tensor, float]:
    """The mean (D,) of frames, their first axes (D, rank), and the share of variance in these."""
    count, total, products = 0, torch.zeros(()), torch.zeros(())
    for frames in made:
        wide = frames.double()
        count, total, products = count + wide.shape[1], total + wide.sum(1), products + wide @ wide.T
    mean = total / count
    sizes, axes = torch.linalg.eigh(products / count - torch.outer(mean, mean))
    return mean.float(), axes.flip(1)[:, :rank].float(), float(sizes[-rank:].sum() / sizes.sum())


def main() -> None:
    """Read the wheel, write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheel")
    parser.add_argument("out")
    parser.add_argument("--rank", type=int, help="numbers that the second convolution makes first")
    parser.add_argument("--speech", action="append", default=[], metavar="CORPUS:DIR", help="to find them by")
    arguments = parser.parse_args()
    with zipfile.ZipFile(arguments.wheel) as wheel:
        state = state_dict(wheel.read(INSIDE))
    if arguments.rank is not None:
        state = narrowed(state, arguments.rank, arguments.speech)
    torch.save(state, arguments.out)
    numbers = sum(values.numel() for values in state.values())
    print(f"{numbers:,} numbers in {len(state)} tensors: {arguments.out}")


if __name__ == "__main__":
    main()
