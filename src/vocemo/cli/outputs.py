"""Where answers are written to."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from vocemo.errors import UsageError


@contextlib.contextmanager
def writing(output: Path | None, *, append: bool = False) -> Iterator[TextIO]:
    """Standard output, or a file that is written as answers come; `append` goes on where it ends."""
    if output is None:
        yield sys.stdout
        return
    try:
        file = output.open("a" if append else "w", encoding="utf-8", newline="")
    except OSError as error:
        raise UsageError(f"--output {output}: cannot be written ({error.strerror})") from error
    with file:
        yield file
