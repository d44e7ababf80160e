r"""How far probabilities can be trusted: log loss, Brier score, calibration, risk and coverage.

Below, $p_{nk}$ is the probability that clip $n$ of $N$ was given for class $k$, $y_n$ its target,
$c_n = \max_k p_{nk}$ the confidence of its answer and $e_n$ is 1 where that answer is wrong.

Clips that are level in confidence have no order among themselves. Wherever an order matters, such
clips share their mean error, which is what a random order would give on average; so no measure
depends on the order in which clips stand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vocemo.errors import UsageError

Integers = NDArray[np.int64]
Values = NDArray[np.float64]

SUM_TOLERANCE = 1e-3  # float16 probabilities add up to 1 within this
ECE_BINS = 10
_SIMULATED_CELLS = 4_000_000  # of the (simulations, clips) matrix at once: 32 MB of float64


def checked(targets: ArrayLike, probabilities: ArrayLike) -> tuple[Integers, Values]:
    """Targets and probabilities as arrays that fit each other, or a UsageError that says what does not."""
    wanted, given = np.asarray(targets), np.asarray(probabilities, np.float64)
    if given.ndim != 2 or wanted.shape != given.shape[:1] or given.size == 0:
        raise UsageError(
            f"targets {wanted.shape} and probabilities {given.shape}: "
            "they must be (n,) and (n, k), for n clips, 1 or more, and k classes"
        )
    if not np.issubdtype(wanted.dtype, np.integer) or wanted.min() < 0 or wanted.max() >= given.shape[1]:
        raise UsageError(f"a target is no class: each must be an integer from 0 to {given.shape[1] - 1}")
    sums = given.sum(1)
    wrong = ~((given.min(1) >= 0) & (np.abs(sums - 1) <= SUM_TOLERANCE))  # NaN is wrong too
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise UsageError(
            f"row {row} is no distribution: it adds up to {sums[row]:.4g}, its least value is "
            f"{given[row].min():.4g}; probabilities are 0 or more and add up to 1"
        )
    return wanted.astype(np.int64), given


def log_loss(targets: ArrayLike, probabilities: ArrayLike) -> float:
    r"""Mean negative log-likelihood of the targets, in nats (Good 1952).

    $$\mathrm{NLL} = -\frac{1}{N}\sum_n \ln p_{n y_n}$$

    A probability below 2.2e-16 (the spacing of float64 at 1) counts as that, so that one certain
    and wrong answer costs 36 nats and not infinity.

    >>> round(log_loss([0, 1], [[0.5, 0.5], [0.75, 0.25]]), 4)
    1.0397
    """
    wanted, given = checked(targets, probabilities)
    chosen = given[np.arange(len(wanted)), wanted]
    return float(-np.log(np.maximum(chosen, np.finfo(np.float64).eps)).mean())


def brier(targets: ArrayLike, probabilities: ArrayLike) -> float:
    r"""Mean squared distance of the probabilities from what happened, from 0 to 2.

    $$\mathrm{BS} = \frac{1}{N}\sum_n \sum_k (p_{nk} - [y_n = k])^2$$

    Source: Brier 1950, the sum over all classes. (For two classes, some halve it.)

    >>> brier([0], [[0.75, 0.25]])
    0.125
    """
    wanted, given = checked(targets, probabilities)
    happened = np.eye(given.shape[1])[wanted]
    return float(np.square(given - happened).sum(1).mean())


def top_share(targets: ArrayLike, probabilities: ArrayLike, top: int) -> float:
    """The share of clips whose target is among the `top` most probable classes; 1 gives accuracy.

    Classes that are level stand in their own order, as for the answer itself.

    >>> top_share([0, 1, 2], [[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2]], 2)
    0.6666666666666666
    """
    return float(in_top(targets, probabilities, top).mean())


def in_top(targets: ArrayLike, probabilities: ArrayLike, top: int) -> NDArray[np.bool_]:
    """Whether each clip's target is among the `top` most probable classes (n,)."""
    wanted, given = checked(targets, probabilities)
    own = given[np.arange(len(wanted)), wanted][:, None]
    earlier = np.arange(given.shape[1])[None, :] < wanted[:, None]
    before = ((given > own) | ((given == own) & earlier)).sum(1)
    return np.asarray(before < top, np.bool_)


def _levels(sorted_confidence: Values) -> tuple[Integers, Integers]:
    """Where each run of level confidences begins, and how long it is."""
    starts = np.flatnonzero(np.concatenate(([True], np.diff(sorted_confidence) != 0)))
    return starts, np.diff(np.append(starts, len(sorted_confidence)))


def _shared(values: Values, starts: Integers, lengths: Integers) -> Values:
    """Values along the last axis, each replaced by the mean of those level with it in confidence."""
    means = np.add.reduceat(values, starts, axis=-1) / lengths
    return np.asarray(np.repeat(means, lengths, axis=-1), np.float64)


def _answers(targets: ArrayLike, probabilities: ArrayLike) -> tuple[Values, Values]:
    """Confidence in rising order and whether each answer is right, shared among level ones."""
    wanted, given = checked(targets, probabilities)
    confidence = given.max(1)
    order = np.argsort(confidence, kind="stable")
    right = (given.argmax(1) == wanted)[order].astype(np.float64)
    return confidence[order], _shared(right, *_levels(confidence[order]))


