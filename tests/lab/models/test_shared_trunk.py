"""Members of a committee that begin with the same frozen stages: these are kept and computed once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import fabricate_encoder
import fabricate_run
from vocemo.bundle import Bundle
from vocemo.lab import checkpoint, network
from vocemo.lab import recipe as recipes
from vocemo.lab.export import run as export
from vocemo.lab.initial_bundle import network_of
from vocemo.lab.models import build
from vocemo.lab.run import RunFolder

KINDS = [("efficientat-mn04", 128, 7), ("byol-s", 64, 2), ("ge2e", 40, 2)]
SHAPE: dict[str, Any] = {"channels": 1, "frames": None, "emotions": 5}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files as they are published, their weights random, their statistics not all 0."""
    folder = tmp_path_factory.mktemp("weights")
    return {kind: fabricate_encoder.save_published(kind, folder / f"{kind}.pt") for kind, _, _ in KINDS}


def member(kind: str, path: Path, count: int, **more: Any) -> dict[str, Any]:
    return {"name": "encoder-head", "encoder": kind, "weights": str(path), "frozen_stages": count, **more}


def begun(model: nn.Module) -> nn.Module:
    model.begin()
    return model


@pytest.mark.parametrize(("kind", "bands", "count"), KINDS)
def test_the_answers_and_what_is_learnt_are_those_of_members_apart(
    kind: str, bands: int, count: int, weights: dict[str, Path]
) -> None:
    tables = [member(kind, weights[kind], count), member(kind, weights[kind], count, pooling="statistics")]
    joined = begun(build("committee", {"members": tables}, bands=bands, **SHAPE)).train()
    assert joined.roots == [0, 0]
    apart = []
    for number, table in enumerate(tables):
        options = {key: value for key, value in table.items() if key != "name"}
        alone = begun(build("encoder-head", options, bands=bands, **SHAPE)).train()
        own = joined.members[number].state_dict()
        shared = joined.members[0].state_dict()
        alone.load_state_dict({name: own.get(name, shared[name]) for name in alone.state_dict()})
        apart.append(alone)
    for module in [*joined.modules(), *(each for alone in apart for each in alone.modules())]:
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    features, frames = torch.randn(3, 1, bands, 70), torch.tensor([70, 33, 12])
    output = joined(features, frames)
    alone_said = [alone(features, frames).logits for alone in apart]
    torch.testing.assert_close(output.votes, torch.stack(alone_said, dim=1), atol=1e-5, rtol=1e-5)
    output.votes.square().sum().backward()
    torch.stack(alone_said).square().sum().backward()
    for one, other in zip(joined.members, apart, strict=True):
        whole = dict(other.named_parameters())
        for name, parameter in one.named_parameters():
            if parameter.requires_grad:
                # A number of thousands of terms that cancel out has few digits: the whole is compared.
                away = torch.linalg.vector_norm(parameter.grad - whole[name].grad)
                assert away <= 1e-2 * torch.linalg.vector_norm(whole[name].grad) + 1e-5, name
            else:
                assert parameter.grad is None


@pytest.mark.parametrize(("kind", "bands", "count"), KINDS)
def test_the_shared_stages_are_kept_and_computed_once(
    kind: str, bands: int, count: int, weights: dict[str, Path]
) -> None:
    tables = [member(kind, weights[kind], count) for _ in range(3)]
    joined = begun(build("committee", {"members": tables}, bands=bands, **SHAPE)).eval()
    stages = joined.members[0].encoder.stages()
    calls: list[int] = []
    for stage in stages:
        stage.register_forward_hook(lambda *_: calls.append(1))
    joined(torch.randn(2, 1, bands, 50), torch.tensor([50, 50]))
    assert len(calls) == len(stages)  # the others ask stages of their own
    trunk = sum(parameter.numel() for stage in stages[:count] for parameter in stage.parameters())
    whole = sum(parameter.numel() for parameter in joined.members[0].parameters())
    assert trunk > 0 and sum(parameter.numel() for parameter in joined.parameters()) == 3 * whole - 2 * trunk
    again = build("committee", {"members": tables}, bands=bands, **SHAPE)
    again.load_state_dict(joined.state_dict())  # nothing missing, nothing twice


def test_what_differs_is_not_shared(weights: dict[str, Path], tmp_path: Path) -> None:
    path = weights["efficientat-mn04"]
    other = tmp_path / "other.pt"
    other.write_bytes(path.read_bytes())
    first = member("efficientat-mn04", path, 7)
    for table in (
        member("efficientat-mn04", path, 6),
        member("efficientat-mn04", other, 7),
        member("efficientat-mn04", path, 7, encoder_depth=14),
        {"name": "residual-cnn", "widths": [4, 8], "depth": 1, "hidden": 8},
    ):
        joined = build("committee", {"members": [first, table]}, bands=128, **SHAPE)
        assert joined.roots == [None, None]
    for alone in ({**first, "weights": "random"}, {**first, "frozen_stages": 0}):  # nothing to share
        assert build("committee", {"members": [alone, alone]}, bands=128, **SHAPE).roots == [None, None]
    mixed = build("committee", {"members": [first, table, first]}, bands=128, **SHAPE)
    assert mixed.roots == [0, None, 0]


@pytest.mark.slow
def test_a_run_and_its_bundle_hold_the_trunk_once(
    weights: dict[str, Path], tiny_corpus: str, tmp_path: Path
) -> None:
    table = member("efficientat-mn04", weights["efficientat-mn04"], 7)
    settings = (
        "training.epochs=1",
        "training.batch_size=16",
        "augmentation.live=[]",
        "augmentation.spectral=[]",
        "front_end={name='efficientat-mel'}",
        f"model={{name='committee', members=[{_toml(table)}, {_toml(table)}]}}",
    )
    chosen = network.settled(recipes.load("base", settings))
    fabricate_run.run(tiny_corpus, fabricate_run.fold(tiny_corpus), tmp_path / "run", chosen)
    trained = network.build(chosen, seed=3)
    checkpoint.load_weights(trained, RunFolder(tmp_path / "run").weights, fabricate_run.CPU)
    trained.eval()
    assert export.export_run(tmp_path / "run", tmp_path / "model.onnx").difference <= 1e-4
    heard, lengths = 0.1 * torch.randn(2, 40_000), torch.tensor([40_000, 21_111])
    with torch.inference_mode():
        expected = trained(heard, lengths)
    bundle = Bundle.open(tmp_path / "model.onnx", device="cpu")
    answer = bundle.run(heard.numpy(), lengths.numpy())
    torch.testing.assert_close(torch.from_numpy(answer["logits"]), expected.logits, atol=1e-3, rtol=1e-3)
    kept = sum(parameter.numel() for parameter in trained.parameters())
    assert (
        tmp_path / "model.onnx"
    ).stat().st_size < 4.6 * kept + 2_000_000  # the front end and the distance too
    taken_back, _ = network_of(bundle, chosen)
    with torch.inference_mode():
        torch.testing.assert_close(
            taken_back.eval()(heard, lengths).votes, expected.votes, atol=1e-3, rtol=1e-3
        )


def _toml(table: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{key} = {value!r}" for key, value in table.items()) + "}"
