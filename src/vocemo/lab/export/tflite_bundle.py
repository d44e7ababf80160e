"""Write a network as a TFLite bundle, and show that the file answers as the network does.

litert-torch turns a graph of fixed shapes into TFLite: one clip, `samples` (1, N) float32 with `length`
(1,) int32, the samples before the zeros that fill it up. The front end is in the graph, as matrix products
(`use_export_kernels`), and stays in float32 whatever the model's weights are stored as.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import io
import math
import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vocemo.bundle import DISTANCE, Bundle, BundleInfo, Weights
from vocemo.bundle.quiet import without_notices
from vocemo.bundle.seal import sealed
from vocemo.errors import MissingExtraError, UsageError
from vocemo.lab.export.bundle_graph import Distance
from vocemo.lab.export.parity import Parity, compare, noisy_tones, recordings
from vocemo.lab.export.tflite_file import with_description
from vocemo.lab.export.tflite_weights import store_weights
from vocemo.lab.features import use_export_kernels
from vocemo.lab.mahalanobis import Gaussians
from vocemo.lab.network import Network, pictured, summary
from vocemo.prepare import Preparation

USUAL_S = 3.0  # a clip's length where nothing tells what is usual
SPARE = 1.5  # times the median training clip: nearly every clip like those goes in whole


def clip_length_s(preparation: Preparation, median_s: float, asked_s: float | None = None) -> float:
    """The length of the one clip that a TFLite file takes, in s.

    That of the recipe where it is fixed; else what was asked for; else one and a half times the median
    training clip, in whole seconds, no more than the longest that the recipe hears at once.

    Raises UsageError for a length that the preparation rules out.

    >>> clip_length_s(Preparation(max_length_s=8.0), median_s=3.7)
    6.0
    >>> clip_length_s(Preparation(length_s=2.5), median_s=3.7)
    2.5
    """
    if preparation.length_s is not None:
        if asked_s is not None and asked_s != preparation.length_s:
            raise UsageError(
                f"--length-s {asked_s:g}: the recipe hears clips of {preparation.length_s:g} s and no others"
            )
        return preparation.length_s
    shortest_s, longest_s = max(preparation.min_length_s, 0.1), preparation.max_length_s
    if asked_s is None:
        usual_s = float(math.ceil(SPARE * median_s)) or USUAL_S
        return min(max(usual_s, shortest_s), longest_s)
    if not shortest_s <= asked_s <= longest_s:
        raise UsageError(
            f"--length-s {asked_s:g}; valid: {shortest_s:g} to {longest_s:g} s, "
            "as the recipe's preparation says"
        )
    return asked_s


def write_tflite(
    network: Network,
    info: BundleInfo,
    path: Path,
    *,
    length_s: float,
    weights: Weights = "float32",
    corpora: Sequence[str] = (),
    gaussians: Gaussians | None = None,
) -> Parity:
    """Write the file and return how closely it answers as the network does.

    Args:
        length_s: of the one clip that it takes; longer recordings are answered in windows of this.
        weights: how the model's weights are stored: as they are, in half the space (float16), or as
            8-bit integers by output channel, with activations quantised as they come (int8).
        corpora: specs of recordings to compare it on; where there are none, or none that can be read,
            noisy tones take their place.
        gaussians: what the distance is measured from; None where the file measures none.

    Raises BundleError where the file does not answer as the network does; then nothing is left behind.
    Raises UsageError for a network over an encoder from outside, MissingExtraError where the converter is
    not installed.
    """
    _refuse_encoders(network, info)
    fixed = info.preparation
    if fixed.length is None:
        fixed = dataclasses.replace(fixed, max_length_s=length_s)
    info = dataclasses.replace(info, preparation=fixed, weights=weights)
    longest = fixed.length or round(length_s * fixed.sample_rate)
    network = copy.deepcopy(network).cpu().eval()
    content = with_description(_converted(network, info, longest, gaussians), info)
    if weights != "float32":
        with _quiet():
            content = store_weights(content, weights)
    partial = path.with_name(f".{path.name}.partial.tflite")
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        partial.write_bytes(sealed(content))
        bundle = Bundle.open(partial, device="cpu")
        batches = recordings(corpora, fixed, longest)
        if batches:
            names = dict.fromkeys(spec.partition(":")[0] for spec in corpora)
            parity = compare(network, bundle, batches, f"clips of {', '.join(names)}", gaussians)
        else:
            parity = compare(network, bundle, noisy_tones(fixed, longest), "noisy tones", gaussians)
        parity.hold(weights)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return parity


class TfliteGraph(nn.Module):
    """A network with its temperature, in the form that is converted: names for all that goes in and out.

    What the front end computes carries its name in the file, by which its constants are known.
    """

    temperature: Tensor

    def __init__(self, network: Network, temperature: float, gaussians: Gaussians | None = None) -> None:
        super().__init__()
        self.front_end, self.model, self.pictures = network.front_end, network.model, network.pictures
        self.distance = None if gaussians is None else Distance(gaussians)
        self.register_buffer("temperature", torch.tensor(float(temperature)))

    def forward(self, samples: Tensor, length: Tensor) -> dict[str, Tensor]:
        """Samples (1, N), length (1,) -> what `BundleGraph` gives, by name."""
        features, frames = self.front_end(samples, length.to(torch.int64))
        output = self.model(features, frames)
        probabilities = torch.softmax(output.logits / self.temperature, dim=-1)
        answers = {"probabilities": probabilities, "logits": output.logits, "embedding": output.embedding}
        if self.distance is not None:
            seen = pictured(features, self.pictures)
            answers[DISTANCE] = self.distance(summary(seen, frames, output.embedding))
        return answers if output.attention is None else answers | {"attention": output.attention}


def _refuse_encoders(network: Network, info: BundleInfo) -> None:
    foreign = {type(part).__module__.partition(".")[0] for part in network.modules()} & {"transformers"}
    if foreign:
        raise UsageError(
            f"recipe {info.name} runs over an encoder of {foreign.pop()}, which TFLite export leaves out; "
            "valid: --to onnx"
        )


def _converted(network: Network, info: BundleInfo, count: int, gaussians: Gaussians | None) -> bytes:
    """The TFLite file of a network for clips of `count` samples."""
    try:
        with _quiet():
            import ai_edge_quantizer  # noqa: F401  (it comes with litert-torch; asked for here to fail early)
            import litert_torch
    except ImportError:
        raise MissingExtraError("vocemo export --to tflite", "tflite") from None
    network = copy.deepcopy(network)
    use_export_kernels(network)
    _spell_out_padding(network)
    graph = TfliteGraph(network, info.temperature, gaussians).eval()
    example = {"samples": torch.zeros(1, count), "length": torch.tensor([count], dtype=torch.int32)}
    with _quiet(), torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        model: Any = litert_torch.convert(graph, sample_kwargs=example)
        model.export(f"{folder}/model.tflite")
        return Path(folder, "model.tflite").read_bytes()


def _spell_out_padding(module: nn.Module) -> None:
    """Numbers in place of `padding="same"` and `"valid"`, words which the converter does not know."""
    for part in module.modules():
        if isinstance(part, nn.Conv1d | nn.Conv2d) and isinstance(part.padding, str):
            spans = [d * (k - 1) for d, k in zip(part.dilation, part.kernel_size, strict=True)]
            if part.padding == "same" and any(span % 2 for span in spans):
                raise UsageError(
                    f"{part}: an even kernel with padding 'same' pads one side more; "
                    "TFLite export takes odd ones"
                )
            part.padding = tuple(span // 2 if part.padding == "same" else 0 for span in spans)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    # The converter and the quantiser narrate their steps by every way there is.
    key = "LITERT_TORCH_SHOW_PROGRESS"
    before = os.environ.get(key)
    os.environ[key] = "n"
    try:
        with (
            without_notices(1, 2),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        if before is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = before
