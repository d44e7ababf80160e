"""`vocemo evaluate`: how good a model is, on clips that say what they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vocemo.cli import report
from vocemo.cli.bundle import FoldOfProtocol, check_fold, check_there, opened
from vocemo.cli.progress import progress
from vocemo.errors import UsageError

if TYPE_CHECKING:
    from vocemo.lab.evaluate import Results


def evaluate(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="[MODEL]",
            help="A run folder (its own test fold), a cross-validation or a bundle with --corpus.",
        ),
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option("--predictions", metavar="FILE.csv", help="Measure these answers instead.")
    ] = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option(
            "--corpus", metavar="NAME:DIR", help="Labelled clips, for runs, a bundle or --predictions."
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            "--protocol",
            metavar="P",
            help="A bundle: answer the test clips of one fold alone. --predictions: whose folds they are.",
        ),
    ] = None,
    fold: FoldOfProtocol = None,
    trained_on: Annotated[
        list[str] | None,
        typer.Option(
            "--trained-on",
            metavar="WHAT",
            help="For --predictions: a CSV of paths or speakers, NAME:DIR, or speakers' names with commas.",
        ),
    ] = None,
    relabel: Annotated[
        list[str] | None,
        typer.Option(
            "--relabel", metavar="A=B", help="For --predictions: the corpus's emotion A counts as B."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Where results.json and report.html go: beside a run or file, else evaluation/.",
        ),
    ] = None,
    device: Annotated[
        str, typer.Option("--device", metavar="auto|cpu|cuda", help="Where a bundle runs.")
    ] = "auto",
    no_audio: report.NoAudio = False,
    no_report: report.NoReport = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Measure accuracy, UAR, macro F1, each emotion's precision and recall, and the confusion matrix.

    A run is measured on its own test fold; where that holds voices that it was trained on, the headline says
    so. With --corpus, a run answers the clips of speakers whom it has not heard, a cross-validation those of
    the speakers that its folds were tested on. A bundle, .onnx or .tflite, answers every clip of a corpus, or
    with --protocol those that one fold tests on; where it may know the voices, its figures are called leaky.
    All of it stands on a page, report.html, with the surest mistakes to listen to.

    --predictions takes a CSV of any tool: path and emotion, or path and a probability for each emotion, with
    --corpus for what each clip is; or all of it in the file. What the tool was trained on is called "not
    stated" until --trained-on says it, and then it is audited.

    Examples:

        vocemo evaluate runs/dual-channel-cnn-emobox-6-fold-0-seed-0

        vocemo evaluate runs/base --corpus ravdess-song:DATA/ravdess --out measured

        vocemo evaluate emotion.onnx --corpus emodb:DATA/emodb --out measured

        vocemo evaluate small.tflite --corpus ravdess-speech:DATA/ravdess --protocol emobox-6

        vocemo evaluate --predictions answers.csv --corpus ravdess-speech:DATA/ravdess --protocol emobox-6

        vocemo evaluate --predictions answers.csv --corpus emodb:DATA/emodb --trained-on training.csv
    """
    if (model is None) == (predictions is None):
        raise UsageError("evaluate takes a run folder or a bundle, or --predictions FILE.csv: one of them")
    given = predictions is not None and corpus
    if protocol is not None and (not given if predictions is not None else model is None or model.is_dir()):
        raise UsageError(
            "--protocol goes with a bundle or --predictions, and with the --corpus that it divides"
        )
    if fold is not None:
        check_fold(protocol, fold, of_bundle=model is not None and not model.is_dir())
    if predictions is None and (trained_on or relabel):
        raise UsageError(
            "--trained-on and --relabel go with --predictions: a run or bundle says these itself"
        )
    if relabel and not corpus:
        raise UsageError("--relabel changes what a corpus calls its clips: name it with --corpus NAME:DIR")
    show = partial(report.show, no_audio=no_audio, no_report=no_report)
    if predictions is not None:
        _of_predictions(predictions, corpus, protocol, trained_on or [], relabel or [], out, show)
    elif (model := check_there(model)).is_dir() and corpus:
        out = out or Path("evaluation")
        show(_of_runs(model, corpus, device, quiet, out), out)
    elif model.is_dir():
        from vocemo.lab.measure import of_run
        from vocemo.lab.run import RunFolder

        show(of_run(RunFolder(model)), out or model, folder=model)
    else:
        out = out or Path("evaluation")
        show(_of_bundle(model, corpus or [], (protocol, fold), device, quiet, out), out)


