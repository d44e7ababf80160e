from __future__ import annotations

import dataclasses
import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

import fabricate_bundle
from vocemo import audio
from vocemo.errors import (
    AudioNotFoundError,
    BundleError,
    EmptyAudioError,
    NonFiniteAudioError,
    NotAudioError,
    TooShortAudioError,
    UsageError,
)
from vocemo.prepare import Preparation
from vocemo.runtime.batches import similar as batches_of
from vocemo.runtime.prediction import Failure, Prediction
from vocemo.runtime.predictor import Predictor, load

RATE_HZ = fabricate_bundle.RATE_HZ
Recording = Callable[..., Path]


def with_preparation(tmp_path: Path, **options: object) -> Predictor:
    values = {"sample_rate": RATE_HZ, "remove_dc": False, "max_length_s": 4.0} | options
    about = fabricate_bundle.info(preparation=Preparation(**values))
    return load(fabricate_bundle.write(tmp_path / "bundle.onnx", about), device="cpu")


def vector(prediction: Prediction | Failure) -> np.ndarray:
    assert isinstance(prediction, Prediction)
    return np.array(list(prediction.probabilities.values()))


def test_a_file_is_answered_as_the_equation_says(tiny: Predictor, recording: Recording) -> None:
    path = recording("a.wav")
    prediction = tiny.predict(path)
    expected = fabricate_bundle.expected(audio.decode(path).samples)
    np.testing.assert_allclose(vector(prediction), expected, atol=1e-5)
    assert prediction.path == str(path)
    assert prediction.emotion == fabricate_bundle.EMOTIONS[int(expected.argmax())]
    assert prediction.confidence == pytest.approx(expected.max(), abs=1e-5)
    assert (prediction.start_s, prediction.end_s, prediction.duration_s) == (0.0, 3.5, 3.5)
    assert list(prediction.probabilities) == list(tiny.emotions)
    assert prediction.model == "tiny" and not prediction.warnings and not prediction.segments


def test_pitch_and_loudness_are_told_apart(tiny: Predictor, recording: Recording) -> None:
    assert tiny.predict(recording("loud.wav", pitch_hz=150, level=0.8)).emotion == "angry"
    assert tiny.predict(recording("high.wav", pitch_hz=3000, level=0.05)).emotion == "happy"


def test_every_way_in_gives_the_same_answer(tiny: Predictor, recording: Recording) -> None:
    path = recording("a.wav")
    samples = audio.decode(path).samples
    ways = [
        tiny.predict(path),
        tiny.predict(str(path)),
        tiny.predict(path.read_bytes()),
        tiny.predict(io.BytesIO(path.read_bytes())),
        tiny.predict(samples, RATE_HZ),
        tiny.predict(samples.astype(np.float64), sample_rate=RATE_HZ),
        tiny.predict(np.stack([samples, samples]), RATE_HZ),
        tiny.predict(np.round(samples * 32768).astype(np.int16), RATE_HZ),
        tiny.predict(samples.tolist(), RATE_HZ),
    ]
    for way in ways[1:]:
        np.testing.assert_allclose(vector(way), vector(ways[0]), atol=1e-6)
    assert ways[2].path is None


def test_samples_at_another_rate(tiny: Predictor, recording: Recording, tmp_path: Path) -> None:
    samples = audio.resample(audio.decode(recording("a.wav")).samples, RATE_HZ, 48_000)
    audio.write(tmp_path / "b.wav", samples, 48_000, encoding="FLOAT")
    direct, by_file = tiny.predict(samples, 48_000), tiny.predict(tmp_path / "b.wav")
    np.testing.assert_allclose(vector(direct), vector(by_file), atol=1e-6)
    assert direct.duration_s == pytest.approx(3.5, abs=1e-3)


