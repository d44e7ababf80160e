"""A bundle answers as the network does that it was made from, and says all that must be said of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import fabricate
import fabricate_run
from vocemo import __version__, audio
from vocemo.bundle import METADATA_KEY, Bundle, BundleInfo
from vocemo.errors import BundleError, MissingExtraError, RunError, UsageError
from vocemo.lab import network
from vocemo.lab.corpora import CORPORA
from vocemo.lab.evaluate import Metric, Results
from vocemo.lab.export import onnx_bundle
from vocemo.lab.export import run as export
from vocemo.lab.export.bundle_graph import BundleGraph
from vocemo.lab.mahalanobis import Gaussians
from vocemo.lab.network import Network
from vocemo.lab.run import RunFolder
from vocemo.prepare import prepare
from vocemo.runtime.prediction import Prediction
from vocemo.runtime.predictor import Predictor, load

TOLERANCE = 1e-4
RECIPE = fabricate_run.recipe(*fabricate_run.LEARNING)


@pytest.fixture(scope="module")
def predictor(learnt_bundle: Path) -> Predictor:
    return load(learnt_bundle, device="cpu")


def eager(trained: Network, path: Path, temperature: float) -> np.ndarray:
    """The network's own answer to one recording: prepared, alone, with torch's kernels."""
    decoded = audio.decode(path)
    ready = prepare(decoded.samples, decoded.sample_rate, RECIPE.preparation)
    with torch.inference_mode():
        logits = trained(torch.from_numpy(ready.samples)[None], torch.tensor([ready.length])).logits
    return torch.softmax(logits[0].double() / temperature, dim=0).numpy()


def agree(predictor: Predictor, trained: Network, paths: list[Path]) -> None:
    """Alone and in batches of several sizes, exported is eager."""
    temperature = predictor.info.temperature
    expected = [eager(trained, path, temperature) for path in paths]
    for size in (1, 3, len(paths)):
        answers = [
            answer
            for first in range(0, len(paths), size)
            for answer in predictor.predict_many(paths[first : first + size], jobs=1)
        ]
        for path, answer, probabilities in zip(paths, answers, expected, strict=True):
            assert isinstance(answer, Prediction), answer
            found = list(answer.probabilities.values())
            np.testing.assert_allclose(found, probabilities, atol=TOLERANCE, err_msg=str(path))
    spread = np.ptp(np.array(expected), axis=0)
    assert spread.max() > 0.5  # the answers differ, so agreement says something


def test_exported_is_eager_on_fabricated_clips(
    predictor: Predictor, trained: Network, tmp_path: Path
) -> None:
    paths = []
    for number, seconds in enumerate((0.2, 0.5, 0.52, 1.0, 2.3, 3.01, 7.9)):
        emotion = list(fabricate.VOICES)[number]
        rate = 44_100 if number % 2 else 16_000
        rng = np.random.default_rng(number)
        path = tmp_path / f"{number}.wav"
        audio.write(
            path, fabricate.voice(emotion, number, True, rng, seconds=seconds, sample_rate=rate), rate
        )
        paths.append(path)
    agree(predictor, trained, paths)


def test_exported_is_eager_on_real_clips(predictor: Predictor, trained: Network, corpora_dir: Path) -> None:
    paths = sorted(corpora_dir.glob("ravdess/*Speech*/Actor_0[12]/03-01-0?-02-01-01-*.flac"))[:10]
    paths += sorted(corpora_dir.glob("emodb/wav/03a*.flac"))[:5]
    paths += sorted(corpora_dir.glob("aesdd/anger/*.flac"))[:3]
    assert len(paths) > 10
    agree(predictor, trained, paths)


def test_the_distance_is_that_of_the_run(
    learnt: tuple[str, Path], learnt_bundle: Path, trained: Network
) -> None:
    folder, bundle = RunFolder(learnt[1]), Bundle.open(learnt_bundle, device="cpu")
    distances = folder.outcome().distances
    assert distances is not None and bundle.info.distance_limit == distances.limit
    rng = np.random.default_rng(0)
    samples = (0.1 * rng.standard_normal((5, 20_000))).astype(np.float32)
    lengths = np.array([20_000, 1_600, 9_999, 16_000, 3_200])
    with torch.inference_mode():
        summary = trained.summed_up(torch.from_numpy(samples), torch.from_numpy(lengths))[1].numpy()
    expected = Gaussians.read(folder.domain).distance(summary)
    np.testing.assert_allclose(bundle.run(samples, lengths)["distance"], expected, rtol=1e-3)
    for row, length, distance in zip(samples, lengths, expected, strict=True):  # padding is not heard
        alone = bundle.run(row[None, :length], np.array([length]))["distance"]
        assert alone[0] == pytest.approx(distance, rel=1e-3)


def test_a_run_without_a_limit_becomes_a_file_without_the_distance(
    learnt: tuple[str, Path], trained: Network, tmp_path: Path
) -> None:
    path = tmp_path / "plain.onnx"
    onnx_bundle.write_bundle(
        trained, BundleInfo("plain", RECIPE.emotions, preparation=RECIPE.preparation), path
    )
    assert "distance" not in Bundle.open(path).run(*[np.zeros((1, 4000), np.float32), np.array([4000])])
    assert load(path, device="cpu").predict(np.ones(16_000), 16_000).out_of_domain is None


@pytest.mark.parametrize("batch", [1, 2, 5, 17])
@pytest.mark.parametrize("seconds", [0.1, 0.73, 4.0])
def test_batch_and_length_are_free(learnt_bundle: Path, trained: Network, batch: int, seconds: float) -> None:
    bundle = Bundle.open(learnt_bundle, device="cpu")
    rng = np.random.default_rng(batch)
    samples = (0.1 * rng.standard_normal((batch, round(16_000 * seconds)))).astype(np.float32)
    lengths = rng.integers(1_600, samples.shape[1] + 1, batch)
    answer = bundle.run(samples, lengths)
    with torch.inference_mode():
        expected = trained(torch.from_numpy(samples), torch.from_numpy(lengths))
    assert answer["probabilities"].shape == answer["logits"].shape == (batch, 8)
    np.testing.assert_allclose(answer["logits"], expected.logits.numpy(), atol=2e-3)
    np.testing.assert_allclose(answer["embedding"], expected.embedding.numpy(), atol=2e-3)
    calibrated = torch.softmax(expected.logits / bundle.info.temperature, dim=1).numpy()
    np.testing.assert_allclose(answer["probabilities"], calibrated, atol=TOLERANCE)


def test_the_description_is_complete(learnt: tuple[str, Path], learnt_bundle: Path) -> None:
    folder = RunFolder(learnt[1])
    run, outcome = folder.info(), folder.outcome()
    info = Bundle.open(learnt_bundle, device="cpu").info
    assert info.name == run.recipe.name and info.vocemo_version == __version__
    assert info.emotions == run.recipe.emotions and info.preparation == run.recipe.preparation
    assert info.temperature == outcome.temperature
    assert info.licence == CORPORA["ravdess"].licence and "NC" in info.licence
    assert info.attribution == (CORPORA["ravdess"].citation,)
    training = info.training
    assert training.corpora == ("ravdess-speech",)
    assert (training.clips, training.speakers) == (96, 4)
    assert (training.protocol, training.fold, training.seed) == ("emobox-6", 0, 0)
    assert training.recipe == run.recipe.name
    assert training.recipe_sha256 == run.recipe.sha256
    assert training.parameters == outcome.parameters > 0
    assert 0.5 < training.duration_p05_s < training.duration_median_s < 0.7
    assert (training.commit, training.date) == (run.made["commit"], run.made["date"])
    raw = {entry.key: entry.value for entry in onnx.load(learnt_bundle).metadata_props}
    assert BundleInfo.from_json(raw[METADATA_KEY]) == info
    # Where this was made is nobody's business.
    assert str(learnt[1].parent) not in raw[METADATA_KEY]


def test_the_graph_is_small_and_names_its_faces(learnt_bundle: Path, trained: Network) -> None:
    model = onnx.load(learnt_bundle)
    onnx.checker.check_model(model, full_check=True)
    assert [i.name for i in model.graph.input] == ["samples", "lengths"]
    assert [o.name for o in model.graph.output][:3] == ["probabilities", "logits", "embedding"]
    for entry in model.graph.input:
        assert all(d.dim_param for d in entry.type.tensor_type.shape.dim)
    weights = 4 * sum(p.numel() for p in trained.parameters())
    assert learnt_bundle.stat().st_size < weights + 1_000_000


def test_a_bundle_answers_where_torch_cannot_be_imported(
    learnt: tuple[str, Path], learnt_bundle: Path
) -> None:
    clip = next(Path(learnt[0].partition(":")[2]).rglob("*.wav"))
    program = f"""
