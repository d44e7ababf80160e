"""What a tool says that it was trained on: a leak is found, silence is never called free of one."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest

import fabricate_run
from answered import answered, equal_clips
from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.corpora import Manifest, read
from vocemo.lab.evaluate import Predictions
from vocemo.lab.measure import Measured, of_answers


@pytest.fixture(scope="module")
def corpus(tiny_corpus: str) -> Manifest:
    return read(tiny_corpus)


@pytest.fixture
def theirs(corpus: Manifest, tmp_path: Path) -> Path:
    """Somebody's answers to every clip: all angry."""
    file = tmp_path / "theirs.csv"
    file.write_text("file,emotion\n" + "".join(f"{clip.path.name},anger\n" for clip in corpus))
    return file


def of(theirs: Path, corpus: Manifest | None, *trained_on: str, protocol: str | None = None) -> Measured:
    return of_answers(theirs, corpus, protocol=protocol, trained_on=trained_on)


def test_without_a_word_on_training_it_is_not_stated(theirs: Path, corpus: Manifest) -> None:
    found = of(theirs, corpus).results
    assert found.leak_status == "not stated" and not found.training_stated
    assert found.metrics["uar"].mean == pytest.approx(1 / 8) and found.metrics["kappa"].mean == 0
    assert not {"loss", "ece", "brier", "aurc", "top2"} & set(found.metrics)
    assert {group.name for group in found.groups["sex"]} == {"female", "male"}
    assert (found.protocol, found.recipe, found.clips) == ("as given", "theirs", 48)
    # A protocol's name is a claim, not a list of training clips.
    named = of(theirs, corpus, protocol="emobox-6").results
    assert named.leak_status == "not stated" and named.folds == 6
    assert sorted(len(fold.test_speakers) for fold in named.per_fold) == [1] * 6


def test_other_corpora_and_speakers_leave_no_leak(theirs: Path, corpus: Manifest) -> None:
    found = of(theirs, corpus, "iemocap/01, iemocap/02").results
    assert found.leak_status == "none found" and found.leak is None


@pytest.mark.parametrize("given", ["ravdess/04", "04", "msp/9,4"])
def test_a_speaker_who_was_trained_on_is_a_leak(theirs: Path, corpus: Manifest, given: str) -> None:
    if given.endswith(",4"):
        with pytest.raises(UsageError, match="'4' is no file"):
            of(theirs, corpus, given)
        return
    found = of(theirs, corpus, given).results
    assert found.leaky and found.leak == "speakers overlap: 1 of 6 test speakers is also in train: ravdess/04"


def test_a_list_of_paths_is_audited(theirs: Path, corpus: Manifest, tmp_path: Path) -> None:
    listed = tmp_path / "training.csv"
    listed.write_text(f"Filename\n{corpus.clips[3].path.name}\nnever-seen.wav\n")
    found = of(theirs, corpus, str(listed))
    assert found.results.leaky and "is in train and in test" in (found.results.leak or "")
    assert any("1 paths are none of the corpora's" in remark for remark in found.remarks)


def test_what_cannot_be_audited_is_never_called_free_of_a_leak(
    theirs: Path, corpus: Manifest, tmp_path: Path
) -> None:
    listed = tmp_path / "training.csv"
    for lines in ("path\nanybodys.wav\n", "path,speaker\nanybodys.wav,\nother.wav,iemocap/01\n"):
        listed.write_text(lines)
        found = of(theirs, corpus, str(listed))
        assert found.results.leak_status == "not stated"
        assert any("1 paths are none of the corpora's" in remark for remark in found.remarks)
    listed.write_text("path,speaker\nanybodys.wav,iemocap/02\nother.wav,iemocap/01\n")
    assert of(theirs, corpus, str(listed)).results.leak_status == "none found"


def test_a_clip_that_stands_twice_is_refused_in_a_file_of_our_own_form(tmp_path: Path) -> None:
    right, names, targets = equal_clips(np.random.default_rng(0), 3, 2)
    table = answered(right, names, targets)
    file = tmp_path / "p.csv"
    Predictions.concatenate([table, dataclasses.replace(table, seed=table.seed + 1)]).write(file)
    assert of_answers(file).results.seeds == (0, 1)
    Predictions.concatenate([table, table]).write(file)
    with pytest.raises(UsageError, match=rf"lines 2 and {len(table) + 2} are both 0\.wav"):
        of_answers(file)


