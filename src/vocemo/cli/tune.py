"""`vocemo tune`: a grid of settings, ranked on validation speakers."""

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
    from vocemo.lab.tune import Study, Trial


def tune(
    recipe: training.RecipeName,
    corpus: training.Corpora = None,
    protocol: training.Protocol = None,
    grid: Annotated[
        list[str] | None,
        typer.Option("--grid", metavar="KEY=V1,V2", help="A setting and the values to try; may be repeated."),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option("--samples", metavar="N", min=1, help="Try so many combinations, drawn at random."),
    ] = None,
    by: Annotated[
        str, typer.Option("--by", metavar="uar|accuracy|loss", help="The validation figure that ranks.")
    ] = "uar",
    fold: Annotated[int, typer.Option("--fold", metavar="K", help="Which of the protocol's folds.")] = 0,
    seed: Annotated[
        int, typer.Option("--seed", metavar="S", min=0, help="Of every trial, and of --samples.")
    ] = 0,
    epochs: Annotated[
        int | None, typer.Option("--epochs", metavar="N", min=1, help="At most so many epochs a trial.")
    ] = None,
    settings: training.Settings = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where trials go; by default under runs/.")
    ] = None,
    device: training.Device = "auto",
    cache: training.Cache = None,
    cache_gb: training.CacheGb = training.DEFAULT_CACHE_GB,
    quiet: training.Quiet = False,
) -> None:
    """Try settings of a recipe, ranked on validation speakers; the fold's test is taken away beforehand.

    Every combination of the grid is one trial, or --samples of them. Started again it goes on where it stood.
    The folder holds a run folder for each trial, and tune.json: all trials, their number, and the best
    settings as --set arguments. Judge these by the test of the same fold, which no trial has seen.

    Examples:

        vocemo tune mel-cnn2d --corpus ravdess-speech:DATA/ravdess --grid model.dropout=0.2,0.3,0.5

        vocemo tune mfcc-cnn-lstm --corpus emodb:DATA/emodb --grid training.learning_rate=3e-4,1e-3,3e-3
        --grid "model.widths=[32,32],[64,64]" --samples 4 --epochs 20
    """
    training.need_lab("tune")
    from vocemo.lab import splits
    from vocemo.lab import tune as lab

    training.check_protocol(protocol, tests=True)
    if by not in lab.FIGURES:
        raise UsageError(f"--by {by}; valid: {', '.join(lab.FIGURES)}")
    values = lab.parse_grid(grid or ())
    given = [*(settings or ()), *([f"training.epochs={epochs}"] if epochs else [])]
    base = training.load_recipe(recipe, given, corpus)
    tried = [
        (combination, training.load_recipe(recipe, [*given, *combination], corpus))
        for combination in lab.combinations(values, samples, seed)
    ]
    if len({each.emotions for _, each in tried} | {base.emotions}) > 1:
        raise UsageError("--grid emotions: trials on other emotions have other tests; they cannot be ranked")
    disk = training.disk_cache(cache, cache_gb)
    where = training.device_named(device)
    manifest = training.read_corpora(corpus, base)
    protocol = protocol or training.strictest_protocol(manifest)
    folds = splits.folds(manifest, protocol, seed, training.copies(protocol, base))
    if not 0 <= fold < len(folds):
        raise UsageError(f"protocol {protocol} has folds 0 to {len(folds) - 1} here; there is no fold {fold}")
    part = lab.without_test(folds[fold])
    training.say(f"{folds[fold].describe()} (the test is left out)")
    out = out or Path("runs") / f"tune-{base.name}-{protocol}-fold-{fold}-seed-{seed}"
    study = lab.begin(base, corpus or (), part, seed, values, by, out)
    limit = [each.training.epochs for _, each in tried]
    with progress("Tuning", sum(limit), "epochs", quiet=quiet) as bar:
        shown = [
            ShowTraining(bar, f"trial {number + 1} of {len(tried)}", epochs=limit[number])
            for number in range(len(tried))
        ]
        running = lab.run(
            study, tried, part, out, device=where, callbacks=lambda number: [shown[number]], disk=disk
        )
        for number, (trial, now) in enumerate(running):
            study = now
            bar.advance(limit[number] - shown[number].epochs)
            training.say(f"trial {number + 1} of {len(tried)}: {_line(trial)}")
    _tell(study, out)


def _line(trial: Trial) -> str:
    """A trial in a line."""
    told = " ".join(trial.settings)
    if trial.uar is None or trial.accuracy is None or trial.loss is None:
        return f"{told}: {trial.error}"
    return (
        f"{told}: validation UAR {trial.uar:.2%}, accuracy {trial.accuracy:.2%}, loss {trial.loss:.3f}, "
        f"best epoch {trial.best_epoch} of {trial.epochs}"
    )


def _tell(study: Study, out: Path) -> None:
    """All trials, the best first, and the best as arguments."""
    from vocemo.lab.report.tables import columns

    rows = []
    for place, trial in enumerate(study.ranked, start=1):
        figures = [
            "-" if trial.uar is None else f"{100 * trial.uar:.1f}",
            "-" if trial.accuracy is None else f"{100 * trial.accuracy:.1f}",
            "-" if trial.loss is None else f"{trial.loss:.3f}",
            f"{trial.best_epoch}/{trial.epochs}" if trial.epochs else "failed",
            f"{trial.train_seconds:.0f} s" if trial.train_seconds is not None else "-",
        ]
        rows.append([" ".join(trial.settings), str(place), *figures])
    header = ["settings", "rank", "UAR (%)", "accuracy (%)", "loss", "best epoch", "time"]
    typer.echo(columns(header, rows))
    voices = len(study.validation_speakers)
    typer.echo(
        f"{len(study.trials)} trial{'s' * (len(study.trials) != 1)}, ranked by {study.by} on "
        f"{study.validation_clips} validation clips of "
        + (f"{voices} speaker{'s' * (voices != 1)}" if voices else "unknown speakers")
        + "; no test clip was looked at."
    )
    if study.validation_heard:
        typer.echo("LEAKY: these speakers may be in training too, so the ranking is one of known voices.")
    if study.best:
        arguments = " ".join(f"--set {shlex.quote(each)}" for each in study.best.settings)
        typer.echo(f"Best: {arguments}")
    typer.echo(f"Wrote {out / 'tune.json'}")
