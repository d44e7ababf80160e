"""Trainings that begin with trained weights."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import fabricate_run
from vocemo.bundle import Bundle, Weights, packaged
from vocemo.errors import LeakError, RunError, UsageError
from vocemo.lab import adaptation, checkpoint, crossval, experiment, initial, network
from vocemo.lab import recipe as recipes
from vocemo.lab.corpora import read
from vocemo.lab.evaluate import Predictions
from vocemo.lab.export.onnx_weights import store_weights
from vocemo.lab.export.parity import compare, noisy_tones
from vocemo.lab.export.run import export_run
from vocemo.lab.initial import Initial
from vocemo.lab.mahalanobis import REACH, Gaussians
from vocemo.lab.network import Network
from vocemo.lab.outcome import Outcome
from vocemo.lab.recipe import Recipe
from vocemo.lab.run import RunFolder
from vocemo.lab.scoring import score
from vocemo.lab.splits import Fold, folds

CPU = torch.device("cpu")


def taken(place: Path | str, *more: str) -> tuple[Initial, Recipe]:
    """What a command with these settings begins with; the recipe's text is that of the learnt run."""
    given = [*fabricate_run.LEARNING, *more]
    given = [each for each in given if not each.startswith("training.")]
    plain = [each for each in fabricate_run.TINY if not each.startswith(("training.", "augmentation."))]
    chosen = recipes.load(fabricate_run.RECIPE, [*plain, *given])
    return initial.take(str(place), adaptation.applied(chosen, given), given)


def adapted(
    begun: tuple[Initial, Recipe],
    part: Fold,
    folder: Path,
    *,
    resume: bool = False,
    spec: str = "folder:MINE",
    seed: int = 0,
) -> Outcome:
    weights, chosen = begun
    return experiment.run_fold(
        crossval.run_info(chosen, (spec,), part, seed, CPU, initial=weights),
        part,
        RunFolder(folder),
        waveforms=experiment.waveforms_for(chosen),
        device=CPU,
        resume=resume,
        initial=weights,
    )


@pytest.fixture(scope="module")
def own(learnt: tuple[str, Path]) -> Fold:
    """The fold that the learnt model was trained on: its test speakers it never heard."""
    return fabricate_run.fold(learnt[0])


def test_without_an_epoch_the_answers_are_those_of_the_run(
    learnt: tuple[str, Path], own: Fold, tmp_path: Path
) -> None:
    outcome = adapted(taken(learnt[1], "adaptation.epochs=0"), own, tmp_path / "run")
    ours = Predictions.read(RunFolder(tmp_path / "run").predictions)
    theirs = Predictions.read(RunFolder(learnt[1]).predictions)
    np.testing.assert_array_equal(ours.probabilities, theirs.probabilities)
    assert outcome.epochs == outcome.best_epoch == 0 and outcome.calibrated_by == "validation"
    assert fabricate_run.same(
        fabricate_run.weights(tmp_path / "run" / "best.pt"), fabricate_run.weights(learnt[1] / "best.pt")
    )


def test_emotions_in_another_order_take_their_own_rows_and_new_ones_begin_fresh(
    learnt: tuple[str, Path], own: Fold, tmp_path: Path
) -> None:
    wanted = ["sad", "boredom", "angry", "neutral"]
    weights, chosen = taken(learnt[1], f"emotions={json.dumps(wanted)}")
    fresh = network.build(chosen, seed=5)
    begun = network.build(chosen, seed=5)
    weights.put_into(begun, chosen.emotions)
    info = RunFolder(learnt[1]).info()
    whole = network.build(info.recipe, 0)
    checkpoint.load_weights(whole, RunFolder(learnt[1]).weights, CPU)
    known = [clip for clip in own.test if clip.emotion in wanted]
    waveforms = experiment.waveforms_for(info.recipe)
    theirs = score(whole, known, info.recipe.emotions, waveforms, device=CPU).logits
    ours = score(begun, known, wanted, waveforms, device=CPU).logits
    for place, emotion in enumerate(wanted):
        if emotion in info.recipe.emotions:
            np.testing.assert_array_equal(ours[:, place], theirs[:, info.recipe.emotions.index(emotion)])
    for name in ("model.classify.weight", "model.classify.bias"):
        assert torch.equal(begun.state_dict()[name][1], fresh.state_dict()[name][1])


