"""Write a network as an ONNX bundle, and show that the file answers as the network does."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vocemo.bundle import METADATA_KEY, Bundle, BundleInfo
from vocemo.errors import BundleError, MissingExtraError
from vocemo.lab.export.bundle_graph import BundleGraph
from vocemo.lab.features import use_export_kernels
from vocemo.lab.network import Network

OPSET = 18
TOLERANCE = 1e-4  # of a probability, between the network and its file


def write_bundle(network: Network, info: BundleInfo, path: Path) -> float:
    """Write the bundle and return the largest difference of a probability between it and the network.

    Raises BundleError where the file does not answer as the network does; then nothing is left behind.
    Raises MissingExtraError where the exporter is not installed.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401  (torch's exporter needs it; asked for here to name the extra)
    except ImportError:
        raise MissingExtraError("vocemo export", "export") from None
    network = copy.deepcopy(network).cpu().eval()
    exportable = copy.deepcopy(network)
    use_export_kernels(exportable)
    model = _onnx_model(BundleGraph(exportable, info.temperature).eval(), info)
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, info.to_json()
    partial = path.with_name(f".{path.name}.partial.onnx")
    partial.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, partial)
    try:
        worst = largest_difference(network, info, partial)
        if not worst <= TOLERANCE:  # what is no number does not agree either
            raise BundleError(
                f"the exported graph differs from the network by {worst:.2g} in a probability; "
                f"at most {TOLERANCE:g} is allowed"
            )
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return worst


def largest_difference(network: Network, info: BundleInfo, path: Path) -> float:
    """The largest difference of a probability, over noisy tones in batches of several sizes and lengths."""
    bundle = Bundle.open(path, device="cpu")
    reference = BundleGraph(network, info.temperature).eval()
    worst = 0.0
    for samples, lengths in _probes(info.preparation.sample_rate):
        with torch.inference_mode():
            expected = reference(torch.from_numpy(samples), torch.from_numpy(lengths))[0].numpy()
        answered = bundle.run(samples, lengths)["probabilities"]
        worst = float(np.maximum(worst, np.abs(expected - answered).max()))  # unlike max(), keeps NaN
    return worst


def _onnx_model(graph: BundleGraph, info: BundleInfo) -> Any:
    rate = info.preparation.sample_rate
    samples = torch.zeros(2, 2 * rate)
    lengths = torch.tensor([2 * rate, rate])
    names = ["probabilities", "logits", "embedding"]
    if len(graph(samples, lengths)) == 4:
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
            dynamic_shapes={"samples": {0: batch, 1: time}, "lengths": {0: batch}},
        )
    if program is None:
        raise BundleError("torch gave no ONNX program")
    return program.model_proto


def _probes(sample_rate: int) -> Iterator[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    rng = np.random.default_rng(0)
    for seconds in ([1.0], [0.31, 2.5, 1.37], [3.01, 3.01, 0.7, 5.2, 4.003]):
        lengths = np.array([round(s * sample_rate) for s in seconds], np.int64)
        samples = np.zeros((len(lengths), lengths.max()), np.float32)
        for row, length in zip(samples, lengths, strict=True):
            t = np.arange(length) / sample_rate
            tone = np.sin(2 * np.pi * rng.uniform(80, 400) * t) * 0.1
            row[:length] = tone + rng.normal(0, 0.02, length)
        yield samples, lengths


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
