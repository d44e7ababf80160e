"""All folds and seeds of a protocol, each written as soon as it is known, resumable one by one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch

from vocemo.lab import plan
from vocemo.lab.corpora.clip import Manifest
from vocemo.lab.disk_cache import DiskCache
from vocemo.lab.evaluate import Predictions, Results
from vocemo.lab.experiment import run_fold, waveforms_for
from vocemo.lab.measure import measured
from vocemo.lab.outcome import Outcome
from vocemo.lab.recipe import Recipe
from vocemo.lab.run import RunFolder
from vocemo.lab.run_info import RunInfo, made_here
from vocemo.lab.splits import Fold, folds
from vocemo.lab.training_state import Callback

if TYPE_CHECKING:
    from vocemo.lab.initial import Initial


@dataclass(frozen=True)
class Job:
    """One fold with one seed, and where it goes."""

    fold: Fold
    seed: int
    folder: RunFolder


AnyJob = TypeVar("AnyJob", bound=Job)


def jobs(
    manifest: Manifest, protocol: str, seeds: Sequence[int], out: Path, pool: int = 0
) -> tuple[Job, ...]:
    """What there is to do, seed by seed. A protocol that draws its folds draws them anew for each seed.

    pool: as `splits.folds` takes it.
    """
    return tuple(
        Job(fold, seed, RunFolder(out / f"seed-{seed}" / f"fold-{fold.index}"))
        for seed in seeds
        for fold in folds(manifest, protocol, seed, pool)
    )


def run(
    todo: Iterable[Job],
    recipe: Recipe,
    corpora: Sequence[str],
    *,
    device: torch.device,
    callbacks: Callable[[int], Iterable[Callback]] = lambda number: (),
    disk: DiskCache | None = None,
    deterministic: bool = False,
    plans: Mapping[int, plan.Plan] | None = None,
    initial: Initial | None = None,
) -> Iterator[tuple[Job, Outcome]]:
    """Run what is not complete, read what is, and give each job's outcome as soon as it is known.

    `callbacks` gives those of a job by its number; `disk` keeps prepared clips for further trainings;
    `deterministic` and `initial` are those of `experiment.run_fold`; `plans`, by the number of the fold,
    stand in for validation (`refit`).
    """

    def asked(job: Job) -> RunInfo:
        learnt = plans[job.fold.index] if plans else None
        return run_info(recipe, corpora, job.fold, job.seed, device, learnt, initial)

    yield from run_each(todo, recipe, asked, device, callbacks, disk, deterministic, initial)


def run_each(
    todo: Iterable[AnyJob],
    recipe: Recipe,
    asked: Callable[[AnyJob], RunInfo],
    device: torch.device,
    callbacks: Callable[[int], Iterable[Callback]],
    disk: DiskCache | None,
    deterministic: bool,
    initial: Initial | None = None,
) -> Iterator[tuple[AnyJob, Outcome]]:
    """As `run`, where `asked` says what each job's run is; all share their prepared clips."""
    waveforms = waveforms_for(recipe, disk)
    for number, job in enumerate(todo):
        outcome = run_fold(
            asked(job),
            job.fold,
            job.folder,
            waveforms=waveforms,
            device=device,
            callbacks=callbacks(number),
            resume=True,
            deterministic=deterministic,
            initial=initial,
        )
        yield job, outcome


def run_info(
    recipe: Recipe,
    corpora: Sequence[str],
    fold: Fold,
    seed: int,
    device: torch.device,
    learnt: plan.Plan | None = None,
    initial: Initial | None = None,
) -> RunInfo:
    """What a run is asked for; a plan, where there is one, gives what validation would.

    initial: the weights that it begins with; None: fresh ones.

    Raises UsageError where the plan is another recipe's.
    """
    return RunInfo(
        recipe=learnt.followed_by(recipe) if learnt else recipe,
        corpora=tuple(corpora),
        protocol=fold.protocol,
        fold=fold.index,
        seed=seed,
        clips=(len(fold.train), len(fold.validation), len(fold.test)),
        learning_rates=learnt.learning_rates if learnt else (),
        temperature=learnt.temperature if learnt else None,
        thresholds=learnt.thresholds if learnt else (),
        distance_ratio=learnt.distance_ratio if learnt else None,
        initial=initial.info if initial else None,
        made=made_here(device.type),
    )


def summarise(
    done: Sequence[Job],
    recipe: Recipe,
    corpora: Sequence[str],
    planned: int | None = None,
    remark: str | None = None,
) -> Results:
    """The figures of finished jobs, some or all; a seed under way is in no mean (`measure.measured`).

    planned: how many jobs there are in all, where the result is to say that it has not got them all.
    remark: what else it is to say.
    """
    outcomes = [job.folder.outcome() for job in done]
    result = measured(
        predictions_of(done),
        model=recipe.name,
        protocol=done[0].fold.protocol,
        leaky=any(job.fold.leaky for job in done),
        parameters=outcomes[0].parameters,
        per_fold=[outcome.test for outcome in outcomes if outcome.test],
    )
    initial = done[0].folder.info().initial
    begun = initial.describe() if initial else None
    so_far = f"{len(done)} of {planned} trainings so far" if planned and len(done) < planned else None
    return dataclasses.replace(
        result,
        remark="; ".join(each for each in (begun, so_far, remark, result.remark) if each) or None,
        corpora=tuple(spec.partition(":")[0] for spec in corpora),
        train_seconds=round(sum(outcome.train_seconds for outcome in outcomes), 1),
        device=str(done[0].folder.info().made.get("device", "")) or None,
        leak=next((leak for job in done if (leak := job.folder.leak())), None),
    )


def learn_plan(done: Sequence[Job], recipe: Recipe) -> plan.Plan:
    """What a training without validation can learn from finished jobs."""
    return plan.learn(
        [job.folder.history() for job in done],
        [job.folder.outcome() for job in done],
        Predictions.concatenate(Predictions.read(job.folder.validation_predictions) for job in done),
        recipe=recipe.name,
        recipe_sha256=recipe.sha256,
        protocol=done[0].fold.protocol,
    )


def predictions_of(done: Iterable[Job]) -> Predictions:
    """The test predictions of finished jobs, below each other."""
    return Predictions.concatenate(Predictions.read(job.folder.predictions) for job in done)
