"""The content of a recording, whatever its name and container."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from vocemo import audio
from vocemo.errors import CorpusError, VocemoError
from vocemo.lab.corpora.clip import Clip

FULL_SCALE = 2.0**31  # samples are compared as 32-bit integers, which hold 8 to 24 bits exactly


@dataclass(frozen=True, slots=True)
class Content:
    """What the whole of a recording, or of its part, decodes to."""

    digest: str
    frames: int
    sample_rate: int
    silent: bool

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate


def content_digest(clip: Clip) -> str:
    """A digest of the decoded samples, of a part those of the part: 32 hexadecimal digits.

    It is equal for one recording in WAV and in FLAC, in one channel and in two equal ones, and
    differs where a sample or the rate does.

    Errors: CorpusError when the file cannot be decoded.
    """
    return content(clip).digest


def content(clip: Clip) -> Content:
    """Decode a clip to its end.

    Errors: CorpusError when it cannot be decoded, is cut short, or holds no audio.
    """
    samples, sample_rate = _samples(clip.path)
    start = round((clip.start_s or 0.0) * sample_rate)
    stop = None if clip.end_s is None else round(clip.end_s * sample_rate)
    samples = samples[start:stop]
    if len(samples) == 0:
        raise CorpusError("there is no audio in it")
    digest = hashlib.blake2b(f"{sample_rate}:".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(samples, dtype="<i4").tobytes())
    return Content(digest.hexdigest(), len(samples), sample_rate, not samples.any())


def _samples(path: Path) -> tuple[NDArray[np.int32], int]:
    """All samples (frames,) as 32-bit integers, a mean over channels, and their rate in Hz."""
    try:
        with soundfile.SoundFile(path) as file:
            # Integers are read as they are; libsndfile does not scale floats to integers.
            stored = "int32" if file.subtype.startswith("PCM_") else "float64"
            samples = file.read(dtype=stored, always_2d=True)
            if len(samples) < file.frames:
                raise CorpusError(f"cut short: {len(samples)} of {file.frames} frames can be decoded")
            sample_rate = int(file.samplerate)
    except soundfile.LibsndfileError:
        return _other_container(path)
    except OSError as error:
        raise CorpusError(f"cannot be opened ({error.strerror or error})") from error
    return _mono(samples), sample_rate


def _other_container(path: Path) -> tuple[NDArray[np.int32], int]:
    """The same for what libsndfile does not read: m4a, mp4, webm."""
    try:
        decoded = audio.decode(path)
    except VocemoError as error:
        raise CorpusError(str(error).removeprefix(f"{path}: ")) from error
    return _mono(decoded.samples[:, None].astype(np.float64)), decoded.sample_rate


def _mono(samples: NDArray[np.int32] | NDArray[np.float64]) -> NDArray[np.int32]:
    """(frames, channels) of integers or of floats within -1 and 1 to (frames,) of 32-bit integers."""
    if samples.dtype.kind == "f":
        if not np.isfinite(samples).all():
            raise CorpusError("it holds samples that are not numbers (NaN or infinite)")
        samples = np.rint(samples * FULL_SCALE).clip(-FULL_SCALE, FULL_SCALE - 1)
    if samples.shape[1] == 1:
        mono: NDArray[np.int32] = samples[:, 0].astype(np.int32)
    else:
        mono = (samples.astype(np.int64).sum(axis=1) // samples.shape[1]).astype(np.int32)
    return mono
