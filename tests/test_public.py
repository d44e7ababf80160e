from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import vocemo


def test_every_exported_name_is_there_and_documented() -> None:
    for name in vocemo.__all__:
        value = getattr(vocemo, name)
        assert name == "__version__" or value.__doc__, name
    assert dir(vocemo) == sorted(vocemo.__all__)


def test_exported_names_are_where_the_type_checker_sees_them() -> None:
    source = Path(vocemo.__file__).read_text("utf-8")
    for name in set(vocemo.__all__) - {"__version__"}:
        assert f"import {name} as {name}" in source
        assert getattr(vocemo, name).__module__ == vocemo._HOMES[name]


def test_the_surface_is_this_one() -> None:
    assert set(vocemo.__all__) == {
        "AudioError",
        "Bundle",
        "BundleError",
        "BundleInfo",
        "Event",
        "Explanation",
        "Failure",
        "Occlusion",
        "OneChannel",
        "Prediction",
        "Predictor",
        "Segment",
        "Stream",
        "TimelineOptions",
        "UsageError",
        "VocemoError",
        "__version__",
        "annotate",
        "load",
    }


def test_a_wrong_name_is_answered_with_the_right_ones() -> None:
    with pytest.raises(AttributeError, match=r"it has .*Predictor"):
        vocemo.Perdictor  # noqa: B018 (the access is what is tested)


def test_the_version_is_the_package_s() -> None:
    assert importlib.metadata.version("vocemo") == vocemo.__version__


def test_importing_the_package_imports_nothing_else_and_changes_nothing() -> None:
    script = (
        "import sys, os; before = dict(os.environ); import vocemo;"
        "print(sorted({'numpy', 'onnxruntime', 'torch', 'rich', 'typer', 'soundfile'} & set(sys.modules)),"
        " before == dict(os.environ))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] True"


def test_the_runtime_needs_no_torch() -> None:
    script = (
        "import sys; sys.modules['torch'] = None; import vocemo; vocemo.load; vocemo.Predictor;"
        "import vocemo.runtime.plot; print('vocemo.lab' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
