"""The valid files that cases begin with: a voice-like sound in every container, and bundles.

The same files come out each time: where a container draws a number of its own, it is set to a fixed one.
"""

from __future__ import annotations

import importlib
import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import cast

import av
import numpy as np
import soundfile
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from fuzzing.ogg import with_serial
from vocemo.bundle import packaged

TESTS = Path(__file__).resolve().parents[2] / "tests"

# Containers and encodings that libsndfile writes.
SOUNDS = (
    *(("WAV", each) for each in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")),
    *(("WAV", each) for each in ("MS_ADPCM", "IMA_ADPCM", "GSM610")),
    *(("WAVEX", each) for each in ("PCM_16", "PCM_24", "FLOAT")),
    *(("RF64", "PCM_16"), ("W64", "PCM_16"), ("AU", "PCM_16"), ("AU", "FLOAT"), ("NIST", "PCM_16")),
    *(("AIFF", "PCM_16"), ("AIFF", "PCM_24"), ("AIFF", "FLOAT"), ("VOC", "PCM_16")),
    *(("CAF", "PCM_16"), ("CAF", "ALAC_16"), ("CAF", "FLOAT")),
    *(("FLAC", "PCM_S8"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24")),
    *(("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")),
)
# Containers and codecs that FFmpeg writes, with the options of the container.
MEDIA: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("ipod", "aac", {}),
    ("mp4", "aac", {"movflags": "faststart"}),
    ("mp4", "aac", {"movflags": "frag_keyframe+empty_moov"}),
    ("ipod", "alac", {}),
    ("webm", "libopus", {}),
    ("matroska", "flac", {}),
    ("matroska", "pcm_f32le", {}),
    ("ogg", "flac", {}),
    ("adts", "aac", {}),
    ("mpegts", "aac", {}),
    ("avi", "pcm_s16le", {}),
    ("flv", "aac", {}),
    ("asf", "wmav2", {}),
    ("mp3", "libmp3lame", {}),
    ("mp3", "libmp3lame", {"write_xing": "0", "id3v2_version": "0"}),
)
RATE_HZ = 16_000
SERIAL = 0x766F6365


@dataclass(frozen=True)
class Originals:
    """Valid files by name."""

    recordings: dict[str, bytes]
    onnx: dict[str, bytes]
    tflite: dict[str, bytes]


def voice(seconds: float, channels: int = 1, rate: int = RATE_HZ) -> NDArray[np.float32]:
    """Something with a pitch, overtones, syllables and some noise, (channels, N)."""
    t = np.arange(round(seconds * rate)) / rate
    pitch = 2 * np.pi * (140 * t + 3 * np.sin(2 * np.pi * 2 * t))
    tones = sum(np.sin(k * pitch) / k for k in range(1, 12))
    noise = np.random.default_rng(0).standard_normal((channels, len(t)))
    return np.asarray(0.1 * np.sin(np.pi * 3 * t) ** 2 * (tones + 0.1 * noise), np.float32)


def originals() -> Originals:
    """All of them."""
    recordings = {}
    for container, encoding in SOUNDS:
        stereo = encoding in ("PCM_24", "VORBIS", "FLOAT")
        recordings[f"{container}-{encoding}"] = by_libsndfile(
            voice(0.4, 2 if stereo else 1), RATE_HZ, container, encoding
        )
    for number, (container, codec, options) in enumerate(MEDIA):
        rate = 48_000 if codec == "libopus" else 44_100
        recordings[f"{container}-{codec}-{number}"] = by_ffmpeg(
            voice(0.4, 1, rate), rate, container, codec, options
        )
    folder = Path(tempfile.mkdtemp())
    tiny, tflite = fabricated("fabricate_bundle"), fabricated("fabricate_tflite")
    preparation = tiny.info().preparation
    onnx = {
        "shipped": packaged.place().read_bytes(),
        "tiny": tiny.write(folder / "tiny.onnx").read_bytes(),
        "tiny-distance": tiny.write(
            folder / "distance.onnx", tiny.info(distance_limit=1.0, threshold=0.5), distance=True
        ).read_bytes(),
        "tiny-fixed": tiny.write(
            folder / "fixed.onnx", tiny.info(preparation=type(preparation)(length_s=1.0, level="rms"))
        ).read_bytes(),
    }
    lite = {
        "tiny": tflite.write(folder / "tiny.tflite").read_bytes(),
        "tiny-behind": tflite.write(folder / "behind.tflite", behind=True).read_bytes(),
    }
    return Originals(recordings, onnx, lite)


def by_libsndfile(samples: NDArray[np.float32], rate: int, container: str, encoding: str) -> bytes:
    """A file's bytes; samples (channels, N)."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples.T, rate, encoding, format=container)
    data = buffer.getvalue()
    peak = data.find(b"PEAK", 0, 200)  # a chunk: name, size, version, time of writing
    if peak > 0:
        data = data[: peak + 12] + bytes(4) + data[peak + 16 :]
    return with_serial(data, SERIAL) if container == "OGG" else data


def by_ffmpeg(
    samples: NDArray[np.float32], rate: int, container: str, codec: str, options: dict[str, str]
) -> bytes:
    """A file's bytes; samples (1, N)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "media"
        with av.open(str(path), "w", format=container, options=options | {"fflags": "+bitexact"}) as file:
            stream = cast(AudioStream, file.add_stream(codec, rate=rate, layout="mono"))
            stream.bit_rate = 64_000  # WMA has no default
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = rate, 0
            converter = av.AudioResampler(format=stream.format, layout="mono", rate=rate)
            for part in [*converter.resample(frame), *converter.resample(None)]:
                file.mux(stream.encode(part))
            file.mux(stream.encode(None))
        return path.read_bytes()


def fabricated(name: str) -> ModuleType:
    """A module of the tests, which make bundles by hand."""
    if str(TESTS) not in sys.path:
        sys.path.append(str(TESTS))
    return importlib.import_module(name)
