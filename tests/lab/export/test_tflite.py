"""A network as a TFLite file. The parts that need the converter are left out where it is not installed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vocemo import audio
from vocemo.bundle import METADATA_KEY, Bundle, BundleInfo, Weights, flatbuffer
from vocemo.cli.main import main
from vocemo.errors import BundleError, MissingExtraError, UsageError
from vocemo.lab import network, recipe
from vocemo.lab.export import parity, tflite_bundle
from vocemo.lab.export.run import export_run
from vocemo.lab.features import (
    Deltas,
    MelSpectrogram,
    Mfcc,
    Normalise,
    Rms,
    ToDecibel,
    ZeroCrossingRate,
    frame_lengths,
)
from vocemo.lab.mahalanobis import Gaussians
from vocemo.lab.models import Output
from vocemo.lab.network import Network
from vocemo.lab.run import RunFolder
from vocemo.prepare import Preparation, prepare
from vocemo.runtime.predictor import load

RATE_HZ = 16_000
CLIP_S = 1.0  # of the learnt model's file: the corpus' clips last 0.6 s


@pytest.fixture(scope="session")
def converter() -> None:
    """For tests that convert."""
    pytest.importorskip("litert_torch", reason="an extra of two gigabytes: pip install vocemo[tflite]")


@pytest.fixture(scope="module")
def converted(converter: None, trained: Network, learnt: tuple[str, Path]) -> bytes:
    """The learnt network as it comes from the converter, which takes seconds: once for all tests."""
    temperature = RunFolder(learnt[1]).outcome().temperature
    info = BundleInfo(name="learnt", emotions=trained_on(learnt).emotions, temperature=temperature)
    known = Gaussians.read(RunFolder(learnt[1]).domain)
    return tflite_bundle._converted(trained, info, round(CLIP_S * RATE_HZ), known)


@pytest.fixture
def at_once(converted: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The converter's place taken by what it made."""
    monkeypatch.setattr(tflite_bundle, "_converted", lambda *_: converted)
    yield