@dataclass(frozen=True)
class Bin:
    """Clips of similar confidence: their number, mean confidence and accuracy."""

    clips: int
    confidence: float
    accuracy: float


def reliability_bins(targets: ArrayLike, probabilities: ArrayLike, bins: int = ECE_BINS) -> tuple[Bin, ...]:
    """Clips in order of confidence, cut into bins of equal mass (their sizes differ by one at most).

    With fewer clips than bins each clip is its own.

    >>> reliability_bins([0, 1], [[0.9, 0.1], [0.6, 0.4]], bins=1)
    (Bin(clips=2, confidence=0.75, accuracy=0.5),)
    """
    confidence, right = _answers(targets, probabilities)
    parts = np.array_split(np.arange(len(right)), min(bins, len(right)))
    return tuple(Bin(len(p), float(confidence[p].mean()), float(right[p].mean())) for p in parts)


def expected_calibration_error(targets: ArrayLike, probabilities: ArrayLike, bins: int = ECE_BINS) -> float:
    r"""By how much confidence and accuracy differ, over bins of equal mass.

    $$\mathrm{ECE} = \sum_{b} \frac{N_b}{N}\,\Bigl|\frac{1}{N_b}\sum_{n \in b} (1 - e_n - c_n)\Bigr|$$

    Source: Naeini, Cooper & Hauskrecht, AAAI 2015 (equal-mass bins: Nguyen & O'Connor, EMNLP
    2015). It is biased upwards: see `calibrated_ece` for what no fault at all would score.

    >>> round(expected_calibration_error([0, 1], [[0.9, 0.1], [0.6, 0.4]], bins=2), 3)
    0.35
    """
    found = reliability_bins(targets, probabilities, bins)
    clips = sum(b.clips for b in found)
    return sum(b.clips / clips * abs(b.accuracy - b.confidence) for b in found)


def calibrated_ece(
    probabilities: ArrayLike,
    generator: np.random.Generator,
    bins: int = ECE_BINS,
    simulations: int = 1000,
) -> float:
    r"""The ECE that perfect calibration would score on as many clips, by chance alone.

    Each answer is drawn as right with the probability that its own confidence claims,
    $1 - e_n \sim \mathrm{Bernoulli}(c_n)$, and the ECE taken; this is the mean over simulations.

    Args:
        probabilities: (n, k), each row adds up to 1.
        generator: what draws.
        bins: bins of equal mass.
        simulations: how often.

    Source: the consistency resampling of Bröcker & Smith 2007 (doi:10.1175/WAF993.1).

    >>> round(calibrated_ece(np.full((1440, 2), 0.5), np.random.default_rng(0), bins=1), 2)
    0.01
    """
    given = np.asarray(probabilities, np.float64)
    checked(np.zeros(len(given), np.int64), given)
    confidence = np.sort(given.max(1))
    starts, lengths = _levels(confidence)
    clips = len(confidence)
    parts = np.array_split(np.arange(clips), min(bins, clips))
    edges = np.array([part[0] for part in parts])
    at_once = max(1, _SIMULATED_CELLS // clips)
    total = 0.0
    for first in range(0, simulations, at_once):
        drawn = generator.random((min(at_once, simulations - first), clips)) < np.minimum(confidence, 1)
        excess = _shared(drawn.astype(np.float64), starts, lengths) - confidence
        total += float(np.abs(np.add.reduceat(excess, edges, axis=1)).sum()) / clips
    return total / simulations


@dataclass(frozen=True)
class RiskCoverage:
    """The error among the most confident answers, for every share of clips that is answered."""

    coverage: Values  # (n,), 1/n to 1
    risk: Values  # (n,), share of wrong answers among them

    @property
    def area(self) -> float:
        """AURC: the mean risk over the coverages."""
        return float(self.risk.mean())


def risk_coverage(targets: ArrayLike, probabilities: ArrayLike) -> RiskCoverage:
    r"""Risk at each coverage, when the least confident clips are left unanswered.

    With clips in falling order of confidence,
    $$r_m = \frac{1}{m}\sum_{n=1}^{m} e_n, \qquad \phi_m = \frac{m}{N}$$

    Source: El-Yaniv & Wiener, JMLR 2010; Geifman & El-Yaniv, NeurIPS 2017.

    >>> risk_coverage([0, 1], [[0.9, 0.1], [0.6, 0.4]]).risk.tolist()
    [0.0, 0.5]
    """
    _, right = _answers(targets, probabilities)
    answered = np.arange(1, len(right) + 1)
    return RiskCoverage(answered / len(right), np.clip(np.cumsum(1 - right[::-1]) / answered, 0, 1))


def aurc(targets: ArrayLike, probabilities: ArrayLike) -> float:
    r"""Area under the risk-coverage curve: lower is better, the error rate itself when confidence is blind.

    $$\mathrm{AURC} = \frac{1}{N}\sum_{m=1}^{N} r_m$$

    Source: Geifman, Uziel & El-Yaniv, ICLR 2019 (arXiv:1805.08206).

    >>> aurc([0, 1], [[0.9, 0.1], [0.6, 0.4]])
    0.25
    """
    return risk_coverage(targets, probabilities).area
