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
        try:
            self._inputs = {each.name: (each.type, list(each.shape)) for each in self._session.get_inputs()}
            self._shapes = {each.name: list(each.shape) for each in self._session.get_outputs()}
            self._entries: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        except UnicodeDecodeError as error:
            raise BundleError(f"{path} is no ONNX model that can be run: {error}") from error
        self._outputs = list(self._shapes)

    @property
    def device(self) -> str:
        """Where the graph runs: cpu or cuda."""
        return "cuda" if "CUDAExecutionProvider" in self._session.get_providers() else "cpu"

    @property
    def description(self) -> str | None:
        """The JSON text of the file's BundleInfo, None where vocemo did not write it."""
        return self._entries.get(METADATA_KEY)

    def check(self, info: BundleInfo) -> None:
        """Raise BundleError unless the graph has the inputs and outputs that its description needs."""
        inputs = {name: kind for name, (kind, _) in self._inputs.items()}
        if inputs != INPUTS:
            raise BundleError(f"{self._path}: the graph takes {inputs}, a bundle takes {INPUTS}")
        for name, (_, shape) in self._inputs.items():
            fixed = [size for size in shape if isinstance(size, int)]
            # Where preparation makes every clip one length, the graph may be made for that length alone.
            if fixed and not (isinstance(shape[0], str) and fixed == [info.preparation.length]):
                raise BundleError(
                    f"{self._path}: {name} has the fixed shape {shape}; a bundle takes any size, "
                    "or any number of clips of the length that its preparation makes"
                )
        shapes = self._shapes
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
            raise BundleError(
                f"{self._path}: its graph fails on samples {samples.shape}: {_first_line(error)}"
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
        session = onnxruntime.InferenceSession(
            str(path),
            options,
            providers=providers,
            enable_fallback=len(providers) > 1,  # else it would say on standard output that it tries again
        )
    except Exception as error:  # the runtime's own exceptions share no base class
        raise BundleError(f"{path} is no ONNX model that can be run: {_first_line(error)}") from error
    if device == "cuda" and "CUDAExecutionProvider" not in session.get_providers():
        raise UsageError("device cuda: ONNX Runtime could not start CUDA on this machine; use cpu")
    return session


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
