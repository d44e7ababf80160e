"""Decoding against the format's own book, FFmpeg, and SciPy; every way in gives the same samples."""

from __future__ import annotations

import builtins
import io
import os
import struct
import sys
import threading
import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recordings import Pipe, encode, encode_media, parse_pcm, silent_film, tone
from vocemo.audio import Audio, decode, decode_chunks, probe, resample, write
from vocemo.errors import (
    AudioError,
    AudioNotFoundError,
    EmptyAudioError,
    MissingExtraError,
    NonFiniteAudioError,
    NotAudioError,
    TooShortAudioError,
    UnknownNameError,
    UsageError,
)

RATE_HZ = 16_000
TONE = tone(1.0, RATE_HZ)


def joined(chunks: list[Audio]) -> np.ndarray:
    return np.concatenate([chunk.samples for chunk in chunks])


# --- every encoding -------------------------------------------------------------------------------

# Container, encoding, largest error of a sample: half a step and the writer's scale of 2^n - 1.
EXACT = [
    ("WAV", "PCM_U8", 2**-6),
    ("WAV", "PCM_16", 2**-14),
    ("WAV", "PCM_24", 2**-22),
    ("WAV", "PCM_32", 2**-23),
    ("WAV", "FLOAT", 0.0),
    ("WAV", "DOUBLE", 0.0),
    ("WAV", "ULAW", 0.02),
    ("WAV", "ALAW", 0.02),
    ("WAV", "MS_ADPCM", 0.02),
    ("WAVEX", "PCM_16", 2**-14),
    ("RF64", "PCM_16", 2**-14),
    ("W64", "PCM_16", 2**-14),
    ("AIFF", "PCM_16", 2**-14),
    ("AIFF", "PCM_24", 2**-22),
    ("AIFF", "FLOAT", 0.0),
    ("AU", "PCM_16", 2**-14),
    ("CAF", "PCM_16", 2**-14),
    ("FLAC", "PCM_S8", 2**-6),
    ("FLAC", "PCM_16", 2**-14),
    ("FLAC", "PCM_24", 2**-22),
    ("OGG", "VORBIS", 0.05),
    ("OGG", "OPUS", 0.1),
    ("MP3", "MPEG_LAYER_III", 0.05),
]


@pytest.mark.parametrize(("container", "encoding", "tolerance"), EXACT)
def test_every_encoding(container: str, encoding: str, tolerance: float) -> None:
    audio = decode(encode(TONE, RATE_HZ, container, encoding))
    assert audio.samples.dtype == np.float32 and audio.samples.ndim == 1
    assert audio.sample_rate == RATE_HZ
    assert audio.warnings == ()
    assert len(audio.samples) >= len(TONE)  # block codecs end with a whole block
    lag = 0
    if encoding == "OPUS":  # libsndfile's encoder, not its decoder, cuts up to 5 ms from the beginning
        lag = len(TONE) - 1 - int(np.argmax(scipy.signal.correlate(audio.samples, TONE)))
        assert lag <= 0.005 * RATE_HZ
    overlap = len(TONE) - max(lag, 200 if lag else 0)
    assert np.abs(audio.samples[:overlap] - TONE[lag : lag + overlap]).max() <= tolerance


@pytest.mark.parametrize("encoding", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_wav_samples_are_those_of_the_specification(encoding: str, channels: int) -> None:
    data = encode(np.stack([TONE * (k + 1) / 4 for k in range(channels)]), 44_100, "WAV", encoding)
    expected, rate = parse_pcm(data)
    audio = decode(data)
    assert audio.sample_rate == rate == 44_100
    assert np.abs(audio.samples - expected.mean(axis=1)).max() < 1e-7


def test_wav_agrees_with_the_standard_library(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    steps = np.random.default_rng(0).integers(-32768, 32768, 4001, dtype=np.int16)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 22_050, 0, "NONE", ""))
        file.writeframes(steps.tobytes())
    audio = decode(path)
    assert np.array_equal(audio.samples, (steps / 32768).astype(np.float32))


