"""Cells against figures computed another way, and matrix.json."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score

import fabricate_matrix
from vocemo.errors import RunError, UnknownNameError, UsageError
from vocemo.lab import matrix as lab
from vocemo.lab.evaluate import Predictions

Trained = tuple[lab.Gathered, tuple[lab.MatrixJob, ...]]


@pytest.fixture(scope="module")
def measured(trained: Trained) -> lab.Matrix:
    found, todo = trained
    return lab.measure(found, todo, todo)


def test_every_cell_is_there(measured: lab.Matrix) -> None:
    names = list(fabricate_matrix.NAMES)
    assert [corpus.name for corpus in measured.corpora] == names
    assert measured.rows == (*names, lab.ALL_OTHERS)
    assert [(cell.train, cell.test) for cell in measured.cells] == [
        (train, test) for train in measured.rows for test in names
    ]
    assert measured.complete and not measured.leaky
    assert measured.chance == pytest.approx(1 / 3)
    assert measured.protocols == {
        "off_diagonal": "one-corpus",
        "diagonal": "speaker-folds-2",
        "all_others": "cross-corpus",
    }
    for cell in measured.cells:
        kind = (
            "all_others"
            if cell.train == lab.ALL_OTHERS
            else "diagonal"
            if cell.train == cell.test
            else "off_diagonal"
        )
        assert cell.protocol == measured.protocols[kind]
        assert (cell.folds, cell.seeds) == (2 if kind == "diagonal" else 1, (0, 1))


def test_a_cell_is_what_its_answers_come_to(measured: lab.Matrix, trained: Trained) -> None:
    """Each by scikit-learn, from the runs' own files."""
    found, todo = trained
    clips = {part.name: {clip.key: clip for clip in part.clips} for part in found.parts}
    for cell in measured.cells:
        uars, accuracies, tested = [], [], []
        # What each speaker moves the mean of the recalls by (its influence), over all seeds.
        moved: dict[str, float] = {}
        for seed in (0, 1):
            rows = []
            for job in todo:
                if job.train == cell.train and cell.test in job.tests and job.seed == seed:
                    read = Predictions.read(job.folder.predictions)
                    answers = zip(read.subjects, read.answers, strict=True)
                    rows += [(s.path, answer) for s, answer in answers if s.path in clips[cell.test]]
            # The whole of the tested corpus, each clip once.
            assert sorted(path for path, _ in rows) == sorted(clips[cell.test])
            truth = [clips[cell.test][path].emotion for path, _ in rows]
            uars.append(balanced_accuracy_score(truth, [answer for _, answer in rows]))
            accuracies.append(accuracy_score(truth, [answer for _, answer in rows]))
            tested.append(len(rows))
            recalls = {
                each: np.mean([a == each for t, (_, a) in zip(truth, rows, strict=True) if t == each])
                for each in truth
            }
            for emotion, (path, answer) in zip(truth, rows, strict=True):
                speaker = clips[cell.test][path].speaker
                share = ((answer == emotion) - recalls[emotion]) / truth.count(emotion)
                moved[speaker] = moved.get(speaker, 0.0) + share
        assert cell.uar == pytest.approx(np.mean(uars))
        assert cell.sd == pytest.approx(np.std(uars, ddof=1))
        assert cell.accuracy == pytest.approx(np.mean(accuracies))
        assert {cell.clips} == set(tested)
        assert np.sum(cell.confusion) == sum(tested)
        assert cell.speakers == len({clip.speaker for clip in clips[cell.test].values()})
        if np.ptp(list(moved.values())) < 1e-9:  # speakers who do not differ tell nothing of others
            assert cell.ci95 is None and not cell.above(measured.chance)
        else:
            assert cell.ci95 is not None and cell.ci95[0] <= cell.uar <= cell.ci95[1]


def test_cells_come_one_by_one_and_only_whole(trained: Trained) -> None:
    found, todo = trained
    seen: list[int] = []
    for count in range(1, len(todo) // 2 + 1):  # the first seed
        so_far = lab.measure(found, todo, todo[:count])
        seen.append(len(so_far.cells))
        assert not so_far.complete
        for cell in so_far.cells:
            assert cell.seeds == (0,) and cell.sd is None
    # Three trainings fill two cells each, each pair of folds one, the others one each.
    assert seen == [2, 4, 6, 6, 7, 7, 8, 8, 9, 10, 11, 12]


def test_the_file_has_what_is_asked_of_it_and_comes_back_equal(measured: lab.Matrix, tmp_path: Path) -> None:
    measured.write(tmp_path / "matrix.json")
    given = json.loads((tmp_path / "matrix.json").read_text(encoding="utf-8"))
    assert {
        "recipe",
        "emotions",
        "chance",
        "protocols",
        "leaky",
        "seeds",
        "cells",
        "command",
        "commit",
        "date",
    } <= set(given)
    for cell, stands in zip(given["cells"], measured.cells, strict=True):
        assert {"train", "test", "protocol", "uar", "accuracy", "ece", "clips", "speakers"} <= set(cell)
        assert ("ci95" in cell) == (stands.ci95 is not None)
    assert any("ci95" in cell for cell in given["cells"])
    assert None not in given.values() and given["chance"] == pytest.approx(1 / len(given["emotions"]))
    assert lab.Matrix.read(tmp_path / "matrix.json") == measured


def without(key: str) -> dict[str, Any]:
    told = fabricate_matrix.matrix().to_dict()
    del told[key]
    return told


def changed_cell(**changes: object) -> dict[str, Any]:
    told = fabricate_matrix.matrix().to_dict()
    told["cells"][0].update(changes)
    return told


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ([], UsageError, "matrix: \\[\\] is not an object"),
        (without("leaky"), UsageError, "leaky missing"),
        ({**without("date"), "date": "yesterday"}, UsageError, "a day such as"),
        ({**fabricate_matrix.matrix().to_dict(), "colour": 1}, UnknownNameError, "colour"),
        (changed_cell(uar=1.5), UsageError, "cell uar: 1.5 is not a fraction of 1"),
        (changed_cell(ci95=[0.9, 0.1]), UsageError, "a lower and an upper end"),
        (changed_cell(test="tess"), UsageError, "'ravdess-speech' on 'tess' is none of"),
    ],
)
def test_a_broken_file_is_said(given: object, error: type[Exception], said: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=said):
        lab.Matrix.from_dict(given)
    (tmp_path / "matrix.json").write_text(json.dumps(given), encoding="utf-8")
    with pytest.raises(UsageError, match=r"matrix\.json"):
        lab.Matrix.read(tmp_path / "matrix.json")


def test_answers_to_other_clips_are_refused(trained: Trained) -> None:
    found, todo = trained
    job = todo[0]
    fewer = dataclasses.replace(job, fold=dataclasses.replace(job.fold, test=job.fold.test[1:]))
    with pytest.raises(RunError, match="answers to other clips"):
        lab.measure(found, [fewer], [fewer])


def test_whether_a_cell_is_above_chance() -> None:
    cell = fabricate_matrix.matrix().cells[0]
    assert cell.above(0.6) is True and cell.above(0.66) is False
    assert dataclasses.replace(cell, ci95=None).above(0.1) is None
