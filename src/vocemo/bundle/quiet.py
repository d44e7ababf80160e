"""Silence for libraries that write to the standard streams past Python, and cannot be told not to."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def without_notices(*descriptors: int) -> Iterator[None]:
    """Throw away what is written to file descriptors (1: standard output, 2: standard error) meanwhile.

    What Python has written itself is flushed first, so that nothing of it is lost. Other threads' words are
    lost too: keep it short. Where a descriptor is closed, there is nothing to silence.
    """
    saved: dict[int, int] = {}
    with contextlib.ExitStack() as stack, Path(os.devnull).open("wb") as nowhere:
        for descriptor in descriptors:
            with contextlib.suppress(OSError):
                _flush()
                saved[descriptor] = os.dup(descriptor)
                stack.callback(os.close, saved[descriptor])
                os.dup2(nowhere.fileno(), descriptor)
        try:
            yield
        finally:
            _flush()
            for descriptor, before in saved.items():
                os.dup2(before, descriptor)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.flush()
