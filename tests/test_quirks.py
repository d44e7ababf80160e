"""Ten original files that break naive loaders, each read right or refused by name.

Oracles: the samples by the specification of WAV and AIFF alone, FFmpeg, and the same recordings as they
stand in the corpora at 16 kHz, where another program put them.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recordings import parse_pcm
from vocemo.audio import decode, decode_chunks, probe
from vocemo.errors import EmptyAudioError
from vocemo.prepare import Preparation, prepare

# Container, encoding, rate in Hz, channels, frames; and where the corpora hold the same recording.
READ: dict[str, tuple[str, str, int, int, int, str | None]] = {
    "03-01-01-01-01-01-01.wav": (
        *("WAV", "PCM_16", 48_000, 1, 158_558),
        "ravdess/Audio_Speech_Actors_01-24/Actor_01/03-01-01-01-01-01-01.flac",
    ),
    "03-01-03-01-02-01-20.wav": (
        *("WAV", "PCM_16", 48_000, 2, 166_566),
        "ravdess/Audio_Speech_Actors_01-24/Actor_20/03-01-03-01-02-01-20.flac",
    ),
    "03-02-01-01-01-01-24.wav": (
        *("WAV", "PCM_16", 48_000, 2, 229_029),
        "ravdess/Audio_Song_Actors_01-24/Actor_24/03-02-01-01-01-01-24.flac",
    ),
    "03a01Fa.wav": ("WAV", "PCM_16", 16_000, 1, 30_372, "emodb/wav/03a01Fa.flac"),
    "507testYAF_germ_angry29.wav": ("AIFF", "PCM_16", 24_414, 1, 53_847, None),
    "751testOA_bite_neutral48.wav": ("WAV", "PCM_16", 24_414, 1, 51_589, None),
    "762testOAF_food_fear52.wav": ("WAV", "PCM_16", 96_000, 1, 145_172, None),
    "a01 (2).wav": ("WAV", "FLOAT", 44_100, 1, 153_374, "aesdd/anger/a01 (2).flac"),
    "a05 (6).wav": ("WAV", "PCM_24", 44_100, 1, 215_071, "aesdd/anger/a05 (6).flac"),
}
REFUSED = "s05 (3).wav"


@pytest.fixture(scope="module")
def quirks_dir(corpora_dir: Path) -> Path:
    return corpora_dir / "quirks"


def test_every_file_is_spoken_for(quirks_dir: Path) -> None:
    assert {path.name for path in quirks_dir.iterdir()} == {*READ, REFUSED}


@pytest.mark.parametrize("name", READ)
def test_samples_are_those_of_the_specification(quirks_dir: Path, name: str) -> None:
    container, encoding, rate, channels, frames, _ = READ[name]
    path = quirks_dir / name
    info = probe(path)
    assert (info.container, info.encoding, info.sample_rate, info.channels) == (
        container,
        encoding,
        rate,
        channels,
    )
    assert info.duration_s == pytest.approx(frames / rate)
    expected, expected_rate = parse_pcm(path.read_bytes())
    audio = decode(path)
    assert audio.warnings == ()
    assert audio.sample_rate == expected_rate == rate
    assert audio.samples.shape == (frames,) == (len(expected),)
    assert np.abs(audio.samples - expected.mean(axis=1)).max() < 1e-7
    assert 1e-4 < np.abs(audio.samples).max() <= 1.0


@pytest.mark.parametrize("name", READ)
def test_samples_are_those_of_ffmpeg(quirks_dir: Path, name: str) -> None:
    import av

    with av.open(str(quirks_dir / name)) as file:
        stream = file.streams.audio[0]
        planes = []
        for frame in file.decode(stream):
            array = frame.to_ndarray()
            planes.append(array.T if frame.format.is_planar else array.reshape(-1, frame.layout.nb_channels))
        steps = np.concatenate(planes)
    scale = 1.0 if steps.dtype.kind == "f" else 2.0 ** (8 * steps.itemsize - 1)
    expected = (steps.astype(np.float64) / scale).mean(axis=1)
    assert np.abs(decode(quirks_dir / name).samples - expected).max() < 1e-7


@pytest.mark.parametrize("name", [name for name, facts in READ.items() if facts[-1]])
def test_resampled_it_is_the_recording_of_the_corpus(corpora_dir: Path, name: str) -> None:
    twin = decode(corpora_dir / str(READ[name][-1]))
    audio = decode(corpora_dir / "quirks" / name, 16_000)
    assert abs(len(audio.samples) - len(twin.samples)) <= 1
    count = min(len(audio.samples), len(twin.samples))
    error = audio.samples[:count] - twin.samples[:count]
    assert np.sqrt(np.mean(error**2)) < 2e-3 * np.sqrt(np.mean(twin.samples**2))  # -54 dB: another filter


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("rate", [None, 16_000, 22_050])
def test_path_bytes_file_and_chunks_agree(quirks_dir: Path, name: str, rate: int | None) -> None:
    path = quirks_dir / name
    expected = decode(path, rate).samples
    assert np.array_equal(decode(path.read_bytes(), rate).samples, expected)
    with path.open("rb") as file:
        assert np.array_equal(decode(file, rate).samples, expected)
    chunks = [chunk.samples for chunk in decode_chunks(path, rate, 0.37)]
    assert np.array_equal(np.concatenate(chunks), expected)


@pytest.mark.parametrize("name", READ)
def test_another_suffix_changes_nothing(quirks_dir: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "recording.mp3"
    shutil.copyfile(quirks_dir / name, copy)
    assert np.array_equal(decode(copy).samples, decode(quirks_dir / name).samples)


@pytest.mark.parametrize("name", READ)
def test_prepared_they_are_loud_finite_and_as_long_as_asked(quirks_dir: Path, name: str) -> None:
    audio = decode(quirks_dir / name, 16_000)
    options = Preparation(trim_below_peak_db=40.0, level="rms", length_s=3.0)
    ready = prepare(audio.samples, audio.sample_rate, options)
    assert ready.samples.shape == (48_000,) and not ready.silent
    whole = prepare(audio.samples, audio.sample_rate, replace(options, length_s=None))
    assert bool(ready.warnings) == (whole.length > 3.25 * 16_000)  # what is cut off is said, and nothing else
    assert all(warning.startswith("cut: ") for warning in ready.warnings)
    assert np.isfinite(ready.samples).all()
    assert 1.0 * 16_000 < ready.length <= 48_000


@pytest.mark.parametrize("attempt", [decode, probe, lambda path: list(decode_chunks(path))])
def test_header_without_audio_is_refused_by_name(quirks_dir: Path, attempt: object) -> None:
    assert callable(attempt)
    with pytest.raises(EmptyAudioError, match=r"s05 \(3\)\.wav: a WAV header with no audio behind it"):
        attempt(quirks_dir / REFUSED)
