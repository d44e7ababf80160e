"""What a report shows beyond a result's own figures, for machines: plain data, kept in results.json."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from vocemo.lab.evaluate import Predictions
from vocemo.lab.report.html import calibration, plots
from vocemo.lab.report.html.material import Material, Training
from vocemo.lab.report.html.mistakes import most_confident
from vocemo.lab.report.html.names import ShortNames


def details(material: Material) -> dict[str, Any]:
    """Reliability, risk and coverage, the surest mistakes, trainings with their audits, robustness.

    What the material does not have is left out, as on the page. Shares are fractions of 1, losses nats.
    """
    found: dict[str, Any] = {}
    predictions = material.predictions
    if predictions is not None:
        found["reliability"] = _reliability(predictions, material)
        coverages, risks = plots.risk_curves(predictions)
        found["risk_coverage"] = {"coverage": coverages.tolist(), "risk": risks.mean(0).tolist()}
        found["surest_mistakes"] = _mistakes(predictions)
    if material.trainings:
        found["trainings"] = _trainings(material.trainings)
    if material.robustness is not None:
        found["robustness"] = material.robustness.to_dict()
    return found


def _reliability(predictions: Predictions, material: Material) -> dict[str, Any]:
    """Bins of equal mass over the answers of all seeds, before temperature, where known, and after."""
    before = calibration.uncalibrated(predictions, material.temperatures)
    sides = {"before": before, "after": predictions}
    return {
        name: {
            "ece": calibration.ece(answers),
            "bins": [dataclasses.asdict(each) for each in calibration.bins(answers)],
        }
        for name, answers in sides.items()
        if answers is not None
    }


def _mistakes(predictions: Predictions) -> list[dict[str, Any]]:
    names = ShortNames(predictions.subjects)
    return [
        {
            "clip": mistake.name,
            "speaker": mistake.subject.speaker,
            "emotion": mistake.target,
            "answer": mistake.answer,
            "probability": mistake.probability,
            "probability_of_emotion": mistake.target_probability,
            "wrong": mistake.wrong,
            "trainings": mistake.trainings,
        }
        for mistake in most_confident(predictions, names, None)
    ]


def _trainings(trainings: Sequence[Training]) -> list[dict[str, Any]]:
    return [
        {
            "seed": each.seed,
            "fold": each.fold,
            "best_epoch": each.best_epoch,
            "temperature": each.temperature,
            "epochs": [record.to_dict() for record in each.history],
            "audit": each.audit,
        }
        for each in trainings
    ]
