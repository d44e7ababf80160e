from __future__ import annotations

import dataclasses
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import fabricate_bundle
import fabricate_tflite
from vocemo import audio
from vocemo.bundle import Bundle
from vocemo.cli.main import main
from vocemo.errors import BundleError, MissingExtraError, UsageError
from vocemo.prepare import Preparation
from vocemo.runtime.explain_occlusion import Occlusion
from vocemo.runtime.predictor import load

RATE_HZ = fabricate_bundle.RATE_HZ
LONGEST = 4 * RATE_HZ  # of the tiny bundle's description


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fabricate_tflite.write(tmp_path_factory.mktemp("tflite") / "tiny.tflite")


@pytest.fixture(scope="module")
def tiny(path: Path) -> Bundle:
    return Bundle.open(path)


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, samples).astype(np.float32)


def batch(clips: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    rows = np.zeros((len(clips), max(map(len, clips))), np.float32)
    for row, clip in zip(rows, clips, strict=True):
        row[: len(clip)] = clip
    return rows, np.array([len(clip) for clip in clips], np.int64)


def test_it_says_the_same_of_itself_as_its_twin(tiny: Bundle) -> None:
    assert tiny.info == fabricate_bundle.info()
    assert tiny.device == "cpu" and tiny.clip_samples == LONGEST


def test_the_content_decides_and_not_the_name(path: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "model.onnx"
    renamed.write_bytes(path.read_bytes())
    assert Bundle.open(renamed).clip_samples == LONGEST


def test_any_batch_is_answered_as_the_equation_says(tiny: Bundle) -> None:
    clips = [noise(n, n) for n in (1_600, 9_999, 40_000, LONGEST)]
    samples, lengths = batch(clips)
    samples[0, 1_600:] = 0.7  # what lies behind the length must not be heard
    outputs = tiny.run(samples, lengths)
    assert {name: value.shape for name, value in outputs.items()} == {
        "probabilities": (4, 4),
        "logits": (4, 4),
        "embedding": (4, 3),
    }
    for got, clip in zip(outputs["probabilities"], clips, strict=True):
        np.testing.assert_allclose(got, fabricate_bundle.expected(clip), atol=1e-5)


def test_both_engines_answer_alike(tiny: Bundle, tmp_path: Path) -> None:
    twin = Bundle.open(fabricate_bundle.write(tmp_path / "tiny.onnx"), device="cpu")
    given = batch([noise(n, n) for n in (2_000, 16_000, 50_000)])
    for name, values in twin.run(*given).items():
        np.testing.assert_allclose(tiny.run(*given)[name], values, atol=1e-5)
    assert tiny.run(np.zeros((0, 5), np.float32), np.zeros(0, np.int64))["probabilities"].shape == (0, 4)


def test_padding_past_its_length_is_cut_and_a_longer_clip_refused(tiny: Bundle) -> None:
    clip = noise(5_000)
    wide = np.zeros((1, LONGEST + 999), np.float32)
    wide[0, :5_000] = clip
    np.testing.assert_allclose(
        tiny.run(wide, np.array([5_000]))["probabilities"][0], fabricate_bundle.expected(clip), atol=1e-5
    )
    with pytest.raises(UsageError, match=r"64,999 samples; tiny.tflite takes 64,000 at most"):
        tiny.run(wide, np.array([LONGEST + 999]))
    with pytest.raises(UsageError, match=r"\(2, 5\)"):
        tiny.run(np.zeros((2, 5), np.float32), np.array([5]))


def test_threads_do_not_mix_their_clips(tiny: Bundle) -> None:
    clips = [noise(n, n) for n in range(2_000, 34_000, 1_000)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda clip: tiny.run(clip[None], np.array([len(clip)])), clips))
    for answer, clip in zip(answers, clips, strict=True):
        np.testing.assert_allclose(answer["probabilities"][0], fabricate_bundle.expected(clip), atol=1e-5)


def test_a_long_recording_is_answered_in_windows_of_that_length(tiny: Bundle, path: Path) -> None:
    predictor = load(path)
    samples = noise(10 * RATE_HZ)
    prediction = predictor.predict(samples, RATE_HZ)
    starts = [0, LONGEST, 10 * RATE_HZ - LONGEST]
    expected = [fabricate_bundle.expected(samples[start : start + LONGEST]) for start in starts]
    assert [segment.start_s for segment in prediction.segments] == [start / RATE_HZ for start in starts]
    np.testing.assert_allclose(list(prediction.probabilities.values()), np.mean(expected, axis=0), atol=1e-5)
    short = predictor.predict(samples[:20_000], RATE_HZ)
    assert not short.segments
    np.testing.assert_allclose(
        list(short.probabilities.values()), fabricate_bundle.expected(samples[:20_000]), atol=1e-5
    )


def test_a_recipe_of_fixed_length_is_filled_up(tmp_path: Path) -> None:
    about = fabricate_bundle.info(
        preparation=Preparation(sample_rate=RATE_HZ, remove_dc=False, length_s=1.5, max_length_s=4.0)
    )
    predictor = load(fabricate_tflite.write(tmp_path / "fixed.tflite", about))
    assert predictor.bundle.clip_samples == 24_000
    clip = noise(10_000)
    np.testing.assert_allclose(
        list(predictor.predict(clip, RATE_HZ).probabilities.values()),
        fabricate_bundle.expected(clip),
        atol=1e-5,
    )


def test_predict_and_info_take_it(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = tmp_path / "clip.wav"
    audio.write(clip, noise(16_000), RATE_HZ)
    assert main(["predict", str(clip), "--model", str(path), "--format", "json"]) == 0
    assert '"model": "tiny"' in capsys.readouterr().out
    assert main(["info", str(path)]) == 0
    said = capsys.readouterr().out
    assert "Takes: one clip of 4 s at a time (64,000 samples at 16,000 Hz); weights stored as float32" in said


@pytest.mark.parametrize("seconds", [1.0, 10.0])
def test_its_answers_are_explained_as_its_twin_s(path: Path, tmp_path: Path, seconds: float) -> None:
    # In one piece and window by window; both graphs are one equation, so that their effects are too.
    samples, how = noise(round(seconds * RATE_HZ)), Occlusion(bands=3, columns=3, parts=1)
    found = load(path).explain(samples, RATE_HZ, occlusion=how)
    twin = load(fabricate_bundle.write(tmp_path / "tiny.onnx"), device="cpu")
    expected = twin.explain(samples, RATE_HZ, occlusion=how)
    assert (found.emotion, len(found.windows)) == (expected.emotion, len(expected.windows))
    for kind in ("moments", "bands", "windows"):
        got, wanted = ([each.effect for each in getattr(of, kind)] for of in (found, expected))
        np.testing.assert_allclose(got, wanted, atol=1e-3)
    np.testing.assert_allclose(
        [column.effects for column in found.map], [column.effects for column in expected.map], atol=1e-3
    )


def test_explain_draws_what_moved_it(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip, picture = tmp_path / "clip.wav", tmp_path / "why.png"
    audio.write(clip, noise(16_000), RATE_HZ)
    assert main(["predict", str(clip), "--model", str(path), "--explain", str(picture)]) == 0
    assert "Spoke for" in capsys.readouterr().out
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_interpreter_s_own_words_reach_nobody(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program = f"""
import sys
from vocemo.bundle import Bundle
print("before", file=sys.stderr)
Bundle.open({str(path)!r})
print("after", file=sys.stderr)
"""
    # A process of its own: it announces itself once in each.
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0
    assert capfd.readouterr() == ("", "before\nafter\n")


def test_without_litert_the_extra_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(MissingExtraError, match=r"tiny.tflite.*vocemo\[tflite\]"):
        Bundle.open(path)


def test_what_is_no_bundle_of_ours_is_named(path: Path, tmp_path: Path) -> None:
    def refused(says: str, **changes: object) -> None:
        with pytest.raises(BundleError, match=says):
            Bundle.open(fabricate_tflite.write(tmp_path / "wrong.tflite", **changes))

    refused("vocemo did not write", metadata="")
    refused("no JSON", metadata="{")
    refused("format 99", metadata='{"format": 99}')
    refused("lacks embedding", drop="embedding")
    refused(r"takes samples \(1, 5000\) float32.*needs samples \(1, 64000\) float32", samples=5_000)
    five = dataclasses.replace(fabricate_bundle.info(), emotions=("a", "b", "c", "d", "e"))
    refused(r"probabilities has shape \(1, 4\), not \(1, 5\)", about=five)
    cut = tmp_path / "cut.tflite"
    cut.write_bytes(path.read_bytes()[:200_000])
    with pytest.raises(BundleError, match=r"cut\.tflite"):
        Bundle.open(cut)
    with pytest.raises(UsageError, match=r"device cuda: tiny.tflite is a .tflite file"):
        Bundle.open(path, device="cuda")
    with pytest.raises(UsageError, match="auto, cpu, cuda"):
        Bundle.open(path, device="gpu")
