"""What is published of a cross-validation is its figures, by a command that anybody can give."""

from __future__ import annotations

import json
import shlex

import publish
import pytest

from vocemo.lab.plan import Plan


@pytest.fixture
def measured(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(publish, "PLANS", tmp_path / "results" / "plans")
    (tmp_path / "results").mkdir()
    runs = tmp_path / "runs" / "base"
    runs.mkdir(parents=True)

    def write(command):
        result = {"command": command, "metrics": {"uar": {"mean": 0.5}}, "report": {"trainings": [1]}}
        (runs / "results.json").write_text(json.dumps(result), encoding="utf-8")
        return runs

    return write


@pytest.mark.parametrize(("name", "file"), [([], "base.json"), (["other"], "other.json")])
def test_figures_are_published_without_what_epochs_said(measured, tmp_path, capsys, name, file):
    command = "vocemo crossval base --corpus emodb:data/emodb --out runs/base"
    assert publish.main([str(measured(command)), *name]) == 0
    assert json.loads((tmp_path / "results" / file).read_text(encoding="utf-8")) == {
        "command": command,
        "metrics": {"uar": {"mean": 0.5}},
    }
    assert f"{file}: UAR 50.0%" in capsys.readouterr().out


@pytest.mark.parametrize(
    "path", ["--out /my/runs", "--corpus emodb:/data/emodb", "--out '/a b'", "--out=/my/runs"]
)
def test_a_command_of_one_machine_is_refused(measured, tmp_path, capsys, path):
    assert publish.main([str(measured(f"vocemo crossval base {path}"))]) == 1
    assert not list((tmp_path / "results").iterdir())
    assert shlex.split(path)[-1] in capsys.readouterr().err


def test_a_plan_goes_with_it_where_it_is_asked_for(measured, tmp_path, capsys):
    runs = measured("vocemo crossval base --corpus emodb:data/emodb --out runs/base")
    assert publish.main([str(runs), "--plan"]) == 1
    assert "no plan at" in capsys.readouterr().err and not list((tmp_path / "results").iterdir())
    plan = Plan("base", "0" * 64, "emobox-6", 6, (0.1, 0.2), 1.2, distance_ratio=1.5)
    plan.write(runs / "plan.json")
    assert publish.main([str(runs), "--plan"]) == 0
    assert Plan.read(tmp_path / "results" / "plans" / "base.json") == plan


def test_a_folder_without_a_result_is_refused(tmp_path, capsys):
    assert publish.main([str(tmp_path)]) == 1
    assert "results.json" in capsys.readouterr().err
