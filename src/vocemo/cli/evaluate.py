"""`vocemo evaluate`: how good a model is, on clips that say what they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vocemo.cli import report
from vocemo.cli.progress import progress
from vocemo.errors import UsageError

if TYPE_CHECKING:
    from vocemo.lab.evaluate import Results


def evaluate(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="[MODEL]", help="A run folder (its own test fold), or a bundle with --corpus."
        ),
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option("--predictions", metavar="FILE.csv", help="Measure these answers instead.")
    ] = None,
    corpus: Annotated[
        list[str] | None, typer.Option("--corpus", metavar="NAME:DIR", help="Labelled clips for a bundle.")
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            "--protocol", metavar="P", help="For a bundle: answer the test clips of one fold alone."
        ),
    ] = None,
    fold: Annotated[
        int | None,
        typer.Option("--fold", metavar="K", help="Which fold; by default the one that it was trained on."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Where results.json and confusion.png go: by default beside, for a bundle evaluation/.",
        ),
    ] = None,
    device: Annotated[
        str, typer.Option("--device", metavar="auto|cpu|cuda", help="Where a bundle runs.")
    ] = "auto",
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Measure accuracy, UAR, macro F1, each emotion's precision and recall, and the confusion matrix.

    A run is measured on its own test fold, which it has not seen. A bundle, .onnx or .tflite, answers every
    clip of a corpus, or with --protocol those that one fold tests on; where it may know the voices, its
    figures are called leaky. A CSV needs the columns target and one probability an emotion.

    Examples:

        vocemo evaluate runs/dual-channel-cnn-emobox-6-fold-0-seed-0

        vocemo evaluate emotion.onnx --corpus emodb:DATA/emodb --out measured

        vocemo evaluate small.tflite --corpus ravdess-speech:DATA/ravdess --protocol emobox-6

        vocemo evaluate --predictions answers.csv
    """
    if (model is None) == (predictions is None):
        raise UsageError("evaluate takes a run folder or a bundle, or --predictions FILE.csv: one of them")
    if (protocol is not None or fold is not None) and (model is None or model.is_dir()):
        raise UsageError("--protocol and --fold go with a bundle and its --corpus")
    if fold is not None and protocol is None:
        raise UsageError(f"--fold {fold} is a fold of which protocol? Name it with --protocol")
    if predictions is not None:
        if not predictions.is_file():
            raise UsageError(f"--predictions {predictions}: there is no such file")
        report.show(_of_predictions(predictions), out or predictions.parent)
    elif model is None or not model.exists():
        raise UsageError(f"there is no run folder or bundle at {model}; vocemo train and export make them")
    elif model.is_dir():
        if corpus:
            raise UsageError(
                f"{model} is a run, measured on its own test fold; to measure it on another corpus, "
                "export it and give the bundle"
            )
        from vocemo.lab.measure import of_run
        from vocemo.lab.run import RunFolder

        report.show(of_run(RunFolder(model)), out or model)
    else:
        if not corpus:
            raise UsageError("a bundle needs labelled clips: name them with --corpus NAME:DIR")
        out = out or Path("evaluation")
        report.show(_of_bundle(model, corpus, (protocol, fold), device, quiet, out), out)


def _of_predictions(path: Path) -> Results:
    from vocemo.lab.evaluate import Predictions
    from vocemo.lab.measure import measured

    table = Predictions.read(path)
    return measured(table, model=path.stem, protocol="as given", leaky=False)


def _of_bundle(
    path: Path, corpora: list[str], asked: tuple[str | None, int | None], device: str, quiet: bool, out: Path
) -> Results:
    import vocemo
    from vocemo.cli.training import read_labelled
    from vocemo.lab.measure import TestPart, answer, heard_in_training, measured, test_part

    predictor = vocemo.load(path, device=device)
    typer.echo(f"Using device: {predictor.device}")
    manifest = read_labelled(corpora)
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
    return measured(
        answered.predictions,
        model=predictor.info.name,
        protocol=part.protocol if part else otherwise,
        leaky=bool(heard),
    )
