"""What moved a model's answer: moments, bands, and how much less sure it is without each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

_DIGITS = 6  # as of a probability
WORTH_TELLING = 0.25  # of the largest effect: what falls short of it is not named in a sentence


@dataclass(frozen=True)
class Moment:
    """A stretch of the recording; `effect`: the fall of the log-odds, `without`: the probability left."""

    start_s: float
    end_s: float
    effect: float
    without: float

    def to_dict(self) -> dict[str, float]:
        """The JSON object of this moment."""
        return _rounded(start_s=self.start_s, end_s=self.end_s) | _measured(self.effect, self.without)


@dataclass(frozen=True)
class Band:
    """A band of frequencies, all the time that was explained; `effect` and `without` as of a Moment."""

    low_hz: float
    high_hz: float
    effect: float
    without: float

    def to_dict(self) -> dict[str, float]:
        """The JSON object of this band."""
        return _rounded(low_hz=self.low_hz, high_hz=self.high_hz) | _measured(self.effect, self.without)


_Told = TypeVar("_Told", Moment, Band)


@dataclass(frozen=True)
class MapColumn:
    """A stretch of the recording with the effect of each band in it, in the order of the bands."""

    start_s: float
    end_s: float
    effects: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of this column."""
        effects = [round(effect, _DIGITS) for effect in self.effects]
        return _rounded(start_s=self.start_s, end_s=self.end_s) | {"effects": effects}


@dataclass(frozen=True)
class Part:
    """A stretch that the model heard at once, and the probability that it gave the explained emotion there.

    `attention` is the model's own weights over the stretch, evenly spaced, where it has them.
    """

    start_s: float
    end_s: float
    probability: float
    attention: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of this part; attention stands in it where the model has it."""
        values: dict[str, Any] = _rounded(start_s=self.start_s, end_s=self.end_s)
        values["probability"] = round(self.probability, _DIGITS)
        if self.attention:
            values["attention"] = [round(weight, _DIGITS) for weight in self.attention]
        return values


@dataclass(frozen=True)
class Explanation:
    """Which moments and bands of a recording moved the model, for or against one emotion.

    `emotion` is the explained one and `answer` what the model answered; `probability` is that of `emotion`
    for the recording. Every `effect` is how far the log-odds of `emotion`, ln(p / (1 - p)), fall when that
    moment or band is exchanged for `neutral`: above 0 it spoke for the emotion, below 0 against it; 0.69
    halves the odds.

    `parts` are the stretches that were explained: the whole recording as the model heard it or, where it was
    answered window by window, the windows that spoke most for the emotion. Effects are on the part's own
    answer, those of `bands` their mean over parts. `moments` overlap; `map` is moments by bands. `windows`
    are, of a recording answered window by window, all windows, each with the fall of the recording's log-odds
    when it is left out; otherwise empty.

    It says what moved the model, not what the speaker felt or why.

    >>> moments = (Moment(0.0, 0.4, 0.1, 0.7), Moment(0.2, 0.6, 1.2, 0.4), Moment(0.4, 0.8, 0.9, 0.5))
    >>> e = Explanation(None, 0.8, "angry", "angry", 0.72, (Part(0.0, 0.8, 0.72),), moments, ())
    >>> [(m.start_s, m.end_s) for m in e.strongest(2)]
    [(0.2, 0.6)]
    >>> e.over_time([0.1, 0.3]).round(2).tolist()
    [0.1, 0.65]
    """

    path: str | None
    duration_s: float
    emotion: str
    answer: str
    probability: float
    parts: tuple[Part, ...]
    moments: tuple[Moment, ...]
    bands: tuple[Band, ...]
    map: tuple[MapColumn, ...] = ()
    windows: tuple[Moment, ...] = ()
    neutral: str = "background"
    model: str = ""

    def strongest(self, count: int = 3, *, against: bool = False) -> list[Moment]:
        """Up to `count` moments that spoke most for the emotion, or against it, the strongest first.

        None overlap. Those below WORTH_TELLING of the largest effect are left out.
        """
        return _strongest(self.moments, count, -1.0 if against else 1.0)

    def strongest_bands(self, count: int = 2, *, against: bool = False) -> list[Band]:
        """Up to `count` bands that spoke most for the emotion, or against it, as `strongest` does."""
        return _strongest(self.bands, count, -1.0 if against else 1.0)

    def over_time(self, times_s: ArrayLike) -> NDArray[np.float64]:
        """The mean effect of the moments around each time, in seconds; NaN where none was explained."""
        times = np.atleast_1d(np.asarray(times_s, np.float64))
        starts, ends = np.array([(m.start_s, m.end_s) for m in self.moments]).reshape(-1, 2).T
        effects = np.array([m.effect for m in self.moments])
        inside = (starts <= times[:, None]) & (times[:, None] <= ends)
        count = inside.sum(1)
        mean = np.divide(inside @ effects, count, out=np.full(len(times), np.nan), where=count > 0)
        return np.asarray(mean, np.float64)

    def summary(self) -> list[str]:
        """What moved the model most, in a line or two for people."""
        lines = []
        for against, says in ((False, f"Spoke for {self.emotion}"), (True, f"Spoke against {self.emotion}")):
            told = [f"{m.start_s:.2f}-{m.end_s:.2f} s" for m in self.strongest(against=against)]
            told += [f"{b.low_hz:.0f}-{b.high_hz:.0f} Hz" for b in self.strongest_bands(against=against)]
            if told:
                lines.append(f"{says}: {', '.join(told)}")
        return lines or ["No moment and no band alone moved the answer"]

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of this explanation."""
        return {
            "emotion": self.emotion,
            "probability": round(self.probability, _DIGITS),
            "effect_unit": "fall of the log-odds",
            "neutral": self.neutral,
            "parts": [part.to_dict() for part in self.parts],
            "moments": [moment.to_dict() for moment in self.moments],
            "bands": [band.to_dict() for band in self.bands],
            "map": [column.to_dict() for column in self.map],
            "windows": [window.to_dict() for window in self.windows],
        }


def _strongest(found: Sequence[_Told], count: int, sign: float) -> list[_Told]:
    least = WORTH_TELLING * max((abs(each.effect) for each in found), default=0.0)
    kept: list[_Told] = []
    for each in sorted(found, key=lambda each: -sign * each.effect):
        if len(kept) == count or sign * each.effect <= max(least, 1e-6):
            break
        if not any(_overlap(each, other) for other in kept):
            kept.append(each)
    return kept


def _overlap(one: Moment | Band, other: Moment | Band) -> bool:
    if isinstance(one, Moment) and isinstance(other, Moment):
        return one.start_s < other.end_s and other.start_s < one.end_s
    return one == other


def _rounded(**values: float) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}


def _measured(effect: float, without: float) -> dict[str, float]:
    return {"effect": round(effect, _DIGITS), "without": round(without, _DIGITS)}