@pytest.mark.parametrize(
    ("samples", "rate", "error", "says"),
    [
        (np.zeros(9), None, UsageError, "sample_rate"),
        (b"RIFF", 16_000, UsageError, "carries its own"),
        (np.zeros((48_000, 2)), 16_000, UsageError, "channels"),
        (np.zeros((2, 2, 2)), 16_000, UsageError, "shape"),
        (np.zeros(0), 16_000, EmptyAudioError, "no samples"),
        (np.full(16_000, np.nan), 16_000, NonFiniteAudioError, "finite"),
        (np.ones(100), 16_000, TooShortAudioError, "at least 0.1 s"),
        (["a", "b"], 16_000, UsageError, "numbers"),
        (np.ones(100), -1, UsageError, "sample rate"),
    ],
)
def test_wrong_samples_are_refused(
    tiny: Predictor, samples: object, rate: int | None, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        tiny.predict(samples, rate)


def test_a_file_that_is_none(tiny: Predictor, tmp_path: Path) -> None:
    with pytest.raises(AudioNotFoundError, match=r"gone\.wav"):
        tiny.predict(tmp_path / "gone.wav")
    with pytest.raises(NotAudioError):
        tiny.predict(b"Dear Sir or Madam, this is a letter and no recording of a voice.")


def test_silence_has_no_emotion(tiny: Predictor) -> None:
    prediction = tiny.predict(np.zeros(3 * RATE_HZ, np.float32), RATE_HZ)
    assert prediction.emotion is None and prediction.confidence == 0.0 and not prediction.probabilities
    assert any("silent" in warning for warning in prediction.warnings)
    assert prediction.to_dict()["emotion"] is None and prediction.duration_s == 3.0


def test_short_clips_are_warned_of(tiny: Predictor, recording: Recording, tmp_path: Path) -> None:
    assert any("1.50 s" in warning for warning in tiny.predict(recording("a.wav", 1.5)).warnings)
    assert not tiny.predict(recording("b.wav", 3.1)).warnings
    used_to_short = fabricate_bundle.info(
        training=dataclasses.replace(fabricate_bundle.info().training, duration_p05_s=1.2)
    )
    predictor = load(fabricate_bundle.write(tmp_path / "short.onnx", used_to_short), device="cpu")
    assert not predictor.predict(tmp_path / "a.wav").warnings


def test_threshold(tiny_path: Path, recording: Recording, tmp_path: Path) -> None:
    path = recording("a.wav")
    sure = load(tiny_path, device="cpu").predict(path)
    assert not sure.uncertain
    assert load(tiny_path, device="cpu", threshold=1.0).predict(path).uncertain
    own = fabricate_bundle.write(tmp_path / "own.onnx", fabricate_bundle.info(threshold=0.999))
    assert load(own, device="cpu").predict(path).uncertain
    assert not load(own, device="cpu", threshold=0.0).predict(path).uncertain
    with pytest.raises(UsageError, match=r"1\.5"):
        load(tiny_path, device="cpu", threshold=1.5)


def test_many_are_the_same_as_one_by_one_and_in_order(tiny: Predictor, recording: Recording) -> None:
    rng = np.random.default_rng(3)
    paths = [
        recording(
            f"{k}.wav", float(rng.uniform(0.3, 4.0)), float(rng.uniform(80, 4000)), rng.uniform(0.01, 0.9)
        )
        for k in range(40)
    ]
    for jobs in (1, 3):
        together = list(tiny.predict_many(paths, jobs=jobs))
        for path, prediction in zip(paths, together, strict=True):
            assert isinstance(prediction, Prediction) and prediction.path == str(path)
            alone = tiny.predict(path)
            np.testing.assert_allclose(vector(prediction), vector(alone), atol=1e-6)
            assert prediction.warnings == alone.warnings


def test_a_failure_stands_in_its_place(tiny: Predictor, recording: Recording, tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF nothing of the kind")
    gone = tmp_path / "gone.wav"
    answers = list(tiny.predict_many([recording("a.wav"), broken, recording("b.wav"), gone]))
    assert [type(answer) for answer in answers] == [Prediction, Failure, Prediction, Failure]
    assert answers[1].path == str(broken) and "broken.wav" in str(answers[1])
    assert isinstance(answers[3], Failure) and isinstance(answers[3].error, AudioNotFoundError)
    assert str(answers[3]).count("gone.wav") == 1


def test_many_takes_samples_and_lazy_sources(tiny: Predictor, recording: Recording) -> None:
    path = recording("a.wav")
    samples = audio.decode(path).samples
    answers = list(tiny.predict_many(iter([samples, samples[:8000]]), RATE_HZ))
    np.testing.assert_allclose(vector(answers[0]), vector(tiny.predict(path)), atol=1e-6)
    mixed = list(tiny.predict_many([path, samples, path.read_bytes()], RATE_HZ))
    for answer in mixed:
        np.testing.assert_allclose(vector(answer), vector(answers[0]), atol=1e-6)
    assert list(tiny.predict_many([])) == []
    with pytest.raises(UsageError, match="jobs"):
        list(tiny.predict_many([path], jobs=0))


def test_answers_come_before_all_is_read(tiny: Predictor, recording: Recording) -> None:
    path = recording("a.wav")
    asked = 0

    def endless() -> object:
        nonlocal asked
        while True:
            asked += 1
            yield path

    answers = tiny.predict_many(endless(), jobs=1)
    next(answers)
    assert asked <= 5


def test_a_long_recording_is_the_mean_of_its_windows(tiny: Predictor, recording: Recording) -> None:
    path = recording("long.wav", 9.0, 800)
    samples = audio.decode(path).samples
    windows = [(0, 4 * RATE_HZ), (4 * RATE_HZ, 8 * RATE_HZ), (5 * RATE_HZ, 9 * RATE_HZ)]
    expected = np.mean([fabricate_bundle.expected(samples[a:b]) for a, b in windows], axis=0)
    prediction = tiny.predict(path)
    np.testing.assert_allclose(vector(prediction), expected, atol=1e-5)
    assert [(s.start_s, s.end_s) for s in prediction.segments] == [(0.0, 4.0), (4.0, 8.0), (5.0, 9.0)]
    assert prediction.duration_s == 9.0
    for segment, (a, b) in zip(prediction.segments, windows, strict=True):
        told = list(segment.probabilities.values())
        np.testing.assert_allclose(told, fabricate_bundle.expected(samples[a:b]), atol=1e-5)
    by_samples = tiny.predict(samples, RATE_HZ)
    np.testing.assert_allclose(vector(by_samples), vector(prediction), atol=1e-6)
    (among_many,) = tiny.predict_many([path])
    np.testing.assert_allclose(vector(among_many), vector(prediction), atol=1e-6)


def test_silent_windows_are_left_out_by_level(tiny: Predictor) -> None:
    rng = np.random.default_rng(5)
    speech = (0.3 * rng.standard_normal(4 * RATE_HZ)).astype(np.float32)
    hush = (1e-3 * rng.standard_normal(8 * RATE_HZ)).astype(np.float32)  # 50 dB below, not digital silence
    prediction = tiny.predict(np.concatenate([hush, speech, hush]), RATE_HZ)
    assert [(s.start_s, s.end_s) for s in prediction.segments] == [(8.0, 12.0)]
    np.testing.assert_allclose(vector(prediction), fabricate_bundle.expected(speech), atol=1e-5)


def test_a_long_silence_has_no_emotion(tiny: Predictor) -> None:
    prediction = tiny.predict(np.zeros(20 * RATE_HZ, np.float32), RATE_HZ)
    assert prediction.emotion is None and prediction.warnings and prediction.duration_s == 20.0


def test_fixed_length_hears_what_the_preparation_picks(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    samples = np.concatenate([0.9 * rng.uniform(-1, 1, 32_000), 0.01 * rng.uniform(-1, 1, 32_000)])
    samples = samples.astype(np.float32)
    first = with_preparation(tmp_path / "a", length_s=1.0, crop="start").predict(samples, RATE_HZ)
    np.testing.assert_allclose(vector(first), fabricate_bundle.expected(samples[:RATE_HZ]), atol=1e-5)
    later = with_preparation(tmp_path / "b", length_s=1.0, crop="start", offset_s=2.5)
    np.testing.assert_allclose(
        vector(later.predict(samples, RATE_HZ)),
        fabricate_bundle.expected(samples[40_000:56_000]),
        atol=1e-5,
    )
    assert not first.segments


def test_fixed_length_averages_windows_of_what_is_longer_than_the_longest(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    samples = rng.uniform(-0.5, 0.5, 6 * RATE_HZ).astype(np.float32)
    prediction = with_preparation(tmp_path, length_s=1.0, offset_s=0.5).predict(samples, RATE_HZ)
    expected = np.mean(
        [fabricate_bundle.expected(samples[k * RATE_HZ : (k + 1) * RATE_HZ]) for k in range(6)], axis=0
    )
    np.testing.assert_allclose(vector(prediction), expected, atol=1e-5)


def test_padding_to_a_fixed_length_is_masked(tmp_path: Path) -> None:
    samples = np.random.default_rng(9).uniform(-0.5, 0.5, RATE_HZ).astype(np.float32)
    prediction = with_preparation(tmp_path, length_s=3.0).predict(samples, RATE_HZ)
    np.testing.assert_allclose(vector(prediction), fabricate_bundle.expected(samples), atol=1e-5)


def test_memory_does_not_grow_with_length(tiny: Predictor, tmp_path: Path) -> None:
    def peak_bytes(minutes: int) -> int:
        path = tmp_path / f"{minutes}.wav"
        with soundfile.SoundFile(path, "w", 8_000, 1) as file:
            for minute in range(minutes):
                file.write(np.random.default_rng(minute).normal(0, 0.1, 60 * 8_000).clip(-1, 1))
        tracemalloc.start()
        prediction = tiny.predict(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert prediction.duration_s == pytest.approx(60 * minutes)
        return peak

    assert peak_bytes(20) < 1.3 * peak_bytes(4)


def test_truncated_files_are_answered_with_a_warning(tiny: Predictor, recording: Recording) -> None:
    path = recording("a.wav", 3.9)
    whole = path.read_bytes()
    prediction = tiny.predict(whole[: len(whole) * 9 // 10])
    assert prediction.emotion and any("truncated" in warning for warning in prediction.warnings)


def test_probabilities_that_are_no_numbers_are_refused(
    tiny_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = load(tiny_path, device="cpu")
    monkeypatch.setattr(predictor.bundle, "run", lambda *_: {"probabilities": np.full((1, 4), np.nan)})
    with pytest.raises(BundleError, match=r"tiny\.onnx answers .* with what is no probability"):
        predictor.predict(np.ones(RATE_HZ, np.float32), RATE_HZ)


def test_batches_hold_similar_lengths_and_bounded_sizes() -> None:
    rng = np.random.default_rng(11)
    lengths = [int(n) for n in rng.integers(1, 1000, 200)]
    batches = list(batches_of(lengths, most_samples=3000))
    assert sorted(index for batch in batches for index in batch) == list(range(200))
    for batch in batches:
        assert len(batch) <= 16 and max(lengths[i] for i in batch) * len(batch) <= 3000


def test_loading_without_a_model_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("vocemo.bundle.packaged.FOLDER", tmp_path)
    with pytest.raises(BundleError, match=r"no bundle at .*\.onnx"):
        load()


def test_the_shipped_model_answers_many_as_one(recording: Recording) -> None:
    predictor = load(device="cpu")
    paths = [recording(f"{k}.wav", 0.8 + 0.7 * k, 150.0 + 80 * k) for k in range(5)]
    for path, together in zip(paths, predictor.predict_many(paths), strict=True):
        alone = predictor.predict(path)
        np.testing.assert_allclose(vector(together), vector(alone), atol=1e-4)
        assert sum(alone.probabilities.values()) == pytest.approx(1.0, abs=1e-4)
