"""Kept views: what frozen stages make of a clip, varied so many times, whatever asks for it."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import fabricate_run
from fabricate_run import CPU
from vocemo.cli.main import main
from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab import crossval, domain, experiment, models, network, recipe_check, views
from vocemo.lab import recipe as recipes
from vocemo.lab.augment.mixup import Mixture
from vocemo.lab.disk_cache import DiskCache
from vocemo.lab.models.encoders.partway import of_clip, side_by_side, silenced
from vocemo.lab.network import Network
from vocemo.lab.recipe import Recipe
from vocemo.lab.run import RunFolder
from vocemo.lab.splits import Fold
from vocemo.lab.training_clips import training_set
from vocemo.lab.views import Views

# Random and frozen: nothing of these tests depends on what a stage has learnt.
STAGES = {
    "efficientat-mn04": ("efficientat-mel", 7),
    "byol-s": ("byol-s-mel", 2),
}
MEMBER = "{name='encoder-head', weights='random', frozen_stages=7, dropout=0.0}"
# One of each, behind pictures of their own.
BOTH = (
    "preparation.sample_rate=32000",
    "front_end={name='joined'}",
    "model={name='committee', own_batches=true, members=["
    "{name='encoder-head', weights='random', frozen_stages=7, part=0}, "
    "{name='encoder-head', encoder='byol-s', weights='random', frozen_stages=2, part=1}]}",
)


def recipe(*more: str, kind: str = "efficientat-mn04") -> Recipe:
    front_end, frozen = STAGES[kind]
    rate = 32_000 if kind == "efficientat-mn04" else 16_000
    return network.settled(
        recipes.load(
            "base",
            (
                f"front_end={{name='{front_end}'}}",
                f"preparation.sample_rate={rate}",
                f"model={{name='encoder-head', encoder='{kind}', weights='random', frozen_stages={frozen}}}",
                "augmentation.views=3",
                "augmentation.spectral=[{name='time-warp'}, {name='band-warp'}, {name='time-mask'}]",
                "training.batch_size=8",
                "training.epochs=2",
                *more,
            ),
        )
    )


def built(chosen: Recipe, seed: int = 0) -> Network:
    made = network.build(chosen, seed)
    made.begin()
    return made


def of_training(
    chosen: Recipe, part: Fold, net: Network | None = None, disk: DiskCache | None = None
) -> tuple[Network, Views]:
    net = built(chosen) if net is None else net
    waveforms = experiment.waveforms_for(chosen, disk)
    training = training_set(part.train, chosen, waveforms)
    return net, Views(net, training, chosen, CPU)


@pytest.fixture(scope="module")
def part(tiny_corpus: str) -> Fold:
    return fabricate_run.fold(tiny_corpus)


def equal(one: Any, other: Any) -> bool:
    return torch.equal(one.statistics, other.statistics) and all(
        torch.equal(a, b) and torch.equal(m, n)
        for mine, theirs in zip(one.trunks, other.trunks, strict=True)
        for (a, m), (b, n) in zip(mine.stretches, theirs.stretches, strict=True)
    )


@pytest.mark.parametrize("kind", STAGES)
def test_what_is_kept_leads_to_the_answers_of_the_whole_network(kind: str, part: Fold) -> None:
    """Without variation, a view behind the frozen stages is answered as the clip is from the beginning."""
    chosen = recipe("augmentation.live=[]", "augmentation.spectral=[]", kind=kind)
    net, kept = of_training(chosen, part)
    net.eval()
    clips = part.train[:4]
    waveforms = experiment.waveforms_for(chosen)
    parts = [kept.of(clip).trunks[0].each(of_clip(number % 3)) for number, clip in enumerate(clips)]
    together = side_by_side([each.each(lambda v, n: (v.float(), n)) for each in parts])
    (logits,) = net.votes_on_trunks({0: together}, learner=0)
    for row, clip in zip(logits, clips, strict=True):
        samples = torch.from_numpy(waveforms.clip(clip))[None]
        alone = net(samples, torch.tensor([samples.shape[1]])).logits[0]
        torch.testing.assert_close(row, alone, atol=5e-3, rtol=5e-3)  # kept as float16


def test_each_member_learns_behind_the_trunk_that_it_stands_on(part: Fold) -> None:
    chosen = recipe("augmentation.live=[]", "augmentation.spectral=[]", *BOTH)
    net, kept = of_training(chosen, part)
    assert [branch.trunk for branch in models.branches(net.model)] == [0, 1] and net.learners() == 2
    net.eval()
    waveforms = experiment.waveforms_for(chosen)
    for learner in (0, 1):
        batch = next(iter(kept.epoch(0, 1, learner)))
        assert list(batch.partways) == [learner]  # the other's is not gathered
        (logits,) = net.votes_on_trunks(batch.partways, learner)
        for row, number in zip(logits, batch.rows, strict=True):
            samples = torch.from_numpy(waveforms.clip(part.train[number]))[None]
            alone = net(samples, torch.tensor([samples.shape[1]])).votes[0, learner]
            torch.testing.assert_close(row, alone, atol=5e-3, rtol=5e-3)  # kept as float16


@pytest.mark.parametrize("more", [(), BOTH])
def test_what_the_training_clips_are_summed_up_as_is_what_the_whole_network_says(
    more: tuple[str, ...], part: Fold
) -> None:
    chosen = recipe("augmentation.live=[]", "augmentation.spectral=[]", *more)
    net = built(chosen)
    summed = []
    for count in (3, 0):
        own = dataclasses.replace(chosen.augmentation, views=count)
        info = crossval.run_info(dataclasses.replace(chosen, augmentation=own), ("any",), part, 0, CPU)
        waveforms = experiment.waveforms_for(chosen)
        summed.append(domain.summaries_of_training(net, part.train[:12], info, waveforms, CPU))
    (viewed, targets), (whole, same) = summed
    assert targets.tolist() == same.tolist() and viewed.shape == whole.shape
    np.testing.assert_allclose(viewed, whole, atol=2e-2, rtol=2e-2)  # kept as float16


def test_stretches_side_by_side_are_those_alone() -> None:
    encoder = built(recipe()).model.encoder.eval()
    torch.manual_seed(0)
    features, frames = torch.randn(3, 1, 128, 90), torch.tensor([90, 41, 8])
    whole = encoder.first(features, frames, 7)
    alone = [encoder.first(features[i : i + 1, ..., :n], frames[i : i + 1], 7) for i, n in enumerate(frames)]
    joined = side_by_side(alone).each(silenced)
    for (one, own), (other, theirs) in zip(joined.stretches, whole.each(silenced).stretches, strict=True):
        assert torch.equal(own, theirs)
        torch.testing.assert_close(one, other[..., : one.shape[-1]], atol=1e-5, rtol=1e-5)
    cut = whole.each(of_clip(2))
    assert cut.x.shape[-1] == int(whole.frames[2]) and len(cut.frames) == 1


def test_a_view_depends_on_its_clip_alone(part: Fold, tiny_corpus: str) -> None:
    chosen = recipe()
    _, kept = of_training(chosen, part, built(chosen).eval())
    clip = part.train[5]
    first = kept.of(clip)
    (trunk,) = first.trunks
    assert trunk.x.dtype == torch.float16 and len(trunk.x) == 3
    assert not torch.equal(trunk.x[0], trunk.x[1])  # they are varied
    turned = dataclasses.replace(part, train=part.train[::-1])
    net, other = of_training(chosen, turned, built(chosen, seed=0).train())
    assert equal(other.of(clip), first) and net.training  # nor on what normalises while something is learnt


def test_an_epoch_is_each_clip_once_by_draws_of_its_own(part: Fold) -> None:
    _, kept = of_training(recipe(), part)

    def told(*which: int) -> list[tuple[tuple[int, ...], Tensor]]:
        return [(batch.rows, batch.partways[0].x) for batch in kept.epoch(*which)]

    first = told(0, 1)
    assert sorted(row for rows, _ in first for row in rows) == list(range(len(part.train)))
    for one, again in zip(first, told(0, 1), strict=True):
        assert one[0] == again[0] and torch.equal(one[1], again[1])
    for other in (told(0, 2), told(1, 1), told(0, 1, 1)):
        assert [rows for rows, _ in other] != [rows for rows, _ in first]


def test_views_lie_on_the_disk_under_all_that_they_depend_on(
    part: Fold, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = part.train[0]
    made = of_training(recipe(), part, disk=DiskCache(tmp_path, 10**9))[1].of(clip)
    known = Views._made
    asked: list[int] = []

    def counted(self: Views, clip: Any, rng: np.random.Generator) -> Any:
        asked.append(1)
        return known(self, clip, rng)

    monkeypatch.setattr(Views, "_made", counted)
    again = of_training(recipe(), part, disk=DiskCache(tmp_path, 10**9))[1]
    assert equal(again.of(clip), made) and not asked
    for number, settings in enumerate(
        (
            ("augmentation.views=4",),
            ("augmentation.live=[]",),
            ("augmentation.spectral=[]",),
            ("training.crop_s=0.3",),
            ("preparation.level_db=-20.0",),
        ),
        start=1,
    ):
        of_training(recipe(*settings), part, disk=DiskCache(tmp_path, 10**9))[1].of(clip)
        assert len(asked) == number, settings
    other = of_training(recipe(), part, built(recipe(), seed=1), DiskCache(tmp_path, 10**9))[1]
    assert not equal(other.of(clip), made) and len(asked) == number + 1  # another trunk


def test_clips_are_mixed_behind_the_frozen_stages() -> None:
    mixture = Mixture(np.array([1, 0]), np.array([0.75, 1.0], np.float32))
    values, frames = mixture.features(torch.tensor([[[4.0, 0.0]], [[0.0, 8.0]]]), torch.tensor([1, 2]))
    assert values.tolist() == [[[3.0, 2.0]], [[0.0, 8.0]]] and frames.tolist() == [2, 2]


@pytest.mark.parametrize("own_batches", [False, True])
def test_a_committee_learns_from_views_and_goes_on_as_if_unbroken(
    part: Fold, tiny_corpus: str, tmp_path: Path, own_batches: bool
) -> None:
    path = tmp_path / "weights.pt"
    torch.save(built(recipe()).model.encoder.state_dict(), path)
    member = f"{{name='encoder-head', weights='{path}', frozen_stages=7, dropout=0.2}}"
    chosen = recipe(
        f"model={{name='committee', own_batches={str(own_batches).lower()}, members=[{member}, {member}]}}"
    )
    assert network.build(chosen, 0).learners() == (2 if own_batches else 1)

    fabricate_run.run(tiny_corpus, part, tmp_path / "whole", chosen)
    with pytest.raises(KeyboardInterrupt):
        breaking = [fabricate_run.BreakInTheSecondEpoch()]
        fabricate_run.run(tiny_corpus, part, tmp_path / "broken", chosen, callbacks=breaking)
    fabricate_run.run(tiny_corpus, part, tmp_path / "broken", chosen, resume=True)
    whole, broken = (
        fabricate_run.weights(RunFolder(tmp_path / name).weights) for name in ("whole", "broken")
    )
    assert fabricate_run.same(whole, broken)
    untrained = built(chosen)
    trunk = models.trunk_state(untrained.model)
    first = {name: value for name, value in whole.items() if name.startswith("model.members.0.encoder")}
    kept = {name.split("features.")[1]: value for name, value in first.items() if "features." in name}
    assert trunk
    for name, value in trunk.items():
        assert torch.equal(kept[name.removeprefix("0.")], value), name
    heads = [whole[f"model.members.{number}.classify.weight"] for number in (0, 1)]
    begun = [member.classify.weight for member in untrained.model.members]
    assert all(not torch.equal(one, other) for one, other in zip(heads, begun, strict=True))


@pytest.mark.parametrize("viewed", [0, 3])
def test_members_with_batches_of_their_own_see_clips_in_orders_of_their_own(
    viewed: int, part: Fold, tiny_corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, tuple[int, ...]]] = []
    whole, partway = Network.votes, Network.votes_on_trunks

    def of_features(self: Network, features: Tensor, frames: Tensor, learner: int) -> Any:
        seen.append((learner, tuple(features.shape)))
        return whole(self, features, frames, learner)

    def of_views(self: Network, given: Any, learner: int) -> Any:
        seen.append((learner, tuple(given[0].x.shape)))
        return partway(self, given, learner)

    monkeypatch.setattr(Network, "votes", of_features)
    monkeypatch.setattr(Network, "votes_on_trunks", of_views)
    chosen = recipe(
        f"model={{name='committee', own_batches=true, members=[{MEMBER}, {MEMBER}]}}"
        if not viewed
        else f"model={MEMBER}",
        f"augmentation.views={viewed}",
        "training.epochs=1",
    )
    fabricate_run.run(tiny_corpus, part, tmp_path / "run", chosen)
    assert {learner for learner, _ in seen} == ({0} if viewed else {0, 1})


def own_views(first: str, second: str, batches: str = "true") -> str:
    members = ", ".join(MEMBER.replace("}", f", views={views}}}") for views in (first, second))
    return f"model={{name='committee', own_batches={batches}, members=[{members}]}}"


def test_a_member_learns_from_the_views_that_are_its_own(part: Fold) -> None:
    """The first hears clips as they are, the second never does."""
    loud = "augmentation.live=[{name='gain', min_db=-20.0, max_db=-20.0, from_view=2}]"
    chosen = recipe(loud, "augmentation.spectral=[]", own_views("[0, 2]", "[2, 3]"))
    recipe_check.check(chosen)
    net, kept = of_training(chosen, part)
    for learner, own in ((0, (0, 1)), (1, (2,))):
        for batch in kept.epoch(0, 1, learner):
            for row, statistics in zip(batch.rows, batch.statistics, strict=True):
                of_clip = kept.of(part.train[row]).statistics
                assert [torch.equal(statistics, each) for each in of_clip] == [n in own for n in range(3)]
    whole = {len(batch.rows) for batch in kept.epoch(0, 1, whole=True)}
    assert whole and net.lesson(0).views_of(3) == (0, 2)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (own_views("[0, 4]", "[2, 3]"), "member 0 of the committee has views up to 4"),
        (own_views("[0, 2]", "[2, 2]"), r"views \[2, 2\]; valid"),
        (own_views("3", "[2, 3]"), "views 3; valid"),
        (own_views("[0, true]", "[2, 3]"), "views .*; valid"),
        (own_views("[0, 2]", "[2, 3]", batches="false"), "own_batches=true"),
    ],
)
def test_views_that_a_member_cannot_have(model: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        recipe_check.check(recipe(model))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("model.frozen_stages=0",), "model.frozen_stages"),
        ((f"model={{name='committee', members=[{MEMBER}, {{name='residual-cnn'}}]}}",), "frozen stages"),
        (("model={name='residual-cnn'}",), "frozen stages"),
    ],
)
def test_views_are_for_models_with_frozen_stages(settings: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        recipe_check.check(recipe(*settings))


@pytest.mark.parametrize(
    "settings",
    [
        ("augmentation.views=-1",),
        ("augmentation.enlarge=all",),
        ("augmentation.pooled=[{name='gain', from_view=1}]",),
    ],
)
def test_options_that_do_not_go_together(settings: tuple[str, ...]) -> None:
    with pytest.raises((UsageError, UnknownNameError), match=r"augmentation\."):
        recipe(*settings)


def test_the_code_that_views_depend_on_is_all_there() -> None:
    package = Path(views.__file__).parents[1]
    for name in views._CODE:
        assert (package / name).exists(), name
    # What an encoder is made of counts too: a part of lab/models that is imported there is in the list.
    for file in (package / "lab/models/encoders").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            part = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            if part.startswith("vocemo.lab.models."):
                place = part.removeprefix("vocemo.").replace(".", "/")
                assert place.startswith("lab/models/encoders") or f"{place}.py" in views._CODE, part


def test_a_person_is_told_why_the_first_epoch_takes_longest(
    tiny_corpus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = (
        "preparation.sample_rate=32000",
        "front_end={name='efficientat-mel'}",
        f"model={MEMBER}",
        "augmentation.views=2",
        "training.epochs=1",
    )
    given = [each for one in settings for each in ("--set", one)]
    assert main(["train", "base", "--corpus", tiny_corpus, "--out", str(tmp_path / "run"), *given]) == 0
    said = capsys.readouterr().err
    assert "2 views of each clip are made when it is first seen: the first epoch takes longest" in said