def test_each_fold_is_held_against_its_own_list(theirs: Path, corpus: Manifest, tmp_path: Path) -> None:
    honest, leaky = tmp_path / "honest.csv", tmp_path / "leaky.csv"
    for file, own in ((honest, False), (leaky, True)):
        lines = ["fold,speaker"]
        for fold in range(6):
            part = fabricate_run.fold(f"ravdess-speech:{corpus.clips[0].path.parents[1]}", index=fold)
            heard = {clip.speaker for clip in corpus} - set(part.test_speakers)
            lines += [
                f"{fold},{speaker}" for speaker in sorted(heard | (set(part.test_speakers) if own else set()))
            ]
        file.write_text("\n".join(lines) + "\n")
    assert of(theirs, corpus, str(honest), protocol="emobox-6").results.leak_status == "none found"
    found = of(theirs, corpus, str(leaky), protocol="emobox-6").results
    assert found.leaky and "(and 5 more findings)" in (found.leak or "")
    honest.write_text("\n".join(line for line in honest.read_text().splitlines() if line[0] != "3") + "\n")
    with pytest.raises(UsageError, match="says nothing of fold 3"):
        of(theirs, corpus, str(honest), protocol="emobox-6")


def test_a_whole_corpus_may_be_named(theirs: Path, corpus: Manifest, tiny_corpus: str) -> None:
    assert of(theirs, corpus, tiny_corpus).results.leaky


def test_a_protocol_that_leaks_is_believed(theirs: Path, corpus: Manifest) -> None:
    found = of(theirs, corpus, protocol="random").results
    assert found.leaky and "random has the test speakers in training" in (found.leak or "")
    assert of(theirs, corpus, "iemocap/1", protocol="random").results.leaky


def test_unknown_voices_stay_not_stated(tmp_path: Path) -> None:
    file = tmp_path / "nobody.csv"
    file.write_text("path,target,answer\na,sad,sad\nb,happy,sad\n")
    assert of(file, None).results.leak_status == "not stated"
    told = of(file, None, "iemocap/01")
    assert told.results.leak_status == "not stated" and "do not say who speaks" in (told.results.remark or "")


def test_without_a_corpus_speakers_of_the_file_are_held_against_the_list(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("path,target,answer,speaker,corpus\na,sad,sad,ann,c\nb,happy,sad,bob,c\n")
    assert of(file, None, "c/cat").results.leak_status == "none found"
    assert "1 of 2 test speakers is also in train: c/ann" in (of(file, None, "ann").results.leak or "")


def test_folds_of_the_file_must_be_those_of_the_protocol(corpus: Manifest, tmp_path: Path) -> None:
    file = tmp_path / "folds.csv"
    file.write_text(
        "path,emotion,fold\n" + "".join(f"{c.path.name},sad,{n % 3}\n" for n, c in enumerate(corpus))
    )
    with pytest.raises(UsageError, match="does not divide the clips as emobox-6 does"):
        of(file, corpus, protocol="emobox-6")
    numbers = {speaker: n for n, speaker in enumerate(corpus.speakers)}
    file.write_text(
        "path,emotion,fold\n" + "".join(f"{c.path.name},sad,{numbers[c.speaker]}\n" for c in corpus)
    )
    assert of(file, corpus, protocol="emobox-6").results.folds == 6


@pytest.mark.parametrize(
    ("given", "said"),
    [("01", "no known ones"), ("", "names nothing"), ("file", "there must be path or speaker")],
)
def test_what_names_nothing_is_said(tmp_path: Path, given: str, said: str) -> None:
    file = tmp_path / "own.csv"
    file.write_text("target,answer\nsad,sad\nhappy,sad\n")
    if given == "file":
        given = str(file)
    with pytest.raises(UsageError, match=said):
        of_answers(file, None, trained_on=[given])


def test_a_protocol_that_is_none_or_tests_nothing_is_said(theirs: Path, corpus: Manifest) -> None:
    with pytest.raises(UnknownNameError, match="emobox-6"):
        of(theirs, corpus, protocol="emobox6")
    with pytest.raises(UsageError, match="no recordings to test"):
        of(theirs, corpus, protocol="all")


def test_files_of_vocemo_itself_are_read_as_they_are(tmp_path: Path) -> None:
    right, names, targets = equal_clips(np.random.default_rng(0), 3, 2)
    table = answered(right, names, targets)
    table.write(tmp_path / "p.csv")
    found = of_answers(tmp_path / "p.csv").predictions
    assert found.subjects == table.subjects
    np.testing.assert_allclose(found.probabilities, table.probabilities, atol=1e-9)
    # One that was written before lengths were kept is one too.
    with (tmp_path / "p.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    place = header.index("duration_s")
    with (tmp_path / "old.csv").open("w", newline="") as file:
        csv.writer(file).writerows([line[:place] + line[place + 1 :] for line in (header, *rows)])
    assert of_answers(tmp_path / "old.csv").predictions.answers == table.answers
