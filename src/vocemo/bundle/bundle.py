"""An opened bundle: found, told by its first bytes, checked, and ready to run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vocemo.bundle import packaged
from vocemo.bundle.engine import DISTANCE, EMBEDDING, PROBABILITIES, Engine, outputs_needed
from vocemo.bundle.info import METADATA_KEY, BundleInfo
from vocemo.errors import BundleError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ROUNDING = 0.01  # by which probabilities may miss 1 together: those of half precision do by a tenth of it


class Bundle:
    """An opened bundle: what it says of itself, and its graph ready to run.

    Pickled, for another process, it is its path, its device and its threads: it is opened anew there, which
    raises BundleError where the file is another by then.
    """

    def __init__(self, path: Path, info: BundleInfo, engine: Engine, threads: int | None = None) -> None:
        """Join a description and an engine that belong together; `Bundle.open` does both."""
        self.path, self.info = path, info
        self._engine, self._threads = engine, threads

    def __reduce__(self) -> tuple[Callable[..., Bundle], tuple[Path, str, int | None, str]]:
        return reopened, (self.path.resolve(), self.device, self._threads, self.sha256)

    @classmethod
    def open(
        cls, path: str | os.PathLike[str] | None = None, *, device: str = "auto", threads: int | None = None
    ) -> Bundle:
        """Open and check a bundle, .onnx or .tflite; without a path, the model inside the package.

        path: or the name of one of the package's models (`packaged.names`).
        device: auto (CUDA where the file is ONNX and this ONNX Runtime has it, else the CPU), cpu or cuda.
        threads: CPU threads inside one run; by default one a usable core, up to four.

        Raises BundleError, saying what was given, where the file is missing, has neither format, carries no
        description, is of a later format or has other inputs and outputs than its description needs;
        UsageError for a device that is not there; MissingExtraError for a .tflite file without LiteRT.
        """
        where = packaged.place(path)
        engine = _engine(where, device, threads)
        text = engine.description
        if text is None:
            raise BundleError(
                f"{where} is a model that vocemo did not write: it has no '{METADATA_KEY}' metadata"
            )
        try:
            info = BundleInfo.from_json(text)
        except BundleError as error:
            raise BundleError(f"{where}: {error}") from error
        engine.check(info)
        return cls(where, info, engine, threads)

    @property
    def device(self) -> str:
        """Where the graph runs: cpu or cuda."""
        return self._engine.device

    @property
    def clip_samples(self) -> int | None:
        """The samples of the one clip that the graph takes at a time; None: it takes batches.

        A .tflite file has such a length, an .onnx file has none. `run` takes any batch in either case; no
        clip may be longer. Where `info.preparation.length` is fixed, an .onnx file takes that width alone.
        """
        return self._engine.clip_samples

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the file, in hexadecimal."""
        import hashlib

        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def run(self, samples: NDArray[np.float32], lengths: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
        """The graph's outputs for a batch of prepared clips, padded with zeros at the end.

        samples: (batch, N) float32; lengths: (batch,) int64, the samples of each row before its padding.
        Gives probabilities and logits (batch, emotions), embedding (batch, D) and, where the file has
        them, distance (batch,) and attention (batch, frames). Raises UsageError for shapes that do not fit
        together and for a clip longer than `clip_samples`, BundleError where the graph fails or what it gives
        is not what it should be.
        """
        if samples.ndim != 2 or lengths.shape != samples.shape[:1]:
            raise UsageError(
                f"a bundle takes samples (batch, N) and lengths (batch,), "
                f"given {samples.shape} and {lengths.shape}"
            )
        outputs = dict(self._engine.run(samples, lengths))
        self._check(outputs, len(samples))
        return outputs

    def _check(self, outputs: Mapping[str, NDArray[np.float32]], clips: int) -> None:
        """Raise BundleError unless the outputs have their shapes, and probabilities are some."""
        import numpy as np

        width = len(self.info.emotions)
        for name in outputs_needed(self.info):
            given = outputs[name]
            wanted = {EMBEDDING: (clips, given.shape[-1] if given.ndim else 0), DISTANCE: (clips,)}
            if given.shape != wanted.get(name, (clips, width)):
                raise BundleError(f"{self.path} gives {name} of shape {given.shape} for {clips} clips")
            if not np.isfinite(given).all():
                raise BundleError(f"{self.path} gives {name} that are no numbers")
        said = outputs[PROBABILITIES]
        if clips and (said.min() < 0.0 or np.abs(said.sum(axis=1) - 1.0).max() > _ROUNDING):
            raise BundleError(f"{self.path} answers with what is no probability: {said[0]}")


def reopened(path: Path, device: str, threads: int | None, sha256: str) -> Bundle:
    """The bundle that another process has opened. Raises BundleError where its file has changed since."""
    bundle = Bundle.open(path, device=device, threads=threads)
    if bundle.sha256 != sha256:
        raise BundleError(f"{path} is another file than when it was handed to this process")
    return bundle


# The first bytes of files that are handed over as models by mistake.
_FOREIGN = (
    (0, b"PK\x03\x04", "a zip archive, such as a PyTorch checkpoint or a Keras model"),
    (0, b"\x80", "a Python pickle, which vocemo never runs"),
    (0, b"\x89HDF", "an HDF5 file, such as a Keras model"),
    (0, b"RIFF", "an audio file"),
)


def _engine(path: Path, device: str, threads: int | None) -> Engine:
    """The engine that a file's first bytes ask for."""
    head = _head(path)
    for offset, magic, what in _FOREIGN:
        if head[offset : offset + len(magic)] == magic:
            raise BundleError(
                f"{path} is {what}; a bundle is one .onnx or .tflite file written by vocemo export"
            )
    from vocemo.bundle import flatbuffer

    if head[4:8] == flatbuffer.IDENTIFIER:
        from vocemo.bundle.tflite_engine import TfliteEngine

        return TfliteEngine(path, device, threads)
    from vocemo.bundle.onnx_engine import OnnxEngine

    return OnnxEngine(path, device, threads)


def _head(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise BundleError(f"{path} is a folder; a bundle is one .onnx or .tflite file")
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError:
        valid = f"; valid: a path, or {', '.join(packaged.names())} of the package" if not path.suffix else ""
        raise BundleError(f"no bundle at {path}{valid}") from None
    except ValueError:  # a NUL character
        raise BundleError(f"no bundle at {str(path)!r}; this cannot be a path") from None
    except OSError as error:
        raise BundleError(f"cannot read the bundle {path}: {error.strerror}") from error
    if not head:
        raise BundleError(f"{path} is empty; a bundle is one .onnx or .tflite file")
    return head
