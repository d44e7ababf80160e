"""What a member of a committee learns in a way of its own."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import fabricate_run
from fabricate_run import CPU
from vocemo.errors import UsageError
from vocemo.lab import crossval, network, recipe_check, training_step
from vocemo.lab import recipe as recipes
from vocemo.lab.augment.mixup import Mixture, draw_mixture
from vocemo.lab.loss import Loss
from vocemo.lab.models.lesson import Lesson
from vocemo.lab.recipe import Recipe
from vocemo.lab.run import RunFolder
from vocemo.lab.splits import Fold

MEMBER = "{name='residual-cnn', widths=[4], depth=1, hidden=8, dropout=0.0, block_dropout=0.0%s}"
PLAIN = (
    "augmentation.spectral=[]",
    "augmentation.live=[]",
    "augmentation.pool=0",
    "augmentation.enlarge=none",
)


def recipe(*own: str, batches: str = "true") -> Recipe:
    members = ", ".join(MEMBER % each for each in own)
    return fabricate_run.recipe(
        *PLAIN,
        "training.epochs=1",
        f"model={{name='committee', own_batches={batches}, members=[{members}]}}",
    )


@pytest.fixture(scope="module")
def part(tiny_corpus: str) -> Fold:
    return fabricate_run.fold(tiny_corpus)


def test_a_recipe_keeps_what_its_members_have_of_their_own(part: Fold) -> None:
    chosen = recipe(", mixup=1.0, clip_weights={song=0.4, emodb=0.5}", ", learning_rate_factor=0.5")
    again = recipes.from_dict(network.settled(chosen).to_dict())
    made = network.build(again, 0)
    assert made.lesson(0) == Lesson(mixup=1.0, clip_weights={"song": 0.4, "emodb": 0.5})
    assert made.lesson(1) == Lesson(learning_rate_factor=0.5)
    info = crossval.run_info(chosen, ("any",), part, 0, CPU)
    assert recipes.from_dict(info.recipe.to_dict()) == info.recipe
    assert network.build(recipe("", batches="false"), 0).lesson(0) == Lesson()


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (", mixup=-1", "residual-cnn of the committee has mixup -1; valid: 0 or more"),
        (", mixup=true", "mixup True; valid"),
        (", mixup='much'", "mixup 'much'; valid"),
        (", mixup=inf", "mixup inf; valid"),
        (", clip_weights=0.4", "clip_weights 0.4; valid: a table"),
        (", clip_weights={song=0.0}", r"clip_weights \{'song': 0.0\}; valid"),
        (", clip_weights={song='half'}", "clip_weights .*; valid"),
    ],
)
def test_what_no_member_can_have(own: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        recipe_check.check(recipe(own, ""))


@pytest.mark.parametrize("own", [", mixup=1.0", ", clip_weights={song=0.4}"])
def test_what_needs_batches_of_its_own(own: str) -> None:
    with pytest.raises(UsageError, match=r"own, and all learn .* model\.own_batches=true"):
        recipe_check.check(recipe(own, "", batches="false"))


def test_a_member_mixes_as_it_is_told_and_another_as_the_recipe_says(
    part: Fold, tiny_corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[float] = []

    def told(rng: np.random.Generator, clips: int, alpha: float) -> Mixture:
        drawn.append(alpha)
        return draw_mixture(rng, clips, alpha)

    monkeypatch.setattr(training_step, "draw_mixture", told)
    chosen = recipe(", mixup=1.0", ", mixup=0", "")
    chosen = dataclasses.replace(chosen, training=dataclasses.replace(chosen.training, mixup=0.3))
    fabricate_run.run(tiny_corpus, part, tmp_path / "run", chosen)
    assert drawn[:4] == [1.0, 0.3, 1.0, 0.3] and set(drawn) == {1.0, 0.3}


def test_clips_count_by_their_corpus_and_channel(
    part: Fold, tiny_corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor | None] = []
    known = Loss.__call__

    def told(self: Loss, *given: Any) -> Tensor:
        seen.append(given[4])
        return known(self, *given)

    monkeypatch.setattr(Loss, "__call__", told)
    sung = tuple(
        dataclasses.replace(clip, channel="song" if clip.emotion == "happy" else "speech")
        for clip in part.train
    )
    chosen = recipe(", clip_weights={song=0.4, ravdess=0.5}", "")
    fabricate_run.run(tiny_corpus, dataclasses.replace(part, train=sung), tmp_path / "run", chosen)
    assert all(each is None for each in seen[1::2])
    weights = torch.cat([each for each in seen[::2] if each is not None])
    happy = sum(clip.emotion == "happy" for clip in sung)
    assert len(weights) == len(sung) and int((weights == 0.2).sum()) == happy > 0
    assert int((weights == 0.5).sum()) == len(sung) - happy


def test_equal_weights_are_none(part: Fold, tiny_corpus: str, tmp_path: Path) -> None:
    """What every clip counts for alike is no weight: the same networks come out, but for rounding."""
    found = []
    for name, own in (("plain", ""), ("weighed", ", clip_weights={ravdess=0.25}")):
        fabricate_run.run(tiny_corpus, part, tmp_path / name, recipe(own, own))
        found.append(fabricate_run.weights(RunFolder(tmp_path / name).weights))
    plain, weighed = found
    for name, values in plain.items():
        torch.testing.assert_close(weighed[name], values, atol=2e-3, rtol=2e-3)
