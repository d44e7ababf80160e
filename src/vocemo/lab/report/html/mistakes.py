"""The wrong answers that the model was surest of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from vocemo.lab.evaluate import Predictions, Subject
from vocemo.lab.report.html.names import ShortNames
from vocemo.lab.report.html.sounds import Recordings, Sound

LISTED = 12


@dataclass(frozen=True)
class Mistake:
    """A clip that was taken for what it is not, by the training that was surest of it."""

    name: str
    subject: Subject
    target: str
    answer: str
    probability: float
    target_probability: float
    wrong: int  # of how many trainings that answered the clip
    trainings: int
    sound: Sound | None


def most_confident(
    predictions: Predictions, names: ShortNames, recordings: Recordings | None
) -> tuple[Mistake, ...]:
    """The surest mistakes, each clip once; with their sound where there are recordings."""
    wrong = predictions.predicted != predictions.targets
    confidence = predictions.probabilities.max(1)
    # Clips without a path are told apart by their place: each is then a clip of its own.
    keys = [subject.path or f"\0{row}" for row, subject in enumerate(predictions.subjects)]
    answered, missed = Counter(keys), Counter(key for key, bad in zip(keys, wrong, strict=True) if bad)
    found: dict[str, Mistake] = {}
    for row in np.argsort(-np.where(wrong, confidence, -1.0), kind="stable"):
        key, subject = keys[row], predictions.subjects[row]
        if not wrong[row] or len(found) == LISTED:
            break
        if key in found:
            continue
        found[key] = Mistake(
            name=names(subject.path) if subject.path else "",
            subject=subject,
            target=predictions.emotions[predictions.targets[row]],
            answer=predictions.emotions[predictions.predicted[row]],
            probability=float(confidence[row]),
            target_probability=float(predictions.probabilities[row, predictions.targets[row]]),
            wrong=missed[key],
            trainings=answered[key],
            sound=recordings.sound(subject.path) if recordings and subject.path else None,
        )
    return tuple(found.values())