@pytest.mark.parametrize("layers", ["head", "norms", "all"])
def test_only_the_chosen_layers_move_and_statistics_stay(
    layers: str, learnt: tuple[str, Path], own: Fold, tmp_path: Path
) -> None:
    adapted(taken(learnt[1], f"adaptation.layers={layers}", "adaptation.epochs=2"), own, tmp_path / "run")
    before = fabricate_run.weights(learnt[1] / "best.pt")
    after = fabricate_run.weights(tmp_path / "run" / "best.pt")
    moved = {name for name, values in after.items() if not torch.equal(values, before[name])}
    heads = {"model.classify.weight", "model.classify.bias"}
    norms = {
        name.replace("running_mean", part)
        for name in before
        if name.endswith("running_mean")
        for part in ("weight", "bias")
    }
    parameters = {name for name, _ in network.build(taken(learnt[1])[1], 0).named_parameters()}
    assert moved == {"head": heads, "norms": heads | norms, "all": parameters}[layers]


def test_statistics_move_where_that_is_asked(learnt: tuple[str, Path], own: Fold, tmp_path: Path) -> None:
    adapted(
        taken(learnt[1], "adaptation.keep_statistics=false", "adaptation.epochs=1"), own, tmp_path / "run"
    )
    before = fabricate_run.weights(learnt[1] / "best.pt")
    after = fabricate_run.weights(tmp_path / "run" / "best.pt")
    statistics = [name for name in before if name.startswith("model.") and "running_" in name]
    assert statistics and not any(torch.equal(before[name], after[name]) for name in statistics)
    assert torch.equal(before["front_end.normalise.mean"], after["front_end.normalise.mean"])


def test_a_few_clips_all_train_and_the_calibration_says_whose_it_is(
    learnt: tuple[str, Path], own: Fold, tmp_path: Path
) -> None:
    begun = taken(learnt[1], "adaptation.epochs=60")
    # Called otherwise than the initial model has learnt to, so that there is something to learn.
    called = sorted({clip.emotion for clip in own.test[:5]})
    otherwise = dict(zip(called, [*called[1:], called[0]], strict=True))
    clips = tuple(dataclasses.replace(clip, emotion=otherwise[clip.emotion]) for clip in own.test[:5])
    few = Fold("all", 0, clips, (), (), leaky=False)
    outcome = adapted(begun, few, tmp_path / "run")
    theirs = RunFolder(learnt[1]).outcome()
    assert outcome.calibrated_by == "initial model" and outcome.temperature == theirs.temperature
    assert outcome.thresholds == theirs.thresholds and outcome.epochs == begun[1].adaptation.epochs
    assert theirs.distances is not None and outcome.distances is not None
    assert outcome.distances.limit is not None and theirs.distances.limit is not None
    assert outcome.distances.limit >= theirs.distances.limit
    # It knows these clips now, among the emotions that they are of.
    weights, chosen = begun
    fresh, moved = network.build(chosen, 0), network.build(chosen, 0)
    weights.put_into(fresh, chosen.emotions)
    checkpoint.load_weights(moved, RunFolder(tmp_path / "run").weights, CPU)
    waveforms = experiment.waveforms_for(chosen)
    told = sorted({chosen.emotions.index(clip.emotion) for clip in few.train})
    assert 1 < len(told) < len(chosen.emotions)

    def loss(candidate: Network) -> float:
        found = score(candidate, few.train, chosen.emotions, waveforms, device=CPU)
        logits = torch.from_numpy(found.logits[:, told])
        places = torch.tensor([told.index(target) for target in found.row_targets])
        return float(torch.nn.functional.cross_entropy(logits, places))

    assert loss(moved) < loss(fresh)
    export_run(tmp_path / "run", tmp_path / "mine.onnx")
    told = Bundle.open(tmp_path / "mine.onnx", device="cpu").info
    assert told.training.corpora == ("ravdess-speech", "folder") and "yours" in told.licence
    assert told.licence.startswith("CC BY-NC-SA 4.0") and told.attribution
    assert told.training.clips == 5 + theirs.trained_on.clips


def test_a_run_names_its_initial_weights_and_is_not_resumed_with_others(
    learnt: tuple[str, Path], own: Fold, tmp_path: Path
) -> None:
    begun = taken(learnt[1], "adaptation.epochs=3")
    adapted(begun, own, tmp_path / "whole")
    written = json.loads(RunFolder(tmp_path / "whole").info_path.read_text())["initial"]
    assert written["sha256"] == initial.digest(fabricate_run.weights(learnt[1] / "best.pt"))
    assert written["name"] == "dual-channel-cnn, emobox-6, fold 0, seed 0"
    assert str(learnt[1]) not in json.dumps(written)
    assert set(written["voices"]) == {clip.speaker for clip in (*own.train, *own.validation)}

    # Broken off in its second epoch, it ends in the same weights.
    weights, chosen = begun
    with pytest.raises(KeyboardInterrupt):
        experiment.run_fold(
            crossval.run_info(chosen, ("folder:MINE",), own, 0, CPU, initial=weights),
            own,
            RunFolder(tmp_path / "broken"),
            waveforms=experiment.waveforms_for(chosen),
            device=CPU,
            callbacks=[fabricate_run.BreakInTheSecondEpoch()],
            initial=weights,
        )
    assert len(RunFolder(tmp_path / "broken").history()) == 1
    adapted(begun, own, tmp_path / "broken", resume=True)
    assert fabricate_run.same(
        fabricate_run.weights(tmp_path / "broken" / "best.pt"),
        fabricate_run.weights(tmp_path / "whole" / "best.pt"),
    )

    changed = tmp_path / "changed"
    shutil.copytree(learnt[1], changed)
    others = fabricate_run.weights(changed / "best.pt")
    others["model.classify.bias"] += 1e-3
    torch.save(others, changed / "best.pt")
    with pytest.raises(RunError, match=r"began with the weights of .*SHA-256"):
        adapted(taken(changed, "adaptation.epochs=3"), own, tmp_path / "broken", resume=True)
    with pytest.raises(RunError, match="fresh weights"):
        fabricate_run.run("folder:MINE", own, tmp_path / "broken", chosen, resume=True)


