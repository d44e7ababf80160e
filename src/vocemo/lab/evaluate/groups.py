r"""Figures of groups of clips, and whether groups differ by more than chance gives.

Clips are grouped by what describes them: the speaker's sex, the speaker, how intense the emotion was meant
to be, the sentence, the channel (speech or song), and how long the clip is.

Speakers are what was sampled, so the intervals leave one speaker out at a time. With $\hat\theta$ a group's
UAR or the gap of two, $\hat\theta_{(-s)}$ the same without speaker s, and $m$ speakers,

$$\widehat{\mathrm{Var}}(\hat\theta) = \frac{m-1}{m}\sum_s (\hat\theta_{(-s)} - \bar\theta_{(\cdot)})^2,
\qquad \hat\theta \pm t_{m-1,\,0.975}\sqrt{\widehat{\mathrm{Var}}(\hat\theta)}$$

(the jackknife, Tukey 1958; Efron & Tibshirani 1993, chapter 11). Where all speakers have the same clips it is
the t interval of their own values. It differs from `confidence`, which takes the derivative, where an emotion
of a small group comes from few speakers: there the derivative calls certain what hangs on one of them.

Two groups with no speaker in common (the sexes) were drawn apart: each is left one out for itself, the
variances add up, and t has the degrees of freedom of Welch 1947, their whole part. With equal clips that
is Welch's t interval. Where speakers stand in both groups (intensity, sentence, channel, duration) the
gap is that within speakers, and t has one degree of freedom less than the smaller group has speakers.

A gap compares the emotions that both groups have, from two speakers or more in each: there is no strong
neutral in RAVDESS, and without that rule an emotion's absence would pass for a difference. With more than
two groups of a kind, each is held against all the others, and the intervals are widened so that all of
them together hold with 95 % (Bonferroni).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vocemo.lab.corpora.clip import UNKNOWN_SPEAKER
from vocemo.lab.evaluate.distributions import student_t_quantile
from vocemo.lab.evaluate.predictions import Predictions, Subject

Values = NDArray[np.float64]
Choice = NDArray[np.bool_]

LEVEL = 0.95
DURATION_EDGES_S = (1.0, 2.0, 3.0, 4.0, 6.0, 10.0)
MOST_GROUPS = 40  # of sentences and the like: with more, each is a handful of clips


@dataclass(frozen=True)
class GroupResult:
    """Clips that share something, such as their speaker's sex."""

    name: str
    clips: int  # of one seed, on average over seeds
    speakers: int
    uar: float | None  # over the emotions that the group has; None where it has one alone
    accuracy: float
    ci95: tuple[float, float] | None = None  # of uar, over speakers


@dataclass(frozen=True)
class Gap:
    """By how much the UAR of the first group lies above that of the second."""

    first: str
    second: str
    difference: float
    ci95: tuple[float, float] | None = None  # over speakers
    emotions: tuple[str, ...] = ()  # those compared, where they are not all of the result's

    @property
    def counts(self) -> bool:
        """Whether the interval leaves 0: the groups differ by more than the choice of speakers explains."""
        return self.ci95 is not None and (self.ci95[0] > 0 or self.ci95[1] < 0)


def duration_bin(duration_s: float) -> str:
    """The name of the bin that a clip's length falls into; a bin holds its lower edge.

    >>> duration_bin(0.4), duration_bin(3.0), duration_bin(12.5)
    ('under 1 s', '3 to 4 s', '10 s or more')
    """
    return DURATION_NAMES[bisect_right(DURATION_EDGES_S, duration_s)]


DURATION_NAMES = (
    f"under {DURATION_EDGES_S[0]:g} s",
    *(f"{low:g} to {high:g} s" for low, high in pairwise(DURATION_EDGES_S)),
    f"{DURATION_EDGES_S[-1]:g} s or more",
)

# What a clip is grouped by; None: it is not known.
_KINDS: dict[str, Callable[[Subject], str | None]] = {
    "sex": lambda subject: subject.sex,
    "speaker": lambda subject: subject.speaker if speaker_named(subject) else None,
    "intensity": lambda subject: subject.intensity,
    "sentence": lambda subject: subject.sentence,
    "channel": lambda subject: subject.channel,
    "duration": lambda s: None if s.duration_s is None else duration_bin(s.duration_s),
}


def speaker_named(subject: Subject) -> bool:
    """Whether it is known who speaks."""
    return not subject.speaker.endswith(f"/{UNKNOWN_SPEAKER}") and subject.speaker != UNKNOWN_SPEAKER


