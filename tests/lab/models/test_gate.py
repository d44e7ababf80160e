"""A committee's gate: members count by how much a recording is like what they have learnt from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import fabricate_encoder
import fabricate_run
from vocemo.bundle import Bundle
from vocemo.cli.main import main
from vocemo.errors import UsageError
from vocemo.lab import checkpoint, experiment, network, recipe_check
from vocemo.lab import recipe as recipes
from vocemo.lab.export import run as export
from vocemo.lab.initial_bundle import network_of
from vocemo.lab.models.gate import Gate
from vocemo.lab.network import Network
from vocemo.lab.recipe import Recipe
from vocemo.lab.run import RunFolder

TELEPHONE = "{name='telephone', p=1.0, from_view=%d}"


FRONT_END = "front_end={name='byol-s-mel', mean=-3.4, deviation=4.0}"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fabricate_encoder.save_published("byol-s", tmp_path_factory.mktemp("weights") / "byol-s.pt")


def committee(weights: Path, views: tuple[str, ...], gate: int, *, frozen: str = "true") -> str:
    member = (
        f"{{name='encoder-head', encoder='byol-s', weights='{weights}', frozen={frozen}, encoder_maps=true, "
        "hidden=[8], views=%s}"
    )
    if frozen == "false":
        member = member.replace("frozen=false", "frozen_stages=2")
    members = ", ".join(member % each for each in views)
    return f"model={{name='committee', own_batches=true, gate={gate}, members=[{members}]}}"


def recipe(model: str, *more: str, views: int = 4) -> Recipe:
    """Half of a clip's views come through a telephone."""
    return network.settled(
        recipes.load(
            "base",
            (
                "preparation.sample_rate=16000",
                FRONT_END,
                f"augmentation.live=[{TELEPHONE % 2 if views else ''}]".replace("[]", "[{name='gain'}]"),
                "augmentation.spectral=[]",
                f"augmentation.views={views}",
                "training.batch_size=16",
                "training.epochs=1",
                model,
                *more,
            ),
        )
    )


QUIET_AND_TELEPHONE = ("[0, 2]", "[2, 4]", "[0, 2]")


def trained(folder: Path, chosen: Recipe) -> Network:
    made = network.build(chosen, seed=3)
    checkpoint.load_weights(made, RunFolder(folder).weights, fabricate_run.CPU)
    return made.eval()


@pytest.fixture(scope="module")
def learnt(weights: Path, tiny_corpus: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recipe]:
    """A run whose gate has seen each clip as it is and through a telephone, 40 times."""
    folder = tmp_path_factory.mktemp("learnt") / "run"
    chosen = recipe(committee(weights, QUIET_AND_TELEPHONE, 8), "training.epochs=40")
    fabricate_run.run(tiny_corpus, fabricate_run.fold(tiny_corpus), folder, chosen)
    return folder, chosen


