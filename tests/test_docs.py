"""The examples that pages promise to be tested."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from vocemo.cli.main import main
from vocemo.lab.evaluate import Predictions
from vocemo.lab.run import RunFolder

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = re.compile(r"<!-- The tests run this example. -->\n```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_weights_are_loaded_as_the_page_says(
    learnt: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = EXAMPLE.findall((ROOT / "docs" / "training.md").read_text(encoding="utf-8"))
    run = RunFolder(learnt[1])
    tested = Predictions.read(run.predictions)
    shutil.copytree(run.path, tmp_path / "runs" / "first")
    shutil.copy(tested.subjects[0].path, tmp_path / "call.wav")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(example, "docs/training.md", "exec"), names)
    # What the run itself answered for that clip of its test.
    np.testing.assert_allclose(np.asarray(names["probabilities"]), tested.probabilities[0], atol=1e-5)


def test_a_call_is_made_and_answered_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "timeline.md").read_text(encoding="utf-8")
    (example,) = EXAMPLE.findall(page)
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "docs/timeline.md", "exec"), {})
    shown = re.findall(r"```console\n\$ vocemo (predict call\.wav .*)\n([^`]*)```", page)
    assert len(shown) == 2
    for command, told in shown:
        assert main(command.split()) == 0
        said = capsys.readouterr().out
        # What is heard is the model's; who speaks when is not.
        for pattern in (r"^call\.wav, .*$", r"^  \d\d:.*no speech$", r"\d\d:.*-->.*$", r"^(?:left|right): "):
            assert re.findall(pattern, said, re.M) == re.findall(pattern, told, re.M)


def test_pages_link_to_what_exists() -> None:
    for page in sorted((ROOT / "docs").glob("*.md")):
        links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
        missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
        assert missing == [], page.name
