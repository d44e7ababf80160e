"""Answers find their clips by path or name, and what does not match, or could be two, is said."""

from pathlib import Path

import pytest

from vocemo.errors import UsageError
from vocemo.lab.corpora import Clip, Manifest
from vocemo.lab.evaluate.foreign import read_foreign
from vocemo.lab.evaluate.joining import join


def clip(path, emotion, speaker="c/1", **more):
    return Clip(Path(path), "c", emotion, speaker, **more)


CORPUS = Manifest(
    (
        clip("data/one/a.flac", "happy", sex="female", duration_s=2.5),
        clip("data/two/b.flac", "sad", "c/2"),
        clip("data/one/same.wav", "calm"),
        clip("data/two/same.wav", "angry", "c/2"),
    )
)


def joined(tmp_path, text, manifest=CORPUS, relabel=None):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    table = read_foreign(tmp_path / "t.csv", targets_elsewhere=manifest is not None)
    return join(table, manifest, relabel)


def test_answers_are_joined_by_path_name_and_stem(tmp_path):
    found = joined(
        tmp_path, "path,emotion\ndata/two/b.flac,sad\nC:\\elsewhere\\a.wav,sad\nx/one/same.wav,calm\n"
    )
    predictions = found.predictions
    assert [s.path for s in predictions.subjects] == [
        "data/two/b.flac",
        "data/one/a.flac",
        "data/one/same.wav",
    ]
    assert [predictions.emotions[t] for t in predictions.targets] == ["sad", "happy", "calm"]
    assert predictions.answers == ("sad", "sad", "calm")
    assert (predictions.subjects[1].sex, predictions.subjects[1].duration_s) == ("female", 2.5)
    assert [c.key for c in found.clips] == [s.path for s in predictions.subjects]
    assert found.remarks == ("not answered, and in no figure: 1 of 4 clips of the corpus",)


def test_what_names_no_clip_is_left_out_and_told(tmp_path):
    found = joined(tmp_path, "path,emotion\na.wav,happy\nnone.wav,sad\n")
    assert len(found.predictions) == 1
    assert "left out: 1 of 2 lines, which name no clip of the corpus: none.wav" in found.remarks
    with pytest.raises(UsageError, match=r"none of its 1 lines names a clip of c.*a\.flac"):
        joined(tmp_path, "path,emotion\nnone.wav,sad\n")


def test_a_name_of_several_clips_is_refused(tmp_path):
    with pytest.raises(
        UsageError, match=r"line 2: same\.wav could be data/one/same\.wav, data/two/same\.wav"
    ):
        joined(tmp_path, "path,emotion\nsame.wav,sad\n")


def test_a_clip_that_stands_twice_is_refused_unless_the_seeds_differ(tmp_path):
    with pytest.raises(UsageError, match=r"lines 2 and 3 are both data/one/a\.flac"):
        joined(tmp_path, "path,emotion\na.wav,sad\nx/a.flac,sad\n")
    found = joined(tmp_path, "path,emotion,seed\na.wav,sad,0\na.wav,happy,1\n")
    assert found.predictions.runs == ((0, 0), (1, 0))
    # Each model that was trained on one corpus may have answered the clip.
    found = joined(tmp_path, "path,emotion,fold\na.wav,sad,0\na.wav,happy,1\n")
    assert found.predictions.runs == ((0, 0), (0, 1))
    with pytest.raises(UsageError, match="seed 'x' is no whole number"):
        joined(tmp_path, "path,emotion,seed\na.wav,sad,x\n")


def test_the_file_and_the_corpus_must_agree_on_what_a_clip_is(tmp_path):
    text = "path,target,answer\none/same.wav,neutral,neutral\n"
    with pytest.raises(UsageError, match=r"line 2: the target is neutral.*calm.*--relabel calm=neutral"):
        joined(tmp_path, text)
    found = joined(tmp_path, text, relabel={"calm": "neutral"})
    assert found.predictions.emotions == ("neutral",)


def test_an_emotion_without_a_column_is_left_out_of_probabilities_and_counted_against_answers(tmp_path):
    found = joined(tmp_path, "path,happy,sad\na.wav,0.5,0.5\none/same.wav,0.1,0.9\n")
    assert found.predictions.emotions == ("happy", "sad") and len(found.predictions) == len(found.clips) == 1
    assert "left out: 1 clips of calm, which have no column" in found.remarks
    with pytest.raises(UsageError, match="nothing is left to measure"):
        joined(tmp_path, "path,happy,sad\none/same.wav,0.1,0.9\n")
    answers = joined(tmp_path, "path,emotion\na.wav,happy\none/same.wav,sad\n").predictions
    assert answers.emotions == ("calm", "happy", "sad") and len(answers) == 2


def test_without_a_corpus_the_file_says_it_all(tmp_path):
    text = "target,answer,speaker,gender,duration\nsad,sad,7,f,2.5\nhappy,sad,x/8,m,\n"
    found = joined(tmp_path, text, manifest=None)
    one, other = found.predictions.subjects
    assert (one.speaker, one.sex, one.duration_s, one.corpus) == ("unknown/7", "female", 2.5, "unknown")
    assert (other.speaker, other.duration_s) == ("x/8", None)
    assert found.clips == ()
    with pytest.raises(UsageError, match="line 3: the target is empty"):
        joined(tmp_path, "target,answer\nsad,sad\n,sad\n", manifest=None)
    with pytest.raises(UsageError, match="no path"):
        joined(tmp_path, "path,emotion\n,sad\n")
