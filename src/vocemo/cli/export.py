"""`vocemo export`: a trained run becomes a one-file bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vocemo.cli import training
from vocemo.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from vocemo.lab.export.parity import Parity

FORMATS = ("onnx", "tflite")


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder that vocemo train wrote.")],
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="onnx|tflite", help="The file's format; by default as --out ends, else onnx."
        ),
    ] = None,
    quantize: Annotated[
        Literal["none", "float16", "int8", "mixed"],
        typer.Option(
            help="Store the weights in half the space (float16) or a quarter (int8); mixed: float16, with "
            "the large convolutions of such models as base computed in 8-bit integers, which is faster."
        ),
    ] = "none",
    length_s: Annotated[
        float | None,
        typer.Option(
            "--length-s",
            metavar="S",
            help="For tflite: the length of the one clip that the file takes; by default the recipe's where "
            "it is fixed, else one and a half times the median training clip.",
        ),
    ] = None,
    risk: Annotated[
        float | None,
        typer.Option(
            "--risk",
            metavar="R",
            help="Call answers uncertain so that of the others no more than this share is wrong: 0.05 to 0.5 "
            "in steps of 0.05, by default 0.3.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The bundle; by default RUN/model.onnx or .tflite."),
    ] = None,
    results: Annotated[
        list[Path] | None,
        typer.Option(
            "--results", metavar="FILE", help="A results.json that the bundle carries; may be repeated."
        ),
    ] = None,
    card: Annotated[
        bool,
        typer.Option("--card/--no-card", help="Write a model card, in Markdown, beside the bundle (or not)."),
    ] = True,
) -> None:
    """Turn a trained run into one file that goes from samples to calibrated probabilities.

    The file answers without torch, carries its labels, preparation, licence and figures, and is checked
    against the network that it was made from before it is left in place. An .onnx file takes many clips at
    once, of any length unless the recipe has one; a .tflite file, for phones, one clip of fixed length.
    Beside it goes a model card: what it may be used for, what it learnt from, its figures and limits.

    Examples:

        vocemo export runs/dual-channel-cnn-all-fold-0-seed-0 --out emotion.onnx

        vocemo export runs/base-all-fold-0-seed-0 --out quick.onnx --quantize mixed

        vocemo export runs/dual-channel-cnn-all-fold-0-seed-0 --out emotion.tflite --quantize int8

        vocemo predict call.wav --model emotion.tflite
    """
    training.need_lab("export")
    chosen = _format(to, out)
    from vocemo.lab.evaluate import Results
    from vocemo.lab.export.run import export_run
    from vocemo.lab.report import model_card
    from vocemo.lab.selective import USUAL_RISK

    wanted = USUAL_RISK if risk is None else risk
    target = out or run / f"model.{chosen}"
    if target.is_dir():
        raise UsageError(
            f"--out {target} is a folder; valid: the path of a file, such as {target}/emotion.{chosen}"
        )
    for path in results or ():
        if not path.is_file():
            raise UsageError(
                f"--results {path}: there is no such file; vocemo crossval and evaluate write them"
            )
    written = target.with_suffix(".md")
    if card:
        model_card.check_free(written)
    carried = [Results.read(path) for path in results or ()]
    parity = export_run(
        run,
        target,
        carried,
        to=chosen,
        weights="float32" if quantize == "none" else quantize,
        length_s=length_s,
        risk=wanted,
    )
    if card:
        model_card.write(target, written, run)
    _show(target, parity, wanted, rounded=quantize != "none")
    if card:
        typer.echo(f"Model card: {written}")


def _format(to: str | None, out: Path | None) -> Literal["onnx", "tflite"]:
    """The format that was asked for, or that the file's name asks for."""
    ending = "" if out is None else out.suffix.lower().removeprefix(".")
    if to is not None and to not in FORMATS:
        raise UnknownNameError("format", to, FORMATS)
    if to is not None and ending in FORMATS and ending != to:
        raise UsageError(f"--out {out} ends in .{ending}, but --to says {to}; leave one of them out")
    return "tflite" if "tflite" in (to, ending) else "onnx"


def _show(target: Path, parity: Parity, risk: float, *, rounded: bool) -> None:
    from vocemo.bundle import Bundle

    typer.echo(f"Wrote {target} ({target.stat().st_size / 1000:,.0f} kB)")
    bundle = Bundle.open(target, device="cpu")
    if bundle.clip_samples is not None:
        count, rate = bundle.clip_samples, bundle.info.preparation.sample_rate
        typer.echo(f"It takes one clip of {count / rate:g} s: {count:,} samples at {rate:,} Hz")
    typer.echo(
        f"Largest difference of a probability from the network: {parity.difference:.1e}"
        f" (on {parity.clips} {parity.heard})"
    )
    if rounded:
        typer.echo(f"The same emotion as the network: {parity.agreement:.1%} of them")
    if bundle.info.threshold is None:
        typer.echo(
            f"No threshold: the run has none that holds the answers above it to a risk of {risk:.0%}, so no "
            "answer is called uncertain for its confidence. Its validation clips reach none, or an older "
            "vocemo trained it, whose command must be given again"
        )
    else:
        typer.echo(
            f"Answers below a confidence of {bundle.info.threshold:.2f} are called uncertain: by the "
            f"validation clips, at most {risk:.0%} of the others are wrong"
        )
    if bundle.info.distance_limit is None:
        typer.echo(
            "No distance: what is no speech is not told from speech. A run of an older vocemo has it once "
            "its vocemo train or crossval command is given again, train with --resume"
        )
    typer.echo(f"Next: vocemo predict FILE --model {target}")
