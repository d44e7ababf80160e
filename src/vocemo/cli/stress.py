"""`vocemo stress`: how a model does where recordings are worse than those that it learnt from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vocemo.cli.bundle import FoldOfProtocol, check_fold, check_there, opened
from vocemo.cli.progress import Bar, progress
from vocemo.cli.training import Quiet, device_named, need_lab, read_labelled, say
from vocemo.errors import UsageError

if TYPE_CHECKING:
    from vocemo.lab.stress.conditions import Choice
    from vocemo.lab.stress.parts import Subject
    from vocemo.lab.stress.result import Robustness


def stress(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL", help="A run, a cross-validation's folder, or a bundle with --corpus."
        ),
    ],
    corpus: Annotated[
        list[str] | None,
        typer.Option(
            "--corpus", metavar="NAME:DIR", help="Labelled clips for a bundle; where a run's corpora lie now."
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option("--protocol", metavar="P", help="For a bundle: the test clips of one fold alone."),
    ] = None,
    fold: FoldOfProtocol = None,
    conditions: Annotated[
        list[str] | None,
        typer.Option(
            "--conditions",
            metavar="NAMES",
            help="Conditions or families, with commas: white,babble-10,telephone. By default all.",
        ),
    ] = None,
    clips: Annotated[
        int | None,
        typer.Option("--clips", metavar="N", min=1, help="So many clips, evenly of speakers and emotions."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="S", min=0, help="Of noises, rooms, clips.")] = 0,
    noise: Annotated[
        Path | None,
        typer.Option("--noise", metavar="DIR", help="Add noises of your own: recordings below this folder."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Where robustness.json and .png go: by default beside the run, for a bundle robustness/.",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", metavar="N", min=1, help="Threads that make recordings worse."),
    ] = None,
    device: Annotated[
        str, typer.Option("--device", metavar="auto|cpu|cuda|mps", help="Where the model runs.")
    ] = "auto",
    quiet: Quiet = False,
) -> None:
    """Measure UAR under noise, babble, reverberation, telephone, MP3, other speeds and levels.

    Each recording is made worse as soon as it is decoded, and goes from there on the way of vocemo predict.
    A run answers the clips of its own test fold, a cross-validation those of all its folds, each by the model
    that has not heard it. The fall against the recordings as they are has a 95 % interval over speakers.

    Every condition is kept as soon as it is answered: started again, the command goes on where it stood. The
    same seed gives the same figures.

    Examples:

        vocemo stress runs/dual-channel-cnn-emobox-6

        vocemo stress runs/mine --conditions white,babble,telephone --clips 200

        vocemo stress emotion.onnx --corpus emodb:DATA/emodb --out measured

        vocemo stress emotion.onnx --corpus ravdess:DATA/ravdess --protocol emobox-6 --noise DATA/street
    """
    need_lab("stress")
    model = check_there(model)
    choice = _chosen(conditions, noise)
    subject = _subject(model, corpus or [], (protocol, fold), device)
    for line in subject.remarks:
        say(line)
    found = _measured(subject, choice, clips, seed, noise, jobs, out or _beside(model), quiet)
    _show(found, out or _beside(model))


def _beside(model: Path) -> Path:
    return model if model.is_dir() else Path("robustness")


def _chosen(asked: list[str] | None, noise: Path | None) -> Choice:
    """The conditions that were asked for, before anything is read that takes time."""
    from vocemo.lab.augment import recordings
    from vocemo.lab.stress import conditions

    noises = recordings.below(str(noise), "--noise") if noise is not None else None
    names = [name.strip() for each in asked or () for name in each.split(",") if name.strip()]
    own = [name for name in names if name == "recorded" or name.startswith("recorded-")]
    if noises is None and any(not name.startswith("recorded-like") for name in own):
        raise UsageError("recorded noise is of your own recordings: name their folder with --noise DIR")
    choice = conditions.choose(conditions.table(noises=noises), names)
    for name, reason in choice.skipped.items():
        say(f"skipped: {name}: {reason}")
    return choice


def _subject(model: Path, corpora: list[str], asked: tuple[str | None, int | None], device: str) -> Subject:
    from vocemo.lab.stress import parts

    check_fold(*asked, of_bundle=not model.is_dir())
    if model.is_dir():
        runs = parts.run_folders(model)
        return parts.of_runs(runs, read_labelled, corpora, device_named(device))
    predictor, manifest = opened(model, corpora, device)
    say(f"Using device: {predictor.device}")
    return parts.of_bundle(predictor, manifest, *asked)


def _measured(
    subject: Subject,
    choice: Choice,
    clips: int | None,
    seed: int,
    noise: Path | None,
    jobs: int | None,
    out: Path,
    quiet: bool,
) -> Robustness:
    """The figures of every condition, with a bar."""
    import numpy as np

    from vocemo.bundle.engine import usable_cores
    from vocemo.lab.augment import recordings
    from vocemo.lab.report.robustness_table import label
    from vocemo.lab.report.wording import many
    from vocemo.lab.stress import conditions, measuring
    from vocemo.lab.stress.babble import Voices
    from vocemo.lab.stress.sounds import Sounds
    from vocemo.runtime.predictor import MOST_JOBS

    if clips is not None and clips < len(subject.clips):
        subject = subject.some(clips, np.random.default_rng(seed))
    sounds = Sounds()
    voices = Voices.of(subject.manifest, sounds, np.random.default_rng(seed))
    noises = recordings.below(str(noise), "--noise") if noise is not None else None
    kept = measuring.Kept(out / "robustness", subject, seed, noises.digest() if noises else None)
    wanted = {condition.name for condition in choice.conditions}
    # What was answered before stays in the table, so that conditions can be added one after another.
    todo = [c for c in conditions.table(voices, noises) if c.name in wanted or kept.has(c)]
    remarks = list[str]()
    if any(c.family == "babble" for c in todo) and not voices.enough:
        remarks.append(
            "babble is made of noise that sways as speech does: the corpus has "
            f"{many(len(voices.by_speaker), 'known speaker')}, too few for voices of others"
        )
    left = sum(not kept.has(condition) for condition in todo)
    say(f"{len(todo)} conditions on {len(subject.clips)} clips; {len(todo) - left} are kept from before")
    jobs = min(usable_cores(), MOST_JOBS) if jobs is None else jobs
    found = []
    with progress("Stressing", left * subject.answers, "answers", quiet=quiet) as bar:
        answers = measuring.answered(
            subject, todo, kept, sounds, seed=seed, jobs=jobs, each=lambda: bar.advance(1)
        )
        clean = None
        for each in answers:
            clean = clean or each
            result = measuring.figures(each, clean)
            found.append(result)
            _told(bar, f"{label(result)}: UAR {result.uar:.1%}")
            if each.unanswered:
                remarks.append(f"{each.condition.name}: {each.unanswered} of {subject.answers} had no answer")
    for line in remarks:
        say(line)
    return measuring.robustness(subject, found, seed, choice.skipped, remarks)


def _told(bar: Bar, line: str) -> None:
    bar.keep(line)
    bar.advance(0, note=line)


def _show(found: Robustness, out: Path) -> None:
    """Print the table; write robustness.json and the picture, for a light page and a dark one."""
    from vocemo.lab.report import robustness_figure, robustness_table
    from vocemo.lab.report.theme import save_each

    found.write(out / "robustness.json")
    light, dark = save_each(
        lambda theme: robustness_figure.robustness_figure(found, theme), out / "robustness.png"
    )
    typer.echo(robustness_table.headline(found))
    typer.echo("")
    typer.echo(robustness_table.robustness_table(found))
    typer.echo("")
    typer.echo("UAR and accuracy in percent, falls in points; *: the interval of the fall leaves 0.")
    typer.echo(f"Wrote {out / 'robustness.json'}, {light} and {dark}")
