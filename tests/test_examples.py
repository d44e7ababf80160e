"""Each example runs as its first lines say, and answers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas
import pytest

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "samples"
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))


def run(name: str, *arguments: object) -> list[str]:
    """The lines that an example prints, on this copy of vocemo."""
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / f"{name}.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_each_is_run_below() -> None:
    assert {f"test_{name}" for name in EXAMPLES} <= set(globals())


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_says_how_it_is_run(name: str) -> None:
    told = (ROOT / "examples" / f"{name}.py").read_text("utf-8")
    assert told.startswith('"""') and f"python examples/{name}.py" in told


def test_predict_files() -> None:
    said = run("predict_files", SAMPLES / "synthetic-happy.flac", ROOT / "README.md")
    assert said[0].startswith(str(SAMPLES)) and "%" in said[0]
    assert said[1].startswith("no answer: ") and said[1].endswith("is text, not audio")


def test_timeline_of_a_call() -> None:
    said = run("timeline_of_a_call", SAMPLES / "synthetic-sad.flac")
    assert said and all(" s, longest from " in line for line in said)


def test_listen_to_chunks() -> None:
    said = run("listen_to_chunks", SAMPLES / "synthetic-angry.flac")
    assert len(said) >= 2 and "no speech" in said[-1]


def test_many_at_once() -> None:
    paths = [SAMPLES / "synthetic-happy.flac", SAMPLES / "synthetic-sad.flac"]
    said = run("many_at_once", *paths)
    assert [line.split(": ")[0] for line in said] == [str(path) for path in paths]


def test_annotate_a_table(tmp_path: Path) -> None:
    table = tmp_path / "calls.csv"
    recordings = [str(SAMPLES / "synthetic-happy.flac"), str(tmp_path / "gone.wav")]
    pandas.DataFrame({"path": recordings, "caller": ["ann", "ben"]}).to_csv(table, index=False)
    (tmp_path / "heard.csv").write_text("\n".join(run("annotate_a_table", table)), "utf-8")
    found = pandas.read_csv(tmp_path / "heard.csv")
    assert list(found["caller"]) == ["ann", "ben"] and found["emotion"].notna().tolist() == [True, False]


def test_moods_of_your_own(tmp_path: Path) -> None:
    for mood, names in {"up": ("happy", "surprised"), "down": ("sad", "calm")}.items():
        (tmp_path / mood).mkdir()
        for name in names:
            shutil.copy(SAMPLES / f"synthetic-{name}.flac", tmp_path / mood)
    known = tmp_path / "up" / "synthetic-happy.flac"
    (said,) = run("moods_of_your_own", tmp_path, known)
    assert said.startswith(f"{known}: up ")
