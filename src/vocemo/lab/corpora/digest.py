"""The identity of a recording's content, whatever its name and container."""

from __future__ import annotations

import hashlib

import numpy as np
import soundfile

from vocemo.errors import CorpusError
from vocemo.lab.corpora.clip import Clip


def content_digest(clip: Clip) -> str:
    """A digest of the decoded samples: equal for the same recording in WAV and in FLAC, in one
    channel and in two equal ones, and for no other reason than equal samples at one rate.

    Of a part, that part's samples. 32 hexadecimal digits.

    Errors: CorpusError when the file cannot be decoded.
    """
    try:
        with soundfile.SoundFile(clip.path) as file:
            sample_rate = file.samplerate
            file.seek(round((clip.start_s or 0.0) * sample_rate))
            stop = file.frames if clip.end_s is None else round(clip.end_s * sample_rate)
            frames = max(0, min(stop, file.frames) - file.tell())
            samples = file.read(frames, dtype="int32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise CorpusError(f"{clip.path}: cannot be decoded ({error})") from error
    mono = samples[:, 0] if samples.shape[1] == 1 else _mean(samples)
    content = hashlib.blake2b(f"{sample_rate}:".encode(), digest_size=16)
    content.update(np.ascontiguousarray(mono, dtype="<i4").tobytes())
    return content.hexdigest()


def _mean(samples: np.ndarray) -> np.ndarray:
    """Mean over channels, exact: (frames, channels) to (frames,) of 32-bit integers."""
    total = samples.sum(axis=1, dtype=np.int64)
    return (total // samples.shape[1]).astype(np.int32)
