"""The options that predict and listen share: who answers, and what is told of an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

ModelFile = Annotated[
    Path | None,
    typer.Option("--model", metavar="FILE", help="A bundle; by default the model inside the package."),
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
