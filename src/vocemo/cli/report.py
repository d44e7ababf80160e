"""A measured result on the terminal and as files: what evaluate and crossval share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from vocemo.lab.evaluate import Metric, Results

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


def show(results: Results, out: Path) -> None:
    """Print a result's figures and tables; write results.json and confusion.png."""
    from vocemo.lab.report import figures, groups_table, tables

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
    typer.echo(f"Wrote {out / 'results.json'} and {out / 'confusion.png'}")


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