import json, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {{"torch", "onnx", "onnxscript", "audiomentations", "sklearn"}}:
            raise ImportError(name + " is not here")
sys.meta_path.insert(0, Refuse())
import vocemo
answer = vocemo.load({str(learnt_bundle)!r}, device="cpu").predict({str(clip)!r})
assert not [name for name in sys.modules if name.startswith(("torch", "vocemo.lab"))]
print(json.dumps(answer.probabilities))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    expected = load(learnt_bundle, device="cpu").predict(clip).probabilities
    assert json.loads(ran.stdout) == pytest.approx(expected, abs=1e-6)


def test_figures_of_the_recipe_go_with_the_bundle(
    learnt: tuple[str, Path], tmp_path: Path, no_exporter: None
) -> None:
    measured = Results(
        "dual-channel-cnn",
        ("ravdess-speech",),
        "emobox-6",
        False,
        ("happy", "sad"),
        6,
        (0, 1),
        {"uar": Metric(0.5)},
        (),
        "vocemo crossval",
        "abc",
        "2026-01-01",
    )
    parity = export.export_run(learnt[1], tmp_path / "below" / "model.onnx", [measured])
    assert parity.difference < TOLERANCE and (parity.agreement, parity.clips) == (1.0, 9)
    info = Bundle.open(tmp_path / "below" / "model.onnx", device="cpu").info
    assert [Results.from_dict(dict(result)) for result in info.results] == [measured]


