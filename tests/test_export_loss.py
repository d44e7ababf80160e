"""The script that weighs and times exported files."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from vocemo.bundle import Bundle, BundleInfo
from vocemo.errors import UsageError
from vocemo.lab import network
from vocemo.lab import recipe as recipes
from vocemo.lab.evaluate import Predictions, Subject
from vocemo.lab.export.onnx_bundle import write_bundle

ROOT = Path(__file__).parent.parent


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("export_loss", ROOT / "scripts" / "export_loss.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_graph_of_one_length_is_timed_at_that_length(script, tmp_path: Path) -> None:
    small = ("model.widths=[4, 4, 4]", "preparation.length_s=1.0", "front_end.bands=16")
    chosen = recipes.load("mel-cnn2d", small)
    info = BundleInfo(name="one-length", emotions=chosen.emotions, preparation=chosen.preparation)
    write_bundle(network.build(chosen, seed=0), info, tmp_path / "model.onnx")
    bundle = Bundle.open(tmp_path / "model.onnx", device="cpu", threads=1)
    assert script._run_ms(bundle) > 0


def answers(*rows: tuple[str, list[float]]) -> Predictions:
    return Predictions(
        emotions=("happy", "sad"),
        subjects=tuple(Subject(path) for path, _ in rows),
        targets=np.zeros(len(rows), np.int64),
        probabilities=np.array([probabilities for _, probabilities in rows]),
        fold=np.zeros(len(rows), np.int64),
        seed=np.zeros(len(rows), np.int64),
    )


def test_answers_are_held_against_the_networks_own_clip_by_clip(script) -> None:
    own = answers(("a.wav", [0.9, 0.1]), ("b.wav", [0.6, 0.4]))
    differences, same = script.apart(own, answers(("b.wav", [0.45, 0.55]), ("a.wav", [0.8, 0.2])))
    np.testing.assert_allclose(differences, [0.1, 0.15])
    assert same == 0.5
    with pytest.raises(UsageError, match=r"b\.wav"):
        script.apart(own, answers(("a.wav", [0.8, 0.2])))


def test_folds_are_told_as_one(script) -> None:
    def of_fold(number: int, uar: float, same: float, clips: int) -> dict:
        figures = {"size_mb": 2.0, "run_ms": 5.0, "uar": uar, "accuracy": uar, "loss": 1.0}
        apart = {"largest_difference": 0.1 * number, "same_emotion": same, "clips": clips}
        return {
            **{"recipe": "a-cnn", "protocol": "emobox-6", "seed": 0, "fold": number, "leaky": False},
            **{"network": {"uar": 0.5, "accuracy": 0.6}, "files": {"onnx mixed": {**figures, **apart}}},
        }

    first, second = of_fold(1, 0.6, 1.0, 100), of_fold(2, 0.8, 0.9, 300)
    assert script.together([first]) == first
    found = script.together([first, second])
    assert found["fold"] == [1, 2] and found["network"] == {"uar": 0.5, "accuracy": 0.6}
    assert found["files"]["onnx mixed"] == {
        **{
            "size_mb": 2.0,
            "run_ms": 5.0,
            "uar": pytest.approx(0.7),
            "accuracy": pytest.approx(0.7),
            "loss": 1.0,
        },
        **{"largest_difference": 0.2, "same_emotion": pytest.approx(0.925), "clips": 400},
    }
    with pytest.raises(UsageError, match="folds of one cross-validation"):
        script.together([first, {**second, "seed": 1}])
