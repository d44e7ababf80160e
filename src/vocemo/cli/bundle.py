"""What evaluate and stress share: a bundle, the labelled clips that it answers, and which fold of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vocemo.bundle import packaged
from vocemo.cli.training import read_labelled
from vocemo.errors import UsageError

if TYPE_CHECKING:
    from vocemo.lab.corpora import Manifest
    from vocemo.runtime.predictor import Predictor

FoldOfProtocol = Annotated[
    int | None,
    typer.Option("--fold", metavar="K", help="Which fold; by default the one that it was trained on."),
]


def check_there(model: Path | None) -> Path:
    """A run, a bundle or, by its name, a model inside the package; UsageError where there is none."""
    if model is not None and model.exists():
        return model
    if model is None or not packaged.place(model).exists():
        raise UsageError(f"there is no run folder or bundle at {model}; vocemo train and export make them")
    return packaged.place(model)


def check_fold(protocol: str | None, fold: int | None, *, of_bundle: bool) -> None:
    """Raise UsageError for a protocol or fold of what is no bundle, or a fold of no protocol."""
    if not of_bundle and (protocol is not None or fold is not None):
        given = f"--protocol {protocol}" if fold is None else f"--fold {fold}"
        raise UsageError(f"{given}: --protocol and --fold go with a bundle and its --corpus")
    if fold is not None and protocol is None:
        raise UsageError(f"--fold {fold} is a fold of which protocol? Name it with --protocol")


def opened(path: Path, corpora: list[str], device: str) -> tuple[Predictor, Manifest]:
    """A bundle and the clips that it is to answer; where it runs is for the caller to tell.

    Raises UsageError where no clips are named.
    """
    if not corpora:
        raise UsageError("a bundle needs labelled clips: name them with --corpus NAME:DIR")
    import vocemo

    predictor = vocemo.load(path, device=device)
    return predictor, read_labelled(corpora)
