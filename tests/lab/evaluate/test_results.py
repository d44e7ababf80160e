import copy
import json

import pytest

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.evaluate import EmotionResult, FoldResult, Gap, GroupResult, Metric, Results

GIVEN = {
    "recipe": "dual-channel-cnn",
    "corpora": ["ravdess-speech"],
    "protocol": "emobox-6",
    "leaky": False,
    "emotions": ["happy", "sad"],
    "folds": 2,
    "seeds": [0, 1],
    "metrics": {
        "uar": {"mean": 0.64, "over": "folds", "sd": 0.01, "pooled": 0.638, "ci95": [0.59, 0.69]},
        "loss": {"mean": 1.3, "over": "folds"},
        "ece": {"mean": 0.05, "over": "pooled", "calibrated": 0.028},
    },
    "per_fold": [
        {"fold": 1, "seed": 0, "uar": 0.65, "accuracy": 0.66, "test_speakers": ["ravdess/01"]},
        {
            "fold": 2,
            "seed": 0,
            "uar": 0.63,
            "accuracy": 0.62,
            "test_speakers": ["ravdess/02"],
            "best_epoch": 9,
        },
    ],
    "command": "vocemo crossval dual-channel-cnn",
    "commit": "0123abc",
    "date": "2026-01-31",
    "parameters": 1000,
    "train_seconds": 12.5,
    "per_emotion": {
        "happy": {"clips": 3, "recall": 0.5, "precision": 0.5, "f1": 0.5},
        "sad": {"clips": 0},
    },
    "confusion": [[1, 2], [0, 0]],
    "groups": {
        "sex": [
            {"name": "female", "clips": 2, "speakers": 1, "uar": 0.5, "accuracy": 0.5, "ci95": [0.2, 0.8]},
            {"name": "male", "clips": 1, "speakers": 1, "accuracy": 1.0},
        ]
    },
    "gaps": {
        "sex": [
            {"first": "female", "second": "male", "difference": -0.1, "ci95": [-0.3, 0.1]},
            {"first": "a", "second": "b", "difference": 0.2, "emotions": ["sad"]},
        ]
    },
}


def changed(*path, to):
    given = copy.deepcopy(GIVEN)
    inner = given
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return given


def test_the_documented_shape_is_read_and_written_back_the_same(tmp_path):
    result = Results.from_dict(GIVEN)
    assert result.metrics["uar"] == Metric(0.64, "folds", 0.01, 0.638, (0.59, 0.69))
    assert result.per_fold[1] == FoldResult(2, 0, 0.63, 0.62, ("ravdess/02",), best_epoch=9)
    assert result.per_emotion["sad"] == EmotionResult(0, None, None, None)
    assert result.groups["sex"][1] == GroupResult("male", 1, 1, None, 1.0)
    assert result.gaps["sex"][0] == Gap("female", "male", -0.1, (-0.3, 0.1))
    assert result.to_dict() == GIVEN
    result.write(tmp_path / "r.json")
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8")) == GIVEN
    assert Results.read(tmp_path / "r.json") == result
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]


def test_what_is_not_measured_may_be_absent():
    least = {
        key: GIVEN[key]
        for key in GIVEN
        if key not in ("parameters", "train_seconds", "per_emotion", "confusion", "groups", "gaps")
    }
    assert Results.from_dict(least).to_dict() == least


@pytest.mark.parametrize(
    "key", ["recipe", "protocol", "leaky", "metrics", "per_fold", "commit", "date", "seeds"]
)
def test_a_missing_key_is_named(key):
    with pytest.raises(UsageError, match=f"{key} missing"):
        Results.from_dict({name: value for name, value in GIVEN.items() if name != key})


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("leaky",), "no", "true or false"),
        (("recipe",), "", "a text"),
        (("seeds",), 3, "a list"),
        (("seeds",), [0.5], "whole number"),
        (("folds",), True, "whole number"),
        (("date",), "yesterday", "a day such as"),
        (("metrics", "uar", "mean"), 64.0, "fraction of 1"),
        (("metrics", "uar", "mean"), float("nan"), "number from 0"),
        (("metrics", "uar", "ci95"), [0.7, 0.6], "lower and an upper"),
        (("metrics", "uar", "over"), "clips", "'folds' or 'pooled'"),
        (("metrics", "loss", "mean"), -1, "number from 0"),
        (("metrics",), {"accuracy": {"mean": 0.5}}, "'uar' must be among them"),
        (("per_fold", 0, "accuracy"), None, "number from 0"),
        (("per_fold", 0, "seed"), 5, r"seeds \[5\] are none of"),
        (("per_fold", 1, "fold"), 1, "stands twice"),
        (("per_emotion",), {"angry": {"clips": 1}}, "not the result's emotions"),
        (("confusion",), [[1, 2]], "2 rows of 2 counts"),
        (("confusion",), [[1, 2], [3]], "2 rows of 2 counts"),
        (("groups", "sex", 0, "uar"), 50, "groups sex uar: 50 is not a fraction of 1"),
        (("groups", "sex"), {}, "groups sex: .* a list"),
        (("gaps", "sex", 0, "difference"), -2, "a number from -1 to 1"),
        (("gaps", "sex", 0, "ci95"), [0.1, -0.3], "lower and an upper"),
    ],
)
def test_a_wrong_value_is_said_with_what_is_valid(path, value, said):
    with pytest.raises(UsageError, match=said):
        Results.from_dict(changed(*path, to=value))


@pytest.mark.parametrize(
    ("ends", "counts"), [((-0.3, 0.1), False), ((0.0, 0.1), False), ((0.01, 0.1), True), ((-0.2, -0.1), True)]
)
def test_a_gap_counts_where_its_interval_leaves_zero(ends, counts):
    assert Gap("a", "b", sum(ends) / 2, ends).counts is counts
    assert not Gap("a", "b", 0.5).counts


def test_training_that_nobody_states_is_not_called_free_of_leaks():
    assert Results.from_dict(GIVEN).leak_status == "none found"
    assert Results.from_dict({**GIVEN, "leaky": True}).leak_status == "leaky"
    told = Results.from_dict({**GIVEN, "training_stated": False})
    assert told.leak_status == "not stated"
    assert told.to_dict() == {**GIVEN, "training_stated": False}


def test_unknown_keys_are_answered_with_the_known():
    with pytest.raises(UnknownNameError, match="did you mean 'recipe'"):
        Results.from_dict({**GIVEN, "recipes": 1})
    with pytest.raises(UnknownNameError, match="metric uar key"):
        Results.from_dict(changed("metrics", "uar", "median", to=0.5))
    with pytest.raises(UsageError, match="not an object"):
        Results.from_dict([])


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "r.json").write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match=r"r\.json"):
        Results.read(tmp_path / "r.json")
    with pytest.raises(UsageError, match=r"none\.json"):
        Results.read(tmp_path / "none.json")
