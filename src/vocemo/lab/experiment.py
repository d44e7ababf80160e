"""One fold from clips to figures: audit, normalise, train, choose, calibrate, test once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from vocemo.errors import CorpusError, UsageError
from vocemo.lab import augment, checkpoint, domain, energy, network, selective, train
from vocemo.lab import device as devices
from vocemo.lab.calibrate import fit_temperature
from vocemo.lab.corpora.clip import Clip, Manifest
from vocemo.lab.dataset import collate
from vocemo.lab.disk_cache import DiskCache
from vocemo.lab.evaluate import Predictions, fold_result
from vocemo.lab.history import best
from vocemo.lab.network import Network
from vocemo.lab.outcome import Outcome, TrainedOn
from vocemo.lab.recipe import Recipe
from vocemo.lab.run import RunFolder
from vocemo.lab.run_info import RunInfo
from vocemo.lab.scoring import ClipScores, score, validation_scores
from vocemo.lab.splits import Fold, enforce
from vocemo.lab.training_clips import training_set
from vocemo.lab.training_state import Callback, TrainingState, ValidationScores
from vocemo.lab.views import Views
from vocemo.lab.waveforms import Waveforms
from vocemo.lab.write_epochs import WriteEpochs

if TYPE_CHECKING:
    from vocemo.lab.initial import Initial


@dataclass(frozen=True)
class Selection:
    """The clips that a recipe can use, and how many it has no emotion for."""

    manifest: Manifest
    dropped: dict[str, int]  # emotion -> clips that the recipe has no output for


def select(manifest: Manifest, recipe: Recipe) -> Selection:
    """Keep the clips whose emotion the recipe knows, under the name that it has there.

    Raises CorpusError where none is left.
    """
    manifest = manifest.relabelled(recipe.relabel)
    kept = manifest.where(lambda clip: clip.emotion in recipe.emotions)
    if not len(kept):
        raise CorpusError(
            f"no clip has an emotion of recipe {recipe.name} ({', '.join(recipe.emotions)}); "
            f"the corpus has: {', '.join(manifest.emotions)}"
        )
    dropped: dict[str, int] = {}
    for clip in manifest:
        if clip.emotion not in recipe.emotions:
            dropped[clip.emotion] = dropped.get(clip.emotion, 0) + 1
    return Selection(kept, dropped)


def waveforms_for(recipe: Recipe, disk: DiskCache | None = None) -> Waveforms:
    """The store of prepared clips that all folds and seeds of a recipe share, above what lies on the disk."""
    pooled = augment.chain(recipe.augmentation.pooled) if recipe.augmentation.pooled else None
    return Waveforms(recipe.preparation, pooled, disk=disk)


def run_fold(
    info: RunInfo,
    fold: Fold,
    folder: RunFolder,
    *,
    waveforms: Waveforms,
    device: torch.device,
    callbacks: Iterable[Callback] = (),
    resume: bool = False,
    deterministic: bool = False,
    initial: Initial | None = None,
) -> Outcome:
    """Train on a fold and test on it once, everything written to the folder as soon as it is known.

    With `resume` a run goes on after its last whole epoch, to the same weights as one that was never
    interrupted; a complete one is only read, but for what an older vocemo did not measure. With
    `deterministic` torch uses no algorithm whose outcome may differ from run to run (`device.deterministic`).
    What was trained with is kept in the run's `made`. With `initial` the training begins with its weights,
    and `info.initial` names them; the audit holds the test against what they have heard.

    Raises LeakError where the fold breaks its protocol's promise, RunError where the folder has another run,
    UsageError where `initial` is not what `info` names.
    """
    if (None if initial is None else initial.info) != info.initial:
        raise UsageError("a run begins with the weights that its description names, or with fresh ones")
    folder.check(info, resume=resume)
    if folder.complete:
        return _brought_up(info, fold, folder, waveforms, device)
    heard = initial.heard() if initial and (fold.test or fold.validation) else None
    audit = enforce(fold, heard=heard)  # first of all: a refused fold leaves no folder behind
    with devices.deterministic(device, wanted=deterministic):
        made = _trained_with(info.recipe, device, deterministic=deterministic)
        folder.begin(dataclasses.replace(info, made={**info.made, **made}), resume=resume)
        checkpoint.write_json(folder.audit, audit.to_dict())
        state = _start(info, fold, folder, waveforms, device, initial)

        def validate(candidate: Network) -> ValidationScores:
            return validation_scores(_score(candidate, fold.validation, info, waveforms, device))

        if initial is not None and not info.recipe.adaptation.epochs:
            checkpoint.save_weights(state.network, folder.weights)
            folder.write_history(())
        else:
            training = training_set(fold.train, info.recipe, waveforms)
            viewed = info.recipe.augmentation.views > 0
            train.fit(
                state,
                training,
                validate if fold.validation else None,
                seed=info.seed,
                device=device,
                callbacks=[*callbacks, WriteEpochs(folder)],
                learning_rates=info.learning_rates or None,
                views=Views(state.network, training, info.recipe, device) if viewed else None,
            )
        return _finish(info, fold, folder, state, waveforms, device, initial)


def precision(recipe: Recipe, device: torch.device) -> str:
    """What the recipe's precision comes to on a device."""
    asked = recipe.training.precision
    if asked == "auto":
        return "bfloat16" if devices.gains_by_bfloat16(device) else "float32"
    return asked


