"""Every key that is listed can be set, and setting it to what it is changes nothing."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from vocemo.lab import recipe as recipes
from vocemo.lab import recipe_check
from vocemo.lab.recipe_options import TrainingOptions
from vocemo.lab.settings import settings

every_recipe = pytest.mark.parametrize("name", recipes.names())


@every_recipe
def test_every_listed_key_can_be_set_to_its_value(name: str) -> None:
    recipe = recipes.load(name)
    listed = settings(recipe)
    again = recipes.load(name, [f"{each.key}={each.value}" for each in listed if each.value])
    recipe_check.check(again)
    assert (again.preparation, again.training) == (recipe.preparation, recipe.training)
    assert (again.emotions, again.relabel) == (recipe.emotions, recipe.relabel)
    for part in ("front_end", "model"):
        ours, theirs = getattr(again, part), getattr(recipe, part)
        assert ours.name == theirs.name and theirs.options.items() <= ours.options.items()
    for ours, theirs in zip(again.augmentation.pooled, recipe.augmentation.pooled, strict=True):
        assert theirs.items() <= ours.items()


@every_recipe
def test_each_key_stands_once_and_says_what_it_takes(name: str) -> None:
    listed = settings(recipes.load(name))
    keys = [each.key for each in listed]
    assert len(set(keys)) == len(keys)
    assert all(each.takes for each in listed)


def test_remarks_are_those_of_the_source() -> None:
    said = {each.key: each for each in settings(recipes.load("dual-channel-cnn"))}
    assert {f"training.{f.name}" for f in dataclasses.fields(TrainingOptions)} <= said.keys()
    assert said["training.weight_decay"].meaning == "decoupled, as in AdamW"
    assert said["training.precision"].takes == "float32, bfloat16, auto"
    assert said["training.precision"].meaning.startswith("bfloat16: the model's products")
    assert said["training.monitor"].meaning == "validation figure that chooses the epoch"
    assert said["training.crop_s"].takes == "a number, or none"
    assert said["model.widths"].takes == "a list of whole numbers"
    assert "mel-cnn2d" in said["model.name"].takes
    assert said["augmentation.pooled.pitch-shift.semitones"].value == "2.0"


def test_a_word_that_is_not_given_is_told_as_such() -> None:
    listed = {each.key: each for each in settings(recipes.load("encoder-head"))}
    assert (listed["model.weights"].value, listed["model.weights"].takes) == ("", "a word")
    assert (listed["model.encoder_config"].value, listed["model.encoder_config"].takes) == (
        "none",
        "a table, or none",
    )


def test_transforms_of_one_name_are_told_apart_by_their_place() -> None:
    twice = "augmentation.live=[{name='noise'}, {name='noise', p=0.5}]"
    listed = {each.key: each.value for each in settings(recipes.load("dual-channel-cnn", [twice]))}
    assert listed["augmentation.live.0.p"] == "1.0" and listed["augmentation.live.1.p"] == "0.5"
    changed = recipes.load("dual-channel-cnn", [twice, "augmentation.live.1.p=0.25"])
    assert [dict(t) for t in changed.augmentation.live] == [{"name": "noise"}, {"name": "noise", "p": 0.25}]


def test_without_torch_the_settings_of_the_file_are_there() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from vocemo.lab import recipe, settings\n"
        "print([s.key for s in settings.settings(recipe.load('dual-channel-cnn'))])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'model.hidden'" in said and "'training.epochs'" in said and "'front_end.bands'" in said
