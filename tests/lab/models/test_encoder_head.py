"""Transfer learning as a whole: what begins with trained weights, what changes, what a run keeps of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

import fabricate_run
from fabricate_encoder import save
from vocemo.bundle import Bundle, BundleInfo
from vocemo.cli.main import main
from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab import checkpoint, network, recipe_check, train
from vocemo.lab import recipe as recipes
from vocemo.lab.corpora import CORPORA
from vocemo.lab.export import run as export
from vocemo.lab.models import build
from vocemo.lab.models.encoders import ENCODERS
from vocemo.lab.network import Network
from vocemo.lab.recipe import Recipe
from vocemo.lab.run import RunFolder

QUICK = (
    "training.epochs=1",
    "training.batch_size=16",
    "augmentation.pool=0",
    "augmentation.pooled=[]",
    "augmentation.live=[]",
)
OF_SAMPLES = (
    "preparation.sample_rate=16000",
    "front_end={name='waveform'}",
    "model.encoder=transformers",
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as EfficientAT publishes it, its weights random."""
    encoder = ENCODERS["efficientat-mn04"](channels=1, bands=128)
    path = tmp_path_factory.mktemp("weights") / "mn04.pt"
    torch.save({**encoder.state_dict(), "classifier.5.bias": torch.zeros(527)}, path)
    return path


def recipe(*more: str) -> Recipe:
    return network.settled(recipes.load("encoder-head", (*QUICK, *more)))


def trained(spec: str, folder: Path, chosen: Recipe) -> dict[str, torch.Tensor]:
    fabricate_run.run(spec, fabricate_run.fold(spec), folder, chosen)
    return fabricate_run.weights(folder / "best.pt")


@pytest.mark.parametrize("frozen", [True, False])
def test_fine_tuning_changes_the_encoder_and_a_frozen_one_stays(
    frozen: bool, weights: Path, tiny_corpus: str, tmp_path: Path
) -> None:
    chosen = recipe(f"model.weights={weights}", f"model.frozen={str(frozen).lower()}")
    kept = trained(tiny_corpus, tmp_path / "run", chosen)
    given = torch.load(weights, weights_only=True)
    encoder = {name.removeprefix("model.encoder."): v for name, v in kept.items() if ".encoder." in name}
    assert encoder.keys() == {name for name in given if not name.startswith("classifier")}
    changed = {name for name, value in encoder.items() if not torch.equal(value, given[name])}
    assert changed == (set() if frozen else {name for name in encoder if name.endswith(("weight", "bias"))})
    fresh = network.build(chosen, seed=0).state_dict()
    assert not torch.equal(kept["model.classify.weight"], fresh["model.classify.weight"])
    # The statistics of the head's own normalisation are learnt either way.
    assert not torch.equal(kept["model.normalise.running_mean"], fresh["model.normalise.running_mean"])


