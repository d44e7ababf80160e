"""The tables of docs/uncertainty.md are those of the measured files."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "uncertainty.md"
MEASURED = ROOT / "docs" / "results" / "uncertainty"


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "file", "render"),
    [
        ("measure_thresholds", "thresholds.json", "table"),
        ("measure_out_of_domain", "out-of-domain.json", "tables"),
    ],
)
def test_every_line_of_the_measured_tables_stands_in_the_page(name, file, render):
    found = json.loads((MEASURED / file).read_text(encoding="utf-8"))
    assert "/work/" not in json.dumps(found) and "/tmp/" not in json.dumps(found)
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rendered = [line for line in getattr(script(name), render)(found) if line]
    assert len(rendered) > 15
    for line in rendered:
        assert line in lines


def test_a_threshold_is_applied_to_the_answers_that_it_was_not_chosen_on():
    import numpy as np

    from vocemo.lab.evaluate import Predictions, Subject
    from vocemo.lab.selective import Threshold

    zeros = np.zeros(4, np.int64)
    test = Predictions(
        ("a", "b"),
        tuple(Subject(str(n)) for n in range(4)),
        np.array([0, 1, 0, 1]),
        np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]]),
        zeros,
        zeros,
    )
    given = [(Threshold(0.3, 0.7, 0.1, 0.5), test), (None, test)]
    found = script("measure_thresholds").applied(given)
    assert found["runs"] == 1 and found["threshold"] == 0.7
    assert found["test_risk"] == pytest.approx(1 / 3) and found["test_coverage"] == 0.75
    assert found["runs_above_the_wanted_risk"] == 1
