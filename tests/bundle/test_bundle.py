from __future__ import annotations

import dataclasses
import hashlib
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fabricate_bundle
from vocemo.bundle import Bundle, BundleInfo, TrainingInfo
from vocemo.errors import BundleError, UnknownNameError, UsageError
from vocemo.prepare import Preparation


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle.open(fabricate_bundle.write(tmp_path_factory.mktemp("bundle") / "tiny.onnx"), device="cpu")


def test_metadata_survives_the_file(tiny: Bundle) -> None:
    assert tiny.info == fabricate_bundle.info()


@given(
    name=st.text(min_size=1),
    emotions=st.lists(st.text(min_size=1), min_size=2, max_size=9, unique=True),
    temperature=st.floats(0.01, 100.0),
    threshold=st.none() | st.floats(0.0, 1.0),
    level=st.sampled_from(["peak", "rms", "none"]),
    length_s=st.none() | st.floats(0.5, 20.0),
    corpora=st.lists(st.text(), max_size=3),
    seed=st.integers(0, 2**31),
)
def test_any_description_survives_json(
    name: str,
    emotions: list[str],
    temperature: float,
    threshold: float | None,
    level: str,
    length_s: float | None,
    corpora: list[str],
    seed: int,
) -> None:
    info = BundleInfo(
        name=name,
        emotions=tuple(emotions),
        temperature=temperature,
        threshold=threshold,
        preparation=Preparation.from_dict({"level": level, "length_s": length_s}),
        training=TrainingInfo(corpora=tuple(corpora), seed=seed),
        attribution=("a", "ü"),
        results=({"protocol": "loso", "metrics": {"uar": {"mean": 0.5}}},),
    )
    assert BundleInfo.from_json(info.to_json()) == info


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON"),
        ("[1]", "a JSON list"),
        ('{"format": 2}', "format 2; this vocemo reads format 1: upgrade"),
        ("{}", "does not describe a model"),
        ('{"name": "x", "emotions": ["happy", "sad"], "surprise": 1}', "surprise"),
        ('{"name": "x", "emotions": ["happy"]}', "two or more different emotions"),
        ('{"name": "x", "emotions": ["happy", "happy"]}', "two or more different emotions"),
        ('{"name": "", "emotions": ["happy", "sad"]}', "needs a name"),
        ('{"name": "x", "emotions": 3}', "does not describe a model"),
        ('{"name": "x", "emotions": ["happy", "sad"], "preparation": {"level": "loud"}}', "Valid: peak"),
        ('{"name": "x", "emotions": ["happy", "sad"], "preparation": {"loudness": 1}}', "loudness"),
        ('{"name": "x", "emotions": ["happy", "sad"], "training": {"dogs": 1}}', "dogs"),
        ('{"name": "x", "emotions": ["happy", "sad"], "training": 5}', "does not describe a model"),
    ],
)
def test_a_wrong_description_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(BundleError, match=says):
        BundleInfo.from_json(text)


def test_the_graph_says_what_the_equation_says(tiny: Bundle) -> None:
    rng = np.random.default_rng(0)
    clips = [rng.uniform(-0.5, 0.5, n).astype(np.float32) for n in (4_000, 16_000, 9_999)]
    batch = np.zeros((3, 16_000), np.float32)
    for row, clip in zip(batch, clips, strict=True):
        row[: len(clip)] = clip
    batch[0, 4_000:] = 0.7  # what lies behind the length must not be heard
    outputs = tiny.run(batch, np.array([len(clip) for clip in clips], np.int64))
    assert set(outputs) == {"probabilities", "logits", "embedding"}
    for got, clip in zip(outputs["probabilities"], clips, strict=True):
        np.testing.assert_allclose(got, fabricate_bundle.expected(clip), atol=1e-5)


def test_run_refuses_shapes_that_do_not_fit(tiny: Bundle) -> None:
    with pytest.raises(UsageError, match=r"\(5,\)"):
        tiny.run(np.zeros(5, np.float32), np.array([5], np.int64))
    with pytest.raises(UsageError, match=r"\(2, 5\)"):
        tiny.run(np.zeros((2, 5), np.float32), np.array([5], np.int64))


def test_sha256_is_that_of_the_file(tiny: Bundle) -> None:
    assert tiny.sha256 == hashlib.sha256(tiny.path.read_bytes()).hexdigest()


