"""Where answers are written to."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from vocemo.errors import UsageError


def check_no_input(output: Path | None, inputs: Iterable[str]) -> None:
    """Raises UsageError where the output is one of the recordings, which writing would destroy."""
    if output is None or not output.exists():
        return
    where = output.resolve()
    if any(Path(given).resolve() == where for given in inputs):
        raise UsageError(f"--output {output} is one of the recordings: give another file")


@contextlib.contextmanager
def writing(output: Path | None, *, append: bool = False) -> Iterator[TextIO]:
    """Standard output, or a file that is written as answers come; `append` goes on where it ends."""
    if output is None:
        yield sys.stdout
        return
    try:
        file = output.open("a" if append else "w", encoding="utf-8", errors="surrogateescape", newline="")
    except OSError as error:
        raise UsageError(f"--output {output}: cannot be written ({error.strerror})") from error
    with file:
        yield file
