import numpy as np
import pytest
from sklearn.metrics import classification_report

from vocemo.emotions import EMOTIONS
from vocemo.errors import UsageError
from vocemo.lab.evaluate.metrics import confusion_matrix
from vocemo.lab.report.tables import confusion_table, emotion_table


@pytest.fixture
def answers():
    generator = np.random.default_rng(0)
    targets = generator.integers(0, 8, 400)
    return targets, np.where(generator.random(400) < 0.6, targets, generator.integers(0, 8, 400))


def test_the_emotion_table_is_scikit_learns_report(answers):
    confusion = confusion_matrix(*answers, 8)
    expected = classification_report(*answers, target_names=EMOTIONS, output_dict=True)
    lines = {line.split()[0]: line.split()[1:] for line in emotion_table(confusion, EMOTIONS).splitlines()}
    keys = ("precision", "recall", "f1-score")
    for name in EMOTIONS:
        one = expected[name]
        assert lines[name] == [*(f"{one[key]:.1%}" for key in keys), str(int(one["support"]))]
    mean = expected["macro avg"]
    assert lines["mean"] == [*(f"{mean[key]:.1%}" for key in keys), "400"]
    assert lines["accuracy"] == [f"{expected['accuracy']:.1%}", "400"]


def test_the_confusion_table_holds_every_count(answers):
    confusion = confusion_matrix(*answers, 8)
    lines = confusion_table(confusion, EMOTIONS).splitlines()
    assert len({len(line) for line in lines}) == 1  # columns stand below each other
    for row, line in zip(confusion, lines[1:], strict=True):
        cells = line.split()[1:]
        assert [0 if cell == "." else int(cell) for cell in cells[:8]] == row.tolist()
        assert int(cells[8]) == row.sum()
        place = EMOTIONS.index(line.split()[0])
        assert cells[9] == f"{row[place] / row.sum():.1%}"


@pytest.mark.parametrize("table", [confusion_table, emotion_table])
def test_what_does_not_fit_is_said(table):
    with pytest.raises(UsageError, match=r"must be \(3, 3\)"):
        table([[1, 0], [0, 1]], ["a", "b", "c"])
    with pytest.raises(UsageError, match="a clip or more"):
        table(np.zeros((2, 2), int), ["a", "b"])
