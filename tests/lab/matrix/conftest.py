"""Three small fabricated corpora, and a whole matrix trained on them."""

from __future__ import annotations

import pytest

import fabricate_matrix
import fabricate_run
from vocemo.lab import matrix as lab

Trained = tuple[lab.Gathered, tuple[lab.MatrixJob, ...]]


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Their specs by name, read only."""
    return fabricate_matrix.corpora(tmp_path_factory.mktemp("three"))


@pytest.fixture(scope="session")
def trained(three: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A matrix over the three, two folds and two seeds, read only."""
    found = fabricate_matrix.gathered(three, recipe=fabricate_run.recipe("training.epochs=1"))
    todo = lab.jobs(found, (0, 1), tmp_path_factory.mktemp("matrix"), count=2)
    assert [job for job, _ in lab.run(todo, found.recipe, device=fabricate_run.CPU)] == list(todo)
    return found, todo