def _foreign(kind: str, folder: Path) -> Path:
    path = folder / "model.onnx"
    if kind == "missing":
        return path
    if kind == "folder":
        return folder
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("data.pkl", b"")
    if kind == "pickle":
        path.write_bytes(pickle.dumps(_Mine()))
    contents = {
        "empty": b"",
        "text": b"not a model at all",
        "hdf5": b"\x89HDF\r\n\x1a\n",
        "tflite": b"\x1c\0\0\0TFL3",
        "audio": b"RIFF\0\0\0\0WAVE",
    }
    if kind in contents:
        path.write_bytes(contents[kind])
    if kind == "cut":
        whole = fabricate_bundle.write(folder / "whole.onnx").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    return path


class _Mine:
    """A pickle that would leave a mark if it were ever loaded."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("pickle-was-run"),))


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing", "no bundle at"),
        ("folder", "is a folder"),
        ("empty", "is empty"),
        ("text", "no ONNX model"),
        ("zip", "zip archive, such as a PyTorch checkpoint"),
        ("pickle", "a Python pickle, which vocemo never runs"),
        ("hdf5", "HDF5"),
        ("tflite", "a broken TFLite file"),
        ("audio", "an audio file"),
        ("cut", "no ONNX model"),
    ],
)
def test_what_is_no_bundle_is_named(
    kind: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BundleError, match=says):
        Bundle.open(_foreign(kind, tmp_path), device="cpu")
    assert not Path("pickle-was-run").exists()


def test_onnx_of_another_maker_is_refused(tmp_path: Path) -> None:
    path = fabricate_bundle.write(tmp_path / "foreign.onnx", metadata="")
    with pytest.raises(BundleError, match="vocemo did not write"):
        Bundle.open(path, device="cpu")


def test_a_later_format_asks_for_an_upgrade(tmp_path: Path) -> None:
    later = json.loads(fabricate_bundle.info().to_json()) | {"format": 7}
    path = fabricate_bundle.write(tmp_path / "later.onnx", metadata=json.dumps(later))
    with pytest.raises(BundleError, match=r"later\.onnx: the bundle has format 7.*upgrade"):
        Bundle.open(path, device="cpu")


def test_a_graph_without_an_output_is_refused(tmp_path: Path) -> None:
    path = fabricate_bundle.write(tmp_path / "less.onnx", drop="embedding")
    with pytest.raises(BundleError, match="lacks embedding"):
        Bundle.open(path, device="cpu")


def test_a_graph_of_one_batch_size_is_refused(tmp_path: Path) -> None:
    path = fabricate_bundle.write(tmp_path / "two.onnx", batch=2)
    with pytest.raises(BundleError, match="samples has the fixed shape"):
        Bundle.open(path, device="cpu")


def test_a_graph_that_fails_says_so(tiny: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def run(self, *_: object) -> None:
            raise RuntimeError("bad node\nand a long trace")

    monkeypatch.setattr(tiny._engine, "_session", Failing())
    with pytest.raises(BundleError, match=r"tiny\.onnx: its graph fails on samples \(1, 9\): bad node$"):
        tiny.run(np.zeros((1, 9), np.float32), np.array([9], np.int64))


def test_emotions_that_do_not_fit_the_graph_are_refused(tmp_path: Path) -> None:
    path = fabricate_bundle.write(
        tmp_path / "more.onnx", dataclasses.replace(fabricate_bundle.info(), emotions=("happy", "sad"))
    )
    with pytest.raises(BundleError, match=r"not \(batch, 2\)"):
        Bundle.open(path, device="cpu")


def test_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fabricate_bundle.write(tmp_path / "tiny.onnx")
    with pytest.raises(UnknownNameError, match="Valid: auto, cpu, cuda"):
        Bundle.open(path, device="gpu")
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert Bundle.open(path, device="auto").device == "cpu"
    with pytest.raises(UsageError, match="onnxruntime-gpu"):
        Bundle.open(path, device="cuda")


def test_the_shipped_model_masks_by_lengths() -> None:
    bundle = Bundle.open(device="cpu")
    rate = bundle.info.preparation.sample_rate
    samples = np.random.default_rng(1).normal(0, 0.05, (2, 2 * rate)).astype(np.float32)
    samples[1, rate:] = 0.0
    together = bundle.run(samples, np.array([2 * rate, rate], np.int64))["probabilities"]
    assert together.shape == (2, len(bundle.info.emotions))
    np.testing.assert_allclose(together.sum(axis=1), 1.0, atol=1e-5)
    assert bundle.info.licence and bundle.info.attribution and bundle.info.training.corpora
    assert "NC" in bundle.info.licence
