"""Curves of a training beside those that its project reports."""

import json
from pathlib import Path

import pytest

from vocemo.errors import UsageError
from vocemo.lab.history import EpochRecord
from vocemo.lab.report.described_curves import described_figure, read_curves

RESULTS = Path(__file__).parents[3] / "docs" / "results"
REPORTED = RESULTS / "described" / "curves.json"


def history(epochs: int) -> list[EpochRecord]:
    return [EpochRecord(n, 1e-3 / n, 2 / n, 1 - 1 / n, 1.5, 0.5, 0.4) for n in range(1, epochs + 1)]


def drawn(axes, label):
    (found,) = [line for line in axes.lines if line.get_label() == label]
    return [(int(x), float(y)) for x, y in found.get_xydata()]


@pytest.mark.parametrize("epochs", [1, 4, 40])
def test_what_is_reported_is_drawn_at_its_epochs(epochs):
    figure = described_figure(
        history(epochs), read_curves(REPORTED, "stacked-cnn1d"), title="x", protocol="random", leaky=True
    )
    loss, share, rate = figure.axes
    assert drawn(share, "reported, training") == [(1, 34.36), (15, 98.38), (28, 99.92)]
    assert drawn(loss, "reported, training") == [(15, 0.0672), (28, 0.0086)]
    assert drawn(share, "reported, validation") == [(28, 68.23)]
    assert loss.get_ylim()[1] > 1.1422
    ours, theirs = [patch.get_data() for patch in rate.patches]
    assert list(ours.values) == pytest.approx([1e-3 / n for n in range(1, epochs + 1)])
    assert list(theirs.edges) == [0.5, 13.5, 18.5, 25.5, 28.5]
    assert list(theirs.values) == [1e-3, 5e-4, 2.5e-4, 1.25e-4]
    assert rate.get_xlim() == (0.5, max(28, epochs) + 0.5)
    assert rate.get_ylim()[0] < min(1e-3 / epochs, 1.25e-4)


def test_a_recipe_without_reported_curves_is_named_with_those_that_have_them():
    with pytest.raises(UsageError, match=r"no curves of mel-cnn2d; it has: stacked-cnn1d"):
        read_curves(REPORTED, "mel-cnn2d")


def test_published_curves_are_epochs_in_order():
    for path in (RESULTS / "curves").glob("*.jsonl"):
        records = [EpochRecord(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
        assert [record.epoch for record in records] == list(range(1, len(records) + 1)), path.name
