"""What is exported here."""

from __future__ import annotations

from pathlib import Path

import pytest

import fabricate_run
from vocemo.lab import checkpoint, network
from vocemo.lab.network import Network
from vocemo.lab.run import RunFolder


@pytest.fixture(scope="module")
def trained(learnt: tuple[str, Path]) -> Network:
    folder = RunFolder(learnt[1])
    made = network.build(folder.info().recipe, seed=0)
    checkpoint.load_weights(made, folder.weights, fabricate_run.CPU)
    return made.eval()
