"""Committees: the mean of their members' answers, each of whom learns as if it were alone."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import fabricate_run
from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab import network, train
from vocemo.lab import recipe as recipes
from vocemo.lab.dataset import collate
from vocemo.lab.loss import Loss
from vocemo.lab.models import build, settled
from vocemo.lab.training_step import take_step

SHAPE: dict[str, Any] = {"channels": 1, "bands": 16, "frames": None, "emotions": 5}
MEMBERS = [
    {"name": "residual-cnn", "widths": [4, 8], "depth": 1, "hidden": 8},
    {"name": "dual-channel-cnn", "widths": [4, 4], "hidden": 8},
    {"name": "residual-cnn", "widths": [4, 8], "depth": 1, "hidden": 8},
]


def committee() -> torch.nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build("committee", {"members": MEMBERS}, **SHAPE)


def features() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(4, 1, 16, 40, generator=generator), torch.tensor([40, 9, 23, 31])


def test_its_probabilities_are_the_mean_of_its_members() -> None:
    made = committee().eval()
    with torch.inference_mode():
        output = made(*features())
        alone = [member(*features()) for member in made.members]
    expected = np.mean([one.logits.softmax(1).numpy() for one in alone], axis=0)
    np.testing.assert_allclose(output.logits.softmax(1).numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(output.logits.exp().numpy(), expected, atol=1e-6)
    assert output.embedding.shape[1] == sum(one.embedding.shape[1] for one in alone)
    for place, one in enumerate(alone):
        torch.testing.assert_close(output.votes[:, place], one.logits)


def test_by_a_geometric_mean_its_log_probabilities_are_that_of_its_members() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = build("committee", {"members": MEMBERS, "mean": "geometric"}, **SHAPE).eval()
    with torch.inference_mode():
        found = made(*features()).logits.softmax(1).numpy()
        alone = [member(*features()).logits.softmax(1).numpy() for member in made.members]
    product = np.prod(alone, axis=0) ** (1 / len(alone))
    np.testing.assert_allclose(found, product / product.sum(1, keepdims=True), atol=1e-6)
    with pytest.raises(UsageError, match=r"model.mean is 'median'; valid: arithmetic, geometric"):
        build("committee", {"members": MEMBERS, "mean": "median"}, **SHAPE)


def test_a_member_sees_its_own_picture_alone_and_may_learn_faster() -> None:
    small = {"name": "residual-cnn", "widths": [4], "depth": 1, "hidden": 8}
    tables = [{**small, "part": 1}, {**small, "part": 0, "learning_rate_factor": 0.5}]
    parts = (slice(0, 10), slice(10, 16))
    made = build("committee", {"members": tables}, **SHAPE, parts=parts).eval()
    seen, frames = features()
    with torch.inference_mode():
        votes = made(seen, frames).votes
        for place, part in enumerate((parts[1], parts[0])):
            own = made.members[place](seen[:, :, part], frames).logits
            torch.testing.assert_close(votes[:, place], own)
    assert [factor for _, factor in made.parameter_groups()] == [1.0, 0.5]
    assert settled("committee", {"members": tables})["members"] == tables


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "has part None; the front end gives 2: valid: 0, 1"),
        ({"part": 2}, "has part 2"),
        ({"part": True}, "has part True"),
        ({"part": 0, "learning_rate_factor": 0}, "learning_rate_factor 0; valid: above 0"),
        ({"part": 0, "learning_rate_factor": "fast"}, "learning_rate_factor 'fast'"),
    ],
)
def test_a_part_that_does_not_exist_is_said(table: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        build(
            "committee",
            {"members": [{"name": "residual-cnn", **table}]},
            **SHAPE,
            parts=(slice(0, 8), slice(8, 16)),
        )


def test_members_of_one_name_begin_differently() -> None:
    first, _, third = (list(member.parameters()) for member in committee().members)
    assert not all(torch.equal(one, other) for one, other in zip(first, third, strict=True))


def test_each_member_learns_as_if_it_were_alone() -> None:
    chosen = recipes.load(
        "residual-cnn",
        [
            "preparation.trim_below_peak_db=none",
            "front_end.bands=16",
            "augmentation.spectral=[]",
            "training.mixup=0",
            "training.precision=float32",
            "training.gradient_clip=none",
            "training.label_smoothing=0.1",
            'model={name="committee", members=[{name="residual-cnn", widths=[4], depth=1, dropout=0.0, '
            'block_dropout=0.0}, {name="dual-channel-cnn", widths=[4], hidden=8, dropout=0.0}]}',
        ],
    )
    made = network.build(chosen, seed=0).train()
    rng = np.random.default_rng(0)
    batch = collate(
        [rng.normal(0, 0.1, 8000).astype(np.float32) for _ in range(6)], [0, 1, 2, 3, 4, 5], range(6)
    )
    state = train.begin(made, chosen.training)
    training = SimpleNamespace(spectral=None)
    heard, frames = made.features(batch.samples, batch.lengths)
    # Alone, before the step: what each member's own loss asks of it.
    wanted = []
    for member in made.model.members:
        loss = functional.cross_entropy(member(heard, frames).logits, batch.targets, label_smoothing=0.1)
        wanted.append(torch.autograd.grad(loss, list(member.parameters())))
    take_step(state, [batch], training, Loss(0.1), rng)
    for member, gradients in zip(made.model.members, wanted, strict=True):
        for parameter, gradient in zip(member.parameters(), gradients, strict=True):
            torch.testing.assert_close(parameter.grad, gradient / 2, atol=1e-7, rtol=1e-4)


@pytest.mark.parametrize(
    ("members", "error", "said"),
    [
        ([], UsageError, "a list of tables"),
        ("residual-cnn", UsageError, "a list of tables"),
        (["residual-cnn"], UsageError, "a table with a name"),
        ([{"widths": [4]}], UsageError, "a table with a name"),
        ([{"name": "residual-cnm"}], UnknownNameError, "did you mean 'residual-cnn'"),
        ([{"name": "residual-cnn", "width": 4}], UnknownNameError, "widths"),
        ([{"name": "committee"}], UsageError, "no member of a committee"),
    ],
)
def test_what_is_no_member_is_said(members: object, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        build("committee", {"members": members}, **SHAPE)


def test_a_member_keeps_what_it_must_be_told_to_be_built_again(tmp_path: Path) -> None:
    described = {"model_type": "wav2vec2", "hidden_size": 8}
    (tmp_path / "config.json").write_text(json.dumps(described), encoding="utf-8")
    encoder = {"name": "encoder-head", "encoder": "transformers", "weights": str(tmp_path)}
    plain = {"name": "residual-cnn", "widths": [4]}
    found = settled("committee", {"members": [encoder, plain]})
    assert found["members"] == [{**encoder, "encoder_config": described}, plain]
    assert settled("committee", {}) == {}


def test_a_committee_is_trained_measured_and_resumed_as_any_model(tiny_corpus: str, tmp_path: Path) -> None:
    chosen = fabricate_run.recipe(
        'model={name="committee", members=[{name="dual-channel-cnn", widths=[4, 4], hidden=8}, '
        '{name="residual-cnn", widths=[4], depth=1, hidden=8}]}'
    )
    part = fabricate_run.fold(tiny_corpus)
    outcome = fabricate_run.run(tiny_corpus, part, tmp_path / "run", chosen)
    assert outcome.test is not None
    assert fabricate_run.run(tiny_corpus, part, tmp_path / "run", chosen, resume=True) == outcome
