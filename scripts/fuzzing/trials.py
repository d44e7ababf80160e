"""What vocemo makes of a case: an answer that is sane, or a refusal of its own. All else is a finding."""

from __future__ import annotations

import json
import math
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import vocemo
from fuzzing.cases import Case
from fuzzing.originals import voice
from vocemo import audio
from vocemo.errors import BundleError, VocemoError
from vocemo.runtime.prediction import Prediction, Segment

RATE_HZ = 16_000
PREDICTED = 4  # one recording that can be decoded in so many is answered by the model too
# What ONNX Runtime says where it was given no memory, and vocemo hands on. FFmpeg says it before it asks.
_NO_MEMORY = ("bad_alloc", "allocate memory", "alloc failed", "out of memory", "cannot allocate")


@dataclass(frozen=True)
class Outcome:
    """`said` is "answered", the name of an error, or why this is a finding; `trace` where it was raised."""

    said: str
    finding: bool = False
    trace: str = ""

    @property
    def of_memory(self) -> bool:
        """Whether it took too much memory."""
        return self.finding and self.said.startswith("memory")


class NotSane(Exception):
    """An answer that is none."""


def sane(holds: bool, what: object) -> None:
    """Raise NotSane unless it holds."""
    if not holds:
        raise NotSane(str(what)[:500])


class Trials:
    """Puts cases to vocemo, each as a file and as bytes."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        self._model = vocemo.load(device="cpu", threads=1)
        self._clip = voice(0.6)[0]

    def __call__(self, case: Case) -> Outcome:
        """Put one case to every entry that it is for."""
        path = self._folder / ("case.onnx" if case.is_bundle else "case.wav")
        path.write_bytes(case.data)
        try:
            return outcome(lambda: self._bundle(path) if case.is_bundle else self._recording(case, path))
        finally:
            path.unlink()

    def _bundle(self, path: Path) -> None:
        model = vocemo.load(path, device="cpu", threads=1)
        again = type(model.info).from_json(model.info.to_json())
        sane(again.to_json() == model.info.to_json(), "another description by JSON")
        check_prediction(model.predict(self._clip, RATE_HZ), model.emotions)

    def _recording(self, case: Case, path: Path) -> None:
        errors: list[VocemoError] = []

        def tried(attempt: Callable[[], NDArray[np.float32] | None]) -> NDArray[np.float32] | None:
            try:
                return attempt()
            except VocemoError as error:
                sane(bool(str(error).strip()), f"{type(error).__name__} without a word")
                errors.append(error)
                return None

        tried(lambda: check_info(audio.probe(case.data)))
        chunk_s = (0.05, 1.0, 30.0)[case.index % 3]
        if "bomb" in case.kind:
            tried(lambda: check_chunks(path, chunk_s, whole=False))
        else:
            tried(lambda: check_samples(audio.decode(path)))
            whole = tried(lambda: check_samples(audio.decode(case.data, RATE_HZ), RATE_HZ))
            parts = tried(lambda: check_chunks(path, chunk_s))
            sane((whole is None) == (parts is None), f"chunks or the whole alone: {errors}")
            if whole is not None and parts is not None:
                sane(np.array_equal(whole, parts), "chunks joined are not the whole")
        if errors or case.index % PREDICTED == 0:
            tried(lambda: check_prediction(self._model.predict(path), self._model.emotions))
        if errors:
            raise errors[-1]


def outcome(attempt: Callable[[], None]) -> Outcome:
    """What an attempt comes to."""
    try:
        attempt()
    except BundleError as error:
        if any(words in str(error).lower() for words in _NO_MEMORY):
            return Outcome(f"memory: none for {error}"[:500], True, traceback.format_exc())
        return Outcome("BundleError")
    except VocemoError as error:
        return Outcome(type(error).__name__)
    except NotSane as error:
        return Outcome(f"not sane: {error}", True, traceback.format_exc())
    except MemoryError:
        return Outcome("memory: none was left", True, traceback.format_exc())
    except Exception as error:
        return Outcome(f"raised: {type(error).__name__}: {error}"[:500], True, traceback.format_exc())
    return Outcome("answered")


def check_samples(heard: audio.Audio, rate: int | None = None) -> NDArray[np.float32]:
    """Samples that are samples."""
    samples = heard.samples
    sane(samples.dtype == np.float32 and samples.ndim == 1 and len(samples) > 0, samples.shape)
    sane(bool(np.isfinite(samples).all()), "samples that are no numbers")
    sane(heard.sample_rate == rate or rate is None, heard.sample_rate)
    sane(all(isinstance(each, str) and each for each in heard.warnings), heard.warnings)
    return samples


def check_chunks(path: Path, chunk_s: float, whole: bool = True) -> NDArray[np.float32]:
    """Chunks of samples, joined, or the last of them alone."""
    kept: list[NDArray[np.float32]] = []
    for chunk in audio.decode_chunks(path, RATE_HZ, chunk_s):
        kept = [*(kept if whole else ()), check_samples(chunk, RATE_HZ)]
    return np.concatenate(kept)


def check_info(info: audio.AudioInfo) -> None:
    """A description that can be true."""
    sane(math.isfinite(info.duration_s) and info.duration_s > 0, info)
    sane(1_000 <= info.sample_rate <= 768_000 and info.channels >= 1, info)


def check_prediction(said: Prediction, emotions: tuple[str, ...]) -> None:
    """An answer that is one, and that JSON can hold."""
    json.dumps(said.to_dict(), allow_nan=False)
    sane(math.isfinite(said.duration_s) and said.duration_s > 0, said)
    heard: list[Prediction | Segment] = [said, *said.segments]
    for each in heard:
        if each.emotion is None:
            sane(each.confidence == 0.0 and not each.probabilities, each)
            continue
        values = list(each.probabilities.values())
        sane(each.emotion in emotions and tuple(each.probabilities) == emotions, each)
        sane(all(0.0 <= value <= 1.0 for value in values) and abs(sum(values) - 1.0) < 1e-3, each)
        sane(each.confidence == max(values) and isinstance(each.uncertain, bool), each)
        sane(each.out_of_domain is None or each.out_of_domain >= 0.0, each)
