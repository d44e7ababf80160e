"""`vocemo recipes` as a person types it, with torch and without."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from vocemo.cli.main import main
from vocemo.lab import recipe as recipes
from vocemo.lab import sheet


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["recipes", *arguments]) == 0
    return capsys.readouterr().out


def test_list_names_every_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    table = said(capsys, "list")
    for name in recipes.names():
        kept = sheet.read(name)
        assert name in table and f"{kept.trainable + kept.not_trainable:,}" in table


@pytest.mark.parametrize("name", recipes.names())
def test_show_prints_the_recipe_its_layers_and_its_parameters(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    shown = said(capsys, "show", name)
    text = recipes.source_text(name).rstrip()
    assert shown.startswith(text)
    assert tomllib.loads(text)["name"] == name
    kept = sheet.read(name)
    assert all(layer.name in shown and layer.kind in shown for layer in kept.layers)
    assert f"Parameters: {kept.trainable + kept.not_trainable:,}" in shown
    assert f"  trainable: {kept.trainable:,}" in shown
    assert f"statistics): {kept.not_trainable - kept.frozen:,}" in shown
    assert ("frozen: " in shown) == bool(kept.frozen)


def test_options_are_listed_with_their_values(capsys: pytest.CaptureFixture[str]) -> None:
    shown = said(capsys, "show", "mel-cnn2d", "--options")
    assert "training.epochs = 50\n    a whole number\n" in shown
    assert "augmentation.pooled.pitch-shift.semitones = 2.0\n" in shown
    assert "model.dropout = " in shown and "[model]" not in shown
    assert "vocemo recipes show mel-cnn2d --options" in said(capsys, "show", "mel-cnn2d")


def test_show_prints_a_file_of_ones_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n')
    assert said(capsys, "show", str(path)) == 'name = "mine"\n'


def test_wrong_names_are_answered_with_the_right_ones(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for given in ("dual-chanel-cnn", str(tmp_path / "none.toml")):
        assert main(["recipes", "show", given]) == 2
        assert "dual-channel-cnn" in capsys.readouterr().err
    assert main(["recipes", "train"]) == 2


@pytest.mark.parametrize("arguments", [["list"], ["show", "dual-channel-cnn"]])
def test_recipes_need_no_torch(arguments: list[str]) -> None:
    program = f"""
import sys
from vocemo.cli.main import main
status = main(["recipes", *{arguments!r}])
assert "torch" not in sys.modules, "torch was imported"
sys.exit(status)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("verb", ["list", "show"])
def test_help_has_an_example(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    assert f"vocemo recipes {verb}" in said(capsys, verb, "--help")
