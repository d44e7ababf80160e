"""ONNX Runtime as the engine of a bundle: batches of any size, on the CPU or CUDA."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vocemo.bundle.engine import DEVICES, MOST_THREADS, outputs_needed, usable_cores
from vocemo.bundle.info import METADATA_KEY, BundleInfo
from vocemo.errors import BundleError, UnknownNameError, UsageError

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime
    from numpy.typing import NDArray

INPUTS = {"samples": "tensor(float)", "lengths": "tensor(int64)"}


class OnnxEngine:
    """A session of ONNX Runtime over a file."""

    clip_samples = None

    def __init__(self, path: Path, device: str, threads: int | None) -> None:
        """Start a session.

        Raises BundleError for what is no ONNX, UsageError for a device that is not there.
        """
        self._path = path
        self._session = _session(path, device, threads)
        self._outputs = [output.name for output in self._session.get_outputs()]

    @property
    def device(self) -> str:
        """Where the graph runs: cpu or cuda."""
        return "cuda" if "CUDAExecutionProvider" in self._session.get_providers() else "cpu"

    @property
    def description(self) -> str | None:
        """The JSON text of the file's BundleInfo, None where vocemo did not write it."""
        text: str | None = self._session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        return text

    def check(self, info: BundleInfo) -> None:
        """Raise BundleError unless the graph has the inputs and outputs that its description needs."""
        inputs = {each.name: each.type for each in self._session.get_inputs()}
        if inputs != INPUTS:
            raise BundleError(f"{self._path}: the graph takes {inputs}, a bundle takes {INPUTS}")
        for each in self._session.get_inputs():
            fixed = [size for size in each.shape if isinstance(size, int)]
            # Where preparation makes every clip one length, the graph may be made for that length alone.
            if fixed and not (isinstance(each.shape[0], str) and fixed == [info.preparation.length]):
                raise BundleError(
                    f"{self._path}: {each.name} has the fixed shape {each.shape}; a bundle takes any size, "
                    "or any number of clips of the length that its preparation makes"
                )
        shapes = {each.name: list(each.shape) for each in self._session.get_outputs()}
        missing = [name for name in outputs_needed(info) if name not in shapes]
        if missing:
            raise BundleError(
                f"{self._path}: the graph gives {', '.join(shapes)} and lacks {', '.join(missing)}"
            )
        for name in ("probabilities", "logits"):
            width = shapes[name][-1] if shapes[name] else None
            if len(shapes[name]) != 2 or (isinstance(width, int) and width != len(info.emotions)):
                raise BundleError(
                    f"{self._path}: {name} has shape {shapes[name]}, not (batch, {len(info.emotions)})"
                )

    def run(self, samples: NDArray[np.float32], lengths: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
        """The outputs by name, for samples (batch, N) and lengths (batch,)."""
        feed = {
            "samples": samples.astype("float32", copy=False),
            "lengths": lengths.astype("int64", copy=False),
        }
        try:
            outputs = self._session.run(self._outputs, feed)
        except Exception as error:  # the runtime's own exceptions share no base class
            reason = str(error).strip().splitlines()[0]
            raise BundleError(
                f"{self._path}: its graph fails on samples {samples.shape}: {reason}"
            ) from error
        return dict(zip(self._outputs, outputs, strict=True))


def _session(path: Path, device: str, threads: int | None) -> onnxruntime.InferenceSession:
    if device not in DEVICES:
        raise UnknownNameError("device", device, DEVICES)
    import onnxruntime

    has_cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if device == "cuda" and not has_cuda:
        raise UsageError(
            "device cuda: this ONNX Runtime has no CUDA; pip install onnxruntime-gpu, or use cpu"
        )
    providers = ["CPUExecutionProvider"]
    if device != "cpu" and has_cuda:
        providers.insert(0, "CUDAExecutionProvider")
    options = onnxruntime.SessionOptions()
    # A number given outright also keeps the runtime from pinning threads, which fails noisily in containers.
    options.intra_op_num_threads = threads or min(usable_cores(), MOST_THREADS)
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors alone
    options.enable_mem_pattern = False  # plans for one shape; ours change with every batch
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads sleep
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # the runtime's own exceptions share no base class
        reason = str(error).strip().splitlines()[0]
        raise BundleError(f"{path} is no ONNX model that can be run: {reason}") from error
    if device == "cuda" and "CUDAExecutionProvider" not in session.get_providers():
        raise UsageError("device cuda: ONNX Runtime could not start CUDA on this machine; use cpu")
    return session