def test_a_file_that_answers_otherwise_is_refused_and_removed(
    trained: Network, learnt_bundle: Path, tmp_path: Path, no_exporter: None
) -> None:
    info = Bundle.open(learnt_bundle, device="cpu").info
    target = tmp_path / "model.onnx"
    target.write_bytes(b"the one before")
    other = network.build(RECIPE, seed=5)
    broken = network.build(RECIPE, seed=5)
    with torch.no_grad():
        broken.model.classify.bias.fill_(float("nan"))
    for candidate in (other, broken):
        with pytest.raises(BundleError, match=r"differs from the network by (0|nan)"):
            onnx_bundle.write_bundle(candidate, info, target)
        assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
        assert target.read_bytes() == b"the one before"
    assert onnx_bundle.write_bundle(trained, info, target).difference < TOLERANCE


def test_exporting_leaves_the_network_as_it_was(
    trained: Network, learnt_bundle: Path, tmp_path: Path, no_exporter: None
) -> None:
    info = Bundle.open(learnt_bundle, device="cpu").info
    trained.train()
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    onnx_bundle.write_bundle(trained, info, tmp_path / "model.onnx")
    assert trained.training
    assert fabricate_run.same(before, trained.state_dict())
    trained.eval()


def test_a_graph_gives_softmax_at_its_temperature(trained: Network) -> None:
    samples, lengths = torch.randn(2, 8_000), torch.tensor([8_000, 4_000])
    with torch.inference_mode():
        graph = BundleGraph(trained, 2.5)
        probabilities, logits, _ = graph(samples, lengths)[:3]
    expected = np.exp(logits.numpy() / 2.5) / np.exp(logits.numpy() / 2.5).sum(1, keepdims=True)
    np.testing.assert_allclose(probabilities.numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("specs", "licences", "citations"),
    [
        (("ravdess:a",), ["ravdess"], ["ravdess"]),
        (("ravdess-speech:a", "ravdess-song:a", "emodb:b"), ["ravdess", "emodb"], ["ravdess", "emodb"]),
        (("emodb:a", "emodb:b"), ["emodb"], ["emodb"]),
        (("folder:a", "table:b", "tess:c"), ["folder", "tess"], ["tess"]),
    ],
)
def test_every_corpus_is_named_once(
    specs: tuple[str, ...], licences: list[str], citations: list[str]
) -> None:
    assert export.licence_of(specs) == "; ".join(CORPORA[name].licence for name in licences)
    assert export.attribution_of(specs) == tuple(CORPORA[name].citation for name in citations)


def test_what_cannot_be_exported_is_named(
    learnt: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="holds no run"):
        export.export_run(tmp_path, tmp_path / "model.onnx")
    half = RunFolder(tmp_path / "half")
    half.begin(RunFolder(learnt[1]).info(), resume=False)
    with pytest.raises(RunError, match="not complete"):
        export.export_run(half.path, tmp_path / "model.onnx")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(MissingExtraError, match=r"vocemo\[export\]"):
        export.export_run(learnt[1], tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()
