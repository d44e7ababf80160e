"""A corpus to practise on, from the synthetic clips."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from vocemo import audio
from vocemo.emotions import EMOTIONS
from vocemo.errors import UsageError
from vocemo.lab.corpora import read
from vocemo.lab.practice import VOICES, practice_corpus
from vocemo.lab.splits import audit, folds


def test_it_is_a_corpus_of_all_emotions_by_invented_speakers(tmp_path: Path) -> None:
    spec = practice_corpus(tmp_path / "corpus", takes=1)
    clips = read(spec)
    assert clips.emotions == EMOTIONS and clips.speakers_known
    assert Counter(clip.speaker for clip in clips) == {f"folder/{name}": len(EMOTIONS) for name in VOICES}
    first = folds(clips, "loso")[0]
    assert audit(first).passed and len(first.test) == len(EMOTIONS)
    # Each voice says it in its own way: none is a copy.
    spoken = [audio.decode(clip.path).samples for clip in clips if clip.emotion == "happy"]
    assert len({samples.tobytes() for samples in spoken}) == len(VOICES)
    assert all(np.abs(samples).max() > 0.01 for samples in spoken)
    before = {clip.path: clip.path.read_bytes() for clip in clips}
    assert practice_corpus(tmp_path / "corpus", takes=1) == spec
    assert {path: path.read_bytes() for path in before} == before


def test_without_clips_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no synthetic clips"):
        practice_corpus(tmp_path / "corpus", samples=tmp_path)
