"""The sample clips are what scripts/make_samples.py speaks, and differ as their names say."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vocemo.emotions import EMOTIONS

ROOT = Path(__file__).resolve().parent.parent
CLIPS = ROOT / "samples"


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of clips that the script has just made."""
    spec = importlib.util.spec_from_file_location("make_samples", ROOT / "scripts" / "make_samples.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    folder = tmp_path_factory.mktemp("spoken") / "new"
    script.main([str(folder)])
    return folder


def clip(emotion: str, folder: Path = CLIPS) -> np.ndarray:
    """The 16-bit samples of one clip, the shipped one unless told."""
    path = folder / f"synthetic-{emotion}.flac"
    about = soundfile.info(path)
    assert (about.format, about.subtype, about.samplerate, about.channels) == ("FLAC", "PCM_16", 16_000, 1)
    samples: np.ndarray = soundfile.read(path, dtype="int16")[0].astype(int)
    return samples


def spoken_s(emotion: str) -> float:
    """How long a clip is without the silence around it."""
    loud = np.flatnonzero(np.abs(clip(emotion)) > 0.05 * np.abs(clip(emotion)).max())
    return float(loud[-1] - loud[0]) / 16_000


def level_db(emotion: str) -> float:
    """The root mean square level of a clip, in dB against full scale."""
    return float(10 * np.log10(np.mean((clip(emotion) / 32768.0) ** 2)))


def pitch_hz(emotion: str) -> float:
    """The median fundamental frequency, by the autocorrelation of frames of 60 ms."""
    samples, lags = clip(emotion) / 32768.0, np.arange(16_000 // 400, 16_000 // 70)
    found = []
    for start in range(0, len(samples) - 960, 480):
        frame = samples[start : start + 960] * np.hanning(960)
        spectrum = np.fft.rfft(frame, 2048)
        correlation = np.fft.irfft(np.abs(spectrum) ** 2)
        # Divided by the window's own autocorrelation, a longer lag is no disadvantage (Boersma 1993).
        own = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(960), 2048)) ** 2)
        normal = correlation[lags] / correlation[0] * own[0] / own[lags]
        if frame.std() > 0.1 * samples.std() and normal.max() > 0.8:
            found.append(16_000 / lags[np.argmax(normal > 0.9 * normal.max())])
    return float(np.median(found))


def test_one_clip_for_each_emotion() -> None:
    assert sorted(path.stem for path in CLIPS.glob("*.flac")) == sorted(f"synthetic-{e}" for e in EMOTIONS)
    assert sum(path.stat().st_size for path in CLIPS.glob("*.flac")) < 500_000


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_a_clip_is_what_the_script_speaks(emotion: str, spoken: Path) -> None:
    made, shipped = clip(emotion, spoken), clip(emotion)
    assert len(made) == len(shipped)
    # Another machine's sine may differ in its last bit, and so a sample in its last step or two.
    assert np.abs(made - shipped).max() <= 2


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_a_clip_is_short_and_whole(emotion: str) -> None:
    samples = clip(emotion)
    assert 3.2 <= len(samples) / 16_000 <= 3.5
    assert np.abs(samples).max() < 32767
    assert np.abs(samples).max() > 1000
    assert f"`synthetic-{emotion}.flac`" in (CLIPS / "README.md").read_text(encoding="utf-8")


def test_the_manners_differ_as_the_literature_says() -> None:
    level = {emotion: level_db(emotion) for emotion in EMOTIONS}
    assert level["angry"] > level["happy"] > level["neutral"] > level["calm"] > level["sad"]
    length = {emotion: spoken_s(emotion) for emotion in EMOTIONS}
    assert length["sad"] > length["calm"] > length["neutral"] > length["happy"] > length["fearful"]
    pitch = {emotion: pitch_hz(emotion) for emotion in EMOTIONS}
    assert pitch["fearful"] > pitch["happy"] > pitch["neutral"] > pitch["sad"]
    assert pitch["neutral"] == pytest.approx(118, rel=0.1)
