"""`vocemo crossval`: all folds and seeds of a protocol."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated

import typer

from vocemo.cli import report, training
from vocemo.cli.progress import progress
from vocemo.cli.training_progress import ShowTraining, finished
from vocemo.errors import UsageError


def crossval(
    recipe: training.RecipeName,
    corpus: training.Corpora = None,
    protocol: training.Protocol = None,
    seeds: training.Seeds = training.DEFAULT_SEEDS,
    settings: training.Settings = None,
    init: training.Init = None,
    out: training.RunsOut = None,
    refit: Annotated[
        Path | None,
        typer.Option(
            "--refit",
            metavar="DIR",
            help="A finished crossval: train each fold again on its validation speakers too, as they chose.",
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            "--shard",
            metavar="K/N",
            help="Train the K-th of N parts alone: the others in other processes, or on other machines.",
        ),
    ] = None,
    device: training.Device = "auto",
    cache: training.Cache = None,
    cache_gb: training.CacheGb = training.DEFAULT_CACHE_GB,
    deterministic: training.Deterministic = False,
    tensorboard: training.TensorBoard = None,
    no_audio: report.NoAudio = False,
    no_report: report.NoReport = False,
    quiet: training.Quiet = False,
) -> None:
    """Train and test over all folds and seeds of a protocol.

    Each fold's figures are written at once; started again, it goes on where it stood. The folder holds a
    run folder for each seed and fold, predictions.csv, results.json, confusion.png, report.html, and
    plan.json, by which vocemo train --protocol all --plan makes the model that ships. With --refit each
    fold is trained once more, on training and validation speakers together, for as long and with the
    temperature that validation chose in DIR. With --shard 1/2 and --shard 2/2 two processes share the
    trainings; the same command without it then gathers what they have.

    Examples:

        vocemo crossval dual-channel-cnn --corpus ravdess-speech:DATA/ravdess --protocol emobox-6 --seeds 3

        vocemo crossval dual-channel-cnn --corpus emodb:DATA/emodb --protocol loso --seeds 1

        vocemo crossval mel-cnn2d --corpus emodb:DATA/emodb --protocol loso --refit runs/mel-cnn2d-loso

        vocemo crossval mel-cnn2d --corpus emodb:DATA/emodb --protocol loso --out runs/mel --shard 1/2

        vocemo crossval dual-channel-cnn --init dual-channel-cnn --corpus emodb:DATA/emodb --protocol loso
    """
    training.need_lab("crossval")
    from vocemo.lab import crossval as lab
    from vocemo.lab import refit as refitting

    training.check_tensorboard(tensorboard)
    training.check_protocol(protocol, tests=True)
    part = _part(shard)
    initial = None
    if init is None:
        chosen = training.load_recipe(recipe, settings, corpus)
    else:
        chosen, initial = training.load_adapting(recipe, settings, corpus, init)
    disk = training.disk_cache(cache, cache_gb)
    where = training.device_named(device)
    manifest = training.read_corpora(corpus, chosen)
    protocol = protocol or training.strictest_protocol(manifest)
    out = out or Path("runs") / f"{chosen.name}-{protocol}{'-refit' if refit else ''}"
    jobs = lab.jobs(manifest, protocol, range(seeds), out, training.copies(protocol, chosen))
    plans = refitting.plans(refit, chosen, jobs) if refit else None
    if plans:
        jobs = tuple(refitting.with_validation(job) for job in jobs)
    planned = len(jobs)
    jobs = jobs[part]
    if not jobs:
        raise UsageError(f"--shard {shard}: there are {planned} trainings, none for this part")
    summarise = functools.partial(
        lab.summarise, recipe=chosen, corpora=corpus or (), remark=refitting.REMARK if refit else None
    )
    for job in jobs:
        if job.seed == jobs[0].seed:
            training.say(job.fold.describe())
    boards = training.boards(tensorboard, *(job.folder for job in jobs))
    epochs = chosen.training.epochs
    done: list[lab.Job] = []
    with progress(
        "Cross-validation",
        len(jobs) * epochs,
        "epochs",
        quiet=quiet,
        steady_from=training.slow_epochs(chosen),
    ) as bar:
        shown = [ShowTraining(bar, f"seed {job.seed} fold {job.fold.index}", epochs=epochs) for job in jobs]
        running = lab.run(
            jobs,
            chosen,
            corpus or (),
            device=where,
            disk=disk,
            callbacks=lambda number: [shown[number], *boards[number : number + 1]],
            deterministic=deterministic,
            plans=plans,
            initial=initial,
        )
        for job, outcome in finished(bar, shown, running, epochs):
            training.draw(job.folder, job.fold)
            for board in boards[len(done) : len(done) + 1]:
                board.finish()
            done.append(job)
            if outcome.test:
                training.say(
                    f"seed {job.seed} fold {job.fold.index}: UAR {outcome.test.uar:.2%}, accuracy "
                    f"{outcome.test.accuracy:.2%}, best epoch {outcome.best_epoch} of {outcome.epochs}"
                )
            if shard is None:
                summarise(done, planned=planned).write(out / "results.json")
    if shard is not None:
        typer.echo(
            f"Of {planned} trainings {len(jobs)} are in {out}; without --shard the command gathers all"
        )
        return
    if jobs[0].fold.validation:
        lab.learn_plan(done, chosen).write(out / "plan.json")
    lab.predictions_of(done).write(out / "predictions.csv")
    report.show(summarise(done), out, no_audio=no_audio, no_report=no_report)


def _part(shard: str | None) -> slice:
    """Which of the trainings `--shard K/N` means: every N-th, from the K-th on."""
    if shard is None:
        return slice(None)
    first, _, parts = shard.partition("/")
    if not (first.isdecimal() and parts.isdecimal() and 1 <= int(first) <= int(parts)):
        raise UsageError(f"--shard {shard}; valid: K/N, K from 1 to N, such as 1/2")
    return slice(int(first) - 1, None, int(parts))