@pytest.fixture
def once(converter: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """One conversion for all files that a test writes of one network: only their weights differ."""
    made: list[bytes] = []
    convert = tflite_bundle._converted

    def first(*given: Any) -> bytes:
        if not made:
            made.append(convert(*given))
        return made[0]

    monkeypatch.setattr(tflite_bundle, "_converted", first)


def trained_on(learnt: tuple[str, Path]) -> recipe.Recipe:
    return RunFolder(learnt[1]).info().recipe


def test_a_run_becomes_a_tflite_file_that_predicts_and_says_what_it_is(
    learnt: tuple[str, Path], at_once: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "models" / "emotion.tflite"
    assert main(["export", str(learnt[1]), "--out", str(target)]) == 0
    said = capsys.readouterr().out
    assert f"Wrote {target} (" in said and "It takes one clip of 1 s: 16,000 samples at 16,000 Hz" in said
    assert "(on 24 clips of ravdess-speech)" in said and "The same emotion" not in said
    clip = str(next(Path(learnt[0].partition(":")[2]).rglob("*.wav")))
    assert main(["predict", clip, "--model", str(target), "--format", "json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["model"] == "dual-channel-cnn" and len(answer["probabilities"]) == 8
    assert main(["info", str(target)]) == 0
    described = capsys.readouterr().out
    assert "CC BY-NC-SA" in described and "Livingstone" in described and "one clip of 1 s" in described
    out = str(tmp_path / "measured")
    measured = ["evaluate", str(target), "--corpus", learnt[0], "--protocol", "emobox-6", "--out", out]
    assert main(measured) == 0
    from vocemo.lab.evaluate import Results

    own = RunFolder(learnt[1]).outcome().test
    assert own is not None
    assert Results.read(Path(out) / "results.json").metrics["uar"].mean == pytest.approx(own.uar)


@pytest.mark.parametrize(("weights", "near"), [("float32", 1e-4), ("float16", 5e-3), ("int8", 0.1)])
def test_padded_and_alone_it_answers_as_torch_does(
    learnt: tuple[str, Path], trained: Network, at_once: None, tmp_path: Path, weights: Weights, near: float
) -> None:
    target = tmp_path / "emotion.tflite"
    found = export_run(learnt[1], target, to="tflite", weights=weights)
    assert found.difference <= near and found.clips == 24
    assert found.distance <= {"float32": 1e-3, "float16": 1e-2, "int8": 0.05}[weights]
    assert (found.agreement == 1.0) if weights == "float32" else (found.difference > 1e-7)
    predictor = load(target)
    assert predictor.info.weights == weights and predictor.info.preparation.max_length_s == CLIP_S
    differing = []
    for clip in sorted(Path(learnt[0].partition(":")[2]).rglob("*.wav"))[::6]:
        decoded = audio.decode(clip)
        ready = prepare(decoded.samples, decoded.sample_rate, predictor.info.preparation)
        with torch.inference_mode():
            logits = trained(torch.from_numpy(ready.samples)[None], torch.tensor([ready.length])).logits[0]
        expected = torch.softmax(logits.double() / predictor.info.temperature, dim=0).numpy()
        differing.append(expected)
        answered = list(predictor.predict(clip).probabilities.values())
        np.testing.assert_allclose(answered, expected, atol=near, err_msg=str(clip))
    assert np.ptp(np.array(differing), axis=0).max() > 0.5  # the answers differ, so agreement says something


def test_its_description_is_that_of_its_onnx_twin(
    learnt: tuple[str, Path], learnt_bundle: Path, at_once: None, tmp_path: Path
) -> None:
    export_run(learnt[1], tmp_path / "emotion.tflite", to="tflite")
    entries = flatbuffer.metadata((tmp_path / "emotion.tflite").read_bytes())
    found = BundleInfo.from_json(entries[METADATA_KEY].decode()).to_dict()
    expected = Bundle.open(learnt_bundle, device="cpu").info.to_dict()
    expected["preparation"] |= {"max_length_s": CLIP_S}
    assert found == expected
    assert str(learnt[1].parent) not in entries[METADATA_KEY].decode()


@pytest.mark.parametrize("weights", ["float16", "int8"])
def test_the_front_end_keeps_float32(
    learnt: tuple[str, Path], at_once: None, tmp_path: Path, weights: Weights
) -> None:
    from ai_edge_litert import schema_py_generated as schema

    export_run(learnt[1], tmp_path / "emotion.tflite", to="tflite", weights=weights)
    content = (tmp_path / "emotion.tflite").read_bytes()
    model = schema.ModelT.InitFromPackedBuf(content)
    graph = model.subgraphs[0]
    kinds: dict[bool, set[int]] = {True: set(), False: set()}
    for operator in graph.operators:
        in_front = b"front_end" in graph.tensors[operator.outputs[0]].name
        for index in operator.inputs:
            tensor = graph.tensors[index]
            data = model.buffers[tensor.buffer].data
            if data is not None and len(data) > 1_000:
                kinds[in_front].add(tensor.type)
    small = {"float16": schema.TensorType.FLOAT16, "int8": schema.TensorType.INT8}[weights]
    assert small in kinds[False] and small not in kinds[True]
    assert schema.TensorType.FLOAT32 in kinds[True]
    packed = schema.Model.GetRootAs(content, 0)
    for number in range(packed.BuffersLength()):
        buffer = packed.Buffers(number)
        assert not buffer.Offset()  # constants lie where older interpreters look
        if not buffer.DataIsNone():
            assert buffer._tab.Vector(buffer._tab.Offset(4)) % 16 == 0


def test_a_file_that_answers_otherwise_is_refused_and_removed(
    learnt: tuple[str, Path], at_once: None, tmp_path: Path
) -> None:
    info = Bundle.open(exported(learnt, tmp_path / "one.tflite"), device="cpu").info
    target = tmp_path / "below" / "model.tflite"
    other = network.build(trained_on(learnt), seed=5)
    with pytest.raises(BundleError, match="differs from the network by 0"):
        tflite_bundle.write_tflite(other, info, target, length_s=CLIP_S)
    # Rounded weights may differ, and it is told by how much.
    told = tflite_bundle.write_tflite(other, info, target, length_s=CLIP_S, weights="int8")
    assert told.difference > 1e-3 and told.heard == "noisy tones" and told.agreement < 1.0
    assert [path.name for path in target.parent.iterdir()] == ["model.tflite"]
    with pytest.raises(BundleError, match="no number"):
        parity.Parity(float("nan"), 1.0, 1, "").hold("int8")


def exported(learnt: tuple[str, Path], target: Path) -> Path:
    export_run(learnt[1], target, to="tflite")
    return target


def test_it_answers_where_torch_cannot_be_imported(
    learnt: tuple[str, Path], at_once: None, tmp_path: Path
) -> None:
    target = exported(learnt, tmp_path / "emotion.tflite")
    clip = next(Path(learnt[0].partition(":")[2]).rglob("*.wav"))
    program = f"""
import json, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {{"torch", "tensorflow", "litert_torch", "onnx", "sklearn"}}:
            raise ImportError(name + " is not here")
sys.meta_path.insert(0, Refuse())
import vocemo
answer = vocemo.load({str(target)!r}).predict({str(clip)!r})
assert not [name for name in sys.modules if name.startswith(("torch", "vocemo.lab", "onnxruntime"))]
print(json.dumps(answer.probabilities))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == pytest.approx(load(target).predict(clip).probabilities, abs=1e-6)


@pytest.mark.parametrize(
    ("preparation", "median_s", "asked_s", "length_s"),
    [
        (Preparation(length_s=2.5), 3.7, None, 2.5),
        (Preparation(length_s=2.5), 3.7, 2.5, 2.5),
        (Preparation(max_length_s=8.0), 3.7, None, 6.0),
        (Preparation(max_length_s=8.0), 7.0, None, 8.0),
        (Preparation(max_length_s=8.0), 0.0, None, 3.0),
        (Preparation(max_length_s=8.0), 3.7, 2.0, 2.0),
        (Preparation(max_length_s=8.0, min_length_s=2.0), 0.5, None, 2.0),
    ],
)
def test_the_clip_s_length_is_the_recipe_s_the_asked_or_the_usual(
    preparation: Preparation, median_s: float, asked_s: float | None, length_s: float
) -> None:
    assert tflite_bundle.clip_length_s(preparation, median_s, asked_s) == length_s


def test_a_length_that_the_recipe_rules_out_is_refused() -> None:
    with pytest.raises(UsageError, match=r"2\.5 s and no others"):
        tflite_bundle.clip_length_s(Preparation(length_s=2.5), 3.7, 3.0)
    with pytest.raises(UsageError, match=r"valid: 0\.5 to 8 s"):
        tflite_bundle.clip_length_s(Preparation(max_length_s=8.0, min_length_s=0.5), 3.7, 0.2)


def test_what_is_not_there_is_named(
    learnt: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "litert_torch", None)
    with pytest.raises(MissingExtraError, match=r"vocemo\[tflite\]"):
        export_run(learnt[1], tmp_path / "model.tflite", to="tflite")
    assert not list(tmp_path.iterdir())


def test_an_encoder_from_outside_is_refused(trained: Network, tmp_path: Path) -> None:
    outside = type("Wav2Vec2Model", (nn.Identity,), {"__module__": "transformers.models.wav2vec2"})
    made = FakeNetwork(nn.Identity(), outside())
    info = BundleInfo(name="encoder-head", emotions=("happy", "sad"))
    with pytest.raises(UsageError, match=r"encoder-head runs over an encoder of transformers.*--to onnx"):
        tflite_bundle.write_tflite(made, info, tmp_path / "model.tflite", length_s=1.0)


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv1d(2, 3, 5, padding="same", dilation=3),
        nn.Conv2d(2, 3, (3, 1), padding="same"),
        nn.Conv1d(2, 3, 4, padding="valid"),
    ],
)
def test_padding_in_words_and_in_numbers_is_one(convolution: nn.Module) -> None:
    shape = (1, 2, 40) if isinstance(convolution, nn.Conv1d) else (1, 2, 12, 9)
    given = torch.randn(shape)
    expected = convolution(given)
    tflite_bundle._spell_out_padding(convolution)
    assert not isinstance(convolution.padding, str)
    torch.testing.assert_close(convolution(given), expected)
    with pytest.raises(UsageError, match="even kernel"):
        tflite_bundle._spell_out_padding(nn.Conv1d(2, 3, 4, padding="same"))


class FakeNetwork(nn.Module):
    """A front end and a model as a `Network` has them, without a recipe."""

    def __init__(self, front_end: nn.Module, model: nn.Module) -> None:
        super().__init__()
        self.front_end, self.model = front_end, model

    def forward(self, samples: Tensor, lengths: Tensor) -> Output:
        output: Output = self.model(*self.front_end(samples, lengths))
        return output

    def summed_up(self, samples: Tensor, lengths: Tensor) -> tuple[Output, Tensor]:
        output = self(samples, lengths)
        return output, output.embedding


def written(
    made: nn.Module, preparation: Preparation, path: Path, length_s: float, **more: Any
) -> tuple[parity.Parity, Bundle]:
    info = BundleInfo(name="made", emotions=tuple("abcdefgh"), preparation=preparation)
    found = tflite_bundle.write_tflite(made.eval(), info, path, length_s=length_s, **more)
    return found, Bundle.open(path)


class EveryFeature(nn.Module):
    """All features of the lab side by side, each band's mean over a clip's own frames."""

    def __init__(self) -> None:
        super().__init__()
        self.mfcc = Mfcc(RATE_HZ, 13, n_fft=512, hop=160, n_mels=40, win_length=400)
        self.magnitudes = MelSpectrogram(RATE_HZ, n_fft=512, hop=160, n_mels=32, power=1.0, htk=True)
        self.decibel = ToDecibel(ref="max", top_db=60.0)
        self.deltas, self.second = Deltas(9), Deltas(5, order=2)
        self.rms, self.zcr = Rms(512, 160), ZeroCrossingRate(512, 160, zero_pos=False)
        self.normalise = Normalise(13 * 3 + 32 + 2)

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        frames = frame_lengths(lengths, 160)
        mfcc = self.mfcc(samples, lengths)
        bands = [
            mfcc,
            self.deltas(mfcc, frames),
            self.second(mfcc, frames),
            self.decibel(self.magnitudes(samples, lengths), frames),
            self.rms(samples, lengths),
            self.zcr(samples, lengths),
        ]
        return self.normalise(torch.cat(bands, dim=1), frames), frames


class Means(nn.Module):
    """The mean of each band, as logits and as embedding."""

    def __init__(self, emotions: int = 8) -> None:
        super().__init__()
        self.emotions = emotions

    def forward(self, features: Tensor, frames: Tensor) -> Output:
        means = features.sum(dim=2) / frames[:, None]
        return Output(means[:, : self.emotions] / 100.0, means)


@pytest.mark.slow
def test_every_feature_converts_and_hears_no_padding(converter: None, tmp_path: Path) -> None:
    made = FakeNetwork(EveryFeature(), Means())
    _, bundle = written(made, Preparation(), tmp_path / "features.tflite", 1.0)
    rng = np.random.default_rng(0)
    for count in (16_000, 9_001, 1_600):
        clip = (0.1 * rng.standard_normal((1, count))).astype(np.float32)
        with torch.inference_mode():
            expected = made(torch.from_numpy(clip), torch.tensor([count])).embedding.numpy()
        found = bundle.run(clip, np.array([count]))["embedding"]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-3)


def same_logits(made: Network, bundle: Bundle, fixed: int | None) -> None:
    """The file's logits of clips of several lengths are the network's of each clip alone."""
    assert bundle.clip_samples is not None
    rng = np.random.default_rng(0)
    spread = []
    for share in (1.0, 0.61, 0.2):
        count = round(share * bundle.clip_samples)
        clip = np.zeros((1, fixed or count), np.float32)
        clip[0, :count] = share * 0.1 * rng.standard_normal(count)
        with torch.inference_mode():
            expected = made(torch.from_numpy(clip), torch.tensor([count])).logits.numpy()
        found = bundle.run(clip, np.array([count]))["logits"]
        np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())
        spread.append(expected)
    assert np.ptp(spread, axis=0).max() > 0.0


@pytest.mark.slow
@pytest.mark.parametrize("name", recipe.names())
def test_every_recipe_converts(once: None, name: str, tmp_path: Path) -> None:
    chosen = recipe.load(name)
    made = network.build(chosen, seed=0).eval()
    # Statistics of batch normalisation as training leaves them, so that nothing is the identity.
    for part in made.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.running_mean.uniform_(-0.1, 0.1)
            part.running_var.uniform_(0.5, 2.0)
    info = BundleInfo(name=name, emotions=chosen.emotions, preparation=chosen.preparation)
    length_s = tflite_bundle.clip_length_s(chosen.preparation, 2.0)
    sizes = {}
    for weights in ("float32", "float16", "int8"):
        path = tmp_path / f"{weights}.tflite"
        try:
            found = tflite_bundle.write_tflite(made, info, path, length_s=length_s, weights=weights)
        except UsageError as error:
            assert "over an encoder of transformers" in str(error)
            return
        assert found.difference <= (1e-4 if weights == "float32" else 0.1)
        if weights == "float32":
            # Untrained networks are unsure, so that probabilities alone would agree too easily.
            same_logits(made, Bundle.open(path), chosen.preparation.length)
        sizes[weights] = path.stat().st_size
    assert sizes["int8"] < sizes["float16"] < sizes["float32"]


@pytest.mark.slow
def test_the_largest_recipe_fits_a_phone_and_answers_real_clips_as_torch_does(
    once: None, corpora_dir: Path, tmp_path: Path
) -> None:
    chosen = recipe.load("stacked-cnn1d")
    rate = chosen.preparation.sample_rate
    paths = sorted(corpora_dir.glob("ravdess/*Speech*/Actor_*/03-01-0?-02-01-01-*.flac"))[::3]
    assert len(paths) > 30
    decoded = (audio.decode(path, rate).samples for path in paths)
    clips = torch.stack(
        [torch.from_numpy(prepare(each, rate, chosen.preparation).samples) for each in decoded]
    )
    lengths = torch.full((len(clips),), clips.shape[1])
    made = network.build(chosen, seed=0)
    made.front_end.fit([(clips, lengths)])
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # of dropout, on which those statistics depend
        made.train()
        for _ in range(3):  # statistics of batch normalisation as real clips make them
            made(clips, lengths)
        made.eval()
        last = [part for part in made.modules() if isinstance(part, nn.Linear)][-1]
        last.weight.mul_(100.0)  # answers that are sure, as a trained network's are
        answers = torch.softmax(made(clips, lengths).logits, dim=1)
    assert (answers.amax(0) - answers.amin(0)).max() > 0.3  # they differ, so agreement says something
    info = BundleInfo(name=chosen.name, emotions=chosen.emotions, preparation=chosen.preparation)
    corpus = f"ravdess-speech:{corpora_dir / 'ravdess'}"
    most = {"float32": (1e-4, 30e6), "float16": (5e-3, 16e6), "int8": (0.2, 9e6)}
    for weights, (difference, size) in most.items():
        path = tmp_path / f"{weights}.tflite"
        found = tflite_bundle.write_tflite(
            made,
            info,
            path,
            length_s=2.5,
            weights=weights,
            corpora=[corpus],
        )
        assert found.heard == "clips of ravdess-speech" and found.clips == 24
        assert found.difference <= difference and path.stat().st_size <= size
