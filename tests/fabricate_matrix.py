"""Three small corpora that share three emotions, and a matrix with made-up figures."""

from __future__ import annotations

from pathlib import Path

import fabricate
import fabricate_run
from vocemo.lab import matrix as lab
from vocemo.lab.corpora import read
from vocemo.lab.recipe import Recipe

SHARED = ("happy", "sad", "angry")  # in the recipe's order
NAMES = ("ravdess-speech", "emodb", "aesdd")


def corpora(folder: Path) -> dict[str, str]:
    """Specs by name: RAVDESS speech has calm and neutral as well, EMO-DB boredom and neutral."""
    short = {"clips_per_emotion": 2, "seconds": 0.4}
    places = (
        fabricate.ravdess(folder / "ravdess", 3, ("speech",), emotions=("neutral", "calm", *SHARED), **short),
        fabricate.emodb(folder / "emodb", 3, emotions=("neutral", "boredom", *SHARED), **short),
        fabricate.aesdd(folder / "aesdd", 2, emotions=SHARED, **short),
    )
    return {name: f"{name}:{place}" for name, place in zip(NAMES, places, strict=True)}


def gathered(
    specs: dict[str, str], *names: str, emotions: tuple[str, ...] | None = None, recipe: Recipe | None = None
) -> lab.Gathered:
    """What a matrix over these corpora (all, where none is named) is made of; the tiny recipe by default."""
    given = [(specs[name], read(specs[name])) for name in names or specs]
    return lab.gather(recipe or fabricate_run.recipe(), given, emotions)


def matrix(**changes: object) -> lab.Matrix:
    """A matrix over the three with figures made up: 70 % on the diagonal, emodb at chance elsewhere."""
    cells = tuple(
        lab.Cell(
            train=train,
            test=test,
            protocol="speaker-folds-5" if train == test else "one-corpus",
            uar=(uar := 0.7 if train == test else 0.35 if train == "emodb" else 0.5),
            accuracy=uar + 0.01,
            ece=0.125,
            clips=1234,
            speakers=10,
            train_clips=900,
            folds=5 if train == test else 1,
            seeds=(0, 1),
            confusion=((1, 2, 3), (0, 4, 0), (5, 0, 0)),
            ci95=(uar - 0.05, uar + 0.05),
            sd=0.02,
            ece_calibrated=0.031,
        )
        for train in (*NAMES, lab.ALL_OTHERS)
        for test in NAMES
    )
    facts = {
        "recipe": "a-cnn",
        "corpora": tuple(lab.CorpusFacts(name, 1234, 10, dict.fromkeys(SHARED, 400)) for name in NAMES),
        "emotions": SHARED,
        "protocols": {
            "off_diagonal": "one-corpus",
            "diagonal": "speaker-folds-5",
            "all_others": "cross-corpus",
        },
        "leaky": False,
        "seeds": (0, 1),
        "cells": cells,
        "complete": True,
        "command": "vocemo matrix a-cnn",
        "commit": "0123abc",
        "date": "2026-01-31",
    }
    return lab.Matrix(**{**facts, **changes})
