"""Memory that a training frees stays with the process."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from vocemo.lab import allocation

_FREED = """
import sys, resource
import numpy as np
from vocemo.lab import allocation

if sys.argv[1] == "kept":
    assert allocation.keep_freed_memory()
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def step():
    before = faults()
    np.full(2**24, 1.0, np.float32)  # 64 MiB
    return faults() - before
step()
print(min(step() for _ in range(3)))
"""

# Older versions keep no block of more than 32 MiB, whatever they are told.
name, version = platform.libc_ver()
new_enough = name == "glibc" and tuple(map(int, version.split(".")[:2])) >= (2, 36)
on_glibc = pytest.mark.skipif(not new_enough, reason="a setting of glibc's, tried from 2.36 on")


def pages_faulted(kept: str) -> int:
    """Pages that a second block of the same size has to ask the system for."""
    environment = {k: v for k, v in os.environ.items() if k not in allocation._CHOSEN_BY}
    done = subprocess.run(
        [sys.executable, "-c", _FREED, kept], env=environment, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@on_glibc
def test_a_freed_block_is_used_again_without_asking_for_its_pages() -> None:
    assert pages_faulted("kept") < 10
    # Pages of 4 KiB, or of 2 MiB where the system gives huge ones.
    assert pages_faulted("given back") >= 20


def test_what_the_environment_chooses_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "65536")
    assert not allocation.keep_freed_memory.__wrapped__()


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in allocation._CHOSEN_BY:
        monkeypatch.delenv(name, raising=False)

    class Other:
        def __init__(self, name: object) -> None: ...

        def mallopt(self, parameter: int, value: int) -> int:
            raise AssertionError("its numbers mean something else there")

    monkeypatch.setattr("ctypes.CDLL", Other)
    assert not allocation.keep_freed_memory.__wrapped__()


def test_a_version_that_takes_less_is_given_less(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in allocation._CHOSEN_BY:
        monkeypatch.delenv(name, raising=False)
    asked: list[tuple[int, int]] = []

    class Old:
        gnu_get_libc_version = None

        def __init__(self, name: object) -> None: ...

        def mallopt(self, parameter: int, value: int) -> int:
            asked.append((parameter, value))
            return int(parameter != -3 or value <= 2**25)

    monkeypatch.setattr("ctypes.CDLL", Old)
    assert allocation.keep_freed_memory.__wrapped__()
    assert asked == [(-3, 2**30), (-3, 2**25), (-1, 2**30)]
