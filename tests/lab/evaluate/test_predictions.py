import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vocemo.errors import UsageError
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.evaluate import Predictions

EMOTIONS = ("neutral", "happy", "sad")


def table(clips=6, fold=1, seed=0):
    made = [
        Clip(
            Path(f'a, "b"/{n}.wav'),
            "ravdess",
            EMOTIONS[n % 3],
            f"ravdess/{n % 2:02d}",
            sex=("female", "male")[n % 2],
            intensity="strong" if n else None,
            sentence="Dogs are sitting by the door\nü",
            duration_s=3.3033 if n else None,
        )
        for n in range(clips)
    ]
    weights = np.random.default_rng(seed).random((clips, 3)).astype(np.float32)
    return Predictions.of(made, weights / weights.sum(1, keepdims=True), EMOTIONS, fold=fold, seed=seed)


def same(one, other):
    return (
        one.emotions == other.emotions
        and one.subjects == other.subjects
        and all(
            np.array_equal(getattr(one, name), getattr(other, name)) for name in ("targets", "fold", "seed")
        )
        and np.array_equal(one.probabilities.astype(np.float32), other.probabilities.astype(np.float32))
    )


def test_the_columns_are_those_that_are_documented(tmp_path):
    table().write(tmp_path / "p.csv")
    with (tmp_path / "p.csv").open(encoding="utf-8", newline="") as file:
        header, first, *_ = csv.reader(file)
    assert header == [
        *("path", "corpus", "speaker", "sex", "channel", "intensity", "sentence", "duration_s"),
        *("target", "predicted"),
        *EMOTIONS,
        *("fold", "seed"),
    ]
    assert first[1:6] == ["ravdess", "ravdess/00", "female", "speech", ""]
    assert first[-2:] == ["1", "0"]


def test_a_written_table_is_read_back_the_same_to_the_bit_of_a_float32(tmp_path):
    whole = Predictions.concatenate([table(), table(4, fold=2, seed=7)])
    whole.write(tmp_path / "p.csv")
    assert same(Predictions.read(tmp_path / "p.csv"), whole)
    assert [p.name for p in tmp_path.iterdir()] == ["p.csv"]


@settings(deadline=None)  # it waits for the disk
@given(st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3).filter(lambda v: sum(v) > 0.01))
def test_probabilities_survive_the_file(tmp_path_factory, weights):
    values = (np.array(weights) / sum(weights)).astype(np.float32)
    one = Predictions.of([Clip(Path("x.wav"), "c", "sad", "c/1")], [values], EMOTIONS, fold=0, seed=0)
    path = tmp_path_factory.getbasetemp() / "one.csv"
    one.write(path)
    assert same(Predictions.read(path), one)


def test_rows_are_chosen_by_model():
    whole = Predictions.concatenate([table(), table(4, fold=2, seed=7)])
    assert whole.runs == ((0, 1), (7, 2))
    assert len(whole.run(seed=7, fold=2)) == 4
    assert whole.speakers == ("ravdess/00", "ravdess/01")
    assert same(whole.run(seed=0, fold=1), table())
    assert len(whole.where(np.zeros(10, bool))) == 0


def test_a_part_of_a_recording_is_named_by_its_times():
    part = Clip(Path("long.wav"), "c", "sad", "c/1", start_s=1.5, end_s=3.0)
    made = Predictions.of([part], [[0.1, 0.2, 0.7]], EMOTIONS, fold=0, seed=0)
    assert made.subjects[0].path == "long.wav#1.5-3"
    assert made.answers == ("sad",)


def test_a_users_own_file_needs_targets_and_probabilities_alone(tmp_path):
    (tmp_path / "p.csv").write_text(
        "\ufefftarget,happy,sad\nhappy,0.75,0.25\nsad,0.5,0.5\n", encoding="utf-8"
    )
    read = Predictions.read(tmp_path / "p.csv")
    assert read.emotions == ("happy", "sad")
    assert read.answers == ("happy", "happy")
    assert read.runs == ((0, 0),)
    assert read.subjects[0].speaker == "unknown/unknown"


def test_a_file_from_before_lengths_were_kept_is_read(tmp_path):
    (tmp_path / "p.csv").write_text(
        "path,sentence,target,predicted,happy,sad,fold,seed\na,01,sad,sad,0,1,2,3\n"
    )
    read = Predictions.read(tmp_path / "p.csv")
    assert read.subjects[0].duration_s is None and read.subjects[0].sentence == "01"


def test_answers_without_probabilities_stay_without(tmp_path):
    (tmp_path / "p.csv").write_text("target,predicted\nsad,happy\nhappy,happy\nsad,boredom\n")
    read = Predictions.read(tmp_path / "p.csv")
    assert not read.probabilistic
    assert read.emotions == ("happy", "sad", "boredom")
    assert read.answers == ("happy", "happy", "boredom")
    assert not read.where([True, False, True]).probabilistic
    assert not Predictions.concatenate([read, read]).probabilistic
    read.write(tmp_path / "again.csv")
    assert "predicted,fold,seed" in (tmp_path / "again.csv").read_text().splitlines()[0]
    again = Predictions.read(tmp_path / "again.csv")
    assert same(again, read) and not again.probabilistic


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "columns none"),
        ("path,happy,sad\n", "there must be 'target'"),
        ("target,fold\nhappy,1\n", "probability column"),
        ("target,happy,sad\nangry,0.5,0.5\n", "line 2: target 'angry' is none of the emotions happy, sad"),
        ("target,happy,sad\nhappy,0.5,0.5\nsad,0.9,0.9\n", "line 3: .*adds up to 1.8"),
        ("target,happy,sad\nhappy,half,0.5\n", "line 2: .*'half'"),
        ("target,happy,sad\nhappy,nan,0.5\n", "line 2"),
        ("target,happy,sad\nhappy,0.5\n", "line 2: it has more or fewer values"),
        ("target,happy,sad\nhappy,0.5,0.5,0,0\n", "line 2: it has more or fewer values"),
        ("target,predicted,happy,sad\nhappy,sad,0.9,0.1\n", "predicted 'sad' is not its most probable"),
        ("target,happy,sad,fold\nhappy,0.5,0.5,x\n", "whole numbers"),
        ("target,duration_s,happy,sad\nhappy,long,0.5,0.5\n", "line 2: .*'long'.*duration_s numbers"),
        ("target,predicted\nhappy,sad\nsad,\n", "line 3: no answer"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(tmp_path, text, said):
    (tmp_path / "p.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        Predictions.read(tmp_path / "p.csv")


def test_what_does_not_fit_is_refused(tmp_path):
    clip = Clip(Path("x.wav"), "c", "bored", "c/1")
    with pytest.raises(UsageError, match=r"x.wav: target 'bored' is none of"):
        Predictions.of([clip], [[1, 0, 0]], EMOTIONS, fold=0, seed=0)
    with pytest.raises(UsageError, match="no such file"):
        Predictions.read(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="one table or more"):
        Predictions.concatenate([])
    with pytest.raises(UsageError, match="none may be called"):
        Predictions.of([Clip(Path("x"), "c", "fold", "c/1")], [[1.0]], ["fold"], fold=0, seed=0)
    two = Predictions.of([Clip(Path("x"), "c", "sad", "c/1")], [[0.5, 0.5]], ["happy", "sad"], fold=0, seed=0)
    with pytest.raises(UsageError, match="different emotions"):
        Predictions.concatenate([two, table()])
    with pytest.raises(UsageError, match="probabilities"):
        Predictions.of([Clip(Path("x"), "c", "sad", "c/1")], [[0.5, 0.5]], EMOTIONS, fold=0, seed=0)