def speakers_named(predictions: Predictions) -> bool:
    """Whether it is known of every clip who speaks: else nobody can tell over whom an interval would be."""
    return all(speaker_named(subject) for subject in predictions.subjects)


def by_group(predictions: Predictions) -> dict[str, tuple[GroupResult, ...]]:
    """The figures of each group, by kind: sex, speaker, intensity, sentence, channel, duration.

    Those of several seeds are averaged over seeds, as the pooled figures of a result are. A kind that is not
    known, that divides nothing, or that has more than MOST_GROUPS groups (speakers excepted) is absent.
    There is an interval where two speakers or more have each emotion of the group.
    """
    cells = _Cells.of(predictions)
    return {
        kind: tuple(_result(name, chosen, cells) for name, chosen in groups.items())
        for kind, groups in divisions(predictions).items()
    }


def gaps(predictions: Predictions) -> dict[str, tuple[Gap, ...]]:
    """The gaps between the groups of each kind but speaker, as the module describes.

    How far speakers differ is not told by the best and the worst of them: `speakers.speaker_gap`.
    """
    cells = _Cells.of(predictions)
    found: dict[str, tuple[Gap, ...]] = {}
    for kind, groups in divisions(predictions).items():
        if kind == "speaker":
            continue
        if len(groups) == 2:
            (first, chosen), (second, rest) = groups.items()
            of_kind = [_gap(first, chosen, second, rest, cells, LEVEL)]
        else:
            known = np.logical_or.reduce(list(groups.values()))
            level = 1 - (1 - LEVEL) / len(groups)
            of_kind = [
                _gap(name, chosen, "the others", known & ~chosen, cells, level)
                for name, chosen in groups.items()
            ]
        if kept := tuple(gap for gap in of_kind if gap is not None):
            found[kind] = kept
    return found


def divisions(predictions: Predictions) -> dict[str, dict[str, Choice]]:
    """Which rows are in which group of which kind; kinds with fewer than two groups are absent."""
    several = len({subject.corpus for subject in predictions.subjects}) > 1
    found: dict[str, dict[str, Choice]] = {}
    for kind, of in _KINDS.items():
        values = [of(subject) for subject in predictions.subjects]
        if kind == "sentence" and several:  # corpora number their sentences each for itself
            values = [
                value and f"{subject.corpus}/{value}"
                for value, subject in zip(values, predictions.subjects, strict=True)
            ]
        names = sorted({value for value in values if value is not None}, key=_order)
        if len(names) < 2 or (kind != "speaker" and len(names) > MOST_GROUPS):
            continue
        places = {name: place for place, name in enumerate(names)}
        of_row = np.array([-1 if value is None else places[value] for value in values])
        found[kind] = {name: of_row == place for name, place in places.items()}
    return found


def _order(name: str) -> tuple[int, str]:
    return (DURATION_NAMES.index(name) if name in DURATION_NAMES else -1, name)


@dataclass(frozen=True)
class _Cells:
    """Where each row is counted, and whether it is right."""

    emotions: tuple[str, ...]
    shape: tuple[int, int, int]  # seeds, speakers, emotions
    place: NDArray[np.int64]  # (n,), of the flattened shape
    right: Values  # (n,)
    named: bool  # whether all speakers are known

    @classmethod
    def of(cls, predictions: Predictions) -> _Cells:
        seeds, seed = np.unique(predictions.seed, return_inverse=True)
        names, speaker = np.unique([s.speaker for s in predictions.subjects], return_inverse=True)
        shape = (len(seeds), len(names), len(predictions.emotions))
        place = (seed * shape[1] + speaker) * shape[2] + predictions.targets
        right = (predictions.predicted == predictions.targets).astype(np.float64)
        named = speakers_named(predictions)
        return cls(predictions.emotions, shape, place, right, named)

    def counted(self, chosen: Choice) -> tuple[Values, Values]:
        """Right answers and clips of some rows, each (seeds, speakers, emotions)."""
        size = math.prod(self.shape)
        place = self.place[chosen]
        weighted = np.bincount(place, weights=self.right[chosen], minlength=size)
        clips = np.bincount(place, minlength=size).reshape(self.shape).astype(np.float64)
        return np.asarray(weighted, np.float64).reshape(self.shape), clips


