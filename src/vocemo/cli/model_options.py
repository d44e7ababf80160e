"""The options that predict and listen share: who answers, and what is told of an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from vocemo.bundle import packaged

ModelFile = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="FILE|NAME",
        help="A bundle, or a model inside the package by its name; by default the best of these.",
        autocompletion=packaged.names,
    ),
]
Top = Annotated[
    int | None,
    typer.Option("--top", metavar="N", min=1, help="Tell the N most probable emotions alone."),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        metavar="P",
        min=0.0,
        max=1.0,
        help="Call an answer below this confidence uncertain; by default the model's own, 0: none.",
    ),
]
Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option("--device", help="Where the model runs.")]
