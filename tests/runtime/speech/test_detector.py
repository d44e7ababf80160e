"""The speech detector: the published graph, the same numbers in any pieces, speech told from what is none."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vocemo import audio
from vocemo.runtime.speech import FRAME_S, SpeechDetector, spans
from vocemo.runtime.speech.detector import FRAME, GRAPH, RATE_HZ

SAMPLES = Path(__file__).parents[3] / "samples"
# silero_vad_16k_sequence.onnx of silero-vad 6.2.3
PUBLISHED = "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"


def spoken() -> np.ndarray:
    found = audio.decode(SAMPLES / "synthetic-angry.flac")
    return audio.resample(found.samples, found.sample_rate, RATE_HZ)


def test_the_graph_is_the_published_one() -> None:
    assert hashlib.sha256(GRAPH.read_bytes()).hexdigest() == PUBLISHED
    assert "MIT License" in (GRAPH.parent / "LICENSE-SILERO").read_text(encoding="utf-8")


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 9_000), min_size=1, max_size=20))
def test_pieces_of_any_size_give_the_same_numbers(sizes: list[int]) -> None:
    voice = spoken()[: sum(sizes)]
    stream, found, at = SpeechDetector().stream(), [], 0
    for size in sizes:
        found.append(stream.push(voice[at : at + size]))
        at += size
    together = np.concatenate([*found, stream.finish()])
    assert len(together) == -(-len(voice) // FRAME)
    np.testing.assert_array_equal(together, SpeechDetector().probabilities(voice))


def test_streams_on_several_threads_leave_each_other_alone() -> None:
    detector, voice = SpeechDetector(), spoken()
    cut = [voice[start:] for start in range(0, 8_000, 1_000)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(detector.probabilities, cut))
    for heard, part in zip(together, cut, strict=True):
        np.testing.assert_array_equal(heard, detector.probabilities(part))


@pytest.mark.parametrize("level_db", [-60, -30, -10])
def test_silence_noise_and_tones_are_no_speech(level_db: int) -> None:
    rng, level = np.random.default_rng(0), 10 ** (level_db / 20)
    time_s = np.arange(4 * RATE_HZ) / RATE_HZ
    for sound in (np.zeros(len(time_s)), rng.standard_normal(len(time_s)), np.sin(880 * np.pi * time_s)):
        assert spans(SpeechDetector().probabilities((level * sound).astype(np.float32))) == []


def test_real_speech_is_found_where_it_is(corpora_dir: Path) -> None:
    """RAVDESS's speakers begin about a second after the recording does and stop as long before its end."""
    clips = sorted((corpora_dir / "ravdess").rglob("03-01-0*-01-0*-01-1*.*"))[::17]
    assert len(clips) == 10
    shares = []
    for clip in clips:
        found = audio.decode(clip)
        voice = audio.resample(found.samples, found.sample_rate, RATE_HZ)
        speech = spans(SpeechDetector().probabilities(voice))
        assert speech, clip.name
        assert speech[0].start * FRAME_S > 0.3
        assert len(voice) / RATE_HZ - speech[-1].stop * FRAME_S > 0.2
        shares.append(sum(span.stop - span.start for span in speech) * FRAME_S * RATE_HZ / len(voice))
    assert 0.3 < float(np.mean(shares)) < 0.8
