"""Commands as a person types them: a tiny training, one that is stopped, and what is said of a wrong one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import fabricate_run
from vocemo.cli import training
from vocemo.cli.main import main


def arguments(verb: str, specs: str | list[str], out: Path, *more: str) -> list[str]:
    """A verb that trains the tiny recipe on the processor."""
    return [
        verb,
        fabricate_run.RECIPE,
        *(each for spec in ([specs] if isinstance(specs, str) else specs) for each in ("--corpus", spec)),
        *("--out", str(out)),
        *("--device", "cpu"),
        *fabricate_run.settings(),
        *more,
    ]


def complaint(capsys: pytest.CaptureFixture[str], *given: object, status: int = 2) -> str:
    """What a command that ends with this status says on standard error, in one line."""
    assert main([str(each) for each in given]) == status
    said = capsys.readouterr().err
    assert "Traceback" not in said and "unexpected" not in said
    return " ".join(said.split())


def stopped(given: list[str], file: Path, after: int) -> list[Any]:
    """End a command by Ctrl-C after so many trainings; `file`, which is JSON, as it stood after each."""
    stood: list[Any] = []
    genuine = training.draw

    def draw(*drawn: Any) -> None:
        if file.is_file():
            stood.append(json.loads(file.read_text(encoding="utf-8")))
        if len(stood) == after:
            raise KeyboardInterrupt
        genuine(*drawn)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(training, "draw", draw)
        assert main(given) == 130
    return stood
