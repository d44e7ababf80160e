from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import fabricate_bundle
import fabricate_listener
from vocemo import audio
from vocemo.bundle import packaged
from vocemo.errors import AudioError, UnknownNameError
from vocemo.prepare import Preparation, prepare
from vocemo.runtime.explain import log_odds, probability
from vocemo.runtime.explain_occlusion import Occluder, Occlusion
from vocemo.runtime.explanation import Band, Explanation, MapColumn, Moment, Part
from vocemo.runtime.predictor import Predictor, load

ROOT = Path(__file__).resolve().parents[2]
RATE_HZ = fabricate_listener.RATE_HZ
IN_TIME = Occlusion(bands=2, columns=0)


def noisy(seconds: float = 3.0, level: float = 0.1, seed: int = 0) -> np.ndarray:
    """White noise with a short soft pause every half second."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    loud = np.where(time_s % 0.5 < 0.42, 1.0, 0.001)
    return (level * loud * rng.standard_normal(len(time_s))).astype(np.float32)


def overlaps(moment: Moment | MapColumn, start_s: float, end_s: float, slack_s: float = 0.0) -> bool:
    return moment.start_s < end_s + slack_s and start_s - slack_s < moment.end_s


def test_a_model_that_hears_one_moment_is_explained_by_that_moment(tmp_path: Path) -> None:
    model = load(fabricate_listener.write(tmp_path / "m.onnx", moment_s=(1.1, 1.3)), device="cpu")
    found = model.explain(noisy(), RATE_HZ, emotion="angry", occlusion=Occlusion(bands=2))
    largest = max(moment.effect for moment in found.moments)
    assert largest > 1.0
    (strongest, *_) = found.strongest()
    assert strongest.start_s <= 1.1 and strongest.end_s >= 1.3
    for moment in found.moments:
        if not overlaps(moment, 1.1, 1.3, slack_s=0.02):  # the fades and the filter's taps
            assert abs(moment.effect) < 0.01 * largest
    assert all(np.abs(column.effects).max() < 0.02 for column in found.map if column.end_s < 1.0)


def test_a_model_that_hears_one_band_is_explained_by_that_band(tmp_path: Path) -> None:
    edges = Occluder(noisy(), RATE_HZ, Occlusion()).edges_hz
    path = fabricate_listener.write(tmp_path / "b.onnx", band_hz=(edges[8] + 90, edges[9] - 90))
    how = Occlusion(hop_s=0.3, columns=8)
    found = load(path, device="cpu").explain(noisy(), RATE_HZ, emotion="angry", occlusion=how)
    effects = [band.effect for band in found.bands]
    assert int(np.argmax(effects)) == 8 and effects[8] > 1.0
    assert np.abs(np.delete(effects, [7, 8, 9])).max() < 0.01 * effects[8]
    (strongest,) = found.strongest_bands(1)
    assert (strongest.low_hz, strongest.high_hz) == pytest.approx((edges[8], edges[9]))
    in_map = np.abs([column.effects for column in found.map])
    assert set(in_map.argmax(1)) == {8}


def test_a_moment_of_a_band_is_found_in_the_map(tmp_path: Path) -> None:
    edges = Occluder(noisy(), RATE_HZ, Occlusion()).edges_hz
    path = fabricate_listener.write(tmp_path / "c.onnx", moment_s=(2.0, 2.3), band_hz=(edges[8], edges[9]))
    how = Occlusion(hop_s=0.3, columns=12)
    found = load(path, device="cpu").explain(noisy(), RATE_HZ, emotion="angry", occlusion=how)
    effects = np.array([column.effects for column in found.map])
    column, band = np.unravel_index(effects.argmax(), effects.shape)
    assert band == 8 and overlaps(found.map[int(column)], 2.0, 2.3)


def test_the_other_emotion_of_two_is_moved_the_other_way(tmp_path: Path) -> None:
    model = load(fabricate_listener.write(tmp_path / "m.onnx", moment_s=(1.1, 1.3)), device="cpu")
    one, other = (
        model.explain(noisy(2.0), RATE_HZ, emotion=name, occlusion=IN_TIME) for name in ("angry", "calm")
    )
    np.testing.assert_allclose([m.effect for m in one.moments], [-m.effect for m in other.moments], atol=1e-5)
    assert one.strongest()[0].start_s == other.strongest(against=True)[0].start_s
    assert one.answer == other.answer


def test_an_effect_is_the_fall_of_the_log_odds_worked_out_by_hand(tiny: Predictor) -> None:
    clip = noisy(2.0)
    how = Occlusion(seed=2, columns=0)
    found = tiny.explain(clip, RATE_HZ, occlusion=how)
    target = tiny.emotions.index(found.emotion)
    occluder = Occluder(clip, RATE_HZ, how)

    def odds(samples: np.ndarray) -> float:
        p = fabricate_bundle.expected(samples)[target]
        return float(np.log(p / (1.0 - p)))

    for moment in found.moments[::4]:
        start, stop = round(moment.start_s * RATE_HZ), round(moment.end_s * RATE_HZ)
        gone = occluder.without(occluder.fade(start, stop))
        assert moment.effect == pytest.approx(odds(clip) - odds(gone), abs=1e-3)
        assert moment.without == pytest.approx(fabricate_bundle.expected(gone)[target], abs=1e-4)
    for number, band in enumerate(found.bands):
        assert band.effect == pytest.approx(odds(clip) - odds(occluder.without(band=number)), abs=1e-3)
    assert found.probability == pytest.approx(fabricate_bundle.expected(clip)[target], abs=1e-5)
    assert found.parts[0].probability == pytest.approx(found.probability, abs=1e-5)


def test_clips_in_batches_are_answered_as_each_alone(tiny: Predictor) -> None:
    clips = [noisy(1.0, seed=seed) for seed in range(20)]
    together = log_odds(tiny.bundle, clips, len(clips[0]), 1)
    alone = [log_odds(tiny.bundle, [clip], len(clip), 1)[0] for clip in clips]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert probability(float(together[0])) == pytest.approx(
        tiny.predict(clips[0], RATE_HZ).probabilities[tiny.emotions[1]], abs=1e-6
    )


def test_times_are_the_recording_s_where_its_ends_are_cut_off(tmp_path: Path) -> None:
    preparation = Preparation(
        sample_rate=RATE_HZ, trim_below_peak_db=30.0, level="rms", offset_s=0.25, max_length_s=8.0
    )
    path = fabricate_listener.write(tmp_path / "t.onnx", moment_s=(0.5, 0.7), preparation=preparation)
    rng = np.random.default_rng(9)
    hush = (1e-4 * rng.standard_normal(RATE_HZ)).astype(np.float32)
    recording = np.concatenate([hush, noisy(2.0), hush])
    found = load(path, device="cpu").explain(recording, RATE_HZ, emotion="angry", occlusion=IN_TIME)
    (part,) = found.parts
    assert part.start_s == pytest.approx(1.0, abs=0.03) and part.end_s == pytest.approx(2.93, abs=0.08)
    (strongest, *_) = found.strongest()
    assert overlaps(strongest, part.start_s + 0.5, part.start_s + 0.7)
    assert found.moments[0].start_s == pytest.approx(part.start_s)
    assert found.moments[-1].end_s == pytest.approx(part.end_s)


def test_preparation_says_where_its_samples_stood() -> None:
    rng = np.random.default_rng(1)
    recording = np.concatenate([np.zeros(8_000), 0.1 * rng.standard_normal(16_000)]).astype(np.float32)
    for options in (
        {},
        {"offset_s": 0.2},
        {"trim_below_peak_db": 30.0},
        {"length_s": 0.5},
        {"length_s": 0.5, "crop": "start", "offset_s": 0.1, "trim_below_peak_db": 40.0},
        {"length_s": 9.0},
    ):
        found = prepare(recording, RATE_HZ, Preparation(sample_rate=RATE_HZ, remove_dc=False, **options))
        first = round(found.start_s * RATE_HZ)
        np.testing.assert_array_equal(
            found.samples[: found.length], recording[first : first + found.length], err_msg=str(options)
        )


def test_a_model_of_one_length_is_explained_without_its_padding(tmp_path: Path) -> None:
    preparation = Preparation(sample_rate=RATE_HZ, remove_dc=False, length_s=4.0, max_length_s=4.0)
    path = fabricate_listener.write(
        tmp_path / "f.onnx", moment_s=(0.4, 0.6), preparation=preparation, attention=True
    )
    found = load(path, device="cpu").explain(noisy(2.0), RATE_HZ, emotion="angry", occlusion=IN_TIME)
    assert found.moments[-1].end_s == pytest.approx(2.0)
    assert overlaps(found.strongest()[0], 0.4, 0.6)
    # Frames 0 to 4 of 10 lie within the clip; the graph gives each its own number.
    np.testing.assert_allclose(found.parts[0].attention, np.arange(5) / 10)


def test_a_long_recording_is_explained_where_it_speaks_most_for_the_emotion(tmp_path: Path) -> None:
    windows = Preparation(sample_rate=RATE_HZ, remove_dc=False, max_length_s=2.0)
    path = fabricate_listener.write(tmp_path / "w.onnx", preparation=windows)  # the louder, the angrier
    model = load(path, device="cpu")
    parts = [noisy(2.0, level, seed) for seed, level in enumerate((0.02, 0.3, 0.05, 0.2, 0.1))]
    recording = np.concatenate([*parts, noisy(1.0, 0.02)])
    how = Occlusion(parts=2, columns=4, bands=3)
    found = model.explain(recording, RATE_HZ, emotion="angry", occlusion=how)
    assert [(part.start_s, part.end_s) for part in found.parts] == [(2.0, 4.0), (6.0, 8.0)]
    assert {m.start_s // 2 for m in found.moments} == {1.0, 3.0}
    assert len(found.windows) == 6 and found.windows[-1].end_s == pytest.approx(11.0)
    answered = model.predict(recording, RATE_HZ)
    values = np.array([segment.probabilities["angry"] for segment in answered.segments])
    mean = values.mean()
    for number, window in enumerate(found.windows):
        rest = np.delete(values, number).mean()
        expected = np.log(mean / (1 - mean)) - np.log(rest / (1 - rest))
        assert window.effect == pytest.approx(expected, abs=1e-4)
        assert window.without == pytest.approx(rest, abs=1e-5)
    alone = model.explain(parts[1], RATE_HZ, emotion="angry", occlusion=how)
    np.testing.assert_allclose(
        [m.effect for m in found.moments[: len(alone.moments)]],
        [m.effect for m in alone.moments],
        atol=1e-4,
    )


def test_a_long_recording_asks_no_more_than_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = Preparation(sample_rate=RATE_HZ, remove_dc=False, max_length_s=2.0)
    path = fabricate_listener.write(tmp_path / "w.onnx", preparation=windows)
    model = load(path, device="cpu")
    recording = np.tile(noisy(2.0), 60)
    answered = model.predict(recording, RATE_HZ)
    asked = 0
    run = model.bundle.run

    def counted(samples: np.ndarray, lengths: np.ndarray) -> dict[str, np.ndarray]:
        nonlocal asked
        asked += len(samples)
        return run(samples, lengths)

    monkeypatch.setattr(model.bundle, "run", counted)
    from vocemo.runtime.explain import explain

    how = Occlusion(parts=1, columns=0)
    found = explain(model, recording, RATE_HZ, occlusion=how, prediction=answered)
    assert asked == 1 + len(found.moments) + how.bands + 1  # the clip itself, and once more for attention
    assert found.map == () and found.moments[-1].end_s - found.moments[0].start_s == pytest.approx(2.0)


def test_files_bytes_and_open_files_are_explained_alike(tiny: Predictor, tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    audio.write(path, noisy(1.0), RATE_HZ)
    how = Occlusion(columns=0)
    by_path = tiny.explain(path, occlusion=how)
    by_bytes = tiny.explain(path.read_bytes(), occlusion=how)
    with path.open("rb") as file:
        by_file = tiny.explain(file, occlusion=how)
    assert by_path.moments == by_bytes.moments == by_file.moments
    assert (by_path.path, by_bytes.path) == (str(path), None)
    assert by_path == tiny.explain(str(path), occlusion=how)  # the noise is the same each time


@pytest.mark.parametrize("count", [1_600, 1_700, 4_000])
def test_the_shortest_recordings_are_explained(tiny: Predictor, count: int) -> None:
    found = tiny.explain(noisy()[:count], RATE_HZ)
    assert len(found.moments) >= 4 and found.moments[-1].end_s == pytest.approx(count / RATE_HZ)


def test_what_cannot_be_explained_is_said(tiny: Predictor) -> None:
    with pytest.raises(UnknownNameError, match="neutral, happy, sad, angry"):
        tiny.explain(noisy(1.0), RATE_HZ, emotion="hapy")
    with pytest.raises(AudioError, match="silent"):
        tiny.explain(np.zeros(RATE_HZ, np.float32), RATE_HZ)


def test_as_json_and_in_a_sentence() -> None:
    found = Explanation(
        path="a.wav",
        duration_s=2.0,
        emotion="angry",
        answer="angry",
        probability=0.9,
        parts=(Part(0.1, 1.9, 0.9, attention=(0.25, 0.75)),),
        moments=(Moment(0.1, 0.4, 2.0, 0.5), Moment(0.3, 0.6, 1.9, 0.6), Moment(1.0, 1.3, -1.0, 0.95)),
        bands=(Band(0.0, 800.0, 0.01, 0.9), Band(800.0, 8000.0, 3.0, 0.3)),
        map=(MapColumn(0.1, 0.7, (0.0, 1.0)),),
    )
    told = json.loads(json.dumps(found.to_dict()))
    assert told["moments"][0] == {"start_s": 0.1, "end_s": 0.4, "effect": 2.0, "without": 0.5}
    assert told["bands"][1] == {"low_hz": 800.0, "high_hz": 8000.0, "effect": 3.0, "without": 0.3}
    assert told["map"] == [{"start_s": 0.1, "end_s": 0.7, "effects": [0.0, 1.0]}]
    assert told["parts"][0]["attention"] == [0.25, 0.75]
    assert found.summary() == [
        "Spoke for angry: 0.10-0.40 s, 800-8000 Hz",
        "Spoke against angry: 1.00-1.30 s",
    ]
    assert np.isnan(found.over_time([0.8])).all()
    assert found.over_time([0.35, 1.1]) == pytest.approx([1.95, -1.0])


@pytest.fixture(scope="module")
def script() -> ModuleType:
    where = ROOT / "scripts" / "explain_faithfulness.py"
    spec = importlib.util.spec_from_file_location("explain_faithfulness", where)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("name", "alike"), [("dual-channel-cnn", 0.2), ("base", 0.3)])
def test_shuffled_weights_have_another_explanation(
    script: ModuleType, tmp_path: Path, name: str, alike: float
) -> None:
    """Adebayo et al. 2018: an explanation of the recording alone would stay as it is.

    What is loud moves networks of any weights a little alike: 0.1 for `base`.
    """
    model, shuffled = load(name, device="cpu"), []
    for seed in range(3):
        script.shuffle_weights(packaged.place(name), tmp_path / f"{seed}.onnx", seed)
        shuffled.append(load(tmp_path / f"{seed}.onnx", device="cpu"))
    how, noise = Occlusion(bands=6, columns=8), Occlusion(bands=6, columns=8, seed=1)
    like_itself, like_others = [], []
    for emotion in ("angry", "fearful", "surprised"):
        path = ROOT / "samples" / f"synthetic-{emotion}.flac"
        own = model.explain(path, occlusion=how)
        again = model.explain(path, occlusion=noise)
        others = [other.explain(path, emotion=own.emotion, occlusion=how) for other in shuffled]
        for what in ("moments", "map"):
            effects = script.effects_of(own, what)
            like_itself.append(script.rank_correlation(effects, script.effects_of(again, what)))
            like_others += [
                script.rank_correlation(effects, script.effects_of(other, what)) for other in others
            ]
    assert np.mean(like_itself) > 0.8
    assert abs(np.mean(like_others)) < alike


@pytest.mark.slow
def test_taking_the_named_moments_away_moves_a_real_answer_most(
    script: ModuleType, corpora_dir: Path
) -> None:
    found = script.measure([f"emodb:{corpora_dir / 'emodb'}"], clips=6, shuffles=0)["figures"]
    assert found["deleted as background: gain of background"]["mean"] > 0.05
    assert found["bands deleted as background: gain"]["mean"] > 0.1
