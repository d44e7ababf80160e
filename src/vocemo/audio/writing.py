"""Write samples as an audio file."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from vocemo.audio.resampling import check_rate
from vocemo.errors import EmptyAudioError, NonFiniteAudioError, UnknownNameError, UsageError

# Suffix -> container and the encoding that it gets unless another is asked for.
FORMATS: dict[str, tuple[str, str]] = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".aiff": ("AIFF", "PCM_16"),
    ".aif": ("AIFF", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}


def write(
    path: str | os.PathLike[str],
    samples: NDArray[np.float32],
    sample_rate: int,
    *,
    encoding: str | None = None,
) -> None:
    """Write samples to a file whose suffix names the container: wav, flac, aiff, ogg, opus, mp3.

    samples: float, full scale 1, (N,) or (channels, N); what goes beyond full scale is clipped where the
        encoding has integers. sample_rate: Hz. encoding: libsndfile's name ("PCM_16", "PCM_24", "FLOAT");
        None for PCM_16, or for the container's own codec. 16-bit samples that were decoded come
        back bit for bit.
    errors: UnknownNameError for a suffix or encoding that does not exist, EmptyAudioError,
        NonFiniteAudioError, UsageError for a wrong shape or a folder that does not exist.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in FORMATS:
        raise UnknownNameError("audio suffix", target.suffix, FORMATS)
    container, default = FORMATS[suffix]
    encoding = default if encoding is None else encoding.upper()
    valid = soundfile.available_subtypes(container)
    if encoding not in valid:
        raise UnknownNameError(f"{container} encoding", encoding, valid)
    if not target.parent.is_dir():
        raise UsageError(f"{target}: its folder does not exist")
    frames = _frames(samples)
    if encoding == "PCM_16":  # libsndfile scales by 32767 when writing and by 32768 when reading
        frames = np.clip(np.rint(frames * 32768), -32768, 32767).astype(np.int16)
    encoded = io.BytesIO()  # so that a failure leaves no half of a file
    try:
        soundfile.write(encoded, frames, check_rate(sample_rate), encoding, format=container)
    except soundfile.LibsndfileError as error:
        raise UsageError(
            f"{target}: {container} with {encoding} at {sample_rate} Hz and {frames.shape[1]} channels "
            f"cannot be written ({error.error_string})"
        ) from error
    target.write_bytes(encoded.getbuffer())


def _frames(samples: NDArray[np.float32]) -> NDArray[np.generic]:
    array = np.asarray(samples)
    if array.dtype.kind != "f" or array.ndim not in (1, 2):
        raise UsageError(
            f"samples of type {array.dtype} and shape {array.shape}; valid: float, (N,) or (channels, N)"
        )
    if not array.size:
        raise EmptyAudioError("no samples to write")
    if not np.isfinite(array).all():
        raise NonFiniteAudioError("samples to write are not all finite numbers (NaN or infinite)")
    return np.atleast_2d(array).T
