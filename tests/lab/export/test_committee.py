"""A committee whose members each see a picture of their own, from training to the exported graph."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import fabricate_run
from vocemo.bundle import Bundle
from vocemo.lab import checkpoint, network
from vocemo.lab import recipe as recipes
from vocemo.lab.export import run as export
from vocemo.lab.network import Network
from vocemo.lab.run import RunFolder

SETTINGS = (
    "preparation={sample_rate=32000, level='rms', max_length_s=8.0}",
    "front_end={name='joined', members=[{name='efficientat-mel'}, {name='byol-s-mel'}, "
    "{name='mel', n_fft=1024, hop=320, bands=40}]}",
    "model={name='committee', members=[{name='encoder-head', part=0, weights='random'}, "
    "{name='encoder-head', part=1, encoder='byol-s', weights='random', learning_rate_factor=0.5}, "
    "{name='residual-cnn', part=2, widths=[8, 16], depth=1, hidden=16}]}",
    "augmentation.pool=0",
    "augmentation.pooled=[]",
    "augmentation.live=[]",
    "augmentation.spectral=[{name='time-warp'}, {name='band-warp'}, {name='band-mask'}, {name='time-mask'}]",
    "training.epochs=2",
    "training.batch_size=16",
    "training.schedule=one-cycle",
    "training.keep=last",
    "training.mixup=0.3",
    "training.weight_average=0.9",
    "training.own_emotions=true",
    "training.precision=auto",
)

SAMPLES_AND_PICTURE = (
    "model={name='committee', mean='geometric', members=["
    "{name='encoder-head', part=0, encoder='moonshine', weights='random', encoder_depth=1, frozen=true}, "
    "{name='encoder-head', part=1, encoder='byol-s', weights='random', encoder_maps=true, frozen=true, "
    "hidden=[8]}]}",
    "augmentation.views=0",
    "augmentation.live=[]",
    "training.epochs=1",
    "training.batch_size=16",
)


@pytest.fixture(scope="module")
def finished(tiny_corpus: str, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("committee") / "run"
    chosen = network.settled(recipes.load("encoder-head", SETTINGS))
    fabricate_run.run(tiny_corpus, fabricate_run.fold(tiny_corpus), folder, chosen)
    return RunFolder(folder)


def network_of(folder: RunFolder) -> Network:
    built = network.build(folder.info().recipe, seed=1)
    checkpoint.load_weights(built, folder.weights, fabricate_run.CPU)
    return built.eval()


@pytest.mark.slow
def test_an_exported_committee_answers_as_its_network_does(finished: RunFolder, tmp_path: Path) -> None:
    assert export.export_run(finished.path, tmp_path / "model.onnx").difference <= 1e-4
    bundle, trained = Bundle.open(tmp_path / "model.onnx", device="cpu"), network_of(finished)
    samples = 0.1 * torch.randn(3, 80_000, generator=torch.Generator().manual_seed(0))
    for clips in (1, 2, 3):
        lengths = torch.tensor([80_000, 6_400, 42_222])[-clips:]
        heard = samples[-clips:, : int(lengths.max())]
        with torch.inference_mode():
            expected = trained(heard, lengths)
        answer = bundle.run(heard.numpy(), lengths.numpy())
        torch.testing.assert_close(torch.from_numpy(answer["logits"]), expected.logits, atol=1e-3, rtol=1e-3)


@pytest.mark.slow
def test_a_clip_in_a_batch_is_answered_as_it_is_alone(finished: RunFolder) -> None:
    trained = network_of(finished)
    samples = 0.1 * torch.randn(2, 80_000, generator=torch.Generator().manual_seed(1))
    samples[1, 30_000:] = 0
    with torch.inference_mode():
        together = trained(samples, torch.tensor([80_000, 30_000])).logits
        alone = trained(samples[1:, :30_000], torch.tensor([30_000])).logits
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=1e-5)


def test_networks_upon_samples_and_upon_a_picture_export_for_any_number_of_clips(
    tiny_corpus: str, tmp_path: Path
) -> None:
    chosen = network.settled(recipes.load("base", SAMPLES_AND_PICTURE))
    fabricate_run.run(tiny_corpus, fabricate_run.fold(tiny_corpus), tmp_path / "run", chosen)
    run = RunFolder(tmp_path / "run")
    assert export.export_run(run.path, tmp_path / "model.onnx").difference <= 1e-4
    bundle, trained = Bundle.open(tmp_path / "model.onnx", device="cpu"), network_of(run)
    samples = 0.1 * torch.randn(3, 32_000, generator=torch.Generator().manual_seed(0))
    for lengths in ([32_000], [31_999, 8_000], [9_601, 9_600, 4_800]):  # whole blocks, and not
        heard, own = samples[: len(lengths), : lengths[0]], torch.tensor(lengths)
        with torch.inference_mode():
            expected = trained(heard, own)
        answer = bundle.run(heard.numpy(), own.numpy())
        torch.testing.assert_close(torch.from_numpy(answer["logits"]), expected.logits, atol=1e-3, rtol=1e-3)
