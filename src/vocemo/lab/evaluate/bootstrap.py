r"""The bootstrap over speakers: every measure of many resamples at once.

A resample draws as many speakers as there are, with replacement, and takes all clips of each as often as the
speaker was drawn. Nothing is copied: a resample is a row of whole weights, one a speaker. Measures that
follow from the confusion matrix or from means over clips are weighted sums of each speaker's own; AURC and
ECE run along the clips in the order of their confidence, which is the same in every resample, and a clip
that was drawn twice is level with itself. Each value is exactly that of the measure on the repeated rows.

What such values may be used for differs.

- The interval `t_interval` takes their standard deviation for the measure's error, times
  $\sqrt{m/(m-1)}$ for $m$ speakers, and Student's t with $m - 1$ degrees of freedom (both are missing in the
  plain bootstrap, which is why it is too narrow where speakers are few). For UAR and the like it is what
  `confidence.interval_over_speakers` gives without drawing anything; for AURC, which has no derivative worth
  writing down, it is the interval in use.
- `percentile_interval` is the usual choice, and here for comparison: it holds the truth too seldom.
- ECE gets none. It cannot fall below what chance gives on so many clips, and rises further in resamples,
  where clips stand twice and agree with each other: an interval about it holds the true calibration error
  far too seldom (docs/measuring.md). Beside it stands what perfect calibration would score.

Source: Efron 1979; resampling whole clusters, Davison & Hinkley 1997, section 3.8.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.evaluate.confidence import ROUNDING, Interval
from vocemo.lab.evaluate.distributions import student_t_quantile
from vocemo.lab.evaluate.metrics import f1, kappas, recall
from vocemo.lab.evaluate.reliability import ECE_BINS, checked, in_top

Values = NDArray[np.float64]
Integers = NDArray[np.int64]

SAMPLES = 2000
_CELLS = 200_000  # of the (resamples, clips) matrices at once: 1.6 MB each, which stays in the cache


def draw(speakers: int, samples: int, generator: np.random.Generator) -> Integers:
    """How often each speaker is drawn in each resample (samples, speakers).

    >>> draw(3, 2, np.random.default_rng(0)).sum(1).tolist()
    [3, 3]
    """
    if speakers < 1 or samples < 1:
        raise UsageError(f"{samples} resamples of {speakers} speakers: both must be 1 or more")
    drawn = generator.multinomial(speakers, np.full(speakers, 1 / speakers), samples)
    return np.asarray(drawn, np.int64)


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers to clips, arranged so that their measures under any weights of speakers are quickly had."""

    confusion: Integers  # (speakers, k, k)
    sums: Mapping[str, Values]  # (speakers,) each, of what is a mean over clips
    place: Integers  # (n,) speaker of each clip, the most confident first
    wrong: Values  # (n,) likewise
    confidence: Values  # (n,)

    @classmethod
    def of(cls, targets: ArrayLike, probabilities: ArrayLike, speakers: Sequence[str]) -> Answers:
        """From targets (n,), probabilities (n, k) and n names; speakers in order of name.

        Raises UsageError for what does not fit.
        """
        wanted, given = checked(targets, probabilities)
        if len(speakers) != len(wanted):
            raise UsageError(f"{len(speakers)} speakers for {len(wanted)} clips: one for each clip")
        names, place = np.unique(np.asarray(speakers, str), return_inverse=True)
        k = given.shape[1]
        answer = given.argmax(1)
        cell = (place * k + wanted) * k + answer
        confusion = np.bincount(cell, minlength=len(names) * k * k).reshape(-1, k, k)
        own = given[np.arange(len(wanted)), wanted]
        means = {
            "loss": -np.log(np.maximum(own, np.finfo(np.float64).eps)),
            "brier": np.square(given).sum(1) - 2 * own + 1,
            "top2": in_top(wanted, given, 2).astype(np.float64),
        }
        confidence = given.max(1)
        order = np.argsort(-confidence, kind="stable")
        return cls(
            confusion.astype(np.int64),
            {
                name: np.asarray(np.bincount(place, weights=value), np.float64)
                for name, value in means.items()
            },
            place[order].astype(np.int64),
            (answer != wanted)[order].astype(np.float64),
            confidence[order],
        )

    def measure(self, weights: ArrayLike, names: Sequence[str] = ()) -> dict[str, Values]:
        """Measures of each resample (samples,), by name; without names all of MEASURES.

        weights: (samples, speakers) whole numbers from 0, at least one of them above it in each resample.
        kappa is NaN where it is undefined.

        Raises UnknownNameError for a measure that is not there, UsageError for weights that do not fit.
        """
        drawn = np.asarray(weights)
        speakers = len(self.confusion)
        whole = drawn.ndim == 2 and drawn.shape[1] == speakers and np.issubdtype(drawn.dtype, np.integer)
        if not whole or drawn.size == 0 or drawn.min() < 0 or not drawn.any(1).all():
            raise UsageError(
                f"weights {drawn.shape}: (samples, {speakers}) whole numbers from 0, not all of a resample 0"
            )
        for name in names:
            if name not in MEASURES:
                raise UnknownNameError("measure", name, MEASURES)
        k = self.confusion.shape[1]
        counts = (drawn.astype(np.float64) @ self.confusion.reshape(speakers, -1)).reshape(-1, k, k)
        wanted = tuple(names) or tuple(MEASURES)
        return {name: MEASURES[name](self, drawn.astype(np.int64), counts) for name in wanted}

    def _along(self, drawn: Integers, of: Callable[[Values, Values], Values]) -> Values:
        """A measure along the clips, of some resamples at once so that memory stays bounded.

        Of levels of confidence: `of` takes how many clips (samples, levels) and how many wrong ones.
        """
        starts = np.flatnonzero(np.concatenate(([True], np.diff(self.confidence) != 0)))
        at_once = max(1, _CELLS // len(self.place))
        parts = []
        for first in range(0, len(drawn), at_once):
            clips = drawn[first : first + at_once].astype(np.float64)[:, self.place]
            wrong = clips * self.wrong
            if len(starts) < len(self.place):
                clips, wrong = (np.add.reduceat(each, starts, axis=1) for each in (clips, wrong))
            parts.append(of(clips, wrong))
        return np.concatenate(parts)

    def _aurc(self, drawn: Integers) -> Values:
        r"""AURC with $W_g$ clips level in confidence, $e_g$ of them wrong on average, after C clips, E wrong.

        The risks within a level, $\sum_{j=1}^{W} (E + j e)/(C + j) = W e + (E - C e)(H_{C+W} - H_C)$ with
        the harmonic numbers $H$.
        """
        most = int((drawn * np.bincount(self.place, minlength=len(self.confusion))).sum(1).max())
        harmonic = np.concatenate(([0.0], np.cumsum(1 / np.arange(1, most + 1))))

        def area(clips: Values, wrong: Values) -> Values:
            after, errors = np.cumsum(clips, 1), np.cumsum(wrong, 1)
            share = np.divide(wrong, clips, out=np.zeros_like(wrong), where=clips > 0)
            until = harmonic[after.astype(np.intp)]
            within = np.diff(until, axis=1, prepend=0.0)
            before = (errors - wrong) - (after - clips) * share
            return np.asarray((wrong + before * within).sum(1) / after[:, -1], np.float64)

        return self._along(drawn, area)

    def _ece(self, drawn: Integers) -> Values:
        """ECE over bins of equal mass; clips level in confidence share their error wherever a bin ends."""
        starts = np.flatnonzero(np.concatenate(([True], np.diff(self.confidence) != 0)))
        confidence = self.confidence[starts]

        def error(clips: Values, wrong: Values) -> Values:
            after = np.concatenate([np.zeros((len(clips), 1)), np.cumsum(clips, 1)], axis=1)
            excess = np.cumsum(clips * (1 - confidence) - wrong, 1)
            excess = np.concatenate([np.zeros((len(clips), 1)), excess], axis=1)
            found = np.empty(len(clips))
            for row, (reached, so_far) in enumerate(zip(after, excess, strict=True)):
                total = int(reached[-1])
                bins = min(ECE_BINS, total)
                # As np.array_split cuts from the least confident on: the first bins are the larger ones.
                sizes = np.full(bins, total // bins) + (np.arange(bins) < total % bins)
                edges = total - np.concatenate(([0], np.cumsum(sizes)))
                at = np.interp(edges, reached, so_far)
                found[row] = np.abs(np.diff(at)).sum() / total
            return found

        return self._along(drawn, error)


def _mean(name: str) -> Callable[[Answers, Integers, Values], Values]:
    def of(answers: Answers, drawn: Integers, counts: Values) -> Values:
        return np.asarray((drawn @ answers.sums[name]) / counts.sum((1, 2)), np.float64)

    return of


MEASURES: dict[str, Callable[[Answers, Integers, Values], Values]] = {
    "uar": lambda answers, drawn, counts: np.nanmean(recall(counts), 1),
    "accuracy": lambda a, d, counts: np.trace(counts, axis1=1, axis2=2) / counts.sum((1, 2)),
    "macro_f1": lambda answers, drawn, counts: np.nanmean(f1(counts), 1),
    "kappa": lambda answers, drawn, counts: kappas(counts),
    "loss": _mean("loss"),
    "brier": _mean("brier"),
    "top2": _mean("top2"),
    "aurc": lambda answers, drawn, counts: answers._aurc(drawn),
    "ece": lambda answers, drawn, counts: answers._ece(drawn),
}


def t_interval(
    estimate: float,
    values: ArrayLike,
    speakers: int,
    *,
    level: float = 0.95,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Interval | None:
    """The t interval whose error is the deviation of a measure over resamples, as the module describes.

    Args:
        estimate: the measure on the clips themselves.
        values: (samples,) the measure of each resample.
        speakers: how many there are.
        level: how often the interval is to hold the truth.
        bounds: the measure's own; the interval is cut there.

    Returns:
        None for a single speaker, and where all resamples are alike.

    Raises:
        UsageError: fewer than two resamples.

    >>> t_interval(0.5, [0.4, 0.5, 0.6], speakers=24)
    Interval(low=0.288..., high=0.711..., level=0.95)
    """
    found = np.asarray(values, np.float64)
    if found.ndim != 1 or len(found) < 2:
        raise UsageError(f"resamples {found.shape}: their deviation takes two or more")
    if speakers < 2:
        return None
    error = float(found.std(ddof=1)) * math.sqrt(speakers / (speakers - 1))
    if error <= ROUNDING:
        return None
    reach = student_t_quantile(0.5 + level / 2, speakers - 1) * error
    return Interval(max(bounds[0], estimate - reach), min(bounds[1], estimate + reach), level)


def percentile_interval(values: ArrayLike, *, level: float = 0.95) -> Interval:
    """The middle of a measure's values over resamples: too narrow where speakers are few.

    >>> percentile_interval(np.arange(101) / 100, level=0.9)
    Interval(low=0.05, high=0.95, level=0.9)
    """
    low, high = np.quantile(np.asarray(values, np.float64), [0.5 - level / 2, 0.5 + level / 2])
    return Interval(round(float(low), 12), round(float(high), 12), level)
