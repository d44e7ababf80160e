"""What the models inside the package hold beside their weights."""

from __future__ import annotations

import subprocess
from pathlib import Path

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


@pytest.mark.parametrize("name", packaged.names())
def test_a_packaged_model_is_no_text_to_git(name: str) -> None:
    # Git took a model without an early zero byte for text, whose line ends a checkout may change.
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        pytest.skip("no checkout of git")
    path = packaged.place(name).relative_to(root)
    asked = subprocess.run(
        ["git", "check-attr", "text", "--", str(path)], cwd=root, capture_output=True, text=True, check=True
    )
    assert asked.stdout.strip().endswith("text: unset")
