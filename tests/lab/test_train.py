"""Training is repeatable: broken off anywhere it goes on to the same weights, and leaves no trace outside."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

import fabricate_run
from vocemo.errors import RunError, UsageError
from vocemo.lab import checkpoint, experiment, network, train
from vocemo.lab.history import EpochRecord
from vocemo.lab.run import RunFolder
from vocemo.lab.splits import Fold
from vocemo.lab.training_clips import training_set
from vocemo.lab.training_state import Step, TrainingState, ValidationScores
from vocemo.lab.waveforms import Waveforms

EPOCHS = 3
CHOSEN = fabricate_run.recipe(f"training.epochs={EPOCHS}")
CYCLED = fabricate_run.recipe(
    f"training.epochs={EPOCHS}",
    "training.schedule=one-cycle",
    "training.mixup=0.3",
    "training.weight_average=0.9",
    'augmentation.spectral=[{name="time-warp", p=0.5}, {name="band-warp"}, {name="time-mask"}]',
)


@pytest.fixture(scope="module")
def fold(tiny_corpus: str) -> Fold:
    return fabricate_run.fold(tiny_corpus)


@pytest.fixture(scope="module")
def unbroken(
    tiny_corpus: str, fold: Fold, tiny_waveforms: Waveforms, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    path = tmp_path_factory.mktemp("unbroken")
    fabricate_run.run(tiny_corpus, fold, path, CHOSEN, waveforms=tiny_waveforms)
    return RunFolder(path)


def figures(records: tuple[EpochRecord, ...]) -> list[EpochRecord]:
    """Records without how long they took."""
    return [dataclasses.replace(record, seconds=0.0, energy_j=None) for record in records]


class Broken(BaseException):
    """As sudden as a Ctrl-C."""


class Break:
    """A callback that ends training after a batch of an epoch, or after the epoch."""

    def __init__(self, epoch: int, batch: int | None) -> None:
        self.epoch, self.batch = epoch, batch

    def on_batch(self, step: Step) -> None:
        if (step.epoch, step.batch) == (self.epoch, self.batch):
            raise Broken

    def on_epoch(self, state: TrainingState) -> None:
        if self.batch is None and len(state.history) == self.epoch:
            raise Broken


def agrees(folder: RunFolder, unbroken: RunFolder) -> bool:
    """Whether a run came to the same as the unbroken one, to the last bit."""
    last, expected = (torch.load(f.state, weights_only=True) for f in (folder, unbroken))
    moments, expected_moments = (s["optimizer"]["state"] for s in (last, expected))
    return (
        fabricate_run.same(fabricate_run.weights(folder.weights), fabricate_run.weights(unbroken.weights))
        and fabricate_run.same(last["network"], expected["network"])
        and all(
            torch.equal(moments[p][name], expected_moments[p][name])
            for p in expected_moments
            for name in expected_moments[p]
        )
        and figures(folder.history()) == figures(unbroken.history())
        and folder.predictions.read_bytes() == unbroken.predictions.read_bytes()
        and folder.validation_predictions.read_bytes() == unbroken.validation_predictions.read_bytes()
        and dataclasses.replace(folder.outcome(), train_seconds=0.0, test=None)
        == dataclasses.replace(unbroken.outcome(), train_seconds=0.0, test=None)
    )


def test_a_training_comes_again_from_its_seed(
    tiny_corpus: str, fold: Fold, unbroken: RunFolder, tiny_waveforms: Waveforms, tmp_path: Path
) -> None:
    fresh = experiment.waveforms_for(CHOSEN)  # another process would make its own
    fabricate_run.run(tiny_corpus, fold, tmp_path / "again", CHOSEN, waveforms=fresh)
    assert agrees(RunFolder(tmp_path / "again"), unbroken)
    fabricate_run.run(tiny_corpus, fold, tmp_path / "other", CHOSEN, waveforms=tiny_waveforms, seed=1)
    other = fabricate_run.weights(tmp_path / "other" / "best.pt")
    assert not fabricate_run.same(other, fabricate_run.weights(unbroken.weights))


@pytest.mark.parametrize(
    ("epoch", "batch"), [(1, 1), (1, None), (2, 1), (2, 3), (2, None), (3, 4), (3, None)]
)
def test_broken_off_after_any_epoch_or_inside_one_it_goes_on_as_if_unbroken(
    tiny_corpus: str,
    fold: Fold,
    unbroken: RunFolder,
    tiny_waveforms: Waveforms,
    tmp_path: Path,
    epoch: int,
    batch: int | None,
) -> None:
    with pytest.raises(Broken):
        fabricate_run.run(
            tiny_corpus, fold, tmp_path, CHOSEN, waveforms=tiny_waveforms, callbacks=[Break(epoch, batch)]
        )
    # A callback that ends training after an epoch comes before the files of that epoch are written.
    assert len(RunFolder(tmp_path).history()) == epoch - 1
    fabricate_run.run(tiny_corpus, fold, tmp_path, CHOSEN, waveforms=tiny_waveforms, resume=True)
    assert agrees(RunFolder(tmp_path), unbroken)


def test_one_cycle_with_mixed_and_masked_clips_and_an_average_of_weights_goes_on_as_if_unbroken(
    tiny_corpus: str, fold: Fold, tiny_waveforms: Waveforms, tmp_path: Path
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    rates: list[float] = []

    class Watch:
        def on_batch(self, step: Step) -> None:
            rates.append(step.learning_rate)

        def on_epoch(self, state: TrainingState) -> None:
            assert state.average is not None
            assert state.answering is state.average.network

    fabricate_run.run(tiny_corpus, fold, whole, CYCLED, waveforms=tiny_waveforms, callbacks=[Watch()])
    for epoch, batch in ((1, 2), (2, None), (3, 1)):
        with pytest.raises(Broken):
            fabricate_run.run(
                tiny_corpus,
                fold,
                broken,
                CYCLED,
                waveforms=tiny_waveforms,
                callbacks=[Break(epoch, batch)],
                resume=True,
            )
    fabricate_run.run(tiny_corpus, fold, broken, CYCLED, waveforms=tiny_waveforms, resume=True)
    assert agrees(RunFolder(broken), RunFolder(whole))
    states = [torch.load(RunFolder(path).state, weights_only=True) for path in (whole, broken)]
    averages = [state["average"] for state in states]
    assert averages[0]["steps"] == averages[1]["steps"] == len(rates)
    assert fabricate_run.same(averages[0]["network"], averages[1]["network"])
    # What is kept is the average, and it is not where the descent stood.
    assert not fabricate_run.same(averages[0]["network"], states[0]["network"])
    # Up, and down to nearly nothing.
    peak = rates.index(max(rates))
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert max(rates) == pytest.approx(CYCLED.training.learning_rate, rel=0.1)
    assert rates[-1] < 0.1 * max(rates)


def test_broken_off_again_and_again_it_still_arrives(
    tiny_corpus: str, fold: Fold, unbroken: RunFolder, tiny_waveforms: Waveforms, tmp_path: Path
) -> None:
    for epoch, batch in ((1, 2), (2, 1), (2, 4), (3, None)):
        with pytest.raises(Broken):
            fabricate_run.run(
                tiny_corpus,
                fold,
                tmp_path,
                CHOSEN,
                waveforms=tiny_waveforms,
                callbacks=[Break(epoch, batch)],
                resume=True,
            )
    fabricate_run.run(tiny_corpus, fold, tmp_path, CHOSEN, waveforms=tiny_waveforms, resume=True)
    assert agrees(RunFolder(tmp_path), unbroken)


@pytest.mark.parametrize(
    ("module", "writer", "call"),
    [
        (checkpoint, "write_json", 1),  # run.json
        (checkpoint, "write_json", 2),  # audit.json
        (checkpoint, "save_weights", 1),  # best.pt
        (checkpoint, "save_state", 1),  # last.pt, its best.pt there already
        (checkpoint, "save_state", 3),
        (RunFolder, "write_history", 2),  # metrics.jsonl
        (checkpoint, "load_weights", 1),  # training over, nothing measured
        (RunFolder, "write_outcome", 1),  # result.json
    ],
)
def test_broken_off_before_any_file_it_goes_on_as_if_unbroken(
    tiny_corpus: str,
    fold: Fold,
    unbroken: RunFolder,
    tiny_waveforms: Waveforms,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: object,
    writer: str,
    call: int,
) -> None:
    write: Callable[..., None] = getattr(module, writer)
    calls = 0

    def breaking(*arguments: object) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise Broken
        write(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(module, writer, breaking)
        with pytest.raises(Broken):
            fabricate_run.run(tiny_corpus, fold, tmp_path, CHOSEN, waveforms=tiny_waveforms)
    assert not RunFolder(tmp_path).complete
    fabricate_run.run(tiny_corpus, fold, tmp_path, CHOSEN, waveforms=tiny_waveforms, resume=True)
    assert agrees(RunFolder(tmp_path), unbroken)


def test_global_random_states_are_left_as_they_were(
    tiny_corpus: str, fold: Fold, tiny_waveforms: Waveforms, tmp_path: Path
) -> None:
    torch.manual_seed(11)
    before = (torch.random.get_rng_state(), np.random.get_state()[1].copy(), random.getstate())  # noqa: NPY002 (it is read, not drawn from)
    threads = torch.get_num_threads()
    fabricate_run.run(tiny_corpus, fold, tmp_path, CHOSEN, waveforms=experiment.waveforms_for(CHOSEN))
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002 (it is read, not drawn from)
    assert random.getstate() == before[2]
    assert torch.get_num_threads() == threads
    assert torch.is_grad_enabled()


def test_a_training_does_not_depend_on_the_global_random_state(
    tiny_corpus: str, fold: Fold, unbroken: RunFolder, tiny_waveforms: Waveforms, tmp_path: Path
) -> None:
    torch.manual_seed(12_345)
    random.seed(6)
    fabricate_run.run(tiny_corpus, fold, tmp_path, CHOSEN, waveforms=tiny_waveforms)
    assert agrees(RunFolder(tmp_path), unbroken)


def state_of(fold: Fold, waveforms: Waveforms, *settings: str) -> tuple[TrainingState, train.TrainingSet]:
    chosen = fabricate_run.recipe(*settings)
    state = train.begin(network.build(chosen, seed=0), chosen.training)
    return state, training_set(fold.train, chosen, waveforms)


def fit(
    state: TrainingState, training: train.TrainingSet, losses: list[float] | None = None, **more: object
) -> TrainingState:
    """Train with validation losses that are given beforehand."""
    script = iter(losses or ())
    validate = None if losses is None else lambda _: ValidationScores(next(script), 0.5, 0.5)
    return train.fit(state, training, validate, seed=0, device=fabricate_run.CPU, **more)


def test_validation_comes_every_few_epochs_and_after_the_last_and_changes_nothing(
    fold: Fold, tiny_waveforms: Waveforms
) -> None:
    whole = ("training.epochs=5", "training.schedule=one-cycle", "training.keep=last")
    often, training = state_of(fold, tiny_waveforms, *whole)
    fit(often, training, [1.0] * 5)
    seldom, training = state_of(fold, tiny_waveforms, *whole, "training.validate_every=2")
    fit(seldom, training, [4.0, 3.0, 2.0])
    losses = [record.validation_loss for record in seldom.history]
    assert losses == [None, 4.0, None, 3.0, 2.0] and seldom.best.epoch == 5
    assert fabricate_run.same(often.network.state_dict(), seldom.network.state_dict())


@pytest.mark.parametrize("settings", [("keep=best", "schedule=one-cycle"), ("keep=last", "schedule=plateau")])
def test_validation_that_chooses_comes_every_epoch(settings: tuple[str, ...]) -> None:
    given = [f"training.{each}" for each in (*settings, "validate_every=2")]
    with pytest.raises(UsageError, match=r"training\.validate_every is 2"):
        fabricate_run.recipe(*given)


def test_rates_of_a_plan_are_followed(fold: Fold, tiny_waveforms: Waveforms) -> None:
    rates = (3e-3, 2e-3, 1e-3)
    state, training = state_of(fold, tiny_waveforms, "training.epochs=4")
    seen: list[float] = []

    class Look:
        def on_batch(self, step: Step) -> None:
            seen.extend(group["lr"] for group in state.optimizer.param_groups)

        def on_epoch(self, state: TrainingState) -> None:
            pass

    fit(state, training, learning_rates=rates, callbacks=[Look()])
    assert [record.learning_rate for record in state.history] == [*rates, rates[-1]]
    per_epoch = 2 * len(training)
    assert seen == [rate for rate in (*rates, rates[-1]) for _ in range(per_epoch)]


def test_training_stops_and_slows_as_validation_says(fold: Fold, tiny_waveforms: Waveforms) -> None:
    state, training = state_of(
        fold,
        tiny_waveforms,
        "training.epochs=20",
        "training.patience=3",
        "training.plateau_patience=2",
        "training.plateau_factor=0.5",
        "training.learning_rate=1e-3",
    )
    best: list[int] = []

    class Look:
        def on_batch(self, step: Step) -> None:
            pass

        def on_epoch(self, state: TrainingState) -> None:
            if state.is_best:
                best.append(len(state.history))

    fit(state, training, [1.0, 0.9, 1.1, 1.2, 0.8, 0.8, 0.9, 1.0, 0.1], callbacks=[Look()])
    assert len(state.history) == 8  # the ninth, which would have been the best, is never reached
    assert best == [1, 2, 5]
    rates = [record.learning_rate for record in state.history]
    assert rates == [1e-3] * 4 + [5e-4] * 3 + [2.5e-4]


def test_training_lowers_its_loss(fold: Fold, tiny_waveforms: Waveforms) -> None:
    state, training = state_of(fold, tiny_waveforms, "training.epochs=6", "training.learning_rate=1e-2")
    fit(state, training)
    assert state.history[-1].train_loss < state.history[0].train_loss - 0.1
    assert [record.epoch for record in state.history] == [1, 2, 3, 4, 5, 6]
    assert all(record.validation_loss is None for record in state.history)


def test_a_training_that_diverges_says_so(fold: Fold, tiny_waveforms: Waveforms) -> None:
    state, training = state_of(fold, tiny_waveforms, "training.learning_rate=1e30")
    with pytest.raises(RunError, match=r"diverged.*lower training\.learning_rate than 1e\+30"):
        fit(state, training)


def test_only_matrices_are_decayed() -> None:
    chosen = fabricate_run.recipe("training.weight_decay=0.25")
    made = network.build(chosen, seed=0)
    state = train.begin(made, chosen.training)
    decay = {id(p): g["weight_decay"] for g in state.optimizer.param_groups for p in g["params"]}
    named = dict(made.named_parameters())
    assert len(decay) == len(named)
    for name, parameter in named.items():
        is_matrix = name.endswith("weight") and "normalise" not in name and parameter.ndim > 1
        assert decay[id(parameter)] == (0.25 if is_matrix else 0.0), name


def test_class_weights_are_scikit_learns(fold: Fold, tiny_waveforms: Waveforms) -> None:
    _, training = state_of(fold, tiny_waveforms)
    unequal = dataclasses.replace(training, clips=training.clips[:13] + training.clips[20:27])
    labels = [clip.emotion for clip in unequal.clips]
    expected = compute_class_weight("balanced", classes=np.array(unequal.emotions), y=labels)
    np.testing.assert_allclose(train.class_weights(unequal).numpy(), expected, rtol=1e-6)


def test_class_weights_count_what_an_enlarged_epoch_holds(fold: Fold, tiny_waveforms: Waveforms) -> None:
    _, training = state_of(fold, tiny_waveforms)
    unequal = dataclasses.replace(training, clips=training.clips[:13], pool=1)
    weights = [train.class_weights(dataclasses.replace(unequal, enlarge=how)) for how in ("none", "all")]
    assert torch.equal(*weights) and len(set(weights[0].tolist())) > 1
    for balance in ({"enlarge": "balance"}, {"sampling": "balanced"}):
        assert set(train.class_weights(dataclasses.replace(unequal, **balance)).tolist()) <= {0.0, 1.0}


def test_an_emotion_without_clips_weighs_nothing(fold: Fold, tiny_waveforms: Waveforms) -> None:
    _, training = state_of(fold, tiny_waveforms)
    some = tuple(clip for clip in training.clips if clip.emotion in ("happy", "sad"))
    weights = train.class_weights(dataclasses.replace(training, clips=some))
    assert dict(zip(training.emotions, weights.tolist(), strict=True)) == {
        emotion: float(emotion in ("happy", "sad")) for emotion in training.emotions
    }


def test_balanced_classes_change_what_is_learnt(fold: Fold, tiny_waveforms: Waveforms) -> None:
    losses = []
    for balanced in ("true", "false"):
        state, training = state_of(fold, tiny_waveforms, f"training.balance_classes={balanced}")
        fit(state, dataclasses.replace(training, clips=training.clips[:13]))
        losses.append(state.history[-1].train_loss)
    assert losses[0] != losses[1]


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 broken"])
def test_a_broken_checkpoint_is_named(
    tiny_corpus: str, fold: Fold, tiny_waveforms: Waveforms, tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(Broken):
        fabricate_run.run(
            tiny_corpus, fold, tmp_path, CHOSEN, waveforms=tiny_waveforms, callbacks=[Break(2, 1)]
        )
    (tmp_path / "last.pt").write_bytes(content)
    with pytest.raises(RunError, match=r"last\.pt cannot be read"):
        fabricate_run.run(tiny_corpus, fold, tmp_path, CHOSEN, waveforms=tiny_waveforms, resume=True)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    small, large = (network.build(fabricate_run.recipe(f"model.hidden={n}"), seed=0) for n in (4, 8))
    checkpoint.save_weights(small, tmp_path / "small.pt")
    with pytest.raises(RunError, match="does not fit"):
        checkpoint.load_weights(large, tmp_path / "small.pt", fabricate_run.CPU)
    state = train.begin(large, CHOSEN.training)
    with pytest.raises(RunError, match="no state of this recipe"):
        checkpoint.restore_state(state, tmp_path / "small.pt", fabricate_run.CPU)
    with pytest.raises(RunError, match="no weights at"):
        checkpoint.load_weights(large, tmp_path / "none.pt", fabricate_run.CPU)


def test_weights_run_no_code_of_a_pickle(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
            return Path.touch, (tmp_path / "harmed",)

    torch.save({"network": Harm()}, tmp_path / "best.pt")
    with pytest.raises(RunError, match="cannot be read"):
        checkpoint.load_weights(network.build(CHOSEN, seed=0), tmp_path / "best.pt", fabricate_run.CPU)
    assert not (tmp_path / "harmed").exists()