@pytest.fixture(scope="module")
def finished(tiny_corpus: str, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A complete run, read only; the weights that it began with are no longer there."""
    folder = tmp_path_factory.mktemp("finished")
    torch.save(ENCODERS["efficientat-mn04"](channels=1, bands=128).state_dict(), folder / "mn04.pt")
    trained(tiny_corpus, folder / "run", recipe(f"model.weights={folder / 'mn04.pt'}"))
    (folder / "mn04.pt").unlink()
    return RunFolder(folder / "run")


def network_of(folder: RunFolder) -> Network:
    read = network.build(folder.info().recipe, seed=9)
    checkpoint.load_weights(read, folder.weights, fabricate_run.CPU)
    return read.eval()


def test_a_run_is_read_again_without_the_weights_that_it_began_with(finished: RunFolder) -> None:
    kept = fabricate_run.weights(finished.weights)
    assert fabricate_run.same(network_of(finished).state_dict(), kept)
    assert main(["evaluate", str(finished.path)]) == 0


def test_a_bundle_names_whom_the_encoder_is_of(
    finished: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[BundleInfo] = []

    def write(_: Network, info: BundleInfo, *rest: object) -> None:
        told.append(info)

    monkeypatch.setattr(export, "write_bundle", write)
    export.export_run(finished.path, tmp_path / "model.onnx")
    licences, attribution = told[0].licence.split("; "), told[0].attribution
    assert licences[0] == CORPORA["ravdess"].licence and licences[1].startswith("MIT")
    assert attribution[0] == CORPORA["ravdess"].citation and len(attribution) == 2
    assert "copyright (c) 2022 Florian Schmid" in attribution[1]


@pytest.mark.slow
def test_an_exported_encoder_answers_as_the_network_does(finished: RunFolder, tmp_path: Path) -> None:
    assert export.export_run(finished.path, tmp_path / "model.onnx").difference <= 1e-4
    bundle, trained_network = Bundle.open(tmp_path / "model.onnx", device="cpu"), network_of(finished)
    samples = 0.1 * torch.randn(3, 40_000, generator=torch.Generator().manual_seed(0))
    for clips in (1, 2, 3):
        lengths = torch.tensor([40_000, 3_200, 21_111])[-clips:]
        heard = samples[-clips:, : int(lengths.max())]
        with torch.inference_mode():
            expected = trained_network(heard, lengths)
        answer = bundle.run(heard.numpy(), lengths.numpy())
        torch.testing.assert_close(torch.from_numpy(answer["logits"]), expected.logits, atol=1e-3, rtol=1e-3)
        attention = torch.from_numpy(answer["attention"])
        torch.testing.assert_close(attention, expected.attention, atol=1e-4, rtol=1e-3)


def test_a_run_over_transformers_keeps_what_describes_the_encoder(tiny_corpus: str, tmp_path: Path) -> None:
    source = save("wav2vec2", tmp_path / "tiny-wav2vec2")
    chosen = recipe(*OF_SAMPLES, f"model.weights={source}", "model.frozen=true")
    assert chosen.model.options["encoder_config"]["model_type"] == "wav2vec2"
    recipe_check.check(chosen, to_train=True)
    kept = trained(tiny_corpus, tmp_path / "run", chosen)
    shutil.rmtree(source)
    again = RunFolder(tmp_path / "run").info().recipe
    assert again == chosen
    read = network.build(again, seed=9)
    checkpoint.load_weights(read, tmp_path / "run" / "best.pt", fabricate_run.CPU)
    assert fabricate_run.same(read.state_dict(), kept)
    (credit,) = read.credits()
    assert "tiny-wav2vec2" in credit.citation and str(tmp_path) not in credit.citation


@pytest.mark.parametrize("kind", ["wav2vec2", "hubert", "wavlm", "whisper"])
def test_every_kind_of_encoder_learns_behind_its_front_end(kind: str, tmp_path: Path) -> None:
    source = save(kind, tmp_path / kind)
    front_end = "whisper-mel" if kind == "whisper" else "waveform"
    chosen = recipe(*OF_SAMPLES, f"front_end={{name='{front_end}'}}", f"model.weights={source}")
    net = network.build(chosen, seed=0)
    net.begin()
    samples = 0.1 * torch.randn(4, 16_000, generator=torch.Generator().manual_seed(0))
    output = net.train()(samples, torch.tensor([16_000, 9_000, 16_000, 12_345]))
    torch.nn.functional.cross_entropy(output.logits, torch.arange(4)).backward()
    model = net.model
    assert model.mix.scores.grad.abs().sum() > 0  # several layers, so they are weighed
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in model.encoder.parameters())
    assert output.attention is not None
    torch.testing.assert_close(output.attention.sum(1), torch.ones(4))


@pytest.mark.parametrize("pooling", ["attentive", "statistics"])
def test_a_frozen_encoder_gets_no_gradient_and_keeps_its_statistics_in_training(pooling: str) -> None:
    net = network.build(recipe("model.frozen=true", f"model.pooling={pooling}"), seed=0).train()
    assert net.model.training and net.model.pool.training
    assert not any(module.training for module in net.model.encoder.modules())
    output = net(0.1 * torch.randn(4, 16_000), torch.full((4,), 16_000))
    torch.nn.functional.cross_entropy(output.logits, torch.arange(4)).backward()
    assert all(parameter.grad is None for parameter in net.model.encoder.parameters())
    assert all(p.grad is not None for n, p in net.model.named_parameters() if not n.startswith("encoder."))
    trainable, fixed = net.parameter_counts()
    encoder = sum(p.numel() for p in net.model.encoder.parameters())
    assert trainable == sum(p.numel() for p in net.model.parameters()) - encoder
    assert fixed > encoder  # moving statistics beside


@pytest.mark.parametrize(
    ("encoder", "front_end", "count"),
    [("efficientat-mn04", "efficientat-mel", 7), ("byol-s", "byol-s-mel", 2)],
)
def test_the_first_stages_stay_and_the_others_learn(encoder: str, front_end: str, count: int) -> None:
    chosen = recipe(f"model.encoder={encoder}", f"front_end.name={front_end}", f"model.frozen_stages={count}")
    net = network.build(chosen, seed=0).train()
    whole = network.build(recipe(f"model.encoder={encoder}", f"front_end.name={front_end}"), seed=0).train()
    samples, lengths = 0.1 * torch.randn(4, 16_000), torch.full((4,), 16_000)
    torch.manual_seed(0)
    output = net(samples, lengths)
    torch.manual_seed(0)
    torch.testing.assert_close(output.logits, whole(samples, lengths).logits)
    torch.nn.functional.cross_entropy(output.logits, torch.arange(4)).backward()
    stages = net.model.encoder.stages()
    assert all(p.grad is None for stage in stages[:count] for p in stage.parameters())
    assert all(p.grad is not None for stage in stages[count:] for p in stage.parameters())
    still = sum(p.numel() for stage in stages[:count] for p in stage.parameters())
    assert still > 0
    assert net.parameter_counts()[0] == whole.parameter_counts()[0] - still


def test_an_encoder_that_begins_from_nothing_learns_its_statistics(tiny_corpus: str, tmp_path: Path) -> None:
    kept = trained(tiny_corpus, tmp_path, recipe("model.weights=random"))
    assert kept["model.encoder.features.0.1.running_mean"].abs().sum() > 0


def rates(net: Network, learning_rate: float = 1e-2) -> dict[float, int]:
    """Learning rates and how many parameters have each, as training begins."""
    chosen = recipe(f"training.learning_rate={learning_rate}")
    state = train.begin(net, chosen.training)
    found: dict[float, int] = {}
    for group in state.optimizer.param_groups:
        rate = learning_rate * group["rate_factor"]
        found[rate] = found.get(rate, 0) + sum(p.numel() for p in group["params"])
    return found


def test_the_encoder_has_a_learning_rate_of_its_own() -> None:
    net = network.build(recipe("model.encoder_learning_rate_factor=0.5"), seed=0)
    encoder = sum(p.numel() for p in net.model.encoder.parameters())
    whole = sum(p.numel() for p in net.model.parameters())
    assert rates(net) == {1e-2: whole - encoder, 5e-3: encoder}
    frozen = network.build(recipe("model.frozen=true"), seed=0)
    assert rates(frozen) == {1e-2: whole - encoder}
    other = network.build(fabricate_run.recipe(), seed=0)
    assert rates(other) == {1e-2: sum(p.numel() for p in other.parameters())}


def test_every_epoch_keeps_the_encoders_share_of_the_rate(tiny_corpus: str, tmp_path: Path) -> None:
    chosen = recipe(
        "model.weights=random", "training.learning_rate=2e-3", "model.encoder_learning_rate_factor=0.25"
    )
    trained(tiny_corpus, tmp_path, chosen)
    saved = torch.load(tmp_path / "last.pt", weights_only=True)["optimizer"]["param_groups"]
    assert [group["lr"] for group in saved] == pytest.approx([2e-3, 2e-3, 5e-4, 5e-4])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ((), ["model.weights=PATH", "mn04_as_mAP_432.pt", "model.weights=random"]),
        (("model.weights=none-such.pt",), ["no weights at none-such.pt", "mn04_as_mAP_432.pt"]),
        (("model.weights=3",), ["model.weights is 3"]),
        ((*OF_SAMPLES,), ["model.weights=PATH", "config.json"]),
        ((*OF_SAMPLES, "model.weights=none-such"), ["no encoder at none-such", "Nothing is downloaded"]),
    ],
)
def test_training_does_not_begin_from_nothing_unasked(
    settings: tuple[str, ...], said: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [argument for each in settings for argument in ("--set", each)]
    assert main(["train", "encoder-head", "--corpus", f"folder:{tmp_path}", *arguments]) == 2
    err = capsys.readouterr().err
    assert all(each in err for each in said), err


def test_weights_may_lie_in_a_folder_that_the_environment_names(
    weights: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chosen = recipe(f"model.weights={weights.name}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VOCEMO_WEIGHTS", raising=False)
    with pytest.raises(UsageError, match="no weights at"):
        recipe_check.check(chosen, to_train=True)
    monkeypatch.setenv("VOCEMO_WEIGHTS", str(weights.parent))
    recipe_check.check(chosen, to_train=True)
    torch.save({}, tmp_path / weights.name)  # one that lies here comes first
    with pytest.raises(UsageError, match="is not the state dict"):
        recipe_check.check(chosen, to_train=True)


def test_weights_may_lie_below_the_home_folder(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(weights.parent))
    monkeypatch.setenv("USERPROFILE", str(weights.parent))
    recipe_check.check(recipe(f"model.weights=~/{weights.name}"), to_train=True)


@pytest.mark.parametrize("word", ["random", "none"])
def test_from_nothing_on_purpose_is_taken(word: str) -> None:
    chosen = recipe(f"model.weights={word}")
    recipe_check.check(chosen, to_train=True)
    net = network.build(chosen, seed=0)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    net.begin()
    assert fabricate_run.same(before, net.state_dict())
    assert net.credits() == ()


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"encoder": "resnet"}, UnknownNameError, "efficientat-mn04"),
        ({"pooling": "max"}, UnknownNameError, "attentive"),
        ({"frozen": "no"}, UsageError, "true, false"),
        ({"encoder_depth": 2}, UsageError, "4 to 17"),
        ({"encoder": "byol-s", "encoder_depth": 2}, UsageError, "efficientat-mn04, ge2e, moonshine alone"),
        ({"encoder_depth": 14, "frozen_stages": 15}, UsageError, "0 to 14"),
        ({"frozen_stages": 18}, UsageError, "0 to 17"),
        ({"frozen_stages": -1}, UsageError, "0 to 17"),
        ({"frozen_stages": True}, UsageError, "frozen_stages"),
        ({"encoder_learning_rate_factor": 0}, UsageError, "above 0"),
        ({"encoder_config": {"model_type": "wavlm"}}, UsageError, "encoder=transformers alone"),
        ({"dropout": 2}, UsageError, "dropout"),
    ],
)
def test_wrong_values_are_answered_with_what_is_valid(
    options: dict[str, object], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        build("encoder-head", options, channels=1, bands=128, frames=None, emotions=4)


def test_the_recipe_goes_through_plain_data_with_what_was_settled() -> None:
    chosen = recipe("model.weights=random")
    assert recipes.from_dict(json.loads(json.dumps(chosen.to_dict()))) == chosen
    assert network.settled(chosen) == chosen
