"""Write a network as an ONNX bundle, and show that the file answers as the network does."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from vocemo.bundle import DISTANCE, METADATA_KEY, OUTPUTS, Bundle, BundleInfo, Weights
from vocemo.errors import BundleError, MissingExtraError, UsageError
from vocemo.lab.export.bundle_graph import BundleGraph
from vocemo.lab.export.onnx_folding import fold_choices
from vocemo.lab.export.onnx_integers import compute_in_integers
from vocemo.lab.export.onnx_lstm import lstms_in_integers
from vocemo.lab.export.onnx_notes import strip_notes
from vocemo.lab.export.onnx_weights import store_weights
from vocemo.lab.export.parity import Parity, compare, noisy_tones
from vocemo.lab.features import use_export_kernels
from vocemo.lab.mahalanobis import Gaussians
from vocemo.lab.network import Network

OPSET = 18


def write_bundle(
    network: Network,
    info: BundleInfo,
    path: Path,
    weights: Weights = "float32",
    gaussians: Gaussians | None = None,
) -> Parity:
    """Write the bundle and return how closely it answers as the network does.

    weights: how the file stores the model's weights; see `onnx_weights` and, for mixed, `onnx_integers` and
    `onnx_lstm`.
    gaussians: what the distance is measured from; None where the bundle measures none.

    Raises BundleError where the file does not answer as the network does; then nothing is left behind.
    Raises MissingExtraError where the exporter is not installed, UsageError where nothing of the network can
    be computed in integers and that is asked for.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401  (torch's exporter needs it; asked for here to name the extra)
    except ImportError:
        raise MissingExtraError("vocemo export", "export") from None
    network = copy.deepcopy(network).cpu().eval()
    exportable = copy.deepcopy(network)
    use_export_kernels(exportable)
    info = dataclasses.replace(info, weights=weights)
    model = _onnx_model(BundleGraph(exportable, info.temperature, gaussians).eval(), info)
    fold_choices(model)
    strip_notes(model)
    if weights == "mixed" and not compute_in_integers(model, network) + lstms_in_integers(model, network):
        raise UsageError(
            "nothing of this model can be computed in integers: valid: models with two or more large "
            "convolutions, normalised, or LSTMs behind each other; export it with --quantize float16 or int8"
        )
    if weights != "float32":
        store_weights(model, "float16" if weights == "mixed" else weights)
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, info.to_json()
    partial = path.with_name(f".{path.name}.partial.onnx")
    partial.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, partial)
    try:
        batches = noisy_tones(info.preparation)
        parity = compare(network, Bundle.open(partial, device="cpu"), batches, "noisy tones", gaussians)
        parity.hold(weights)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return parity


def _onnx_model(graph: BundleGraph, info: BundleInfo) -> Any:
    rate, fixed = info.preparation.sample_rate, info.preparation.length
    length = fixed or 2 * rate
    samples = torch.zeros(2, length)
    lengths = torch.tensor([length, length // 2])
    names = [*OUTPUTS] if graph.distance is None else [*OUTPUTS, DISTANCE]
    if len(graph(samples, lengths)) > len(names):
        names.append("attention")
    batch, time = torch.export.Dim("batch"), torch.export.Dim("time", min=rate // 10)
    with _quiet(), torch.inference_mode():
        program = torch.onnx.export(
            graph,
            (samples, lengths),
            dynamo=True,
            opset_version=OPSET,
            input_names=["samples", "lengths"],
            output_names=names,
            # A model of fixed length may read every frame by a weight of its own.
            dynamic_shapes={"samples": {0: batch} if fixed else {0: batch, 1: time}, "lengths": {0: batch}},
        )
    if program is None:
        raise BundleError("torch gave no ONNX program")
    return program.model_proto


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    # The exporter narrates its steps on standard output, by logging and by warnings about its own parts.
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
