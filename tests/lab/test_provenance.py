"""A figure says where it comes from, and claims no commit that is not vocemo's."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from vocemo.lab import provenance

GIT = shutil.which("git")


def git(folder: Path, *arguments: str) -> str:
    given = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments]
    return subprocess.run(given, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_only_a_checkout_of_vocemo_has_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "environment" / "provenance.py"
    installed.parent.mkdir()
    installed.write_text("# as pip puts it there")
    monkeypatch.setattr(provenance, "__file__", str(installed))
    assert provenance.commit() == ""
    if GIT is None:
        return
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "somebody's own work")
    assert provenance.commit() == ""  # of a repository that knows nothing of vocemo
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "a checkout")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert len(provenance.commit()) >= 4 and head.startswith(provenance.commit())
    installed.write_text("# changed")
    assert provenance.commit().endswith("-dirty")


@pytest.mark.parametrize(
    ("module", "typed"),
    [
        (None, "vocemo"),
        ("vocemo.cli.main", "python -m vocemo.cli.main"),
        ("pytest.__main__", "python -m pytest"),
    ],
)
def test_the_command_is_as_one_would_type_it_again(
    monkeypatch: pytest.MonkeyPatch, module: str | None, typed: str
) -> None:
    spec = None if module is None else SimpleNamespace(name=module)
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__spec__=spec))
    monkeypatch.setattr(sys, "argv", ["/usr/bin/vocemo", "train", "--set", "a=[1, 2]"])
    assert provenance.command() == f"{typed} train --set 'a=[1, 2]'"
    assert shlex.split(provenance.command())[-1] == "a=[1, 2]"


@pytest.mark.parametrize("folder", ["", "/srv/elsewhere/"])
def test_a_script_is_named_with_its_folder_and_no_way_to_it(
    monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__spec__=None))
    monkeypatch.setattr(sys, "argv", [f"{folder}scripts/measure_thresholds.py", "runs/a"])
    assert provenance.command() == "python scripts/measure_thresholds.py runs/a"
    assert provenance.stamp()["command"] == provenance.command()
    assert provenance.stamp()["date"] == provenance.today() and provenance.stamp()["commit"]


def test_versions_name_what_a_result_depends_on() -> None:
    found = provenance.versions()
    assert {"python", "platform", "vocemo", "torch", "numpy", "onnxruntime"} <= found.keys()
    assert len(provenance.today()) == len("2026-01-01")
