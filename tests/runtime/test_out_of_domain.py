"""What a predictor says of recordings that do not sound like the speech that its model knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fabricate_bundle
from vocemo import audio
from vocemo.cli.main import main
from vocemo.errors import BundleError
from vocemo.lab.evaluate import other_sounds
from vocemo.runtime.answerer import UNFAMILIAR
from vocemo.runtime.prediction import Prediction
from vocemo.runtime.predictor import Predictor, load

RATE_HZ = fabricate_bundle.RATE_HZ
LIMIT = 0.5  # of the tiny bundle's distance, its roughness: a pitch of some 1.8 kHz
Recording = Callable[..., Path]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    about = fabricate_bundle.info(distance_limit=LIMIT)
    return fabricate_bundle.write(tmp_path / "far.onnx", about, distance=True)


@pytest.fixture
def far(path: Path) -> Predictor:
    return load(path, device="cpu")


def roughness(samples: np.ndarray) -> float:
    return float(np.sum(np.diff(samples.astype(float)) ** 2) / np.sum(samples.astype(float) ** 2))


def test_the_score_is_the_distance_over_the_limit(far: Predictor, recording: Recording) -> None:
    for name, pitch_hz in (("low.wav", 300.0), ("high.wav", 3000.0)):
        made = recording(name, pitch_hz=pitch_hz)
        answer = far.predict(made)
        expected = roughness(audio.decode(made).samples) / LIMIT
        assert answer.out_of_domain == pytest.approx(expected, rel=1e-4)
        assert answer.unfamiliar == answer.uncertain == (expected > 1)
        assert (UNFAMILIAR in answer.warnings) == (expected > 1)
        assert answer.to_dict()["out_of_domain"] == pytest.approx(expected, abs=1e-3)
    together = [each.out_of_domain for each in far.predict_many(sorted(made.parent.glob("*.wav")))]
    alone = [far.predict(each).out_of_domain for each in sorted(made.parent.glob("*.wav"))]
    assert together == pytest.approx(alone) and together[0] > 1 > together[1]


def test_an_answer_keeps_its_probabilities(far: Predictor, tiny: Predictor, recording: Recording) -> None:
    made = recording("high.wav", pitch_hz=3000.0)
    assert far.predict(made).probabilities == pytest.approx(tiny.predict(made).probabilities)


def test_no_threshold_makes_it_certain(path: Path, recording: Recording) -> None:
    answer = load(path, device="cpu", threshold=0.0).predict(recording("high.wav", pitch_hz=3000.0))
    assert answer.uncertain and answer.confidence > 0


def test_a_model_without_it_says_nothing_of_it(tiny: Predictor, recording: Recording) -> None:
    answer = tiny.predict(recording("high.wav", pitch_hz=3000.0))
    assert answer.out_of_domain is None and not answer.unfamiliar and not answer.warnings
    assert answer.to_dict()["out_of_domain"] is None


def test_an_output_without_a_limit_is_not_used(tmp_path: Path, recording: Recording) -> None:
    bundle = fabricate_bundle.write(tmp_path / "a.onnx", fabricate_bundle.info(), distance=True)
    assert load(bundle, device="cpu").predict(recording("a.wav")).out_of_domain is None


def test_a_limit_without_the_output_is_refused(tmp_path: Path) -> None:
    bundle = fabricate_bundle.write(tmp_path / "a.onnx", fabricate_bundle.info(distance_limit=LIMIT))
    with pytest.raises(BundleError, match="lacks distance"):
        load(bundle, device="cpu")
    with pytest.raises(BundleError, match="distance_limit is above 0"):
        fabricate_bundle.info(distance_limit=0.0)


def test_silence_has_no_score(far: Predictor) -> None:
    assert far.predict(np.zeros(RATE_HZ, np.float32), RATE_HZ).out_of_domain is None


@pytest.mark.parametrize(("high", "unlike"), [(1, False), (2, True)])
def test_of_a_long_recording_the_median_window_counts(far: Predictor, high: int, unlike: bool) -> None:
    time_s = np.arange(4 * RATE_HZ) / RATE_HZ
    pitches_hz = [3000.0] * high + [200.0] * (3 - high)
    samples = np.concatenate([0.3 * np.sin(2 * np.pi * hz * time_s) for hz in pitches_hz]).astype(np.float32)
    answer = far.predict(samples, RATE_HZ)
    scores = [segment.out_of_domain for segment in answer.segments]
    assert [score > 1 for score in scores] == [True] * high + [False] * (3 - high)
    assert answer.out_of_domain == pytest.approx(sorted(scores)[1])
    assert answer.unfamiliar == answer.uncertain == unlike
    assert any("1 of 3 windows" in warning for warning in answer.warnings) != unlike


def test_the_table_gives_it_no_certain_emotion(
    path: Path, recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    made = recording("high.wav", pitch_hz=3000.0)
    assert main(["predict", str(made), "--model", str(path), "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert f"Warning: {UNFAMILIAR}" in said and "Predicted emotion: happy (uncertain)\n" in said
    assert main(["predict", str(made), "--model", str(path), "--device", "cpu", "--format", "csv"]) == 0
    assert ",true," in capsys.readouterr().out.splitlines()[1]


@pytest.mark.parametrize("kind", other_sounds.KINDS)
def test_the_shipped_model_is_sure_of_nothing_that_is_no_speech(shipped: Predictor, kind: str) -> None:
    for answer in shipped.predict_many(other_sounds.make(kind, 6, seed=2), other_sounds.RATE_HZ, jobs=1):
        assert isinstance(answer, Prediction)
        assert answer.uncertain and answer.unfamiliar and answer.warnings


def test_the_shipped_model_knows_speech_when_it_hears_it(shipped: Predictor, corpora_dir: Path) -> None:
    clips = [*sorted(corpora_dir.glob("emodb/wav/*"))[::20], *sorted(corpora_dir.glob("aesdd/*/*"))[::20]]
    answers = [each for each in shipped.predict_many(clips) if isinstance(each, Prediction)]
    assert len(answers) > 40
    assert np.mean([answer.unfamiliar for answer in answers]) < 0.1


@pytest.fixture(scope="module")
def shipped() -> Predictor:
    return load(device="cpu")
