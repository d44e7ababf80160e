"""Figures of answers against scikit-learn and SciPy, and what is kept from one start to the next."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score

from vocemo.errors import UsageError
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.evaluate import Predictions
from vocemo.lab.evaluate.pairing import paired_test
from vocemo.lab.stress import ConditionResult, Robustness, table
from vocemo.lab.stress.measuring import Answers, figures
from vocemo.lab.stress.parts import evenly, run_folders

EMOTIONS = ("happy", "sad", "angry")
CLEAN, WHITE = table()[0], table()[1]


def answers(right: np.ndarray, condition=CLEAN, seed: int = 0, speakers: int = 5) -> Answers:
    """Every speaker says every emotion equally often; `right` (clips,) says which are answered well."""
    clips = [
        Clip(Path(f"{speaker}-{n}.wav"), "folder", EMOTIONS[n % 3], f"folder/{speaker}")
        for speaker in range(speakers)
        for n in range(len(right) // speakers)
    ]
    rows = np.full((len(clips), 3), 0.1)
    for row, (clip, well) in enumerate(zip(clips, right, strict=True)):
        target = EMOTIONS.index(clip.emotion)
        rows[row, target if well else (target + 1) % 3] = 0.8
    return Answers(condition, Predictions.of(clips, rows, EMOTIONS, fold=0, seed=seed), 0)


def test_uar_accuracy_and_fall_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    clean, worse = answers(rng.random(60) < 0.8), answers(rng.random(60) < 0.5, WHITE)
    found = figures(worse, clean)
    before, after = (
        balanced_accuracy_score(each.predictions.targets, each.predictions.predicted)
        for each in (clean, worse)
    )
    assert found.uar == pytest.approx(after)
    assert found.fall == pytest.approx(before - after)
    assert found.accuracy == pytest.approx(np.mean(worse.predictions.targets == worse.predictions.predicted))
    assert (found.name, found.family, found.level, found.unit) == ("white-20", "white", 20, "dB SNR")
    assert found.clips == 60


def test_the_interval_of_a_fall_is_the_t_interval_of_speakers_differences() -> None:
    # Where every speaker says the same, a difference of UARs is a mean of the speakers' own.
    rng = np.random.default_rng(1)
    right = [rng.random(75) < share for share in (0.8, 0.6)]
    found = figures(answers(right[1], WHITE), answers(right[0]))
    each = (right[0].astype(float) - right[1]).reshape(5, 15).mean(1)
    low, high = stats.t.interval(0.95, 4, loc=each.mean(), scale=stats.sem(each))
    assert found.fall == pytest.approx(each.mean())
    assert found.fall_ci95 == pytest.approx((low, high))
    # Paired: narrower than two intervals of their own would make it.
    assert (
        high - low
        < sum(stats.t.interval(0.95, 4, scale=stats.sem(r.reshape(5, 15).mean(1)))[1] for r in right) * 2
    )
    assert found.falls == (low > 0)
    # Where all speakers fall alike nothing says how far others would differ from them.
    assert figures(answers(right[0]), answers(right[0])).fall_ci95 is None


def test_the_fall_is_tested_as_two_models_are_compared() -> None:
    rng = np.random.default_rng(4)
    seeds = [[answers(rng.random(45) < share, seed=seed) for seed in (0, 1)] for share in (0.9, 0.4)]
    clean, worse = (
        Answers(condition, Predictions.concatenate([each.predictions for each in found]), 0)
        for condition, found in zip((CLEAN, WHITE), seeds, strict=True)
    )
    found, tested = figures(worse, clean), paired_test(worse.predictions, clean.predictions, "uar")
    assert tested is not None
    assert found.fall == pytest.approx(tested.difference) and found.fall_ci95 == tested.ci95


def unnamed(found: Answers) -> Answers:
    """The same answers, but of the first dozen nobody says who speaks."""
    subjects = [
        dataclasses.replace(subject, speaker="folder/unknown") if place < 12 else subject
        for place, subject in enumerate(found.predictions.subjects)
    ]
    return dataclasses.replace(
        found, predictions=dataclasses.replace(found.predictions, subjects=tuple(subjects))
    )


def test_speakers_whom_nobody_names_are_not_taken_for_one() -> None:
    rng = np.random.default_rng(5)
    clean, worse = answers(rng.random(60) < 0.8), answers(rng.random(60) < 0.5, WHITE)
    assert figures(worse, clean).ci95 is not None and figures(worse, clean).fall_ci95 is not None
    found = figures(unnamed(worse), unnamed(clean))
    assert (found.ci95, found.fall_ci95) == (None, None)


def test_what_was_not_answered_counts_on_neither_side() -> None:
    right = np.tile([True, True, False], 20)
    clean = answers(right)
    silent = np.arange(60) % 4 == 0
    worse = Answers(WHITE, answers(right, WHITE).predictions.where(~silent), int(silent.sum()))
    found = figures(worse, clean)
    assert found.clips == 45 and found.fall == 0.0
    assert found.uar == pytest.approx(
        balanced_accuracy_score(worse.predictions.targets, worse.predictions.predicted)
    )


def test_seeds_are_averaged() -> None:
    rng = np.random.default_rng(2)
    right = [rng.random(45) < share for share in (0.9, 0.4)]
    parts = [answers(each, seed=seed).predictions for seed, each in enumerate(right)]
    both = Answers(CLEAN, Predictions.concatenate(parts), 0)
    each = [figures(answers(one), answers(one)) for one in right]
    found = figures(both, both)
    assert found.uar == pytest.approx(np.mean([one.uar for one in each]))
    assert found.accuracy == pytest.approx(np.mean([one.accuracy for one in each]))
    assert found.clips == 45


def test_clips_are_drawn_evenly() -> None:
    clips = [
        Clip(Path(f"{speaker}-{emotion}-{take}.wav"), "folder", emotion, f"folder/{speaker}")
        for speaker in range(4)
        for emotion in EMOTIONS
        for take in range(5)
    ]
    for count in (1, 12, 24, 60):
        chosen = evenly(clips, count, np.random.default_rng(0))
        assert len(chosen) == count
        cells = Counter((clip.speaker, clip.emotion) for clip in chosen)
        counts = [cells[clip.speaker, clip.emotion] for clip in clips]
        assert max(counts) - min(counts) <= 1
    for count in (4, 7, 10):  # where not every speaker has every emotion
        chosen = evenly(clips, count, np.random.default_rng(0))
        for counts in (Counter(clip.speaker for clip in chosen), Counter(clip.emotion for clip in chosen)):
            assert max(counts.values()) - min(counts.values()) <= 1
        assert {clip.speaker for clip in chosen} == {clip.speaker for clip in clips}
    drawn = evenly(clips, 12, np.random.default_rng(0))
    assert drawn == tuple(clip for clip in clips if clip in drawn)
    shuffled = [clips[place] for place in np.random.default_rng(3).permutation(len(clips))]
    assert set(evenly(shuffled, 12, np.random.default_rng(0))) == set(drawn)
    assert set(evenly(clips, 12, np.random.default_rng(1))) != set(drawn)


def test_runs_are_found_and_stand_in_order(tmp_path: Path) -> None:
    for name in ("seed-0/fold-10", "seed-0/fold-9", "seed-1/fold-0"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "run.json").touch()
    names = [run.path.relative_to(tmp_path).as_posix() for run in run_folders(tmp_path)]
    assert names == ["seed-0/fold-9", "seed-0/fold-10", "seed-1/fold-0"]
    assert [run.path.name for run in run_folders(tmp_path / "seed-0")] == ["fold-9", "fold-10"]
    assert [run.path.name for run in run_folders(tmp_path / "seed-1" / "fold-0")] == ["fold-0"]
    with pytest.raises(UsageError, match="holds no run"):
        run_folders(tmp_path / "seed-2")


def robustness(**changes: object) -> Robustness:
    clean = ConditionResult("clean", "clean", None, "", 0.575, 0.59, (0.52, 0.62), 1440)
    white = ConditionResult(
        "white-20", "white", 20, "dB SNR", 0.3, 0.31, (0.28, 0.32), 1438, 0.275, (0.2, 0.35)
    )
    found = Robustness(
        model="a-cnn",
        corpora=("ravdess",),
        protocol="emobox-6",
        leaky=False,
        clips=1440,
        speakers=24,
        emotions=8,
        seeds=(0,),
        folds=6,
        seed=0,
        sample_rate=16_000,
        conditions=(clean, white),
        command="vocemo stress runs/a",
        commit="0123abc",
        date="2026-01-31",
        skipped={"mp3-32": "no LAME"},
    )
    return dataclasses.replace(found, **changes)


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = robustness()
    found.write(tmp_path / "robustness.json")
    assert Robustness.read(tmp_path / "robustness.json") == found
    data = found.to_dict()
    agreed = {"model", "corpora", "protocol", "leaky", "clips", "conditions", "command", "commit", "date"}
    assert agreed <= set(data)
    agreed = {"name", "family", "level", "unit", "uar", "accuracy", "ci95", "clips"}
    assert agreed <= set(data["conditions"][0])
    for broken in ({}, {**data, "conditions": []}, {**data, "conditions": data["conditions"][1:]}):
        with pytest.raises(UsageError, match="no robustness table"):
            Robustness.from_dict(broken)
    with pytest.raises(UsageError, match=r"nothing\.json"):
        Robustness.read(tmp_path / "nothing.json")
