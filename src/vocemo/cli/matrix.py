"""`vocemo matrix`: train on each corpus, test on each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vocemo.cli import training
from vocemo.cli.progress import progress
from vocemo.cli.training_progress import ShowTraining, finished

if TYPE_CHECKING:
    from vocemo.lab.matrix import Gathered, Matrix


def matrix(
    recipe: training.RecipeName,
    corpus: training.Corpora = None,
    emotions: Annotated[
        str | None,
        typer.Option(
            "--emotions",
            metavar="A,B,...",
            help="Which of the emotions that all corpora have; without it, all.",
        ),
    ] = None,
    folds: Annotated[
        int,
        typer.Option(
            "--folds",
            metavar="N",
            min=2,
            max=10,
            help="Folds of a corpus tested on unseen speakers of its own; fewer where it has fewer speakers.",
        ),
    ] = 5,
    seeds: training.Seeds = training.DEFAULT_SEEDS,
    joint: Annotated[
        bool,
        typer.Option("--joint/--no-joint", help="Also train on all corpora but the tested one, or do not."),
    ] = True,
    settings: training.Settings = None,
    out: training.RunsOut = None,
    device: training.Device = "auto",
    cache: training.Cache = None,
    cache_gb: training.CacheGb = training.DEFAULT_CACHE_GB,
    deterministic: training.Deterministic = False,
    quiet: training.Quiet = False,
) -> None:
    """Train on each corpus and test on each, over the emotions that all of them have.

    A row is what was trained on, a column what was tested. On the diagonal stand unseen speakers of the same
    corpus, cross-validated; beside it all clips of the other corpora; in the last row what was trained on all
    corpora but the tested one. Corpora with speakers in common are refused.

    Each cell is written at once; started again, it goes on where it stood. The folder holds the run folders,
    matrix.json and the picture, matrix.png and matrix-dark.png.

    Examples:

        vocemo matrix dual-channel-cnn --corpus ravdess-speech:DATA/ravdess --corpus emodb:DATA/emodb
        --corpus aesdd:DATA/aesdd --seeds 1

        vocemo matrix mfcc-cnn --corpus emodb:DATA/emodb --corpus aesdd:DATA/aesdd --emotions angry,happy,sad
        --folds 3 --set training.epochs=20
    """
    training.need_lab("matrix")
    from vocemo.lab import matrix as lab

    chosen = training.load_recipe(recipe, settings, corpus)
    where_kept = training.disk_cache(cache, cache_gb)
    where = training.device_named(device)
    given = [(spec, training.read_labelled([spec])) for spec in corpus or ()]
    wanted = None if emotions is None else [each.strip() for each in emotions.split(",") if each.strip()]
    gathered = lab.gather(chosen, given, wanted)
    _tell_what_is_used(gathered)
    out = out or Path("runs") / f"matrix-{chosen.name}"
    jobs = lab.jobs(gathered, range(seeds), out, count=folds, joint=joint)
    lab.audit(jobs)
    for job in jobs[: len(jobs) // seeds]:
        training.say(f"{job.label}: {job.fold.describe()}")
    epochs = chosen.training.epochs
    done: list[lab.MatrixJob] = []
    with progress("Matrix", len(jobs) * epochs, "epochs", quiet=quiet) as bar:
        shown = [ShowTraining(bar, job.label, epochs=epochs) for job in jobs]
        running = lab.run(
            jobs,
            gathered.recipe,
            device=where,
            disk=where_kept,
            callbacks=lambda number: [shown[number]],
            deterministic=deterministic,
        )
        for job, outcome in finished(bar, shown, running, epochs):
            training.draw(job.folder, job.fold)
            done.append(job)
            if outcome.test:
                training.say(
                    f"{job.label}: UAR {outcome.test.uar:.2%} on {' and '.join(job.tests)}, best epoch "
                    f"{outcome.best_epoch} of {outcome.epochs}"
                )
            lab.measure(gathered, jobs, done).write(out / "matrix.json")
    _show(lab.measure(gathered, jobs, done), out)


def _tell_what_is_used(gathered: Gathered) -> None:
    """The shared emotions, and of each corpus what is kept and what is left out."""
    from vocemo.lab.report.wording import many, speakers

    training.say(f"Shared emotions: {', '.join(gathered.emotions)} (chance {1 / len(gathered.emotions):.1%})")
    for part in gathered.parts:
        told = f"{part.name}: {many(len(part.clips), 'clip')} of {speakers(part.speakers)}"
        if part.dropped:
            each = ", ".join(f"{count} {emotion}" for emotion, count in part.dropped.items())
            told += f"; left out: {sum(part.dropped.values())} ({each})"
        training.say(told)
    for remark in gathered.remarks:
        training.say(f"Note: {remark}")


def _show(measured: Matrix, out: Path) -> None:
    """Print the tables and draw the picture, for a light page and for a dark one."""
    from vocemo.lab.report.matrix_figure import matrix_figure, matrix_table
    from vocemo.lab.report.theme import save_each

    typer.echo(matrix_table(measured))
    light, dark = save_each(lambda theme: matrix_figure(measured, theme=theme), out / "matrix.png")
    typer.echo("")
    typer.echo(f"Wrote {out / 'matrix.json'}, {light} and {dark}")
