"""A measured result on the terminal and as files, which evaluate and crossval share, and `vocemo report`."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vocemo.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from vocemo.lab.evaluate import Metric, Predictions, Results
    from vocemo.lab.report.html import Material

NoAudio = Annotated[
    bool, typer.Option("--no-audio", help="No recordings in report.html: what may be handed on.")
]
NoReport = Annotated[bool, typer.Option("--no-report", help="Write no report.html.")]

_NAMES = {
    "uar": "UAR",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "kappa": "Cohen's kappa",
    "loss": "loss (nats)",
    "ece": "ECE",
    "brier": "Brier score",
    "aurc": "AURC",
    "top2": "among the top 2",
}


def report(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder that vocemo crossval or evaluate wrote.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.html", help="Where it goes; by default report.html in DIR."),
    ] = None,
    root: Annotated[
        Path, typer.Option("--root", metavar="DIR", help="The folder that the recordings' paths start from.")
    ] = Path(),
    no_audio: NoAudio = False,
) -> None:
    """Write the report of a finished measurement again: one HTML file, from its files alone.

    Nothing is trained or answered. The page needs no network and opens on a telephone too. It holds the
    recordings of the surest mistakes where they are found, and none with --no-audio.

    Examples:

        vocemo report runs/dual-channel-cnn-emobox-6

        vocemo report runs/dual-channel-cnn-emobox-6 --no-audio --out to-hand-on.html
    """
    from vocemo.lab.report import html

    if not folder.is_dir():
        raise UsageError(
            f"{folder} is no folder; vocemo crossval and evaluate write those that have a report"
        )
    target = out or folder / html.NAME
    if target.is_dir() or not target.parent.is_dir():
        raise UsageError(f"--out {target}: it must be a file in a folder that exists, such as report.html")
    material = html.read(folder)
    html.write(material, target, None if no_audio else html.Recordings(root))
    if out is None:  # what was measured since is in the figures for machines too
        _write(material, folder / "results.json")
    typer.echo(f"Wrote {target}")


def show(
    results: Results,
    out: Path,
    *,
    folder: Path | None = None,
    answers: Predictions | None = None,
    no_audio: bool = False,
    no_report: bool = False,
) -> None:
    """Print a result's figures and tables; write results.json, confusion.png and report.html.

    folder: where the trainings lie, where that is not `out`. answers: the predictions behind the result,
        where they are not in that folder.
    """
    from vocemo.lab.report import figures, groups_table, html, tables

    out.mkdir(parents=True, exist_ok=True)
    results.write(out / "results.json")
    confusion = results.confusion or ()
    figure = figures.confusion_figure(
        confusion,
        results.emotions,
        title=f"{results.recipe} on {', '.join(results.corpora)}",
        protocol=results.protocol,
        leaky=results.leaky,
        seeds=len(results.seeds),
    )
    figures.save(figure, out / "confusion.png")
    seeds = ", ".join(map(str, results.seeds))
    typer.echo(f"{results.recipe}, {results.protocol}: {results.folds} folds, seeds {seeds}{_leak(results)}")
    if results.remark:
        typer.echo(f"  {results.remark}")
    for name, metric in results.metrics.items():
        typer.echo(f"  {_NAMES.get(name, name):<16} {_told(name, metric)}")
    typer.echo("")
    typer.echo(tables.emotion_table(confusion, results.emotions))
    typer.echo("")
    typer.echo(tables.confusion_table(confusion, results.emotions))
    typer.echo("")
    for part in (
        groups_table.groups_table(results),
        groups_table.gap_lines(results),
        groups_table.interval_remark(results),
    ):
        if part:
            typer.echo(f"{part}\n")
    written = [out / "results.json", out / "confusion.png"]
    material = html.gather(results, folder or out, answers)
    _write(material, out / "results.json")
    if not no_report:
        page = _page(material, out / html.NAME, no_audio)
        written += [page] if page else []
    typer.echo(f"Wrote {', '.join(map(str, written[:-1]))} and {written[-1]}")


def _write(material: Material, path: Path) -> None:
    """The figures with all else that a page shows of them."""
    from vocemo.lab.report import html

    dataclasses.replace(material.results, report=html.details(material)).write(path)


def _page(material: Material, path: Path, no_audio: bool) -> Path | None:
    """Write the report; without Jinja a line says what is missing, and the figures stand all the same."""
    from vocemo.lab.report import html

    try:
        return html.write(material, path, None if no_audio else html.Recordings())
    except MissingExtraError as error:
        print(f"No {path.name}: {error}", file=sys.stderr)
        return None


def _leak(results: Results) -> str:
    """What the headline says of the test's having been heard in training."""
    if results.leak_status == "not stated":
        return "  Training not stated: whether voices of the test were trained on is not known"
    if not results.leaky:
        return ""
    return f"  LEAKY: {results.leak or 'voices of the test were trained on'}"


def _told(name: str, metric: Metric) -> str:
    """A metric in percent, or as it is where it is no share, with its spread and interval."""
    scale, unit = (1.0, "") if name in ("loss", "brier", "kappa") else (100.0, " %")
    text = f"{metric.mean * scale:.2f}{unit}"
    if metric.sd is not None:
        text += f" +- {metric.sd * scale:.2f} over seeds"
    if metric.ci95 is not None:
        low, high = (end * scale for end in metric.ci95)
        pooled = metric.mean if metric.pooled is None else metric.pooled
        text += f"; pooled {pooled * scale:.2f}, 95 % interval over speakers {low:.2f} to {high:.2f}"
    if metric.calibrated is not None:
        text += f" (perfect calibration would score {metric.calibrated * scale:.2f}{unit})"
    return text
