"""What is drawn to adapt with, what is tested then, and what is said of it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fabricate_run
from vocemo import audio
from vocemo.errors import LeakError, UsageError
from vocemo.lab import adaptation, adaptation_curve, experiment, initial
from vocemo.lab import recipe as recipes
from vocemo.lab.adaptation_curve import Draw, Measurement
from vocemo.lab.corpora import Clip, Manifest, read
from vocemo.lab.report.adaptation_figure import adaptation_figure
from vocemo.lab.report.published import adaptation as published


def clips(emotions: str, speaker: str = "a") -> list[Clip]:
    return [
        Clip(Path(f"{speaker}{n}.wav"), "table", emotion, f"table/{speaker}", sentence=str(n))
        for n, emotion in enumerate(emotions)
    ]


@given(
    st.text("xyz", min_size=1, max_size=40), st.integers(0, 45), st.integers(0, 2), st.integers(0, 2**32 - 1)
)
def test_a_draw_is_even_over_emotions_as_far_as_they_go(
    emotions: str, count: int, leave: int, seed: int
) -> None:
    given_clips = clips(emotions)
    places = adaptation_curve.stratified(given_clips, count, np.random.default_rng(seed), leave=leave)
    assert len(set(places)) == len(places)
    room = {emotion: max(0, held - leave) for emotion, held in Counter(emotions).items()}
    assert len(places) == min(count, sum(room.values()))
    drawn = Counter(emotions[place] for place in places)
    fullest = max(drawn.values(), default=0)
    for emotion, held in room.items():
        assert drawn[emotion] <= held
        assert drawn[emotion] >= min(held, fullest - 1)


def test_nothing_that_was_drawn_is_tested_under_any_name(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    made = []
    for speaker in "ab":
        for n in range(30):
            path = tmp_path / f"{speaker}{n}.wav"
            if (speaker, n) == ("a", 29):  # a copy of the first, under another name
                path.write_bytes((tmp_path / "a0.wav").read_bytes())
            else:
                audio.write(path, rng.normal(0, 0.1, 4000).astype(np.float32), 16_000)
            # Takes 2 n and 2 n + 1 are of one sentence.
            emotion = ("sad", "happy")[n // 2 % 2]
            made.append(Clip(path, "table", emotion, f"table/{speaker}", sentence=str(n // 2)))
    manifest = Manifest(tuple(made))
    found = list(adaptation_curve.draws(manifest, ["table/a"], [4, 10, 28], 2, 0))
    assert {(each.clips, each.whose) for each in found} == {
        (4, "own"),
        (10, "own"),
        (4, "others"),
        (10, "others"),
        (28, "others"),  # of 28 own clips, too few would be left
    }
    for each in found:
        assert len(each.adapting) == each.clips and len(each.tested) >= adaptation_curve.LEAST_TESTED
        assert {clip.speaker for clip in each.tested} == {"table/a"}
        assert all((clip.speaker == "table/a") == (each.whose == "own") for clip in each.adapting)
        assert not {clip.path.read_bytes() for clip in each.adapting} & {
            clip.path.read_bytes() for clip in each.tested
        }
        if each.whose == "own":
            said = {(clip.emotion, clip.sentence) for clip in each.adapting}
            assert not said & {(clip.emotion, clip.sentence) for clip in each.tested}
    again = list(adaptation_curve.draws(manifest, ["table/a"], [4, 10, 28], 2, 0))
    assert again == found
    assert list(adaptation_curve.draws(manifest, ["table/a"], [4, 10, 28], 2, 1)) != found


def test_a_row_is_a_mean_over_speakers_with_students_interval() -> None:
    from scipy import stats

    gains = {"table/a": [0.1, 0.3], "table/b": [0.0, 0.1], "table/c": [0.2, 0.2]}
    measured = [
        Measurement(Draw(voice, 5, "own", number, (), tuple(clips("xy"))), 0.4, 0.4 + gain, 1.0, 0.9)
        for voice, of_voice in gains.items()
        for number, gain in enumerate(of_voice)
    ]
    (row,) = adaptation_curve.summary(measured)
    means = [float(np.mean(each)) for each in gains.values()]
    low, high = stats.t.interval(0.95, 2, loc=np.mean(means), scale=stats.sem(means))
    assert row["gain"]["mean"] == pytest.approx(np.mean(means))
    assert row["gain"]["ci95"] == pytest.approx([max(low, -1), min(high, 1)])
    assert row["uar_before"] == {"mean": pytest.approx(0.4), "ci95": None}
    assert row["speakers"] == 3 and row["tested_clips"] == 2


def test_a_known_voice_is_adapted_to_and_heard_ones_are_refused(
    learnt: tuple[str, Path], tmp_path: Path
) -> None:
    spec, run = learnt
    model = ("model.widths=[8,16,16]", "model.hidden=32", "adaptation.epochs=3")
    chosen = adaptation.applied(recipes.load("dual-channel-cnn", model), model)
    begun, chosen = initial.take(str(run), chosen, model)
    manifest, emotions = adaptation_curve.shared(read(spec), begun.info.emotions)
    own = fabricate_run.fold(spec).test_speakers
    heard = [speaker for speaker in manifest.speakers if speaker not in own]
    adaptation_curve.audit(manifest, own, begun)
    with pytest.raises(LeakError, match="initial weights' training"):
        adaptation_curve.audit(manifest, heard[:1], begun)
    chosen = adaptation_curve.for_emotions(chosen, emotions)
    waveforms = experiment.waveforms_for(chosen)
    (draw, *_) = adaptation_curve.draws(manifest, own, [8], 1, 0)
    found = adaptation_curve.measure(draw, begun, chosen, waveforms, seed=0, device=fabricate_run.CPU)
    assert 0 <= found.uar <= 1 and found.loss != found.loss_before
    still = recipes.load("dual-channel-cnn", model)
    assert still.adaptation.epochs == 3


def test_what_is_not_shared_is_refused() -> None:
    with pytest.raises(UsageError, match="share sad"):
        adaptation_curve.shared(Manifest(tuple(clips(["sad", "x"]))), ["sad", "happy"])


def test_the_published_table_says_what_was_left_out(tmp_path: Path) -> None:
    row = {
        "clips": 5,
        "whose": "own",
        "speakers": 2,
        "tested_clips": 40.2,
        "uar_before": {"mean": 0.4, "ci95": None},
        "uar": {"mean": 0.5, "ci95": None},
        "gain": {"mean": 0.1, "ci95": [0.02, 0.18]},
    }
    found = {
        "recipe": "a-cnn",
        "initial": {"name": "default.onnx", "corpora": ["ravdess"]},
        "draws": 3,
        "tried": 4,
        "chosen_on": ["emodb/03"],
        "corpora": [{"corpus": "emodb", "emotions": ["sad", "happy"], "speakers": ["b", "c"], "rows": [row]}],
        "command": "python x.py",
        "commit": "abc",
        "date": "2026-01-01",
    }
    (tmp_path / "a.json").write_text(json.dumps(found))
    lines = published(tmp_path / "a.json")
    assert "| emodb | 5 | the speaker | 2 | 40 | 40.0 | 50.0 | +10.0* [2.0, 18.0] |" in lines
    assert any("chosen among 4 settings on emodb/03" in line for line in lines)
    (axes,) = adaptation_figure(found).axes
    assert axes.get_title(loc="left") == "emodb, 2 speakers"
    assert [text.get_text() for text in axes.texts] == ["+10.0"]
    drawn = [line.get_xydata().tolist() for line in axes.get_lines()]
    assert [[-0.09, 2.0], [-0.09, 18.0]] in [np.round(each, 6).tolist() for each in drawn]
