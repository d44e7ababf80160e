"""Fixtures that all tests share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS))  # so that `import fabricate` works wherever the tests are started


@pytest.fixture(scope="session")
def corpora_dir() -> Path:
    """The folder of real corpora; a machine without them skips the tests that need it."""
    folder = TESTS.parent.parent / "shared" / "corpora"
    if not folder.is_dir():
        pytest.skip("real corpora are not on this machine (../shared/corpora)")
    return folder
