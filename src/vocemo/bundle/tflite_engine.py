"""LiteRT (TensorFlow Lite) as the engine of a bundle: one clip of fixed length at a time, on the CPU.

The graph takes `samples` (1, N) float32 and `length` (1,) int32, the clip's own samples before the zeros
that fill it up to N, and gives what every bundle gives, for that one clip.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vocemo.bundle import flatbuffer
from vocemo.bundle.engine import DEVICES, MOST_THREADS, outputs_needed, usable_cores
from vocemo.bundle.info import METADATA_KEY, BundleInfo
from vocemo.bundle.quiet import without_notices
from vocemo.bundle.seal import check_seal
from vocemo.errors import BundleError, MissingExtraError, UnknownNameError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TfliteEngine:
    """An interpreter of LiteRT over a file."""

    device = "cpu"

    def __init__(self, path: Path, device: str, threads: int | None) -> None:
        """Start an interpreter.

        Raises BundleError for what is no TFLite that can be run, UsageError for a device other than the
        CPU, MissingExtraError where LiteRT is not installed.
        """
        if device not in DEVICES:
            raise UnknownNameError("device", device, DEVICES)
        if device == "cuda":
            raise UsageError(f"device cuda: {path.name} is a .tflite file, which runs on the CPU; use cpu")
        self._path = path
        try:
            content = path.read_bytes()
            self._entries = flatbuffer.metadata(content)
            if METADATA_KEY in self._entries:
                check_seal(content)  # before LiteRT sees it
        except BundleError as error:
            raise BundleError(f"{path} is {error}") from error
        if METADATA_KEY not in self._entries:
            raise BundleError(
                f"{path} is a model that vocemo did not write: it has no '{METADATA_KEY}' metadata"
            )
        self._interpreter = _interpreter(path, threads or min(usable_cores(), MOST_THREADS))
        try:
            self._runner = _signature(path, self._interpreter)
            self._inputs = _shapes_and_types(self._runner.get_input_details())
            self._outputs = _shapes_and_types(self._runner.get_output_details())
        except (ValueError, RuntimeError, TypeError) as error:  # numbers of no tensor, text that is none
            raise BundleError(f"{path} is no TFLite model that can be run: {_first_line(error)}") from error
        self._lock = threading.Lock()  # an interpreter has one set of tensors

    @property
    def clip_samples(self) -> int:
        """The samples of the one clip that the graph takes at a time."""
        return self._inputs["samples"][0][-1]

    @property
    def description(self) -> str | None:
        """The JSON text of the file's BundleInfo, None where vocemo did not write it."""
        text = self._entries.get(METADATA_KEY)
        return None if text is None else text.decode("utf-8", "replace")

    def check(self, info: BundleInfo) -> None:
        """Raise BundleError unless the graph has the inputs and outputs that its description needs."""
        fixed = info.preparation
        count = fixed.length or round(fixed.max_length_s * fixed.sample_rate)
        inputs = {"samples": ((1, count), "float32"), "length": ((1,), "int32")}
        if self._inputs != inputs:
            raise BundleError(
                f"{self._path}: the graph takes {_named(self._inputs)}; "
                f"its description needs {_named(inputs)}"
            )
        missing = [name for name in outputs_needed(info) if name not in self._outputs]
        if missing:
            raise BundleError(
                f"{self._path}: the graph gives {', '.join(self._outputs)} and lacks {', '.join(missing)}"
            )
        for name in ("probabilities", "logits"):
            shape, _ = self._outputs[name]
            if shape != (1, len(info.emotions)):
                raise BundleError(f"{self._path}: {name} has shape {shape}, not (1, {len(info.emotions)})")

    def run(self, samples: NDArray[np.float32], lengths: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
        """The outputs by name, for samples (batch, N) and lengths (batch,), clip by clip.

        Raises UsageError for a clip that is longer than the graph takes.
        """
        import numpy as np

        longest = int(lengths.max(initial=0))
        if longest > self.clip_samples:
            raise UsageError(
                f"a clip of {longest:,} samples; {self._path.name} takes {self.clip_samples:,} at most"
            )
        rows = [self._one(row[:length]) for row, length in zip(samples, lengths.tolist(), strict=True)]
        return {
            name: np.concatenate([row[name] for row in rows])
            if rows
            else np.zeros((0, *shape[1:]), np.float32)
            for name, (shape, _) in self._outputs.items()
        }

    def _one(self, clip: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        import numpy as np

        samples = np.zeros((1, self.clip_samples), np.float32)
        samples[0, : len(clip)] = clip
        try:
            with self._lock:
                outputs: dict[str, NDArray[np.float32]] = self._runner(
                    samples=samples, length=np.array([len(clip)], np.int32)
                )
        except (ValueError, RuntimeError) as error:
            raise BundleError(f"{self._path}: its graph fails: {_first_line(error)}") from error
        return outputs


def _interpreter(path: Path, threads: int) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise MissingExtraError(f"{path.name}: running a .tflite file", "tflite") from None
    try:
        with without_notices(2):  # it announces its kernels there each time
            interpreter = Interpreter(model_path=str(path), num_threads=threads)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise BundleError(f"{path} is no TFLite model that can be run: {_first_line(error)}") from error
    return interpreter


def _signature(path: Path, interpreter: Any) -> Any:
    """The graph by the names of its inputs and outputs."""
    names = list(interpreter.get_signature_list())
    if len(names) != 1:
        raise BundleError(f"{path}: a bundle has one signature, this file {names or 'none'}")
    return interpreter.get_signature_runner(names[0])


_Shapes = dict[str, tuple[tuple[int, ...], str]]


def _shapes_and_types(details: dict[str, Any]) -> _Shapes:
    return {
        name: (tuple(int(size) for size in each["shape"]), each["dtype"].__name__)
        for name, each in sorted(details.items(), reverse=True)
    }


def _named(shapes: _Shapes) -> str:
    return ", ".join(f"{name} {shape} {kind}" for name, (shape, kind) in shapes.items())


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
