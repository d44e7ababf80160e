"""One channel of a recording is what a mono file of it is, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recordings import encode, encode_media
from vocemo.audio import decode, decode_chunks, write
from vocemo.errors import NonFiniteAudioError, UsageError

RATE_HZ = 48_000


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """(3, N): noises that have nothing in common, so long that a file of three is several blocks."""
    rng = np.random.default_rng(3)
    return rng.uniform(-0.9, 0.9, (3, 25 * RATE_HZ)).astype(np.float32)


@pytest.mark.parametrize(
    "form", [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", "PCM_16"), ("AIFF", "PCM_24")]
)
@pytest.mark.parametrize("rate", [None, 16_000])
def test_a_channel_is_its_mono_file(rows: np.ndarray, form: tuple[str, str], rate: int | None) -> None:
    together = encode(rows, RATE_HZ, *form)
    for channel, row in enumerate(rows):
        alone = decode(encode(row, RATE_HZ, *form), rate)
        taken = decode(together, rate, channel)
        assert np.array_equal(taken.samples, alone.samples) and taken.warnings == alone.warnings == ()
        assert taken.samples.flags.c_contiguous
        chunks = [each.samples for each in decode_chunks(together, rate, 7.0, channel)]
        assert len(chunks) == 4 and np.array_equal(np.concatenate(chunks), alone.samples)
    assert not np.array_equal(decode(together, rate).samples, decode(together, rate, 0).samples)


def test_what_pyav_decodes_has_its_channels_apart() -> None:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    tones = 0.3 * np.sin(2 * np.pi * np.array([[440.0], [1000.0]]) * time_s).astype(np.float32)
    film = encode_media(tones, RATE_HZ, "matroska", "pcm_s16le")
    for channel in (0, 1):
        assert decode(film, None, channel).samples == pytest.approx(tones[channel], abs=2**-14)


def test_what_is_remarked_on_is_the_channel_s_own(tmp_path: Path) -> None:
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    fine = 0.3 * np.sin(2 * np.pi * 300 * time_s)
    cut = np.clip(3 * fine / 0.3, -0.8, 0.8)
    path = tmp_path / "call.wav"
    write(path, np.stack([fine, cut]).astype(np.float32), RATE_HZ)
    assert decode(path, None, 0).warnings == ()
    (warning,) = decode(path, None, 1).warnings
    assert warning.startswith("clipped: ") and "of its samples" in warning
    # Reversed wires are no fault of either.
    write(path, np.stack([fine, -fine]).astype(np.float32), RATE_HZ)
    assert decode(path).warnings and not decode(path, None, 1).warnings


def test_what_is_no_number_is_the_fault_of_its_own_channel() -> None:
    rows = np.full((2, 1000), 0.25, np.float32)
    rows[1, 480] = np.nan
    data = encode(rows, RATE_HZ, "WAV", "FLOAT")
    assert np.array_equal(decode(data, None, 0).samples, rows[0])
    with pytest.raises(NonFiniteAudioError, match=r"0\.010 s"):
        decode(data, None, 1)


@pytest.mark.parametrize("channel", [2, -1, True, 0.5, "left"])
def test_a_channel_that_is_not_there(channel: int) -> None:
    data = encode(np.zeros((2, 100), np.float32), RATE_HZ, "WAV")
    with pytest.raises(UsageError, match=r"has no channel .*; it has 2, counted from 0"):
        decode(data, None, channel)
    chunks = decode_chunks(data, None, 1.0, channel)
    with pytest.raises(UsageError, match="it has 2"):
        next(chunks)
    with pytest.raises(UsageError, match="it has 1,"):
        decode(encode(np.zeros(100, np.float32), RATE_HZ, "WAV"), None, 1)
