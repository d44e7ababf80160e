r"""How far speakers differ in how well they are recognised, beyond what chance gives.

The best speaker less the worst is no measure of it: even where all are alike the extremes of 24 lie far
apart, and those that were chosen for being extreme have luck in them. What is estimated instead is the
deviation $\tau$ of the speakers' true UAR, in the model of random effects

$$\hat\theta_s = \theta + b_s + e_s,\qquad b_s \sim N(0, \tau^2),\quad e_s \sim N(0, \sigma_s^2),$$

where $\hat\theta_s$ is the speaker's own UAR and $\sigma_s$ its error, from how unlike the answers to one
speaker's clips of one emotion are. $\hat\tau$ is that of Paule & Mandel 1982, for which

$$Q(\tau^2) = \sum_s \frac{(\hat\theta_s - \bar\theta)^2}{\sigma_s^2 + \tau^2} = m - 1,$$

with $\bar\theta$ the mean weighted likewise, and its interval the Q-profile: where $Q$ has the values of the
outer 2.5 % of chi-square with $m - 1$ degrees of freedom (Viechtbauer 2007, doi:10.1002/sim.2514).

What is told is the mean difference of two speakers drawn at random, $2\tau/\sqrt\pi$, in points of UAR,
which people can picture. Its interval leaves 0 where chance does not explain the speakers' spread. In a
cross-validation a speaker's figure is that of the model that did not train on the speaker, so that
differences between the folds' models are in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vocemo.lab.evaluate.distributions import chi_square_quantile
from vocemo.lab.evaluate.groups import LEVEL, Gap, speakers_named
from vocemo.lab.evaluate.predictions import Predictions

Values = NDArray[np.float64]

FIRST, SECOND = "one speaker", "another, drawn at random"
_TO_DIFFERENCE = 2 / math.sqrt(math.pi)  # the mean of |b - b'| for b, b' ~ N(0, 1)


def speaker_gap(predictions: Predictions) -> Gap | None:
    """The mean difference in UAR between two speakers drawn at random, beyond chance, with its interval.

    Of several seeds, each clip counts with its mean over them. A speaker who lacks an emotion is compared by
    those that are there, each held against its mean over speakers.

    Returns:
        None with fewer than three speakers, unknown ones, or no emotion of which a speaker has two clips.
    """
    if not speakers_named(predictions):
        return None
    clips, right = _by_clip(predictions)
    if len(clips) < 3:
        return None
    own, error = _speakers_own(clips, right)
    if error is None:
        return None
    deviation = spread(own, error)
    low, high = spread_interval(own, error)
    difference, *ends = (min(1.0, _TO_DIFFERENCE * value) for value in (deviation, low, high))
    return Gap(FIRST, SECOND, difference, (ends[0], ends[1]))


def spread(own: Values, error: Values) -> float:
    """The deviation of true values by Paule & Mandel, from measured ones and their errors, each (m,).

    >>> round(spread(np.array([0.1, 0.5, 0.9]), np.full(3, 1e-6)), 3)
    0.4
    >>> spread(np.array([0.49, 0.5, 0.51]), np.full(3, 0.1))
    0.0
    """
    return _where_q_is(len(own) - 1, own, error)


def spread_interval(own: Values, error: Values, level: float = LEVEL) -> tuple[float, float]:
    """The Q-profile interval of that deviation."""
    rest = (1 - level) / 2
    most, least = (chi_square_quantile(p, len(own) - 1) for p in (1 - rest, rest))
    return _where_q_is(most, own, error), _where_q_is(least, own, error)


def _where_q_is(wanted: float, own: Values, error: Values) -> float:
    """The deviation at which Q, which falls, has a value; 0 where it never is so great."""

    def q(deviation: float) -> float:
        weight = 1 / (np.square(error) + deviation**2)
        centre = float((weight * own).sum() / weight.sum())
        return float((weight * np.square(own - centre)).sum())

    return _falls_to(q, wanted)


def _falls_to(falling: Callable[[float], float], wanted: float) -> float:
    if falling(0.0) <= wanted:
        return 0.0
    low, high = 0.0, 1.0
    while falling(high) > wanted:
        low, high = high, 2 * high
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > wanted else (low, middle)
    return (low + high) / 2


def _by_clip(predictions: Predictions) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Clips (speakers, emotions), sums of right and right squared (2, speakers, emotions); seeds averaged."""
    names, speaker = np.unique([s.speaker for s in predictions.subjects], return_inverse=True)
    shape = (len(names), len(predictions.emotions))
    cell = speaker * shape[1] + predictions.targets
    right = (predictions.predicted == predictions.targets).astype(np.float64)
    # A clip is the same in every seed; without paths, its place in the seed tells it.
    paths = np.array([s.path for s in predictions.subjects])
    if not all(paths):
        order = np.zeros(len(paths), np.int64)
        for seed in np.unique(predictions.seed):
            rows = predictions.seed == seed
            order[rows] = np.arange(rows.sum())
        paths = order.astype(str)
    pairs = np.char.add(np.char.add(paths, "\n"), cell.astype(str))
    _, first, clip, times = np.unique(pairs, return_index=True, return_inverse=True, return_counts=True)
    mean = np.bincount(clip, weights=right) / times
    of_clip, size = cell[first], shape[0] * shape[1]
    sums = [np.bincount(of_clip, weights=mean**power, minlength=size) for power in (1, 2)]
    clips = np.bincount(of_clip, minlength=size).reshape(shape)
    return clips.astype(np.int64), np.asarray(np.stack(sums), np.float64).reshape(2, *shape)


def _speakers_own(clips: NDArray[np.int64], right: Values) -> tuple[Values, Values | None]:
    """Each speaker's UAR and its standard error, (speakers,); no error where no cell has two clips.

    The variance of answers within a speaker and an emotion is pooled over speakers, and taken to be the
    same for all: a speaker with few clips, all of them right, is not certain.
    """
    there = clips > 0
    number = np.maximum(clips, 1)
    recall = right[0] / number
    by_emotion = np.divide(recall.sum(0), there.sum(0), out=np.zeros(recall.shape[1]), where=there.any(0))
    beyond = np.where(there, recall - by_emotion, 0.0)
    emotions = there.sum(1)
    own = by_emotion[there.any(0)].mean() + beyond.sum(1) / emotions
    squares = np.where(there, right[1] - right[0] ** 2 / number, 0.0).sum(0)
    freedom = np.where(there, clips - 1, 0).sum(0)
    if not freedom.any():
        return own, None
    within = np.where(freedom > 0, squares / np.maximum(freedom, 1), squares.sum() / freedom.sum())
    variance = np.where(there, within / number, 0.0).sum(1) / emotions**2
    if not variance.all():
        return own, None  # the answers of each cell are all alike
    return own, np.sqrt(variance)
