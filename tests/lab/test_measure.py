"""A bundle on a corpus is measured as its network would be, and a corpus that it knows is called leaky."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

import fabricate
import fabricate_bundle
import fabricate_run
from vocemo import audio
from vocemo.bundle import TrainingInfo
from vocemo.errors import CorpusError
from vocemo.lab import checkpoint, experiment, measure, network
from vocemo.lab.corpora import Clip, Manifest, read
from vocemo.lab.run import RunFolder
from vocemo.lab.scoring import score
from vocemo.runtime.predictor import Predictor, load

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def predictor(learnt_bundle: Path) -> Predictor:
    return load(learnt_bundle, device="cpu")


def clip(path: Path, samples: np.ndarray | None = None, **more: str | float) -> Clip:
    if samples is None:
        path.write_bytes(b"no sound")
    else:
        audio.write(path, samples.astype(np.float32), RATE_HZ)
    values: dict[str, object] = {"corpus": "folder", "emotion": "happy", "speaker": "folder/ann"}
    return Clip(path, **(values | more))


def voice(emotion: str, seconds: float, seed: int = 0) -> np.ndarray:
    return fabricate.voice(emotion, 1, True, np.random.default_rng(seed), seconds=seconds)


def test_a_bundle_is_measured_as_its_network_is(
    learnt: tuple[str, Path], predictor: Predictor, tmp_path: Path
) -> None:
    folder = RunFolder(learnt[1])
    recipe = folder.info().recipe
    trained = network.build(recipe, seed=0)
    checkpoint.load_weights(trained, folder.weights, fabricate_run.CPU)
    long = [
        clip(tmp_path / f"{n}.wav", voice(emotion, 19.0, n), emotion=emotion, duration_s=19.0)
        for n, emotion in enumerate(("happy", "sad"))
    ]
    manifest = read(learnt[0]) + Manifest(tuple(long))
    scores = score(
        trained,
        manifest.clips,
        recipe.emotions,
        experiment.waveforms_for(recipe),
        device=fabricate_run.CPU,
        batch_size=7,
    )
    assert len(scores.rows) == len(manifest) + 4  # each long clip has three windows
    counted: list[int] = []
    answered = measure.answer(predictor, manifest, each=lambda: counted.append(1))
    assert len(counted) == len(manifest)
    assert not answered.remarks
    expected = scores.probabilities(predictor.info.temperature)
    np.testing.assert_allclose(answered.predictions.probabilities, expected, atol=1e-4)
    assert np.array_equal(answered.predictions.targets, scores.targets)


def test_what_is_left_out_is_named(predictor: Predictor, tmp_path: Path) -> None:
    good = clip(tmp_path / "good.wav", voice("happy", 1.0))
    clips = (
        clip(tmp_path / "broken.wav"),
        good,
        clip(tmp_path / "silent.wav", np.zeros(RATE_HZ)),
        clip(tmp_path / "bored.wav", voice("boredom", 1.0), emotion="boredom"),
        clip(tmp_path / "part.wav", voice("sad", 1.0), emotion="sad", start_s=0.2, end_s=0.6),
    )
    answered = measure.answer(predictor, Manifest(clips))
    assert [subject.path for subject in answered.predictions.subjects] == [good.key]
    remarks = "\n".join(answered.remarks)
    assert "1 clips of boredom" in remarks
    assert "1 parts of recordings" in remarks
    assert "silent.wav: silence" in remarks
    assert "broken.wav: " in remarks
    with pytest.raises(CorpusError, match=r"none of the clips.*broken\.wav"):
        measure.answer(predictor, Manifest(clips[:1]))


@pytest.mark.parametrize(
    ("trained_on", "clips", "heard"),
    [
        (("ravdess-speech",), [("ravdess", "ravdess/01")], ("ravdess",)),
        (("ravdess",), [("emodb", "emodb/03")], ()),
        (("emodb", "ravdess-song"), [("emodb", "emodb/03"), ("tess", "tess/OAF")], ("emodb",)),
        (("ravdess",), [("table", "ravdess/01")], ("ravdess",)),
        (("folder",), [("folder", "folder/ann")], ("folder",)),
        ((), [("emodb", "emodb/03")], ()),
    ],
)
def test_a_corpus_that_was_trained_on_is_known(
    trained_on: tuple[str, ...], clips: list[tuple[str, str]], heard: tuple[str, ...]
) -> None:
    info = fabricate_bundle.info(training=TrainingInfo(corpora=trained_on))
    manifest = Manifest(tuple(Clip(Path("a.wav"), corpus, "sad", speaker) for corpus, speaker in clips))
    assert measure.heard_in_training(info, manifest) == heard


@pytest.mark.parametrize(
    ("trained_on", "told"),
    [(("ravdess",), True), (("table",), False), (("ravdess", "folder"), False), ((), False)],
)
def test_a_list_of_somebodys_own_does_not_tell_whose_voices_it_holds(
    trained_on: tuple[str, ...], told: bool
) -> None:
    assert measure.training_told(fabricate_bundle.info(training=TrainingInfo(corpora=trained_on))) is told


def test_figures_of_answers_are_those_of_scikit_learn(learnt: tuple[str, Path], predictor: Predictor) -> None:
    table = measure.answer(predictor, read(learnt[0])).predictions
    results = measure.measured(table, model="mine", protocol="known corpus", leaky=True, parameters=5)
    expected = balanced_accuracy_score(table.targets, table.predicted)
    assert results.metrics["uar"].mean == pytest.approx(expected)
    assert (results.recipe, results.protocol, results.leaky) == ("mine", "known corpus", True)
    assert (results.folds, results.seeds, results.clips) == (1, (0,), len(table))
    assert results.corpora == ("ravdess",) and results.parameters == 5
    assert len(results.per_fold) == 1 and results.per_fold[0].uar == pytest.approx(expected)
    assert results.confusion is not None and sum(map(sum, results.confusion)) == len(table)