def test_a_test_speaker_of_the_initial_training_is_called_out(
    learnt: tuple[str, Path], own: Fold, tmp_path: Path
) -> None:
    other = fabricate_run.fold(learnt[0], index=2)
    heard = {clip.speaker for clip in (*own.train, *own.validation)}
    assert {clip.speaker for clip in other.test} <= heard, "nothing is planted"
    begun = taken(learnt[1])
    with pytest.raises(LeakError, match=r"test speakers? (is|are) also in the initial weights' training"):
        adapted(begun, other, tmp_path / "refused")
    assert not (tmp_path / "refused").exists()
    adapted(begun, own, tmp_path / "clean")
    assert json.loads(RunFolder(tmp_path / "clean").audit.read_text())["passed"]
    # Adapted to the speakers of its own test, the chain remembers them.
    few = Fold("all", 0, own.test, (), (), leaky=False)
    adapted(begun, few, tmp_path / "second", spec=learnt[0])
    with pytest.raises(LeakError, match="initial weights' training"):
        adapted(taken(tmp_path / "second"), own, tmp_path / "third")


def test_recordings_that_are_gone_leave_the_names_of_their_speakers(
    learnt: tuple[str, Path], tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    shutil.copytree(learnt[1], gone)
    written = json.loads((gone / "run.json").read_text())
    written["corpora"] = ["ravdess-speech:/no/such/place"]
    (gone / "run.json").write_text(json.dumps(written))
    other = fabricate_run.fold(learnt[0], index=2)
    with pytest.raises(LeakError, match="speakers overlap"):
        adapted(taken(gone), other, tmp_path / "a")
    # Before speakers were recorded: any clip of those corpora may have been heard.
    result = json.loads((gone / "result.json").read_text())
    del result["trained_on"]["voices"]
    (gone / "result.json").write_text(json.dumps(result))
    with pytest.raises(LeakError, match="which ones is not recorded"):
        adapted(taken(gone), fabricate_run.fold(learnt[0]), tmp_path / "b")


def test_what_differs_is_named(learnt: tuple[str, Path]) -> None:
    with pytest.raises(UsageError, match=r"model.hidden is 32 there, 8 here.*--set 'model.hidden=32'"):
        taken(learnt[1], "model.hidden=8")
    with pytest.raises(UsageError, match=r"front_end.bands is 32 there, 16 here"):
        taken(learnt[1], "front_end.bands=16")
    with pytest.raises(UsageError, match=r"preparation.trim_below_peak_db is 40.0 there, none here"):
        taken(learnt[1], "preparation.trim_below_peak_db=none")
    with pytest.raises(UsageError, match=r"model.name is dual-channel-cnn there, mfcc-cnn here"):
        initial.take(str(learnt[1]), recipes.load("mfcc-cnn"))
    with pytest.raises(UsageError, match=r"a finished run's folder, an \.onnx bundle"):
        taken("no/such/thing")
    # What the command line does not say of preparation and front end is the run's.
    _, chosen = initial.take(str(learnt[1]), recipes.load("dual-channel-cnn", _MODEL))
    theirs = RunFolder(learnt[1]).info().recipe
    assert (chosen.preparation, chosen.front_end) == (theirs.preparation, theirs.front_end)


_MODEL = ("model.widths=[8,16,16]", "model.hidden=32")


@pytest.mark.parametrize("name", packaged.names())
def test_the_packaged_models_answer_as_their_bundles_do(name: str) -> None:
    bundle = Bundle.open(name, device="cpu")
    weights, chosen = initial.take(name, recipes.load(bundle.info.training.recipe))
    begun = network.build(chosen, seed=3)
    weights.put_into(begun, chosen.emotions)
    found = compare(begun.eval(), bundle, noisy_tones(chosen.preparation), "noisy tones", weights.gaussians)
    # A bundle in integers also rounds what it computes with; a network begun from its weights does not.
    tolerance, of_distance = (0.02, 0.02) if bundle.info.weights == "mixed" else (3e-5, 1e-3)
    assert found.difference < tolerance and found.agreement == 1.0
    assert weights.gaussians is not None and found.distance < of_distance
    assert weights.temperature == bundle.info.temperature
    assert weights.info.corpora == bundle.info.training.corpora


def test_how_far_a_number_counts_is_taken_back_too(learnt: tuple[str, Path], learnt_bundle: Path) -> None:
    weights, _ = taken(learnt_bundle)
    assert weights.gaussians is not None and weights.gaussians.reach == REACH
    assert Gaussians.read(RunFolder(learnt[1]).domain).reach == REACH


def test_another_model_than_the_recipe_describes_is_told() -> None:
    with pytest.raises(
        UsageError, match=r"model.hidden.1.weight as \[128, 1536\], the recipe as \[64, 1536\]"
    ):
        initial.take("dual-channel-cnn", recipes.load("dual-channel-cnn", ["model.hidden=64"]))
    with pytest.raises(UsageError, match="differ by"):
        initial.take("dual-channel-cnn", recipes.load("dual-channel-cnn", ["front_end.hop=256"]))
    with pytest.raises(UsageError, match="is a model of recipe"):
        initial.take("default", recipes.load("mfcc-cnn"))


def test_a_bundle_that_may_have_heard_the_test_is_called_out(
    learnt_bundle: Path, own: Fold, tmp_path: Path
) -> None:
    with pytest.raises(LeakError, match="which ones is not recorded"):
        adapted(taken(learnt_bundle), own, tmp_path / "run")


def test_settings_without_effect_are_refused() -> None:
    chosen = recipes.load("dual-channel-cnn")
    for given, instead in (
        ("training.epochs=3", "set adaptation.epochs"),
        ("training.patience=3", "one cycle"),
        ("augmentation.pool=3", "adaptation.augmentation=full"),
    ):
        with pytest.raises(UsageError, match=instead):
            adaptation.applied(chosen, [given])
    whole = dataclasses.replace(
        chosen, adaptation=dataclasses.replace(chosen.adaptation, augmentation="full")
    )
    assert adaptation.applied(whole, ["augmentation.pool=3"]).augmentation == whole.augmentation
    assert adaptation.applied(chosen).augmentation.live == chosen.augmentation.live
    assert adaptation.applied(chosen).sha256 != chosen.sha256


@pytest.mark.parametrize(("wanted", "views"), [("full", 12), ("live", 0), ("none", 0)])
def test_only_the_whole_augmentation_keeps_views(wanted: str, views: int) -> None:
    """Few clips in few epochs do not see as many views as would have to be made."""
    chosen = recipes.load("base", [f"adaptation.augmentation={wanted}"])
    assert adaptation.applied(chosen).augmentation.views == views


def test_a_recipe_that_does_not_adapt_keeps_its_digest() -> None:
    chosen = recipes.load("mfcc-cnn")
    plain = chosen.to_dict()
    del plain["adaptation"]
    for section, added in recipes._LATER.items():
        for key, default in added.items():
            if section in plain and plain[section][key] == default:
                del plain[section][key]
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == chosen.sha256
    assert recipes.load("mfcc-cnn", ["adaptation.epochs=7"]).sha256 != chosen.sha256


def test_every_clip_of_a_corpus_read_anew_is_what_the_run_learnt_from(
    learnt: tuple[str, Path], own: Fold
) -> None:
    heard = taken(learnt[1])[0].heard()
    assert {clip.key for clip in heard.clips} == {clip.key for clip in (*own.train, *own.validation)}
    assert folds(read(learnt[0]), "emobox-6", 0)[0].test == own.test


@pytest.mark.parametrize("stored", ["float16", "int8"])
def test_weights_in_less_space_are_begun_with_as_they_are_stored(stored: Weights, tmp_path: Path) -> None:
    import onnx

    model = onnx.load(packaged.place("dual-channel-cnn"))
    store_weights(model, stored)
    onnx.save(model, tmp_path / "small.onnx")
    whole, chosen = initial.take("dual-channel-cnn", recipes.load("dual-channel-cnn"))
    weights, _ = initial.take(str(tmp_path / "small.onnx"), recipes.load("dual-channel-cnn"))
    assert weights.info.sha256 != whole.info.sha256
    begun = network.build(chosen, seed=3)
    weights.put_into(begun, chosen.emotions)
    bundle = Bundle.open(tmp_path / "small.onnx", device="cpu")
    assert compare(begun.eval(), bundle, noisy_tones(chosen.preparation), "noisy tones").difference < 1e-5
