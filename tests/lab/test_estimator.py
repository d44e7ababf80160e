"""vocemo inside scikit-learn: cloned, pickled, in pipelines, and as the model itself answers."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fabricate_bundle
from vocemo import audio
from vocemo.errors import AudioNotFoundError
from vocemo.lab.estimator import EmotionClassifier, VoiceEmbedding
from vocemo.runtime.predictor import load

RATE_HZ = fabricate_bundle.RATE_HZ


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fabricate_bundle.write(tmp_path_factory.mktemp("bundle") / "tiny.onnx")


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Tones of several pitches, low and high in turns."""
    folder = tmp_path_factory.mktemp("tones")
    time_s = np.arange(3 * RATE_HZ) / RATE_HZ
    paths = []
    for number, pitch_hz in enumerate([200, 2500, 230, 2700, 260, 2900, 290, 3100]):
        path = folder / f"{number}.wav"
        audio.write(path, (0.3 * np.sin(2 * np.pi * pitch_hz * time_s)).astype(np.float32), RATE_HZ)
        paths.append(path)
    return paths


def test_its_answers_are_the_model_s(bundle: Path, tones: list[Path]) -> None:
    predictor, classifier = load(bundle), EmotionClassifier(bundle)
    expected = [predictor.predict(path) for path in tones]
    assert list(classifier.classes_) == sorted(predictor.emotions)
    assert list(classifier.predict(tones)) == [each.emotion for each in expected]
    for row, each in zip(classifier.predict_proba(tones), expected, strict=True):
        assert row == pytest.approx([each.probabilities[name] for name in classifier.classes_], abs=1e-5)
    truth = [each.ranked()[1][0] for each in expected]
    loss = -np.mean([np.log(each.probabilities[name]) for each, name in zip(expected, truth, strict=True)])
    # scikit-learn takes the columns to be of sorted labels, whatever it is told.
    shares = classifier.predict_proba(tones)
    assert log_loss(truth, shares, labels=classifier.classes_) == pytest.approx(loss, abs=1e-4)
    assert classifier.score(tones, [each.emotion for each in expected]) == 1.0
    assert classifier.predict_proba([]).shape == (0, len(predictor.emotions))


def test_silence_has_no_emotion_and_no_embedding(bundle: Path, tmp_path: Path) -> None:
    audio.write(tmp_path / "silent.wav", np.zeros(2 * RATE_HZ, np.float32), RATE_HZ)
    classifier = EmotionClassifier(bundle)
    assert list(classifier.predict([tmp_path / "silent.wav"])) == [""]
    assert not classifier.predict_proba([tmp_path / "silent.wav"]).any()


def test_what_cannot_be_answered_is_raised(bundle: Path, tones: list[Path]) -> None:
    for estimator in (EmotionClassifier(bundle).predict, VoiceEmbedding(bundle).transform):
        with pytest.raises(AudioNotFoundError, match="nowhere"):
            estimator([tones[0], "nowhere.wav"])


def test_of_no_recording_there_are_no_vectors_as_scikit_learn_has_it(bundle: Path) -> None:
    for transform in (VoiceEmbedding(bundle).transform, lambda none: StandardScaler().fit(np.ones((0, 3)))):
        with pytest.raises(ValueError, match=r"0 .* minimum of 1 is required by (VoiceEmb|StandardSc)"):
            transform([])


def test_they_are_cloned_and_pickled_as_their_options_are(bundle: Path, tones: list[Path]) -> None:
    classifier = EmotionClassifier(bundle, jobs=2)
    copies = (clone(classifier), pickle.loads(pickle.dumps(classifier)))
    for copy in copies:
        assert copy.get_params() == {"model": bundle, "jobs": 2}
        assert list(copy.predict(tones[:2])) == list(classifier.predict(tones[:2]))


def test_vectors_teach_a_classifier_of_one_s_own(bundle: Path, tones: list[Path]) -> None:
    vectors = VoiceEmbedding(bundle).fit_transform(tones)
    predictor = load(bundle)
    assert vectors.shape == (8, len(predictor.embed(tones[0])))
    assert vectors[3] == pytest.approx(predictor.embed(tones[3]), abs=1e-6)
    moods = np.array(["low", "high"] * 4)
    pipeline = make_pipeline(VoiceEmbedding(bundle), LogisticRegression(C=1e6, max_iter=10_000))
    assert list(cross_val_predict(pipeline, np.array(tones), moods, cv=4)) == list(moods)
