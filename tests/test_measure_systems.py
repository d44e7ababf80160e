"""The script that measures the described systems asks for what the list says, and publishes what it gets."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from vocemo.lab import recipe as recipes
from vocemo.lab.report.described import read_systems
from vocemo.lab.splits import PROTOCOLS

ROOT = Path(__file__).parents[1]
OWN = {"residual-cnn", "base", "tiny"}  # recipes that nobody else describes
SYSTEMS = ROOT / "docs" / "results" / "described" / "systems.json"


@pytest.fixture
def script(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("measure_systems", ROOT / "scripts" / "measure_systems.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # where dataclasses look for their module
    spec.loader.exec_module(module)
    (tmp_path / "described").mkdir()
    (tmp_path / "described" / "systems.json").write_text(
        SYSTEMS.read_text(encoding="utf-8"), encoding="utf-8"
    )
    monkeypatch.setattr(module, "RESULTS", tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return module


def test_the_list_names_recipes_and_protocols_that_exist_and_every_recipe():
    systems = read_systems(SYSTEMS)
    assert {system.recipe for system in systems} == set(recipes.names()) - OWN
    for system in systems:
        assert not PROTOCOLS[system.unseen].leaky
        assert all(PROTOCOLS[name].leaky for name in system.terms)


def test_commands_are_ones_that_anybody_can_give(script, capsys):
    assert script.main(["--list", "--only", "mel-cnn2d-emodb"]) == 0
    first, copies, unseen = capsys.readouterr().out.splitlines()
    assert first == (
        "vocemo crossval mel-cnn2d --corpus emodb:data/emodb --protocol random-as-described --seeds 3 "
        "--out runs/systems/mel-cnn2d-emodb-random-as-described"
    )
    assert "--protocol random-copies" in copies and "--set augmentation.pool=3" in copies
    assert "--protocol loso" in unseen
    script.main(["--list", "--only", "encoder-head"])
    assert "--set model.weights=data/" in capsys.readouterr().out


def test_what_is_whole_is_published_and_not_measured_again(script, tmp_path, monkeypatch, capsys):
    asked = []

    def crossval(command, **_):
        asked.append(command)
        out = Path(command[command.index("--out") + 1])
        failed = "emobox-6" in out.name
        if not failed:
            out.mkdir(parents=True)
            result = {"command": "vocemo crossval", "metrics": {"uar": {"mean": 0.5}}, "report": {}}
            (out / "results.json").write_text(json.dumps(result), encoding="utf-8")
        return type("Done", (), {"returncode": int(failed)})()

    monkeypatch.setattr(script.subprocess, "run", crossval)
    arguments = ["--only", "mfcc-cnn-ravdess", "--out", str(tmp_path / "runs"), "--jobs", "1"]
    assert script.main(arguments) == 1
    published = json.loads((tmp_path / "mfcc-cnn-ravdess-speech-random.json").read_text(encoding="utf-8"))
    assert published == {"command": "vocemo crossval", "metrics": {"uar": {"mean": 0.5}}}
    assert not (tmp_path / "mfcc-cnn-ravdess-speech-emobox-6.json").exists()
    assert "emobox-6 failed" in capsys.readouterr().err
    assert script.main(arguments) == 1
    assert [command[command.index("--protocol") + 1] for command in asked] == [
        "random",
        "emobox-6",
        "emobox-6",
    ]


def test_what_is_published_in_part_is_still_to_be_measured(script, tmp_path, capsys):
    asked = ["--list", "--only", "mfcc-cnn-ravdess-speech-random"]
    file = tmp_path / "mfcc-cnn-ravdess-speech-random.json"
    for remark, listed in (("3 of 6 trainings so far", 1), ("without song", 0)):
        file.write_text(json.dumps({"remark": remark}), encoding="utf-8")
        assert script.main(asked) == 0
        assert len(capsys.readouterr().out.splitlines()) == listed