def _result(name: str, chosen: Choice, cells: _Cells) -> GroupResult:
    right, clips = cells.counted(chosen)
    speaks = clips.sum((0, 2)) > 0
    there = clips.sum(1) > 0  # (seeds, emotions)
    recalls = right.sum(1) / np.maximum(clips.sum(1), 1)
    alone = np.count_nonzero(there.any(0)) < min(2, len(cells.emotions))
    by_seed = [recall[known].mean() for recall, known in zip(recalls, there, strict=True) if known.any()]
    found = float(np.mean(by_seed))
    ends = None
    if not alone and cells.named and np.array_equal(there.all(0), there.any(0)):
        heard = _heard_from_two(clips)
        if np.array_equal(heard, there.any(0)):
            error = _error(_left_out(right, clips, heard)[speaks])
            ends = _interval(found, error, int(speaks.sum()) - 1, LEVEL, (0.0, 1.0))
    totals = clips.sum((1, 2))
    accuracy = float(np.mean(right.sum((1, 2))[totals > 0] / totals[totals > 0]))
    return GroupResult(
        name,
        round(float(totals.mean())),
        int(speaks.sum()),
        None if alone else found,
        accuracy,
        ends,
    )


def _gap(first: str, chosen: Choice, second: str, others: Choice, cells: _Cells, level: float) -> Gap | None:
    """None where the groups share too few emotions."""
    one, other = cells.counted(chosen), cells.counted(others)
    heard = _heard_from_two if cells.named else _heard
    shared = heard(one[1]) & heard(other[1])
    everything = (one[1] + other[1]).sum((0, 1)) > 0
    if int(shared.sum()) < min(2, int(everything.sum())):
        return None
    difference = _uar(*one, shared) - _uar(*other, shared)
    ends = _gap_interval(difference, one, other, shared, level) if cells.named else None
    names = tuple(name for name, told in zip(cells.emotions, shared, strict=True) if told)
    return Gap(first, second, difference, ends, () if np.array_equal(shared, everything) else names)


def _gap_interval(
    difference: float,
    one: tuple[Values, Values],
    other: tuple[Values, Values],
    shared: Choice,
    level: float,
) -> tuple[float, float] | None:
    in_one, in_other = (clips[:, :, shared].sum((0, 2)) > 0 for _, clips in (one, other))
    without = _left_out(*one, shared), _left_out(*other, shared)
    if (in_one & in_other).any():
        error = _error((without[0] - without[1])[in_one | in_other])
        freedom = min(int(in_one.sum()), int(in_other.sum())) - 1
    else:
        errors = [_error(values[there]) for values, there in zip(without, (in_one, in_other), strict=True)]
        error = math.hypot(*errors)
        parts = [e**4 / (n - 1) for e, n in zip(errors, (in_one.sum(), in_other.sum()), strict=True)]
        freedom = max(1, int(error**4 / sum(parts))) if error > 0 else 1
    return _interval(difference, error, freedom, level, (-1.0, 1.0))


def _uar(right: Values, clips: Values, emotions: Choice) -> float:
    return float((right.sum(1) / np.maximum(clips.sum(1), 1))[:, emotions].mean())


def _heard_from_two(clips: Values) -> Choice:
    """The emotions that two speakers or more have in every seed: without any one they are still there."""
    return np.asarray(((clips > 0).sum(1) >= 2).all(0), np.bool_)


def _heard(clips: Values) -> Choice:
    return np.asarray((clips.sum(1) > 0).all(0), np.bool_)


def _left_out(right: Values, clips: Values, emotions: Choice) -> Values:
    """UAR without each speaker in turn (speakers,), the mean over seeds."""
    remaining = clips.sum(1, keepdims=True) - clips
    recalls = (right.sum(1, keepdims=True) - right) / np.maximum(remaining, 1)
    return np.asarray(recalls[:, :, emotions].mean((0, 2)), np.float64)


def _error(without: Values) -> float:
    """The jackknife's standard error, from a measure without each speaker in turn."""
    m = len(without)
    return float(np.sqrt((m - 1) / m * np.square(without - without.mean()).sum()))


def _interval(
    estimate: float, error: float, freedom: int, level: float, bounds: tuple[float, float]
) -> tuple[float, float] | None:
    """None where speakers do not differ at all, as happens by chance where each has a clip or two."""
    if freedom < 1 or error == 0:
        return None
    reach = student_t_quantile(0.5 + level / 2, freedom) * error
    return max(bounds[0], estimate - reach), min(bounds[1], estimate + reach)
