"""`vocemo export`: a trained run becomes a one-file bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vocemo.cli import training
from vocemo.errors import UnknownNameError, UsageError

FORMATS = ("onnx",)


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder that vocemo train wrote.")],
    to: Annotated[str, typer.Option("--to", metavar="onnx", help="The file's format.")] = "onnx",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The bundle; by default RUN/model.onnx.")
    ] = None,
    results: Annotated[
        list[Path] | None,
        typer.Option(
            "--results", metavar="FILE", help="A results.json that the bundle carries; may be repeated."
        ),
    ] = None,
) -> None:
    """Turn a trained run into one file that goes from samples to calibrated probabilities.

    The file answers without torch, carries its labels, preparation, licence and figures, and is checked
    against the network that it was made from before it is left in place.

    Examples:

        vocemo export runs/dual-channel-cnn-all-fold-0-seed-0 --out emotion.onnx

        vocemo predict call.wav --model emotion.onnx
    """
    training.need_lab("export")
    if to not in FORMATS:
        raise UnknownNameError("format", to, FORMATS)
    from vocemo.lab.evaluate import Results
    from vocemo.lab.export.run import export_run

    target = out or run / "model.onnx"
    if target.is_dir():
        raise UsageError(
            f"--out {target} is a folder; valid: the path of a file, such as {target}/emotion.onnx"
        )
    for path in results or ():
        if not path.is_file():
            raise UsageError(
                f"--results {path}: there is no such file; vocemo crossval and evaluate write them"
            )
    carried = [Results.read(path) for path in results or ()]
    worst = export_run(run, target, carried)
    size_kb = target.stat().st_size / 1000
    typer.echo(f"Wrote {target} ({size_kb:,.0f} kB)")
    typer.echo(f"Largest difference of a probability from the network: {worst:.1e}")
    typer.echo(f"Next: vocemo predict FILE --model {target}")
