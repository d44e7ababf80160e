"""Answers, trainings and a result to write a report of."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from vocemo.lab.evaluate import Predictions, Results, Subject
from vocemo.lab.history import EpochRecord
from vocemo.lab.measure import measured
from vocemo.lab.report.html import Material, Training
from vocemo.lab.stress import ConditionResult, Robustness

EMOTIONS = ("happy", "sad", "angry")
COMMAND = "vocemo crossval dual-channel-cnn --corpus ravdess:DATA/ravdess --protocol loso"


def answers(
    speakers: Sequence[str] = ("ravdess/01", "ravdess/02", "ravdess/03", "ravdess/04"),
    emotions: Sequence[str] = EMOTIONS,
    *,
    seeds: int = 2,
    folds: int = 2,
    clips: int = 3,
    folder: str = "data/ravdess",
    right: float = 1.5,
) -> Predictions:
    """Each speaker's clips of each emotion, answered by a model in each seed; `right` is its skill."""
    generator = np.random.default_rng(5)
    subjects, targets, fold, seed = [], [], [], []
    for number in range(seeds):
        for place, speaker in enumerate(speakers):
            for target in range(len(emotions)):
                for clip in range(clips):
                    name = f"{folder}/{speaker.rpartition('/')[2]}/{target}-{clip}.wav"
                    sex = ("female", "male")[place % 2]
                    subjects.append(
                        Subject(name, "ravdess", speaker, sex, "speech", None, f"{clip % 2:02}", 1.0)
                    )
                    targets.append(target)
                    fold.append(place % folds)
                    seed.append(number)
    logits = generator.normal(size=(len(targets), len(emotions)))
    logits[np.arange(len(targets)), targets] += right
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return Predictions(
        tuple(emotions), tuple(subjects), np.array(targets), probabilities, np.array(fold), np.array(seed)
    )


def result(predictions: Predictions, **changed: Any) -> Results:
    """What was measured of them, as a cross-validation tells it."""
    given = {"model": "dual-channel-cnn", "protocol": "loso", "leaky": False}
    given |= {name: changed.pop(name) for name in ("model", "protocol", "leaky") if name in changed}
    found = measured(predictions, **given)
    told = {"command": COMMAND, "commit": "0123abc", "date": "2026-01-31", **changed}
    return dataclasses.replace(found, **told)


def trainings(predictions: Predictions, *, findings: Sequence[dict[str, Any]] = ()) -> tuple[Training, ...]:
    """A training of three epochs for each fold and seed, each with an audit."""
    history = tuple(
        EpochRecord(epoch, 1e-3, 2 / epoch, 0.2 * epoch, 1.5 / epoch + 0.2, 0.18 * epoch, 0.17 * epoch, 1.0)
        for epoch in (1, 2, 3)
    )
    passed = not any(finding["failure"] for finding in findings)
    return tuple(
        Training(seed, fold, history, 2, 1.25 + 0.5 * fold, {"passed": passed, "findings": list(findings)})
        for seed, fold in predictions.runs
    )


def material(predictions: Predictions | None = None, **changed: Any) -> Material:
    """All that a report can be made of, but for robustness."""
    found = answers() if predictions is None else predictions
    made = {"versions": {"vocemo": "0.1.0", "torch": "2.11"}}
    return Material(result(found, **changed), found, trainings(found), made=made)


def robustness() -> Robustness:
    """As vocemo stress writes it: as recorded, and two conditions, one of them a fall."""
    return Robustness(
        model="dual-channel-cnn",
        corpora=("ravdess",),
        protocol="loso",
        leaky=False,
        clips=36,
        speakers=3,
        emotions=4,
        seeds=(0,),
        folds=3,
        seed=0,
        sample_rate=16_000,
        conditions=(
            ConditionResult("clean", "clean", None, "", 0.7, 0.7, None, 36),
            ConditionResult(
                "white-10", "white", 10.0, "dB SNR", 0.4321, 0.4, (0.3, 0.5), 36, 0.2679, (0.1, 0.43)
            ),
            ConditionResult("quiet", "quiet", -60.0, "dBov", 0.69, 0.69, (0.6, 0.8), 36, 0.01, (-0.05, 0.07)),
        ),
        command="vocemo stress runs/loso --seed 0",
        commit="0123abc",
        date="2026-02-01",
    )
