"""`vocemo train`: one model by a recipe."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vocemo.cli import training
from vocemo.cli.progress import progress
from vocemo.cli.training_progress import ShowTraining
from vocemo.errors import UsageError

if TYPE_CHECKING:
    from vocemo.lab.initial import Initial
    from vocemo.lab.outcome import Outcome


def train(
    recipe: training.RecipeName,
    corpus: training.Corpora = None,
    protocol: training.Protocol = None,
    fold: Annotated[int, typer.Option("--fold", metavar="K", help="Which of the protocol's folds.")] = 0,
    seed: Annotated[
        int, typer.Option("--seed", metavar="S", min=0, help="Decides weights, order and variation.")
    ] = 0,
    settings: training.Settings = None,
    init: training.Init = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="The run folder; by default under runs/.")
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="DIR",
            help="A finished crossval, for --protocol all: its epochs, rates, temperature.",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after the last whole epoch.")] = False,
    device: training.Device = "auto",
    cache: training.Cache = None,
    cache_gb: training.CacheGb = training.DEFAULT_CACHE_GB,
    deterministic: training.Deterministic = False,
    tensorboard: training.TensorBoard = None,
    quiet: training.Quiet = False,
) -> None:
    """Train a model by a recipe on one fold of a protocol, and test it once.

    The run folder holds the recipe, versions, audit, a line of metrics an epoch, curves.png, weights,
    and the test fold's predictions and figures. A killed training loses at most one epoch.

    With --init a trained model is adapted to a voice or domain of your own from few clips: settings are
    those below adaptation., and the result is measured only where you hold clips out (--protocol).

    Examples:

        vocemo train dual-channel-cnn --corpus ravdess-speech:DATA/ravdess

        vocemo train dual-channel-cnn --corpus emodb:DATA/emodb --protocol loso --set training.epochs=20

        vocemo train dual-channel-cnn --corpus ravdess:DATA/ravdess --protocol all --plan runs/crossval

        vocemo train dual-channel-cnn --init default --corpus folder:MINE --out runs/mine

        vocemo train mel-cnn2d --corpus emodb:DATA/emodb --deterministic --tensorboard boards
    """
    training.need_lab("train")
    from vocemo.lab import crossval, experiment, splits
    from vocemo.lab.plan import Plan
    from vocemo.lab.run import RunFolder

    training.check_tensorboard(tensorboard)
    training.check_protocol(protocol)
    initial: Initial | None = None
    if init is None:
        chosen = training.load_recipe(recipe, settings, corpus)
    else:
        chosen, initial = training.load_adapting(recipe, settings, corpus, init)
    learnt = Plan.read(plan) if plan else None
    epochs = (learnt.followed_by(chosen) if learnt else chosen).training.epochs
    disk = training.disk_cache(cache, cache_gb)
    where = training.device_named(device)
    manifest = training.read_corpora(corpus, chosen)
    if protocol is None and plan:
        protocol = "all"
    elif protocol is None:
        protocol = (
            training.strictest_protocol(manifest)
            if initial is None
            else training.protocol_adapting(manifest, chosen)
        )
    if plan and protocol != "all":
        raise UsageError(f"--plan stands in for validation, so it goes with --protocol all, not {protocol}")
    folds = splits.folds(manifest, protocol, seed, training.copies(protocol, chosen))
    if not 0 <= fold < len(folds):
        raise UsageError(f"protocol {protocol} has folds 0 to {len(folds) - 1} here; there is no fold {fold}")
    training.say(folds[fold].describe())
    folder = RunFolder(out or Path("runs") / f"{chosen.name}-{protocol}-fold-{fold}-seed-{seed}")
    info = crossval.run_info(chosen, corpus or (), folds[fold], seed, where, learnt, initial)
    boards = training.boards(tensorboard, folder)
    with progress("Training", epochs, "epochs", quiet=quiet, steady_from=training.slow_epochs(chosen)) as bar:
        outcome = experiment.run_fold(
            info,
            folds[fold],
            folder,
            waveforms=experiment.waveforms_for(chosen, disk),
            device=where,
            callbacks=[ShowTraining(bar, epochs=epochs, keep_epochs=True), *boards],
            resume=resume,
            deterministic=deterministic,
            initial=initial,
        )
    training.draw(folder, folds[fold])
    for board in boards:
        board.finish()
    _tell(outcome, folder.path, folds[fold].leaky)


def _tell(outcome: Outcome, folder: Path, leaky: bool) -> None:
    typer.echo(f"Best epoch: {outcome.best_epoch} of {outcome.epochs}; temperature {outcome.temperature:.3f}")
    if outcome.calibrated_by == "initial model":
        typer.echo(
            "Temperature and thresholds are those of the initial model: no clips were held out to fit them "
            "to the adapted one, which may be surer than it should"
        )
    if outcome.test:
        typer.echo(
            f"Test: UAR {outcome.test.uar:.2%}, accuracy {outcome.test.accuracy:.2%}, "
            f"{outcome.test.test_clips} clips of {len(outcome.test.test_speakers)} speaker"
            + "s" * (len(outcome.test.test_speakers) != 1)
            + training.leak_remark(leaky)
        )
    typer.echo(f"Run folder: {folder}")
    verbs = ("evaluate", "export") if outcome.test else ("export",)
    typer.echo("Next: " + ", ".join(f"vocemo {verb} {shlex.quote(str(folder))}" for verb in verbs))
