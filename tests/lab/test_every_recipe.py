"""Every recipe of the package goes the whole way: trained for an epoch, tested, exported, asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import fabricate_encoder
import fabricate_run
import vocemo
from vocemo.bundle import Bundle
from vocemo.lab import checkpoint, crossval, experiment, initial, measure, network, recipe_check
from vocemo.lab import recipe as recipes
from vocemo.lab.corpora import read
from vocemo.lab.export.parity import compare, noisy_tones
from vocemo.lab.export.run import export_run
from vocemo.lab.run import RunFolder
from vocemo.lab.scoring import score
from vocemo.lab.splits import folds

ONE_EPOCH = ("training.epochs=1", "training.batch_size=8", "augmentation.pool=1")
# What a recipe does not begin without: encoder-head a file of trained weights, or that there is to be none.
# Of its encoder a few stages go the way of all, and of tiny two views of each clip are enough; base's members
# learn from views of their own.
NEEDED = {
    "encoder-head": ("model.weights=random", "model.encoder_depth=5"),
    "tiny": ("augmentation.views=2",),
}


@pytest.fixture(scope="module")
def small_corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Clips long enough for a recipe that begins 0.6 s into them."""
    return fabricate_run.corpus(tmp_path_factory.mktemp("small"), seconds=0.9)


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_is_trained_tested_exported_and_asked(
    name: str,
    small_corpus: str,
    tmp_path: Path,
    one_thread: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What stands for published weights: base's frozen stages keep theirs, which must not all be alike.
    monkeypatch.setenv("VOCEMO_WEIGHTS", str(tmp_path))
    fabricate_encoder.save_published("efficientat-mn04", tmp_path / "mn04_as_mAP_432.pt")
    fabricate_encoder.save_published("byol-s", tmp_path / "byol_s_default_512.pth")
    fabricate_encoder.save_moonshine(tmp_path / "moonshine_tiny_encoder_224.pt", rank=224)
    single = recipes.load(name).training.batch_size == 1
    settings = [each for each in ONE_EPOCH if not (single and "batch" in each)]
    chosen = recipes.load(name, [*settings, *NEEDED.get(name, ())], ["ravdess"])
    recipe_check.check(chosen)
    selection = experiment.select(read(small_corpus), chosen)
    part = folds(selection.manifest, "emobox-6", 0)[0]
    folder = RunFolder(tmp_path / "run")
    waveforms = experiment.waveforms_for(chosen)
    info = crossval.run_info(chosen, (small_corpus,), part, 0, torch.device("cpu"))
    outcome = experiment.run_fold(info, part, folder, waveforms=waveforms, device=torch.device("cpu"))
    assert outcome.test is not None and outcome.test.test_clips == len(part.test) > 0
    assert np.isfinite(outcome.test.loss or np.nan)

    export_run(folder.path, tmp_path / "model.onnx")
    model = vocemo.load(tmp_path / "model.onnx")
    assert model.emotions == chosen.emotions
    trained = network.build(chosen, 0)
    checkpoint.load_weights(trained, folder.weights, torch.device("cpu"))
    expected = score(trained, part.test, chosen.emotions, waveforms, device=torch.device("cpu"))
    probabilities = expected.probabilities(outcome.temperature)
    for clip, row in zip(part.test, probabilities, strict=True):
        answer = model.predict(clip.path)
        assert answer.emotion is not None
        found = [answer.probabilities[emotion] for emotion in chosen.emotions]
        np.testing.assert_allclose(found, row, atol=1e-4)

    # What the file holds begins another training, exactly.
    begun, mine = initial.take(str(tmp_path / "model.onnx"), chosen)
    again = network.build(mine, 1)
    begun.put_into(again, mine.emotions)
    bundle = Bundle.open(tmp_path / "model.onnx", device="cpu")
    assert compare(again.eval(), bundle, noisy_tones(mine.preparation), "noisy tones").difference < 1e-5

    # A corpus read anew has its own emotions: the bundle knows which count as another.
    tested = {clip.path for clip in part.test}
    labelled = read(small_corpus).where(lambda clip: clip.path in tested)
    answered = measure.answer(model, labelled)
    own = {clip.path: clip.emotion for clip in part.test}
    assert [chosen.emotions[t] for t in answered.predictions.targets] == [
        own[clip.path] for clip in labelled if clip.path in own
    ]
