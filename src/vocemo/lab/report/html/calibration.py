"""Probabilities before and after temperature, and bins of confidence with intervals over speakers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vocemo.lab.evaluate import Predictions
from vocemo.lab.evaluate.confidence import interval_over_speakers, mean_influence
from vocemo.lab.evaluate.reliability import ECE_BINS, expected_calibration_error, reliability_bins


@dataclass(frozen=True)
class Bin:
    """Answers of similar confidence: how sure they were, and how many of them were right."""

    answers: int
    confidence: float
    accuracy: float
    ci95: tuple[float, float] | None  # of the accuracy, over speakers


def at_temperature(probabilities: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    r"""Probabilities (n, k) as they were before a temperature, or would be after its inverse.

    From $p = \mathrm{softmax}(z / T)$ follows $\mathrm{softmax}(z) \propto p^T$.

    >>> at_temperature(np.array([[0.9, 0.1]]), 1.0).round(3).tolist()
    [[0.9, 0.1]]
    >>> at_temperature(np.array([[0.75, 0.25]]), 2.0).round(3).tolist()
    [[0.9, 0.1]]
    """
    # By the largest first: a power underflows only where nothing of it would be seen.
    powers = (probabilities / probabilities.max(1, keepdims=True)) ** temperature
    return np.asarray(powers / powers.sum(1, keepdims=True), np.float64)


def uncalibrated(
    predictions: Predictions, temperatures: Mapping[tuple[int, int], float]
) -> Predictions | None:
    """The same answers with the probabilities that they had before temperature scaling.

    temperatures: of each model, by seed and fold. None where one is missing.
    """
    if any(run not in temperatures for run in predictions.runs):
        return None
    raw = predictions.probabilities.copy()
    for seed, fold in predictions.runs:
        rows = (predictions.seed == seed) & (predictions.fold == fold)
        raw[rows] = at_temperature(raw[rows], temperatures[seed, fold])
    return dataclasses.replace(predictions, probabilities=raw)


def ece(predictions: Predictions) -> float:
    """The expected calibration error, the mean over seeds, as in a result."""
    seeds = np.unique(predictions.seed)
    each = [predictions.where(predictions.seed == seed) for seed in seeds]
    return float(np.mean([expected_calibration_error(p.targets, p.probabilities) for p in each]))


def overconfidence(predictions: Predictions) -> float:
    """Mean confidence less accuracy: above 0, the answers claim too much."""
    right = predictions.predicted == predictions.targets
    return float(predictions.probabilities.max(1).mean() - right.mean())


def bins(predictions: Predictions) -> tuple[Bin, ...]:
    """Bins of equal mass over the answers of all seeds together."""
    found = reliability_bins(predictions.targets, predictions.probabilities)
    right = (predictions.predicted == predictions.targets).astype(np.float64)
    order = np.argsort(predictions.probabilities.max(1), kind="stable")
    parts = np.array_split(order, min(ECE_BINS, len(order)))
    return tuple(
        Bin(each.clips, each.confidence, each.accuracy, _interval(predictions, right, rows, each.accuracy))
        for each, rows in zip(found, parts, strict=True)
    )


def _interval(
    predictions: Predictions, right: NDArray[np.float64], rows: NDArray[np.int64], accuracy: float
) -> tuple[float, float] | None:
    speakers = [predictions.subjects[row].speaker for row in rows]
    found = interval_over_speakers(accuracy, mean_influence(right[rows]), speakers)
    return None if found is None else (found.low, found.high)
