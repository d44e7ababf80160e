"""The kept sheets are those of the recipes as they are."""

from __future__ import annotations

import runpy
from importlib import resources
from pathlib import Path

import pytest

from vocemo.errors import UnknownNameError
from vocemo.lab import recipe as recipes
from vocemo.lab import sheet

SCRIPT = Path(__file__).parents[2] / "scripts" / "write_recipe_sheets.py"
KEPT = resources.files("vocemo.lab").joinpath("recipes", "sheets.json")


def test_the_kept_sheets_are_what_the_script_would_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "recipes").mkdir()
    monkeypatch.setattr(sheet, "__file__", str(tmp_path / "sheet.py"))
    runpy.run_path(str(SCRIPT), run_name="__main__")
    written = (tmp_path / "recipes" / "sheets.json").read_text(encoding="utf-8")
    assert written == KEPT.read_text(encoding="utf-8"), (
        "a recipe or an architecture has changed: python scripts/write_recipe_sheets.py"
    )


@pytest.mark.parametrize("name", recipes.names())
def test_layers_add_up_to_the_parameters(name: str) -> None:
    kept = sheet.read(name)
    assert sum(layer.parameters for layer in kept.layers) == kept.trainable + kept.frozen
    # A gate stands behind the members, whose answers it weighs.
    answer = next(layer for layer in reversed(kept.layers) if not layer.name.startswith("gate."))
    assert answer.output[-1] == len(recipes.load(name).emotions)


def test_another_name_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="dual-channel-cnn"):
        sheet.read("no-such-recipe")