def _of_runs(path: Path, corpora: list[str], device: str, quiet: bool, out: Path) -> Results:
    from vocemo.cli.training import device_named, read_labelled
    from vocemo.lab import unheard
    from vocemo.lab.stress.parts import run_folders

    manifest = read_labelled(corpora)
    shares = unheard.shares(run_folders(path), manifest)
    chosen = device_named(device)
    with progress("Answering", sum(len(share.clips) for share in shares), "clips", quiet=quiet) as bar:
        found = unheard.of_shares(shares, manifest, chosen, lambda: bar.advance(1))
    for line in found.remarks:
        typer.echo(line, err=True)
    out.mkdir(parents=True, exist_ok=True)
    found.predictions.write(out / "predictions.csv")
    return found.results


def _of_predictions(
    path: Path,
    corpora: list[str] | None,
    protocol: str | None,
    trained_on: list[str],
    relabel: list[str],
    out: Path | None,
    show: Callable[..., None],
) -> None:
    """Show the figures of a file of answers; what was joined with a corpus is written as predictions.csv."""
    if not path.is_file():
        raise UsageError(f"--predictions {path}: there is no such file")
    from vocemo.cli.training import check_protocol, read_labelled
    from vocemo.lab.measure import of_answers

    check_protocol(protocol, tests=True)
    counts_as = dict(_relabelled(each) for each in relabel)
    manifest = read_labelled(corpora) if corpora else None
    found = of_answers(path, manifest, protocol=protocol, trained_on=trained_on, relabel=counts_as)
    for line in found.remarks:
        typer.echo(line, err=True)
    folder = out or (Path("evaluation") if corpora else path.parent)
    if corpora and (folder / "predictions.csv").resolve() != path.resolve():
        folder.mkdir(parents=True, exist_ok=True)
        found.predictions.write(folder / "predictions.csv")
    show(found.results, folder, answers=found.predictions)


def _relabelled(given: str) -> tuple[str, str]:
    from vocemo.emotions import canonical

    emotion, equals, other = given.partition("=")
    if not equals or not emotion or not other:
        raise UsageError(f"--relabel {given}: write A=B, for example calm=neutral")
    return canonical(emotion), canonical(other)


def _of_bundle(
    path: Path, corpora: list[str], asked: tuple[str | None, int | None], device: str, quiet: bool, out: Path
) -> Results:
    from vocemo.lab.measure import TestPart, answer, heard_in_training, measured, test_part, training_told

    predictor, manifest = opened(path, corpora, device)
    typer.echo(f"Using device: {predictor.device}")
    protocol, number = asked
    part: TestPart | None = None
    if protocol is not None:
        part = test_part(predictor.info, manifest, protocol, number)
        manifest = part.manifest
        typer.echo(f"Answering the {len(manifest)} test clips of {part.protocol}, fold {part.fold}")
    filed = (part.fold, part.seed) if part else (0, 0)
    with progress("Answering", len(manifest), "clips", quiet=quiet) as bar:
        answered = answer(predictor, manifest, lambda: bar.advance(1), fold=filed[0], seed=filed[1])
    for line in answered.remarks:
        typer.echo(line, err=True)
    heard = () if part and part.unseen else heard_in_training(predictor.info, manifest)
    if heard:
        typer.echo(f"LEAKY: the model was trained on {', '.join(heard)}, so it knows these voices.", err=True)
    out.mkdir(parents=True, exist_ok=True)
    answered.predictions.write(out / "predictions.csv")
    otherwise = "held out" if not heard else "known corpus"
    result = measured(
        answered.predictions,
        model=predictor.info.name,
        protocol=part.protocol if part else otherwise,
        leaky=bool(heard),
    )
    return dataclasses.replace(
        result,
        leak=f"the model was trained on {', '.join(heard)}" if heard else None,
        training_stated=bool(heard) or (part is not None and part.unseen) or training_told(predictor.info),
    )