@pytest.mark.parametrize(
    ("container", "codec", "rate", "tolerance"),
    [
        ("ipod", "aac", 44_100, 0.05),  # .m4a
        ("mp4", "aac", 16_000, 0.05),
        ("mp4", "alac", 44_100, 1e-4),
        ("webm", "libopus", 48_000, 0.05),
        ("matroska", "flac", 44_100, 1e-4),
        ("ogg", "flac", 44_100, 1e-4),
        ("ogg", "libopus", 48_000, 0.05),
        ("ogg", "libopus", 16_000, 0.05),
        ("mp3", "libmp3lame", 44_100, 0.05),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_media_by_ffmpeg(container: str, codec: str, rate: int, tolerance: float, channels: int) -> None:
    expected = tone(2.0, rate)
    data = encode_media(np.stack([expected] * channels), rate, container, codec)
    audio = decode(data)
    assert audio.sample_rate == rate and audio.warnings == ()
    assert len(audio.samples) == len(expected)  # neither the codec's delay nor its padding is heard
    assert np.abs(audio.samples - expected).max() < tolerance
    info = probe(data)
    assert info.channels == channels and info.sample_rate == rate
    assert info.duration_s == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize("channels", [6, 8])
@pytest.mark.parametrize(("container", "codec"), [("mp4", "aac"), ("matroska", "flac")])
def test_surround_media(container: str, codec: str, channels: int) -> None:
    """Eight planes are one more than PyAV can count."""
    planes = np.stack([tone(1.0, 48_000, 300.0 * (k + 1)) / channels for k in range(channels)])
    planes[3] = 0  # the channel for low frequencies alone passes no others
    data = encode_media(planes, 48_000, container, codec)
    assert probe(data).channels == channels
    audio = decode(data)
    assert len(audio.samples) == 48_000 and audio.warnings == ()
    expected = planes.mean(axis=0)
    error = np.sqrt(np.mean((audio.samples - expected)[:-2048] ** 2))
    assert error < 0.1 * np.sqrt(np.mean(expected**2))
    assert np.array_equal(joined(list(decode_chunks(data, None, 0.3))), audio.samples)


@pytest.mark.parametrize(("container", "codec"), [("adts", "aac"), ("mpegts", "aac"), ("avi", "pcm_s16le")])
def test_media_without_exact_length(container: str, codec: str) -> None:
    expected = tone(2.0, 44_100)
    audio = decode(encode_media(expected, 44_100, container, codec))
    assert audio.duration_s == pytest.approx(2.0, abs=0.06)
    assert audio.warnings == ()
    lag = np.argmax(scipy.signal.correlate(audio.samples, expected)) - (len(expected) - 1)
    assert 0 <= lag <= 2048  # bare AAC begins with the codec's delay, of which nothing tells


@pytest.mark.parametrize(
    ("container", "encoding"), [("FLAC", "PCM_16"), ("AIFF", "PCM_24"), ("WAV", "PCM_24")]
)
def test_agrees_with_ffmpeg_bit_for_bit(container: str, encoding: str) -> None:
    import av

    data = encode(TONE, RATE_HZ, container, encoding)
    with av.open(io.BytesIO(data)) as file:
        frames = [frame.to_ndarray().reshape(-1) for frame in file.decode(audio=0)]
    steps = np.concatenate(frames)
    expected = steps.astype(np.float64) / 2.0 ** (8 * steps.itemsize - 1)
    assert np.array_equal(decode(data).samples, expected.astype(np.float32))


# --- content, not suffix --------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".txt", ".raw", ".vox", ".jpg", ""])
@pytest.mark.parametrize("container", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
def test_suffix_is_never_trusted(tmp_path: Path, container: str, suffix: str) -> None:
    path = tmp_path / f"recording{suffix}"
    path.write_bytes(encode(TONE, RATE_HZ, container))
    assert decode(path).duration_s == pytest.approx(1.0, abs=0.05)
    assert probe(path).container == container


def test_mp3_and_flac_behind_an_id3_tag() -> None:
    tag = b"ID3\x04\x00\x00\x00\x00\x0f\x00" + bytes(15 * 128)
    for container in ("MP3", "FLAC"):
        audio = decode(tag + encode(TONE, RATE_HZ, container))
        assert audio.duration_s == pytest.approx(1.0, abs=0.05)


# --- one source, many ways in ---------------------------------------------------------------------


@pytest.mark.parametrize("container", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
def test_path_bytes_and_file_objects_agree(tmp_path: Path, container: str) -> None:
    data = encode(np.stack([TONE, TONE[::-1]]), RATE_HZ, container)
    path = tmp_path / "a"
    path.write_bytes(data)
    expected = decode(path, 22_050).samples
    with path.open("rb") as file, path.open("rb", buffering=0) as unbuffered:
        file.seek(0)
        ways = [
            str(path),
            data,
            bytearray(data),
            memoryview(data),
            io.BytesIO(data),
            file,
            unbuffered,
            Pipe(data),
        ]
        for way in ways:
            assert np.array_equal(decode(way, 22_050).samples, expected)
        assert not file.closed


def test_file_object_is_read_from_where_it_stands() -> None:
    data = encode(TONE, RATE_HZ, "WAV")
    file = io.BytesIO(b"an envelope" + data)
    file.seek(len(b"an envelope"))
    assert np.array_equal(decode(file).samples, decode(data).samples)
    assert not file.closed


def test_media_file_object_stays_open() -> None:
    file = io.BytesIO(encode_media(TONE, RATE_HZ, "mp4", "aac"))
    assert decode(file).duration_s == pytest.approx(1.0)
    assert not file.closed


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are a thing of POSIX")
def test_named_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    data = encode(TONE, RATE_HZ, "FLAC")
    writer = threading.Thread(target=path.write_bytes, args=(data,))
    writer.start()
    audio = decode(path)
    writer.join()
    assert np.array_equal(audio.samples, decode(data).samples)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    container=st.sampled_from(["WAV", "FLAC", "OGG", "MP3"]),
    frames=st.integers(1, 60_000),
    channels=st.integers(1, 3),
    rate_to=st.sampled_from([None, 8_000, 16_000, 22_050, 44_100, 48_000]),
    chunk_s=st.floats(0.01, 3.0),
)
def test_chunks_joined_are_the_whole(
    monkeypatch: pytest.MonkeyPatch,
    container: str,
    frames: int,
    channels: int,
    rate_to: int | None,
    chunk_s: float,
) -> None:
    if container == "MP3":
        channels = min(channels, 2)
    rng = np.random.default_rng(frames)
    data = encode(
        rng.uniform(-0.5, 0.5, (channels, frames)).astype(np.float32),
        32_000 if container == "MP3" else 24_000,
        container,
    )
    try:
        whole = decode(data, rate_to)
    except TooShortAudioError:
        with pytest.raises(TooShortAudioError):
            list(decode_chunks(data, rate_to, chunk_s))
        return
    with monkeypatch.context() as patch:  # many small blocks in the place of one large one
        patch.setattr("vocemo.audio.decoding.BLOCK_SAMPLES", 7_001)
        chunks = list(decode_chunks(data, rate_to, chunk_s))
    assert np.array_equal(joined(chunks), whole.samples)
    size = max(1, round(chunk_s * whole.sample_rate))
    assert all(len(chunk.samples) == size for chunk in chunks[:-1])
    assert 0 < len(chunks[-1].samples) <= size
    assert all(chunk.sample_rate == whole.sample_rate for chunk in chunks)


def test_chunks_of_media_joined_are_the_whole() -> None:
    data = encode_media(tone(3.0, 44_100), 44_100, "mp4", "aac")
    assert np.array_equal(joined(list(decode_chunks(data, 16_000, 0.7))), decode(data, 16_000).samples)


def test_chunks_need_memory_that_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    minutes = 5
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        minute = (tone(60.0, 48_000) * 32767).astype(np.int16).tobytes()
        for _ in range(minutes):
            file.writeframes(minute)
    tracemalloc.start()
    try:
        seconds = sum(chunk.duration_s for chunk in decode_chunks(path, 16_000, chunk_s=5.0))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seconds == pytest.approx(60 * minutes)
    assert peak_bytes < 16 * 2**20  # all of it at once would be 55 MiB


def test_warnings_stand_in_the_last_chunk() -> None:
    data = encode(TONE, RATE_HZ, "WAV")
    *others, last = decode_chunks(data[:-8_000], None, 0.2)
    assert all(chunk.warnings == () for chunk in others)
    assert "truncated" in last.warnings[0]


# --- channels -------------------------------------------------------------------------------------


def test_mono_is_the_mean_over_channels() -> None:
    rng = np.random.default_rng(1)
    for channels in (2, 6, 8):
        planes = rng.uniform(-1, 1, (channels, 500)).astype(np.float32)
        audio = decode(encode(planes, 48_000, "WAV", "FLOAT"))
        np.testing.assert_allclose(audio.samples, planes.mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_what_one_channel_alone_lost_is_told_of(channels: int) -> None:
    whole = 0.3 * np.random.default_rng(3).normal(0, 0.3, (channels, 8 * RATE_HZ)).astype(np.float32)
    assert not decode(encode(whole, RATE_HZ, "WAV", "FLOAT")).warnings
    # Made slower, so that its tops last for more than two samples.
    whole[-1] = np.clip(np.repeat(whole[-1], 8)[: 8 * RATE_HZ], -0.1, 0.1)
    share = np.mean(np.abs(whole[-1]) == np.float32(0.1))
    (told,) = decode(encode(whole, RATE_HZ, "WAV", "FLOAT")).warnings
    whose = "its" if channels == 1 else "a channel's"
    assert told == f"clipped: {share:.1%} of {whose} samples are cut off"


def test_channels_that_cancel_are_told_of() -> None:
    audio = decode(encode(np.stack([TONE, -TONE]), RATE_HZ, "WAV", "FLOAT"))
    assert "cancel" in audio.warnings[0]
    assert decode(encode(np.zeros((2, 1000), np.float32), RATE_HZ, "WAV")).warnings == ()


def test_integers_in_a_float_file_are_told_of() -> None:
    audio = decode(encode(TONE * 32768, RATE_HZ, "WAV", "FLOAT"))
    assert "full scale" in audio.warnings[0]


# --- resampling -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rate_from", [8_000, 11_025, 22_050, 24_414, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("rate_to", [16_000, 22_050])
def test_tone_survives_resampling(rate_from: int, rate_to: int) -> None:
    frequency_hz = 1_000.0
    x = np.sin(2 * np.pi * frequency_hz * np.arange(rate_from) / rate_from).astype(np.float32)
    y = resample(x, rate_from, rate_to)
    assert abs(len(y) - rate_to) <= 1
    expected = np.sin(2 * np.pi * frequency_hz * np.arange(len(y)) / rate_to)
    middle = slice(len(y) // 8, -len(y) // 8)
    assert np.abs(y[middle] - expected[middle]).max() < 1e-4  # neither gain nor delay


@pytest.mark.parametrize("rate_from", [24_414, 44_100, 48_000, 96_000])
def test_tone_above_the_new_nyquist_frequency_is_gone(rate_from: int) -> None:
    x = np.sin(2 * np.pi * 9_500 * np.arange(rate_from) / rate_from).astype(np.float32)
    y = resample(x, rate_from, 16_000)
    assert np.sqrt(np.mean(y[1000:-1000] ** 2)) < 1e-4  # -80 dB


def test_resampling_agrees_with_scipy() -> None:
    rng = np.random.default_rng(2)
    sos = scipy.signal.butter(8, 5_000, fs=48_000, output="sos")
    x = scipy.signal.sosfilt(sos, rng.standard_normal(48_000)).astype(np.float32)
    ours = resample(x, 48_000, 16_000)
    theirs = scipy.signal.resample_poly(x, 1, 3, window=("kaiser", 14.0))
    middle = slice(500, -500)
    error = np.sqrt(np.mean((ours - theirs)[middle] ** 2) / np.mean(theirs[middle] ** 2))
    assert error < 1e-2


def test_rates_that_sound_does_not_have() -> None:
    for rate in (0, -1, 16_000.5, 10, 10**7, True):
        with pytest.raises(UsageError, match="sample rate"):
            decode(encode(TONE, RATE_HZ, "WAV"), rate)  # that is the point
    with pytest.raises(UsageError, match="chunk_s"):
        decode_chunks(b"", None, 0.0)


# --- cut and damaged ------------------------------------------------------------------------------


CUT_WARNED = [
    ("WAV", "PCM_16"),
    ("WAV", "FLOAT"),
    ("RF64", "PCM_16"),
    ("W64", "PCM_16"),
    ("AIFF", "PCM_16"),
    ("AU", "PCM_16"),
    ("FLAC", "PCM_16"),
    ("OGG", "OPUS"),
    ("OGG", "VORBIS"),
    ("MP3", "MPEG_LAYER_III"),
]


@pytest.mark.parametrize(("container", "encoding"), CUT_WARNED)
def test_cut_recordings_are_answered_with_a_warning(container: str, encoding: str) -> None:
    rng = np.random.default_rng(3)  # noise fills many pages and frames
    whole = (TONE.repeat(4) + 0.05 * rng.standard_normal(4 * len(TONE))).astype(np.float32)
    data = encode(whole, RATE_HZ, container, encoding)
    complete = decode(data)
    assert complete.warnings == ()
    cut = decode(data[: len(data) * 6 // 10])
    assert len(cut.warnings) == 1 and cut.warnings[0].startswith("truncated or damaged: only")
    assert 0.2 * 4 < cut.duration_s < 0.7 * 4
    count = len(cut.samples) - 1000  # the last, broken frame may be the decoder's invention
    np.testing.assert_allclose(cut.samples[:count], complete.samples[:count], atol=1e-6)


def test_wav_warning_says_how_much_there_is() -> None:
    data = encode(TONE, RATE_HZ, "WAV")
    audio = decode(data[: 44 + 16_000])
    assert audio.warnings == (
        "truncated or damaged: only 0.50 s of the 1.00 s that its header promises can be decoded",
    )
    assert audio.duration_s == 0.5


@pytest.mark.parametrize("cut_bytes", [1, 2, 3, 100])
def test_a_cut_too_small_to_hear_is_none(cut_bytes: int) -> None:
    assert decode(encode(TONE, RATE_HZ, "WAV")[:-cut_bytes]).warnings == ()


def test_mp3_without_a_frame_count() -> None:
    data = encode_media(tone(2.0, 44_100), 44_100, "mp3", "libmp3lame", write_xing="0", id3v2_version="0")
    whole = decode(data)
    assert whole.warnings == ()
    assert probe(data).duration_s == pytest.approx(whole.duration_s)
    assert decode(data + b"TAG".ljust(128, b"\0")).warnings == ()
    assert decode(data[: len(data) // 2 - 50]).warnings[0].startswith("truncated")


def test_cut_media_is_answered_with_a_warning() -> None:
    x = tone(4.0, 44_100)
    for data in (
        encode_media(x, 44_100, "mp4", "aac", movflags="faststart"),
        encode_media(tone(4.0, 48_000), 48_000, "webm", "libopus"),
        encode_media(x, 44_100, "ogg", "flac"),
    ):
        audio = decode(data[: len(data) // 2])
        assert audio.warnings[0].startswith("truncated or damaged")
        assert 0.5 < audio.duration_s < 2.6


def test_mp4_that_was_cut_before_its_index() -> None:
    data = encode_media(tone(4.0, 44_100), 44_100, "mp4", "aac")
    with pytest.raises(NotAudioError, match="cut off"):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize("container", ["FLAC", "MP3"])
def test_damage_in_the_middle_keeps_what_came_before(container: str) -> None:
    data = bytearray(encode(np.tile(TONE, 4), RATE_HZ, container))
    complete = decode(bytes(data))
    data[len(data) // 2 : len(data) // 2 + 1500] = bytes(1500)
    audio = decode(bytes(data))
    assert audio.warnings[0].startswith("truncated or damaged")
    count = len(audio.samples) - 1500
    assert count > 8_000
    np.testing.assert_allclose(audio.samples[:count], complete.samples[:count], atol=1e-6)


@pytest.mark.parametrize("form_size", [0, 36])
def test_wav_of_a_recorder_that_was_switched_off(form_size: int) -> None:
    data = bytearray(encode(TONE, RATE_HZ, "WAV"))
    data[4:8] = struct.pack("<I", form_size)
    data[40:44] = bytes(4)
    audio = decode(bytes(data))
    assert np.array_equal(audio.samples, decode(encode(TONE, RATE_HZ, "WAV")).samples)
    assert "unfinished" in audio.warnings[0]


def test_wav_that_was_written_to_a_pipe_is_whole() -> None:
    data = bytearray(encode(TONE, RATE_HZ, "WAV"))
    data[4:8] = data[40:44] = b"\xff" * 4
    audio = decode(bytes(data))
    assert len(audio.samples) == len(TONE) and audio.warnings == ()


def test_flac_that_was_written_to_a_pipe_is_whole() -> None:
    data = bytearray(encode(TONE, RATE_HZ, "FLAC"))
    data[21] &= 0xF0  # STREAMINFO: 36 bits that count the samples, zero for unknown
    data[22:26] = bytes(4)
    audio = decode(bytes(data))
    assert len(audio.samples) == len(TONE) and audio.warnings == ()
    assert probe(bytes(data)).duration_s == 1.0


# --- refused, each by name ------------------------------------------------------------------------

WAV_HEADER = encode(TONE, RATE_HZ, "WAV")[:44]
REFUSED: list[tuple[str, bytes, type[AudioError], str]] = [
    ("empty", b"", EmptyAudioError, "is empty"),
    ("wav-without-data-chunk", WAV_HEADER[:36], EmptyAudioError, "WAV header with no audio"),
    ("wav-cut-behind-its-header", WAV_HEADER, EmptyAudioError, "no audio"),
    ("wav-of-no-samples", encode(np.zeros((0,), np.float32), RATE_HZ, "WAV"), EmptyAudioError, "no audio"),
    ("wav-cut-in-its-header", WAV_HEADER[:20], EmptyAudioError, "no audio"),
    ("text", b"Dear diary, today I was happy.\n" * 300, NotAudioError, "text"),
    ("text-not-ascii", "Καλημέρα κόσμε. ".encode() * 500, NotAudioError, "text"),
    ("jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 9, NotAudioError, "JPEG"),
    ("png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), NotAudioError, "PNG"),
    ("web-page", b"<!DOCTYPE html><html><title>404</title>", NotAudioError, "web page"),
    ("git-lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", NotAudioError, "Git LFS"),
    ("playlist", b"#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1/secret\n", NotAudioError, "text"),
    ("zip", b"PK\x03\x04" + bytes(range(256)), NotAudioError, "ZIP"),
    ("zeros", bytes(5000), NotAudioError, "zero bytes"),
    ("random", bytes(np.random.default_rng(5).integers(0, 128, 5000, np.uint8)), NotAudioError, "no audio"),
    ("mp3-of-one-broken-frame", encode(TONE, RATE_HZ, "MP3")[:60], NotAudioError, "looks like MP3"),
    ("ogg-cut-in-its-header", encode(TONE, RATE_HZ, "OGG")[:100], NotAudioError, "looks like OGG"),
    ("flac-cut-in-its-header", encode(TONE, RATE_HZ, "FLAC")[:20], NotAudioError, "looks like FLAC"),
]


@pytest.mark.parametrize(("name", "data", "error", "reason"), REFUSED, ids=[case[0] for case in REFUSED])
def test_refused_with_file_and_reason(
    tmp_path: Path, name: str, data: bytes, error: type[AudioError], reason: str
) -> None:
    path = tmp_path / f"{name}.wav"
    path.write_bytes(data)
    for attempt in (decode, probe, lambda p: list(decode_chunks(p))):
        with pytest.raises(error, match=reason) as caught:
            attempt(path)
        assert str(path) in str(caught.value)
    with pytest.raises(error, match="the given bytes"):
        decode(data)


def test_paths_that_are_no_recordings(tmp_path: Path) -> None:
    with pytest.raises(NotAudioError, match="is a directory"):
        decode(tmp_path)
    with pytest.raises(AudioNotFoundError, match=r"nowhere\.wav: no such file"):
        decode(tmp_path / "nowhere.wav")
    with pytest.raises(AudioNotFoundError, match="no such file"):
        decode("a\0b.wav")
    with pytest.raises(AudioNotFoundError):
        decode("x" * 5000)
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(AudioNotFoundError):
        decode(tmp_path / "file" / "below.wav")


def test_sources_of_the_wrong_type() -> None:
    with pytest.raises(UsageError, match="int"):
        decode(5)  # that is the point
    with pytest.raises(UsageError, match="text mode"):
        decode(io.StringIO("text"))  # that is the point


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channel", [0, 1])
def test_samples_that_are_no_numbers(value: float, channel: int) -> None:
    planes = np.stack([TONE, TONE])
    planes[channel, 4_000] = value
    with pytest.raises(NonFiniteAudioError, match=r"at 0\.250 s"):
        decode(encode(planes, RATE_HZ, "WAV", "FLOAT"), 8_000)


def test_header_that_cannot_be_true() -> None:
    data = bytearray(encode(TONE, RATE_HZ, "WAV"))
    data[24:28] = struct.pack("<I", 7)
    with pytest.raises(NotAudioError, match="7 Hz"):
        decode(bytes(data))


def test_less_than_one_sample_at_the_new_rate() -> None:
    with pytest.raises(TooShortAudioError, match="less than one sample"):
        decode(encode(np.float32([0.5]), 48_000, "WAV"), 8_000)


def test_picture_without_sound() -> None:
    with pytest.raises(NotAudioError, match="without an audio track"):
        decode(silent_film())


def test_media_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "memo.m4a"
    path.write_bytes(encode_media(TONE, RATE_HZ, "ipod", "aac"))
    real = builtins.__import__

    def without_av(name: str, *args: object, **kwargs: object) -> object:
        if name == "av":
            raise ImportError(name)
        return real(name, *args, **kwargs)  # passed on as it came

    monkeypatch.setattr(builtins, "__import__", without_av)
    with pytest.raises(MissingExtraError, match=r"memo\.m4a.*vocemo\[media\]"):
        decode(path)
    with pytest.raises(NotAudioError, match="looks like FLAC"):
        decode(encode(TONE, RATE_HZ, "FLAC")[:20])


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_broken_bytes_are_answered_or_refused_never_worse(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(WHOLE)))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, min(len(whole), 120) - 1))] = data.draw(st.integers(0, 255))
    stop = data.draw(st.integers(0, len(whole)))
    try:
        audio = decode(bytes(whole[:stop]), 16_000)
    except AudioError as error:
        assert str(error).startswith("the given bytes: ")
    else:
        assert len(audio.samples) > 0
        assert np.isfinite(audio.samples).all()


WHOLE = [
    *(
        encode(TONE[:3000], RATE_HZ, container)
        for container in ("WAV", "AIFF", "FLAC", "OGG", "AU", "W64", "CAF")
    ),
    encode(TONE[:3000], RATE_HZ, "WAV", "PCM_24"),
    encode_media(TONE[:3000], RATE_HZ, "mp4", "aac"),
    encode_media(TONE[:3000], RATE_HZ, "adts", "aac"),
    encode_media(TONE[:3000], RATE_HZ, "mpegts", "aac"),
    encode_media(tone(0.2, 48_000), 48_000, "webm", "libopus"),
]


# --- probe and write ------------------------------------------------------------------------------


@pytest.mark.parametrize(("container", "encoding"), [case[:2] for case in EXACT])
def test_probe_says_what_decode_gives(container: str, encoding: str) -> None:
    data = encode(np.stack([TONE, TONE]), RATE_HZ, container, encoding)
    info, audio = probe(data), decode(data)
    assert info.duration_s == pytest.approx(audio.duration_s, abs=1e-9)
    assert (info.sample_rate, info.channels, info.encoding) == (RATE_HZ, 2, encoding)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".aiff"])
def test_written_samples_come_back_bit_for_bit(tmp_path: Path, suffix: str) -> None:
    steps = np.random.default_rng(6).integers(-32768, 32768, 5000)
    steps[:2] = -32768, 32767
    samples = (steps / 32768).astype(np.float32)
    write(tmp_path / f"a{suffix}", samples, RATE_HZ)
    assert np.array_equal(decode(tmp_path / f"a{suffix}").samples, samples)


def test_write_clips_and_takes_channels(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", np.float32([[2.0, -2.0, 0.5], [2.0, -2.0, 0.0]]), RATE_HZ)
    assert probe(tmp_path / "a.wav").channels == 2
    np.testing.assert_allclose(decode(tmp_path / "a.wav").samples, [1, -1, 0.25], atol=1e-4)
    write(tmp_path / "b.wav", np.float32([2.0, -2.0]), RATE_HZ, encoding="FLOAT")
    assert decode(tmp_path / "b.wav").samples.tolist() == [2.0, -2.0]


@pytest.mark.parametrize("suffix", [".ogg", ".mp3", ".opus"])
def test_write_lossy(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"a{suffix}", TONE, RATE_HZ)
    back = decode(tmp_path / f"a{suffix}").samples
    assert np.sqrt(np.mean(back**2)) == pytest.approx(np.sqrt(np.mean(TONE**2)), rel=0.02)


def test_write_refuses(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"\.wav"):
        write(tmp_path / "a.xyz", TONE, RATE_HZ)
    with pytest.raises(UnknownNameError, match="PCM_16"):
        write(tmp_path / "a.wav", TONE, RATE_HZ, encoding="PCM_17")
    with pytest.raises(UsageError, match="folder"):
        write(tmp_path / "none" / "a.wav", TONE, RATE_HZ)
    with pytest.raises(UsageError, match="float"):
        write(tmp_path / "a.wav", np.zeros(5, np.int16), RATE_HZ)  # that is the point
    with pytest.raises(EmptyAudioError):
        write(tmp_path / "a.wav", np.zeros(0, np.float32), RATE_HZ)
    with pytest.raises(NonFiniteAudioError):
        write(tmp_path / "a.wav", np.float32([np.nan]), RATE_HZ)
    with pytest.raises(UsageError, match="cannot be written"):
        write(tmp_path / "a.opus", TONE, 44_100)
    assert not list(tmp_path.iterdir())