def voices(count: int = 3, samples: int = 30_000) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(5)
    heard = np.cumsum(rng.standard_normal((count, samples)), axis=1)  # louder the lower, as voices are
    heard = 0.05 * (heard - heard.mean(1, keepdims=True)) / heard.std(1, keepdims=True)
    return torch.from_numpy(heard.astype(np.float32)), torch.tensor([samples, samples // 2, 9_000][:count])


def test_weights_are_shares_of_lessons_that_their_members_split() -> None:
    gate = Gate(5, (0, 1, 0), hidden=4).eval()
    states, frames = torch.randn(2, 5, 9), torch.tensor([9, 4])
    counted = gate(states, frames).exp()
    torch.testing.assert_close(counted.sum(1), torch.ones(2))
    torch.testing.assert_close(counted[:, 0], counted[:, 2])
    # The posterior by hand: mean and deviation over own frames, both layers, softmax.
    own = states[1, :, :4].double().numpy()
    pooled = np.concatenate([own.mean(1), np.sqrt(own.var(1) + 1e-6)])
    norm, first, _, last = gate.tell
    pooled = pooled / np.sqrt(1 + norm.eps)
    hidden = np.maximum(first.weight.detach().numpy() @ pooled + first.bias.detach().numpy(), 0)
    logits = last.weight.detach().numpy() @ hidden + last.bias.detach().numpy()
    shares = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(
        counted[1].detach().numpy(), [shares[0] / 2, shares[1], shares[0] / 2], rtol=1e-4
    )


@pytest.mark.parametrize("mean", ["arithmetic", "geometric"])
def test_the_answer_is_the_mean_that_the_gate_weighs(weights: Path, mean: str) -> None:
    model = committee(weights, QUIET_AND_TELEPHONE, 8).replace("gate=8", f"gate=8, mean='{mean}'")
    made = network.build(recipe(model), 0).eval()
    assert made.model.gate is not None
    heard, lengths = voices()
    with torch.inference_mode():
        output = made(heard, lengths)
        trunk = made.partway(*made.features(heard, lengths))[0]
        counted = made.model.gate(*made.model.states(trunk)).exp()
    assert output.votes is not None
    if mean == "geometric":
        product = (output.votes.softmax(2) ** counted[:, :, None]).prod(1)
        wanted = product / product.sum(1, keepdim=True)
    else:
        wanted = (output.votes.softmax(2) * counted[:, :, None]).sum(1)
    torch.testing.assert_close(output.logits.softmax(1), wanted)
    assert float((counted - 1 / 3).abs().max()) > 1e-3  # otherwise nothing was weighed
    for row, length in enumerate(lengths.tolist()):  # whatever stands beside it
        with torch.inference_mode():
            alone = made(heard[row : row + 1, :length], lengths[row : row + 1])
        torch.testing.assert_close(alone.logits[0], output.logits[row], atol=1e-5, rtol=1e-5)


def test_it_learns_whom_a_recording_is_for(learnt: tuple[Path, Recipe]) -> None:
    """Of speakers whom it has not heard, telephone calls are told from what is no call."""
    folder, chosen = learnt
    made, corpus = trained(folder, chosen), RunFolder(folder).info().corpora[0]
    part = fabricate_run.fold(corpus)
    training = experiment.training_set(part.test, chosen, experiment.waveforms_for(chosen))
    assert made.model.gate is not None
    for view, of_quiet in ((0, True), (2, False)):
        waves = [training.varied(clip, np.random.default_rng(1), view=view) for clip in part.test]
        with torch.inference_mode():
            for wave in waves:
                features = made.features(torch.from_numpy(wave)[None], torch.tensor([len(wave)]))
                counted = made.model.gate(*made.model.states(made.partway(*features)[0])).exp()[0]
                quiet = float(counted[0] + counted[2])
                assert quiet > 0.7 if of_quiet else quiet < 0.3


def test_members_learn_as_they_do_without_one(weights: Path, tiny_corpus: str, tmp_path: Path) -> None:
    part, found = fabricate_run.fold(tiny_corpus), []
    for gate in (0, 8):
        chosen = recipe(committee(weights, QUIET_AND_TELEPHONE, gate))
        fabricate_run.run(tiny_corpus, part, tmp_path / str(gate), chosen)
        found.append(fabricate_run.weights(RunFolder(tmp_path / str(gate)).weights))
    plain, gated = found
    assert {name for name in gated if name not in plain} == {n for n in gated if n.startswith("model.gate.")}
    assert all(torch.equal(gated[name], values) for name, values in plain.items())


def test_it_goes_into_the_bundle_and_comes_back(learnt: tuple[Path, Recipe], tmp_path: Path) -> None:
    folder, chosen = learnt
    made = trained(folder, chosen)
    assert export.export_run(folder, tmp_path / "model.onnx").difference <= 1e-4
    bundle = Bundle.open(tmp_path / "model.onnx", device="cpu")
    heard, lengths = voices()
    with torch.inference_mode():
        expected = made(heard, lengths)
        answer = bundle.run(heard.numpy(), lengths.numpy())
        again = network_of(bundle, chosen)[0].eval()(heard, lengths)
    torch.testing.assert_close(torch.from_numpy(answer["logits"]), expected.logits, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(again.logits, expected.logits, atol=1e-3, rtol=1e-3)


def of_two_encoders(weights: Path, ge2e: Path, views: tuple[str, ...]) -> str:
    members = [
        f"{{name='encoder-head', encoder='{encoder}', weights='{place}', frozen=true, part={part}, "
        f"{more}, hidden=[8], views={views[number % len(views)]}}}"
        for number, (encoder, place, part, more) in enumerate(
            (("byol-s", weights, 0, "encoder_maps=true"),) * 2 + (("ge2e", ge2e, 1, "encoder_depth=2"),) * 2
        )
    ]
    return f"model={{name='committee', own_batches=true, gate=8, members=[{', '.join(members)}]}}"


JOINED = (
    "front_end={name='joined', members=[{name='byol-s-mel', mean=-3.4, deviation=4.0}, "
    "{name='ge2e-mel', gain_db=-4.0}]}"
)


def test_members_on_another_encoder_count_as_those_on_the_first(
    weights: Path, tiny_corpus: str, tmp_path: Path
) -> None:
    ge2e = fabricate_encoder.save_published("ge2e", tmp_path / "ge2e.pt")
    chosen = recipe(of_two_encoders(weights, ge2e, ("[0, 2]", "[2, 4]")), JOINED)
    fabricate_run.run(tiny_corpus, fabricate_run.fold(tiny_corpus), tmp_path / "run", chosen)
    made, fresh = trained(tmp_path / "run", chosen), network.build(chosen, seed=3)
    assert not torch.equal(made.model.gate.tell[1].weight, fresh.model.gate.tell[1].weight)
    heard, lengths = voices()
    with torch.inference_mode():
        output = made(heard, lengths)
        partways = made.partway(*made.features(heard, lengths))
        counted = made.model.gate(*made.model.states(partways[0])).exp()
    assert len(partways) == 2
    torch.testing.assert_close(counted[:, :2], counted[:, 2:])
    torch.testing.assert_close(
        output.logits.softmax(1), (output.votes.softmax(2) * counted[:, :, None]).sum(1)
    )


def test_a_gate_needs_each_lesson_on_its_encoder(weights: Path, tmp_path: Path) -> None:
    ge2e = fabricate_encoder.save_published("ge2e", tmp_path / "ge2e.pt")
    model = of_two_encoders(weights, ge2e, ("[0, 2]", "[0, 2]", "[2, 4]"))
    with pytest.raises(UsageError, match="shared by members with each of the views"):
        recipe_check.check(recipe(model, JOINED))


def test_a_training_that_keeps_no_views_leaves_it_as_it_was(
    learnt: tuple[Path, Recipe], weights: Path, tiny_corpus: str, tmp_path: Path
) -> None:
    folder, chosen = learnt
    model = committee(weights, QUIET_AND_TELEPHONE, 8)
    given = ["--corpus", tiny_corpus, "--out", str(tmp_path / "adapted"), "--set", "adaptation.epochs=1"]
    given += ["--set", model, "--set", FRONT_END]
    assert main(["train", "base", "--init", str(folder), *given]) == 0
    before, after = trained(folder, chosen), RunFolder(tmp_path / "adapted")
    kept = fabricate_run.weights(after.weights)
    for name, values in before.state_dict().items():
        if name.startswith("model.gate."):
            assert torch.equal(kept[name], values), name


@pytest.mark.parametrize(
    ("views", "gate", "frozen", "said"),
    [
        (("[0, 2]", "[2, 4]"), "-1", "true", "model.gate is -1; valid"),
        (("[0, 2]", "[2, 4]"), "true", "true", "gate is True; valid"),
        (("[0, 2]", "[2, 4]"), "0.5", "true", "gate is 0.5; valid"),
        (("[0, 2]", "[0, 2]"), "8", "true", "no member has others than another"),
        (("[0, 2]", "[2, 4]"), "8", "false", "which must be frozen"),
    ],
)
def test_gates_that_cannot_be(
    views: tuple[str, ...], gate: str, frozen: str, said: str, weights: Path
) -> None:
    model = committee(weights, views, 0, frozen=frozen).replace("gate=0", f"gate={gate}")
    with pytest.raises(UsageError, match=said):
        recipe_check.check(recipe(model))


def test_without_views_there_is_nothing_to_learn_from(weights: Path) -> None:
    with pytest.raises(UsageError, match=r"model\.gate learns from kept views: set augmentation\.views"):
        recipe_check.check(recipe(committee(weights, ("[0, 2]", "[2, 4]"), 8), views=0), to_train=True)
