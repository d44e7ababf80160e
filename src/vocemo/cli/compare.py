"""`vocemo compare`: finished trainings side by side."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def compare(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR...", help="Two or more folders that vocemo train, crossval or evaluate wrote."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where comparison.png and compare.json go."),
    ] = None,
) -> None:
    """Lay finished runs and cross-validations side by side: a column each, a row a figure.

    Where two were tested on the same clips, their difference is held against chance: with a 95 % interval and
    p over the speakers, corrected (Holm) for as many pairs as there are. With --out their loss and accuracy
    curves are drawn beside each other, training and validation, the accuracy and UAR of their tests with 95 %
    intervals over speakers, and the differences. Where the tests are not the same, or a split leaks, that is
    said.

    Examples:

        vocemo compare runs/mel-cnn2d-emobox-6 runs/mfcc-cnn-lstm-emobox-6

        vocemo compare runs/first runs/second --out compared
    """
    from vocemo.lab import compare as lab
    from vocemo.lab.report.comparison import comparison_figure, comparison_table, difference_table

    comparison = lab.compare(folders)
    typer.echo(comparison_table(comparison))
    if differences := difference_table(comparison):
        typer.echo(f"\n{differences}")
    for remark in comparison.remarks:
        print(f"Note: {remark}", file=sys.stderr)
    if out is None:
        return
    from vocemo.lab.report import figures

    out.mkdir(parents=True, exist_ok=True)
    comparison.write(out / "compare.json")
    figures.save(comparison_figure(comparison), out / "comparison.png")
    typer.echo(f"Wrote {out / 'compare.json'} and {out / 'comparison.png'}")
