"""A pandas table of recordings, with answers beside its paths."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas
import pytest

import vocemo
from vocemo import audio
from vocemo.errors import MissingExtraError, UnknownNameError, UsageError

SAMPLES = Path(__file__).parents[2] / "samples"


def test_each_row_has_the_answer_of_its_recording() -> None:
    paths = [str(SAMPLES / f"synthetic-{emotion}.flac") for emotion in ("sad", "angry", "sad")]
    frame = pandas.DataFrame({"clip": paths, "said by": ["ann", "ben", "cleo"]}, index=[7, 7, 3])
    model = vocemo.load()
    found = vocemo.annotate(frame, "clip", model=model)
    assert list(found.index) == [7, 7, 3] and list(found.columns[:2]) == ["clip", "said by"]
    for (_, row), path in zip(found.iterrows(), paths, strict=True):
        alone = model.predict(path)
        assert row["emotion"] == alone.emotion and row["uncertain"] == alone.uncertain
        assert row["confidence"] == pytest.approx(alone.confidence, abs=1e-4)
        assert [row[f"p_{each}"] for each in model.emotions] == pytest.approx(
            list(alone.probabilities.values()), abs=1e-4
        )
        assert row["warnings"] == " | ".join(alone.warnings) and pandas.isna(row["error"])
    assert "emotion" not in frame.columns  # the table that was given is left as it was


def test_what_cannot_be_answered_has_its_reason_and_silence_has_none(tmp_path: Path) -> None:
    audio.write(tmp_path / "silent.wav", np.zeros(16_000, np.float32), 16_000)
    (tmp_path / "text.wav").write_text("no sound")
    frame = pandas.DataFrame({"path": ["silent.wav", "text.wav", "gone.wav", None]})
    found = vocemo.annotate(frame, root=tmp_path, jobs=1)
    assert found["emotion"].isna().all()
    assert pandas.isna(found["error"][0]) and "silent" in found["warnings"][0]
    assert "no audio" in found["error"][1] or "not audio" in found["error"][1]
    assert "gone.wav" in found["error"][2] and found["error"][3] == "no path"
    assert found[[each for each in found.columns if each.startswith("p_")]].isna().all(axis=None)


def test_an_empty_table_stays_empty() -> None:
    found = vocemo.annotate(pandas.DataFrame({"path": []}))
    assert len(found) == 0 and "p_happy" in found.columns


def test_what_is_wrong_with_a_table_is_said() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown column 'path'.*Valid: file"):
        vocemo.annotate(pandas.DataFrame({"file": []}))
    with pytest.raises(UsageError, match="columns emotion already"):
        vocemo.annotate(pandas.DataFrame({"path": [], "emotion": []}))
    with pytest.raises(UsageError, match="given dict"):
        vocemo.annotate({"path": []})


def test_without_pandas_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"vocemo\[pandas\]"):
        vocemo.annotate([])
