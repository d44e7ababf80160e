from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import fabricate_tflite
from vocemo.bundle import flatbuffer
from vocemo.errors import BundleError


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("flatbuffer") / "tiny.tflite"
    return fabricate_tflite.write(path, metadata="what it says", samples=1_000).read_bytes()


def test_reads_what_the_schema_reads(content: bytes) -> None:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(content, 0)
    assert model.MetadataLength() == 1
    entry = model.Metadata(0)
    expected = {entry.Name().decode(): model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()}
    assert flatbuffer.metadata(content) == expected == {"vocemo": b"what it says"}


def test_reads_what_lies_behind_the_tables(tmp_path: Path) -> None:
    path = fabricate_tflite.write(tmp_path / "far.tflite", metadata="far away", samples=1_000, behind=True)
    assert flatbuffer.metadata(path.read_bytes()) == {"vocemo": b"far away"}


def test_a_file_without_metadata_has_none(tmp_path: Path) -> None:
    path = fabricate_tflite.write(tmp_path / "bare.tflite", metadata="", samples=1_000)
    assert flatbuffer.metadata(path.read_bytes()) == {}


@given(at=st.integers(0, 10_000), changed=st.integers(0, 255), cut=st.integers(8, 20_000))
@example(at=0, changed=255, cut=20_000)
@example(at=3, changed=255, cut=20_000)
def test_a_broken_file_is_refused_and_nothing_worse(content: bytes, at: int, changed: int, cut: int) -> None:
    broken = bytearray(content[:cut])
    broken[at % len(broken)] = changed
    try:
        found = flatbuffer.metadata(bytes(broken))
    except BundleError:
        return
    assert all(isinstance(name, str) for name in found)
