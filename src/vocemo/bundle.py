"""A bundle: one ONNX file from the waveform to calibrated probabilities, and what it says of itself.

The graph takes `samples` (batch, N) float32 and `lengths` (batch,) int64, the true length of each
row, and gives `probabilities` and `logits` (batch, emotions), `embedding` (batch, D) and, where the
model has it, `attention` (batch, frames). Everything else that an answer needs (labels, sample rate,
preparation, calibration) and that a reader should know (licence, training, results) is one JSON
object, `BundleInfo`, under the key `vocemo` of the ONNX metadata. Opening a bundle runs no pickle.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vocemo.errors import BundleError, UnknownNameError, UsageError
from vocemo.prepare import Preparation

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime
    from numpy.typing import NDArray

FORMAT = 1  # raised when an older vocemo would misread a bundle
METADATA_KEY = "vocemo"
INPUTS = {"samples": "tensor(float)", "lengths": "tensor(int64)"}
OUTPUTS = ("probabilities", "logits", "embedding")
DEVICES = ("auto", "cpu", "cuda")
SHIPPED = Path(__file__).parent / "models" / "default.onnx"

_MOST_THREADS = 4  # past four threads a clip of seconds gains nothing and other processes lose


@dataclass(frozen=True)
class TrainingInfo:
    """What a model was trained on and how: enough to name it and to train it again."""

    corpora: tuple[str, ...] = ()
    clips: int = 0
    speakers: int = 0
    protocol: str = ""
    seed: int = 0
    recipe: str = ""
    recipe_sha256: str = ""
    parameters: int = 0
    duration_p05_s: float = 0.0
    duration_median_s: float = 0.0
    commit: str = ""
    date: str = ""


@dataclass(frozen=True)
class BundleInfo:
    """All that a bundle says of itself, kept as JSON in the file.

    `temperature` is the calibration that the graph already applies to its logits; `threshold`, where
    it is given, is the confidence below which an answer is called uncertain.

    >>> info = BundleInfo(name="tiny", emotions=("happy", "sad"))
    >>> BundleInfo.from_json(info.to_json()) == info
    True
    >>> BundleInfo.from_json('{"format": 99, "name": "later", "emotions": ["happy", "sad"]}')
    Traceback (most recent call last):
        ...
    vocemo.errors.BundleError: the bundle has format 99; this vocemo reads format 1: upgrade vocemo
    """

    name: str
    emotions: tuple[str, ...]
    vocemo_version: str = ""
    preparation: Preparation = dataclasses.field(default_factory=Preparation)
    temperature: float = 1.0
    threshold: float | None = None
    licence: str = ""
    attribution: tuple[str, ...] = ()
    training: TrainingInfo = dataclasses.field(default_factory=TrainingInfo)
    results: tuple[Mapping[str, Any], ...] = ()
    format: int = FORMAT

    def __post_init__(self) -> None:
        """Refuse a description without a name or with labels that cannot be told apart."""
        if not self.name:
            raise BundleError("a bundle needs a name")
        if len(self.emotions) < 2 or len(set(self.emotions)) != len(self.emotions):
            raise BundleError(f"a bundle needs two or more different emotions, given {list(self.emotions)}")

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of this description."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return values | {
            "emotions": list(self.emotions),
            "attribution": list(self.attribution),
            "preparation": self.preparation.to_dict(),
            "training": dataclasses.asdict(self.training) | {"corpora": list(self.training.corpora)},
            "results": [dict(result) for result in self.results],
        }

    def to_json(self) -> str:
        """The JSON text that the ONNX metadata holds."""
        return json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> BundleInfo:
        """The description in a JSON text.

        Raises BundleError where the text is no JSON object, has a newer format, or lacks or adds fields.
        """
        try:
            given = json.loads(text)
        except ValueError as error:
            raise BundleError(f"the bundle's metadata is no JSON: {error}") from error
        if not isinstance(given, dict):
            raise BundleError(f"the bundle's metadata is a JSON {type(given).__name__}, not an object")
        form = given.get("format", FORMAT)
        if form != FORMAT:
            raise BundleError(
                f"the bundle has format {form}; this vocemo reads format {FORMAT}: upgrade vocemo"
            )
        try:
            for name in ("emotions", "attribution", "results"):
                given[name] = tuple(_listed(name, given.get(name, [])))
            training = dict(given.get("training", {}))
            training["corpora"] = tuple(_listed("corpora", training.get("corpora", [])))
            given["training"] = TrainingInfo(**training)
            given["preparation"] = Preparation.from_dict(given.get("preparation", {}))
            return cls(**given)
        except (TypeError, ValueError, KeyError) as error:
            raise BundleError(f"the bundle's metadata does not describe a model: {error}") from error


def _listed(name: str, given: object) -> list[Any]:
    if not isinstance(given, list):
        raise TypeError(f"{name} is a list, given {given!r}")
    return given


class Bundle:
    """An opened bundle: what it says of itself, and its graph ready to run."""

    def __init__(self, path: Path, info: BundleInfo, session: onnxruntime.InferenceSession) -> None:
        """Join a description and a session that belong together; `Bundle.open` does both."""
        self.path, self.info = path, info
        self._session = session
        self._outputs = [output.name for output in session.get_outputs()]

    @classmethod
    def open(
        cls, path: str | os.PathLike[str] | None = None, *, device: str = "auto", threads: int | None = None
    ) -> Bundle:
        """Open and check a bundle; without a path, the model inside the package.

        device: auto (CUDA where this ONNX Runtime has it, else the CPU), cpu or cuda.
        threads: CPU threads inside one run; by default one a usable core, up to four.

        Raises BundleError, saying what was given, where the file is missing, is no ONNX, carries no
        description, is of a later format or has other inputs and outputs than its description needs;
        UsageError for a device that is not there.
        """
        where = SHIPPED if path is None else Path(path)
        _refuse_foreign(where)
        session = _session(where, device, threads)
        metadata = session.get_modelmeta().custom_metadata_map
        if METADATA_KEY not in metadata:
            raise BundleError(
                f"{where} is an ONNX model that vocemo did not write: it has no '{METADATA_KEY}' metadata"
            )
        try:
            info = BundleInfo.from_json(metadata[METADATA_KEY])
        except BundleError as error:
            raise BundleError(f"{where}: {error}") from error
        _check_graph(where, info, session)
        return cls(where, info, session)

    @property
    def device(self) -> str:
        """Where the graph runs: cpu or cuda."""
        return "cuda" if "CUDAExecutionProvider" in self._session.get_providers() else "cpu"

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the file, in hexadecimal."""
        import hashlib

        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def run(self, samples: NDArray[np.float32], lengths: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
        """The graph's outputs for a batch of prepared clips, padded with zeros at the end.

        samples: (batch, N) float32; lengths: (batch,) int64, the samples of each row before its padding.
        Gives probabilities and logits (batch, emotions), embedding (batch, D) and, where the model has
        it, attention (batch, frames). Raises UsageError for shapes that do not fit together.
        """
        if samples.ndim != 2 or lengths.shape != samples.shape[:1]:
            raise UsageError(
                f"a bundle takes samples (batch, N) and lengths (batch,), "
                f"given {samples.shape} and {lengths.shape}"
            )
        feed = {
            "samples": samples.astype("float32", copy=False),
            "lengths": lengths.astype("int64", copy=False),
        }
        try:
            outputs = self._session.run(self._outputs, feed)
        except Exception as error:  # the runtime's own exceptions share no base class
            reason = str(error).strip().splitlines()[0]
            raise BundleError(f"{self.path}: its graph fails on samples {samples.shape}: {reason}") from error
        return dict(zip(self._outputs, outputs, strict=True))


# The first bytes of files that are handed over as models by mistake.
_FOREIGN = (
    (0, b"PK\x03\x04", "a zip archive, such as a PyTorch checkpoint or a Keras model"),
    (0, b"\x80", "a Python pickle, which vocemo never runs"),
    (0, b"\x89HDF", "an HDF5 file, such as a Keras model"),
    (4, b"TFL3", "a TensorFlow Lite model"),
    (0, b"RIFF", "an audio file"),
)


def _refuse_foreign(path: Path) -> None:
    """Name what a file is where its first bytes tell that it cannot be ONNX."""
    if path.is_dir():
        raise BundleError(f"{path} is a folder; a bundle is one .onnx file")
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError:
        raise BundleError(f"no bundle at {path}") from None
    except OSError as error:
        raise BundleError(f"cannot read the bundle {path}: {error.strerror}") from error
    if not head:
        raise BundleError(f"{path} is empty; a bundle is one .onnx file")
    for offset, magic, what in _FOREIGN:
        if head[offset : offset + len(magic)] == magic:
            raise BundleError(f"{path} is {what}; a bundle is one .onnx file written by vocemo export")


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
    options.intra_op_num_threads = threads or min(usable_cores(), _MOST_THREADS)
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


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check_graph(path: Path, info: BundleInfo, session: onnxruntime.InferenceSession) -> None:
    """Hold a graph to the inputs and outputs that every bundle has."""
    inputs = {each.name: each.type for each in session.get_inputs()}
    if inputs != INPUTS:
        raise BundleError(f"{path}: the graph takes {inputs}, a bundle takes {INPUTS}")
    for each in session.get_inputs():
        if any(isinstance(size, int) for size in each.shape):
            raise BundleError(
                f"{path}: {each.name} has the fixed shape {each.shape}; a bundle takes any size"
            )
    shapes = {each.name: list(each.shape) for each in session.get_outputs()}
    missing = [name for name in OUTPUTS if name not in shapes]
    if missing:
        raise BundleError(f"{path}: the graph gives {', '.join(shapes)} and lacks {', '.join(missing)}")
    for name in ("probabilities", "logits"):
        width = shapes[name][-1] if shapes[name] else None
        if len(shapes[name]) != 2 or (isinstance(width, int) and width != len(info.emotions)):
            raise BundleError(f"{path}: {name} has shape {shapes[name]}, not (batch, {len(info.emotions)})")
