"""Recordings that tests make: tones in any container, and decoders that are not vocemo's."""

from __future__ import annotations

import io
import struct
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

Samples = NDArray[np.float32]


def tone(duration_s: float = 1.0, sample_rate: int = 16_000, frequency_hz: float = 440.0) -> Samples:
    """A tone that swells, so that a shift in time or a lost part shows."""
    t = np.arange(round(duration_s * sample_rate)) / sample_rate
    swell = np.linspace(0.05, 0.5, len(t))
    return (swell * np.sin(2 * np.pi * frequency_hz * t)).astype(np.float32)


def encode(
    samples: NDArray[np.generic], sample_rate: int, container: str, encoding: str | None = None
) -> bytes:
    """A file's bytes by libsndfile; samples (N,) or (channels, N)."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.atleast_2d(samples).T, sample_rate, encoding, format=container)
    return buffer.getvalue()


def encode_media(samples: Samples, sample_rate: int, container: str, codec: str, **options: str) -> bytes:
    """A media file's bytes by FFmpeg; samples (N,) or (channels, N)."""
    import av

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "media"
        planes = np.ascontiguousarray(np.atleast_2d(samples), np.float32)
        layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[len(planes)]
        with av.open(str(path), "w", format=container, options=options) as file:
            stream = file.add_stream(codec, rate=sample_rate, layout=layout)
            # Interleaved, since PyAV cannot make a frame of eight planes.
            frame = av.AudioFrame.from_ndarray(planes.T.reshape(1, -1), format="flt", layout=layout)
            frame.sample_rate, frame.pts = sample_rate, 0
            converter = av.AudioResampler(format=stream.format, layout=layout, rate=sample_rate)
            for part in [*converter.resample(frame), *converter.resample(None)]:
                file.mux(stream.encode(part))
            file.mux(stream.encode(None))
        return path.read_bytes()


def silent_film() -> bytes:
    """An MP4 with a picture and no sound."""
    import av

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        with av.open(str(path), "w") as file:
            stream = file.add_stream("mpeg4", rate=5)
            stream.width = stream.height = 32
            for _ in range(5):
                picture = np.zeros((32, 32, 3), np.uint8)
                file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            file.mux(stream.encode(None))
        return path.read_bytes()


def parse_pcm(data: bytes) -> tuple[NDArray[np.float64], int]:
    """(frames, channels) and rate of a PCM or float WAV, or an AIFF, read by the book alone."""
    big = data[:4] == b"FORM"
    order = ">" if big else "<"
    rate = channels = bits = kind = 0
    position = 12
    while position + 8 <= len(data):
        name, size = (
            data[position : position + 4],
            struct.unpack(order + "I", data[position + 4 : position + 8])[0],
        )
        body = data[position + 8 : position + 8 + size]
        if name == b"fmt ":
            kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
        elif name == b"COMM":
            channels, _, bits = struct.unpack(">hIh", body[:8])
            exponent, mantissa = struct.unpack(">HQ", body[8:18])  # an 80-bit extended float
            kind, rate = 1, round(mantissa * 2.0 ** (exponent - 16383 - 63))
        elif name in (b"data", b"SSND"):
            raw = body[8:] if big else body
            break
        position += 8 + size + size % 2
    else:
        raise ValueError("no audio")
    raw = raw[: len(raw) // (channels * bits // 8) * (channels * bits // 8)]
    if kind == 3:
        flat = np.frombuffer(raw, f"{order}f{bits // 8}").astype(np.float64)
    elif bits == 8:
        flat = (np.frombuffer(raw, np.uint8).astype(np.float64) - 128) / 128
    elif bits == 24:
        octets = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        low, middle, high = octets.T if not big else octets.T[::-1]
        whole = (
            low.astype(np.int64)
            + (middle.astype(np.int64) << 8)
            + (high.astype(np.int8).astype(np.int64) << 16)
        )
        flat = whole / 2.0**23
    else:
        flat = np.frombuffer(raw, f"{order}i{bits // 8}") / 2.0 ** (bits - 1)
    return flat.reshape(-1, channels), rate


class Pipe(io.RawIOBase):
    """A file object that gives its bytes once, a few at a time, and cannot seek."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, 1000) if size >= 0 else -1)