def _trained_with(recipe: Recipe, device: torch.device, *, deterministic: bool) -> dict[str, Any]:
    """What a training's last digits and its time depend on, beside its device and versions."""
    return {
        "precision": precision(recipe, device),
        "deterministic": deterministic,
        "threads": torch.get_num_threads(),
        "memory_gb": energy.memory_gb(),
    }


def _start(
    info: RunInfo,
    fold: Fold,
    folder: RunFolder,
    waveforms: Waveforms,
    device: torch.device,
    initial: Initial | None,
) -> TrainingState:
    """A state before the first epoch, or as it was saved after the last."""
    fresh = network.build(info.recipe, info.seed)
    # A run ends in the precision that it began in, wherever it is resumed.
    begun_in = folder.info().made.get("precision", precision(info.recipe, device))
    fresh.half_width = begun_in == "bfloat16"
    begun = folder.state.is_file()
    if initial is not None:
        fresh.adapt(info.recipe.adaptation)
    if not begun and initial is not None:
        initial.put_into(fresh, info.recipe.emotions)
    elif not begun:
        fresh.begin()
        # On the processor: Apple's MPS has no float64, and every device gets the same statistics.
        fresh.front_end.fit(_PlainBatches(fold.train, info.recipe, waveforms))
    state = train.begin(fresh.to(device), info.recipe.training)
    if begun:
        checkpoint.restore_state(state, folder.state, device)
    return state


@dataclass(frozen=True)
class _PlainBatches:
    """Training clips as they are, for statistics over them; each going through them reads them again."""

    clips: Sequence[Clip]
    recipe: Recipe
    waveforms: Waveforms

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        size = self.recipe.training.batch_size
        for first in range(0, len(self.clips), size):
            waves = [self.waveforms.clip(clip) for clip in self.clips[first : first + size]]
            batch = collate(waves, [0] * len(waves), range(len(waves)), self.recipe.preparation.length)
            yield batch.samples, batch.lengths


def _score(
    candidate: Network, clips: Sequence[Clip], info: RunInfo, waveforms: Waveforms, device: torch.device
) -> ClipScores:
    return score(candidate, clips, info.recipe.emotions, waveforms, device=device)


def _finish(
    info: RunInfo,
    fold: Fold,
    folder: RunFolder,
    state: TrainingState,
    waveforms: Waveforms,
    device: torch.device,
    initial: Initial | None,
) -> Outcome:
    """Take the best epoch's weights, calibrate on validation, and look at the test fold, once."""
    checkpoint.load_weights(state.network, folder.weights, device)
    temperature, thresholds = info.temperature or 1.0, info.thresholds
    whose = "plan" if info.temperature is not None else "nothing"
    if initial is not None and info.temperature is None:
        temperature, thresholds, whose = initial.temperature, initial.thresholds, "initial model"
    if fold.validation:
        whose = "validation"
        scores = _score(state.network, fold.validation, info, waveforms, device)
        temperature = fit_temperature(scores.logits, scores.row_targets)
        answers = _predictions(fold.validation, scores, temperature, info)
        answers.write(folder.validation_predictions)
        thresholds = selective.thresholds(answers)
    outcome = Outcome(
        parameters=sum(state.network.parameter_counts()),
        best_epoch=best(state.history, info.recipe.training).epoch if state.history else 0,
        epochs=len(state.history),
        train_seconds=round(sum(record.seconds for record in state.history), 1),
        temperature=temperature,
        trained_on=TrainedOn.of(fold.train, fold.validation),
        test=None,
        thresholds=thresholds,
        distances=domain.distances(state.network, fold, info, folder, waveforms, device, initial),
        calibrated_by=whose,
    )
    if fold.test:
        scores = _score(state.network, fold.test, info, waveforms, device)
        predictions = _predictions(fold.test, scores, temperature, info)
        predictions.write(folder.predictions)
        test = fold_result(
            predictions,
            best_epoch=outcome.best_epoch,
            epochs=outcome.epochs,
            train_seconds=outcome.train_seconds,
        )
        outcome = dataclasses.replace(outcome, test=test)
    folder.write_outcome(outcome)
    return outcome


def _brought_up(
    info: RunInfo, fold: Fold, folder: RunFolder, waveforms: Waveforms, device: torch.device
) -> Outcome:
    """A complete run's outcome, with what an older vocemo did not measure; its weights stay as they are."""
    outcome = folder.outcome()
    measured = outcome.distances is not None and folder.domain.is_file()
    if measured or not folder.weights.is_file():
        return outcome
    trained = network.build(info.recipe, info.seed)
    checkpoint.load_weights(trained, folder.weights, torch.device("cpu"))
    trained.to(device)
    thresholds = info.thresholds
    if fold.validation and folder.validation_predictions.is_file():
        thresholds = selective.thresholds(Predictions.read(folder.validation_predictions))
    distances = domain.distances(trained, fold, info, folder, waveforms, device)
    outcome = dataclasses.replace(outcome, thresholds=thresholds, distances=distances)
    folder.write_outcome(outcome)
    return outcome


def _predictions(clips: Sequence[Clip], scores: ClipScores, temperature: float, info: RunInfo) -> Predictions:
    probabilities = scores.probabilities(temperature)
    return Predictions.of(clips, probabilities, info.recipe.emotions, fold=info.fold, seed=info.seed)
