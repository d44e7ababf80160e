r"""What a classifier decided, measured: accuracy and the recalls, precisions and F1 of its classes.

Everything here follows from the confusion matrix $M$, where $M_{ij}$ counts the clips of class
$i$ that were called class $j$, $C$ is the number of classes and $N = \sum_{ij} M_{ij}$.

A class without a clip among the targets has no recall: it is NaN, and UAR is the mean over the
classes that are there. A class that is neither a target nor an answer has no F1 either, and
macro F1 leaves it out; one that is answered but never a target has precision and F1 of 0.

`recall`, `precision` and `f1` take several matrices too, along leading axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vocemo.errors import UsageError
from vocemo.lab.evaluate import reliability
from vocemo.lab.evaluate.reliability import checked

Counts = NDArray[np.int64]
Values = NDArray[np.float64]


def confusion_matrix(targets: ArrayLike, predicted: ArrayLike, classes: int) -> Counts:
    """How often each class was called each class.

    Args:
        targets: (n,) integers from 0 to classes - 1.
        predicted: (n,) integers from 0 to classes - 1.
        classes: how many there are.

    Returns:
        (classes, classes) counts; a row is a target, a column an answer.

    Raises:
        UsageError: no clips, different numbers of targets and answers, a class outside the range.

    >>> confusion_matrix([0, 0, 1], [0, 1, 1], 2).tolist()
    [[1, 1], [0, 1]]
    """
    rows, columns = np.asarray(targets), np.asarray(predicted)
    if rows.ndim != 1 or rows.shape != columns.shape or rows.size == 0:
        raise UsageError(
            f"targets {rows.shape} and answers {columns.shape}: both must be (n,), for n clips, 1 or more"
        )
    for name, values in (("target", rows), ("answer", columns)):
        if not np.issubdtype(values.dtype, np.integer) or values.min() < 0 or values.max() >= classes:
            raise UsageError(f"a {name} is no class: each must be an integer from 0 to {classes - 1}")
    counts = np.bincount(rows.astype(np.int64) * classes + columns, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def _ratio(numerator: Values, denominator: Values) -> Values:
    """Numerator over denominator, NaN where there is nothing to divide by."""
    undefined = np.full_like(numerator, np.nan)
    return np.divide(numerator, denominator, out=undefined, where=denominator > 0)


def _diagonal(counts: Values) -> Values:
    return np.diagonal(counts, axis1=-2, axis2=-1).copy()


def accuracy(confusion: ArrayLike) -> float:
    r"""The share of clips that were called what they are (weighted accuracy, WAR).

    $$\mathrm{ACC} = \frac{1}{N}\sum_i M_{ii}$$

    >>> accuracy([[3, 1], [0, 1]])
    0.8
    """
    counts = np.asarray(confusion, np.float64)
    return float(np.trace(counts) / counts.sum())


def recall(confusion: ArrayLike) -> Values:
    r"""Of the clips of each class, the share that was called it.

    $$R_i = \frac{M_{ii}}{\sum_j M_{ij}}$$

    Returns:
        (classes,), NaN for a class without clips.

    >>> recall([[3, 1, 0], [0, 1, 0], [0, 0, 0]]).tolist()
    [0.75, 1.0, nan]
    """
    counts = np.asarray(confusion, np.float64)
    return _ratio(_diagonal(counts), counts.sum(-1))


def precision(confusion: ArrayLike) -> Values:
    r"""Of the clips that were called each class, the share that are it.

    $$P_j = \frac{M_{jj}}{\sum_i M_{ij}}$$

    Returns:
        (classes,), 0 for a class with clips that was never answered, NaN for one with neither.

    >>> precision([[3, 0, 1], [1, 0, 0], [0, 0, 4]]).tolist()
    [0.75, 0.0, 0.8]
    """
    counts = np.asarray(confusion, np.float64)
    ratio = _ratio(_diagonal(counts), counts.sum(-2))
    ratio[(counts.sum(-2) == 0) & (counts.sum(-1) > 0)] = 0.0
    return ratio


def f1(confusion: ArrayLike) -> Values:
    r"""The harmonic mean of precision and recall of each class (Dice 1945, doi:10.2307/1932409).

    $$F_i = \frac{2 M_{ii}}{\sum_j M_{ij} + \sum_j M_{ji}}$$

    Returns:
        (classes,), NaN for a class that is neither a target nor an answer.

    >>> f1([[3, 1, 0], [1, 1, 0], [0, 0, 0]]).tolist()
    [0.75, 0.5, nan]
    """
    counts = np.asarray(confusion, np.float64)
    return _ratio(2 * _diagonal(counts), counts.sum(-2) + counts.sum(-1))


def uar(confusion: ArrayLike) -> float:
    r"""Unweighted average recall: every emotion counts the same, however many clips it has.

    $$\mathrm{UAR} = \frac{1}{|\mathcal{C}|}\sum_{i \in \mathcal{C}} R_i,
    \qquad \mathcal{C} = \{i : \textstyle\sum_j M_{ij} > 0\}$$

    Source: Schuller, Steidl & Batliner, "The INTERSPEECH 2009 Emotion Challenge".

    >>> uar([[3, 1], [0, 1]])
    0.875
    """
    return float(np.nanmean(recall(confusion)))


def macro_f1(confusion: ArrayLike) -> float:
    r"""The mean of the classes' F1, over the classes that are targets or answers.

    The mean of F1 scores, not the F1 of mean precision and mean recall; they differ
    (Opitz & Burst 2019, arXiv:1911.03347).

    >>> macro_f1([[3, 1, 0], [1, 1, 0], [0, 0, 0]])
    0.625
    """
    return float(np.nanmean(f1(confusion)))


def kappa(confusion: ArrayLike) -> float:
    r"""Cohen's kappa: how far answers and targets agree beyond what their shares alone would give.

    $$\kappa = \frac{p_o - p_e}{1 - p_e},\qquad p_o = \frac1N\sum_i M_{ii},\quad
    p_e = \frac1{N^2}\sum_i \Bigl(\sum_j M_{ij}\Bigr)\Bigl(\sum_j M_{ji}\Bigr)$$

    1 for agreement throughout, 0 for what chance gives, below 0 for less; NaN where all targets and all
    answers are one class, so that there is nothing beyond chance.

    Source: Cohen 1960 (doi:10.1177/001316446002000104).

    >>> kappa([[2, 0], [1, 1]]), kappa([[3, 0], [0, 0]])
    (0.5, nan)
    """
    return float(kappas(np.asarray(confusion, np.float64)))


def kappas(confusions: Values) -> Values:
    """Cohen's kappa of each of several matrices (..., classes, classes)."""
    clips = confusions.sum((-2, -1))
    agreed = np.trace(confusions, axis1=-2, axis2=-1) / clips
    chance = (confusions.sum(-1) * confusions.sum(-2)).sum(-1) / clips**2
    return _ratio(np.asarray(agreed - chance), np.asarray(1 - chance))


