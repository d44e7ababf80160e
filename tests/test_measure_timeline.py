"""The script that measures timelines, from a cross-validation to a table."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

import fabricate_run
from vocemo.lab.report import published

ROOT = Path(__file__).parent.parent


def shares(accuracy: float) -> dict[str, float]:
    keys = ("speech_accuracy", "missed", "false_alarm", "confused", "eder", "changes_found")
    return {"frame_accuracy": accuracy, **dict.fromkeys(keys, 0.25)}


def test_the_table_says_what_was_chosen_by_whom(tmp_path: Path) -> None:
    hmm = {"window_s": 1.5, "hop_s": 0.5, "smoothing": "hmm", "change": 2.5}
    median = {"window_s": 1.0, "hop_s": 0.5, "smoothing": "median", "median_s": 3.5}
    none = {"window_s": 1.5, "hop_s": 0.5, "smoothing": "none"}
    (tmp_path / "a.json").write_text(
        json.dumps(
            {
                "recipe": "tiny",
                "corpus": "ravdess",
                "protocol": "emobox-6",
                "tested_s": 630,
                "blocks": 8,
                "tried": 3,
                "test": [{"by": "fold", **shares(0.61)}, {"by": "all", **hmm, **shares(0.62)}],
                "validation": [{**median, **shares(0.5)}, {**hmm, **shares(0.7)}, {**none, **shares(0.6)}],
                "command": "c",
                "commit": "f",
                "date": "d",
            }
        )
    )
    text = "\n".join(published.timeline(tmp_path / "a.json"))
    rows = [line for line in text.splitlines() if line.startswith(("| test", "| validation"))]
    assert [row.split(" | ")[1:4] for row in rows] == [
        ["each fold's own choice", "-", "61.0"],
        ["likeliest course, 2.5 nats", "1.5 s", "62.0"],
        ["likeliest course, 2.5 nats", "1.5 s", "70.0"],
        ["none", "1.5 s", "60.0"],
        ["median of 3.5 s", "1 s", "50.0"],
    ]
    assert "10 minutes of test speakers" in text and "3 settings" in text


@pytest.mark.slow
def test_from_trainings_to_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = fabricate_run.corpus(tmp_path / "corpus", clips_per_emotion=2)
    chosen = fabricate_run.recipe("training.epochs=1")
    for index in range(6):
        part = fabricate_run.fold(spec, index=index)
        fabricate_run.run(spec, part, tmp_path / "cv" / "seed-0" / f"fold-{index}", chosen)
    found = importlib.util.spec_from_file_location("script", ROOT / "scripts" / "measure_timeline.py")
    script = importlib.util.module_from_spec(found)
    found.loader.exec_module(script)
    out = tmp_path / "out.json"
    told = [str(tmp_path / "cv"), "--corpus", spec, "--recordings", "1", "--blocks", "2", "--out", str(out)]
    monkeypatch.setattr("sys.argv", ["measure_timeline.py", *told])
    script.main()
    written = json.loads(out.read_text())
    assert written["tried"] == len(written["validation"]) == 4 * 9
    assert len(written["chosen_by_fold"]) == 6
    for row in (*written["test"], *written["validation"]):
        assert row["eder"] == pytest.approx(1 - row["frame_accuracy"], abs=1e-3)
        assert row["eder"] == pytest.approx(row["missed"] + row["false_alarm"] + row["confused"], abs=1e-3)
    assert published.timeline(out)
