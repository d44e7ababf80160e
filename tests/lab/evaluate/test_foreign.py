"""Files of other tools: columns by whatever name, labels by whatever word, faults by line."""

import pytest

from vocemo.errors import UsageError
from vocemo.lab.evaluate.foreign import read_foreign


def read(tmp_path, text, *, elsewhere=True):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    return read_foreign(tmp_path / "t.csv", targets_elsewhere=elsewhere)


@pytest.mark.parametrize(
    "header",
    ["path,emotion", "File Name,Predicted Label", "file_path;prediction", "AUDIO\tanswer", "clip,y_pred"],
)
def test_an_answer_is_found_under_many_names(tmp_path, header):
    separator = max(",;\t", key=header.count)
    found = read(tmp_path, f"\ufeff{header}\na.wav{separator}Happiness\nb.wav{separator}SAD\n")
    assert [(row.path, row.predicted, row.target) for row in found.rows] == [
        ("a.wav", "happy", None),
        ("b.wav", "sad", None),
    ]
    assert found.emotions == ("happy", "sad")
    assert not found.probabilistic and not found.has_targets and found.remarks == ()


@pytest.mark.parametrize(
    ("header", "elsewhere", "target", "predicted"),
    [
        ("target,predicted", False, "sad", "happy"),
        ("label,prediction", False, "sad", "happy"),
        ("truth,emotion", False, "sad", "happy"),
        ("emotion,answer", True, "sad", "happy"),
        ("Ground Truth,y_pred", True, "sad", "happy"),
    ],
)
def test_a_column_called_emotion_is_what_the_others_are_not(tmp_path, header, elsewhere, target, predicted):
    (row,) = read(tmp_path, f"{header}\nsadness,joy\n", elsewhere=elsewhere).rows
    assert (row.target, row.predicted) == (target, predicted)


@pytest.mark.parametrize("name", ["{}", "p_{}", "prob_{}", "Probability {}", "p({})", "score-{}"])
def test_probabilities_are_found_with_and_without_a_prefix(tmp_path, name):
    columns = ",".join(name.format(each) for each in ("Sadness", "anger", "boredom"))
    found = read(tmp_path, f"target,{columns}\nboredom,0.25,0.25,0.5\nsad,1,0,0\n")
    assert found.emotions == ("sad", "angry", "boredom") and found.probabilistic
    assert [row.probabilities for row in found.rows] == [(0.25, 0.25, 0.5), (1.0, 0.0, 0.0)]


def test_percent_and_columns_of_no_use_are_told(tmp_path):
    found = read(tmp_path, "path,happy,sad,model,confidence\na,90,10,x,90\nb,30,70,x,70\n")
    assert found.rows[0].probabilities == pytest.approx((0.9, 0.1))
    assert found.remarks == ("probabilities were given in percent", "not used: columns model, confidence")


def test_beside_probabilities_without_a_corpus_a_lone_emotion_is_the_target(tmp_path):
    (row,) = read(tmp_path, "emotion,happy,sad\nsad,0.6,0.4\n", elsewhere=False).rows
    assert (row.target, row.predicted) == ("sad", None)


def test_what_describes_a_clip_is_kept(tmp_path):
    (row,) = read(tmp_path, "path,answer,Gender,Speaker ID,duration,fold\na,sad,F,7,2.5,3\n").rows
    assert row.described == {"sex": "female", "speaker": "7", "duration_s": "2.5", "fold": "3"}


@pytest.mark.parametrize(
    ("text", "elsewhere", "said"),
    [
        ("", True, "empty"),
        ("path,emotion\n", True, "a header and no line"),
        ("path,speaker\na,1\n", True, "no answers"),
        ("path,predicted\na,sad\n", False, "--corpus NAME:DIR"),
        ("path,emotion,label\na,sad,sad\n", True, "emotion and label could both be the emotion"),
        ("path,predicted,answer\na,sad,sad\n", True, "predicted and answer could both be predicted"),
        ("target,predicted,emotion\nsad,sad,sad\n", True, "a third column of emotions"),
        ("path,emotion,happy,sad\na,sad,0.5,0.5\n", True, "is it the target or the answer"),
        ("path,joy,happy\na,0.5,0.5\n", True, "joy and happy are one emotion"),
        ("path,emotion\na,sad\nb,\n", True, "line 3: no answer"),
        ("path,emotion\na,sad,x\n", True, "line 2: 3 values under 2 columns"),
        ("path,happy,sad\na,0.5,half\n", True, "line 2: .*'half'"),
        ("path,happy,sad,rage\na,0.5,0.3,0.2\n", True, "add up to 0.8.*not taken for emotions: rage"),
        ("path,happy,sad\na,2.5,-1.5\n", True, "the least is -1.5"),
        ("path,happy,sad\na,nan,1\n", True, "line 2"),
        ("path,predicted,happy,sad\na,sad,0.9,0.1\n", True, "sad is not its most probable"),
        ("path,predicted,happy,sad\na,calm,0.9,0.1\n", True, "calm is not its most probable"),
        ("path,emotion,sex\na,sad,x\n", True, "none of female, male"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, text, elsewhere, said):
    with pytest.raises(UsageError, match=said):
        read(tmp_path, text, elsewhere=elsewhere)


def test_a_file_that_is_none_is_said(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        read_foreign(tmp_path / "none.csv", targets_elsewhere=True)
    (tmp_path / "b.csv").write_bytes(b"path,emotion\n\xff,sad\n")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_foreign(tmp_path / "b.csv", targets_elsewhere=True)