@dataclass(frozen=True)
class Scores:
    """Every measure of one set of predictions; shares are fractions of 1."""

    clips: int
    uar: float
    accuracy: float
    macro_f1: float
    kappa: float  # NaN where undefined
    loss: float  # nats
    ece: float
    brier: float
    aurc: float
    top2: float
    confusion: Counts  # (classes, classes), a row a target
    recall: Values  # (classes,), NaN where undefined
    precision: Values
    f1: Values

    @property
    def support(self) -> Counts:
        """Clips of each class."""
        return np.asarray(self.confusion.sum(1), np.int64)


def score(targets: ArrayLike, probabilities: ArrayLike) -> Scores:
    """Every measure at once.

    Args:
        targets: (n,) integers from 0 to k - 1.
        probabilities: (n, k), each row adds up to 1. The answer is the most probable class, the
            first of those that are level.

    Raises:
        UsageError: no clips, shapes that do not fit, rows that are no probabilities.

    >>> result = score([0, 1, 1], [[0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    >>> result.uar, round(result.accuracy, 3)
    (0.75, 0.667)
    """
    wanted, given = checked(targets, probabilities)
    confusion = confusion_matrix(wanted, given.argmax(1), given.shape[1])
    return Scores(
        clips=len(wanted),
        uar=uar(confusion),
        accuracy=accuracy(confusion),
        macro_f1=macro_f1(confusion),
        kappa=kappa(confusion),
        loss=reliability.log_loss(wanted, given),
        ece=reliability.expected_calibration_error(wanted, given),
        brier=reliability.brier(wanted, given),
        aurc=reliability.aurc(wanted, given),
        top2=reliability.top_share(wanted, given, 2),
        confusion=confusion,
        recall=recall(confusion),
        precision=precision(confusion),
        f1=f1(confusion),
    )
