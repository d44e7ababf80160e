"""The models inside the package, by their names."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "models"
FIRST = "base"  # who answers where nobody else is asked for
DEFAULT = "default"  # another word for it


def names() -> list[str]:
    """What the models inside the package are called, the one that answers by default before the others.

    >>> names()[0] == FIRST
    True
    """
    return sorted((path.stem for path in FOLDER.glob("*.onnx")), key=lambda name: (name != FIRST, name))


def place(model: str | os.PathLike[str] | None = None) -> Path:
    """Where a model's file lies: one of the package's for its name, `default` or nothing, else a path.

    A name has no ending, as every bundle has: what is called so is the package's, whatever lies here.
    """
    named = DEFAULT if model is None else os.fspath(model)
    if named == DEFAULT:
        named = FIRST
    return FOLDER / f"{named}.onnx" if named == FIRST or named in names() else Path(named)
