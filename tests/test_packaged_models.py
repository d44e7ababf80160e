"""What the models inside the package hold beside their weights."""

from __future__ import annotations

import onnx
import pytest

from vocemo.bundle import packaged
from vocemo.lab.export.onnx_weights import SCOPES


@pytest.mark.parametrize("name", packaged.names())
def test_a_packaged_model_tells_nothing_of_the_machine_that_exported_it(name: str) -> None:
    path = packaged.place(name)
    assert not any(word in path.read_bytes() for word in (b"site-packages", b"/lib/python", b'.py", line'))
    nodes = onnx.load(path).graph.node
    assert {entry.key for node in nodes for entry in node.metadata_props} == {SCOPES}


def test_all_of_them_together_are_small() -> None:
    assert sum(packaged.place(name).stat().st_size for name in packaged.names()) < 12_000_000
