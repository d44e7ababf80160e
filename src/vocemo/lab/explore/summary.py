"""Figures of groups of clips: counts, spreads, and how much of a measure a label explains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from vocemo.emotions import in_order
from vocemo.lab.corpora import UNKNOWN_SPEAKER, Clip
from vocemo.lab.explore.clip_statistics import ClipStatistics
from vocemo.lab.explore.surveying import Survey, Surveyed

Measure = Callable[[ClipStatistics], float | None]
Label = Callable[[Clip], str | None]


@dataclass(frozen=True, slots=True)
class Spread:
    """How values lie: their number, the 5th, 25th, 50th, 75th and 95th percentile, and the mean."""

    count: int
    low: float
    lower_quarter: float
    median: float
    upper_quarter: float
    high: float
    mean: float


MEASURES: dict[str, Measure] = {
    "duration_s": lambda m: m.duration_s,
    "sounding_s": lambda m: m.sounding_s,
    "rms_dbfs": lambda m: m.rms_dbfs,
    "speech_dbfs": lambda m: None if m.silent else m.speech_dbfs,
    "peak_dbfs": lambda m: m.peak_dbfs,
    "noise_floor_dbfs": lambda m: m.noise_floor_dbfs,
    "f0_median_hz": lambda m: m.f0_median_hz,
    "f0_range_semitones": lambda m: m.f0_range_semitones,
    "voiced_share": lambda m: None if m.silent else m.voiced_share,
}


def emotion_of(clip: Clip) -> str:
    """The emotion of a clip."""
    return clip.emotion


def sex_of(clip: Clip) -> str | None:
    """The sex of a clip's speaker, where it is known."""
    return clip.sex


def speaker_of(clip: Clip) -> str | None:
    """The speaker of a clip, where it is known."""
    return None if clip.speaker.endswith(f"/{UNKNOWN_SPEAKER}") else clip.speaker


def spread(values: ArrayLike) -> Spread:
    """The spread of one value or more, by linear interpolation between them.

    >>> spread([1, 2, 3, 4, 5]).lower_quarter
    2.0
    """
    known = np.asarray(values, np.float64)
    low, lower, middle, upper, high = (float(q) for q in np.percentile(known, (5, 25, 50, 75, 95)))
    return Spread(len(known), low, lower, middle, upper, high, float(known.mean()))


def grouped(survey: Survey, label: Label, measure: Measure) -> dict[str, list[float]]:
    """The values of a measure by label, those that are known; emotions in the vocabulary's order."""
    found: dict[str, list[float]] = {}
    for each in survey.clips:
        name, value = label(each.clip), measure(each.measured)
        if name is not None and value is not None:
            found.setdefault(name, []).append(value)
    return {name: found[name] for name in in_order(set(found))}


def spreads(survey: Survey, label: Label, measure: Measure) -> dict[str, Spread]:
    """The spread of a measure by label."""
    return {name: spread(values) for name, values in grouped(survey, label, measure).items()}


def counts(survey: Survey, label: Label) -> dict[str, int]:
    """Clips by label, in the order of `grouped`; clips without one are left out."""
    found = Counter(name for each in survey.clips if (name := label(each.clip)) is not None)
    return {name: found[name] for name in in_order(set(found))}


def cells(survey: Survey, row: Label, column: Label) -> dict[str, dict[str, int]]:
    """Clips by two labels; zeros stand too."""
    found: Counter[tuple[str, str]] = Counter()
    for each in survey.clips:
        names = row(each.clip), column(each.clip)
        if names[0] is not None and names[1] is not None:
            found[names[0], names[1]] += 1
    columns = in_order({name for _, name in found})
    return {r: {c: found[r, c] for c in columns} for r in in_order({name for name, _ in found})}


def explained_share(groups: Mapping[Hashable, Sequence[float]] | Mapping[str, Sequence[float]]) -> float:
    """How much of the variance of some values lies between their groups, 0 to 1: eta squared.

    Source: between-group over total sum of squares, as in a one-way analysis of variance. 0 where
    all values are equal.

    >>> explained_share({"a": [1.0, 1.0], "b": [3.0, 3.0]})
    1.0
    """
    parts = [np.asarray(values, np.float64) for values in groups.values() if len(values)]
    if not parts:
        return 0.0
    every = np.concatenate(parts)
    total = float(np.square(every - every.mean()).sum())
    between = sum(len(part) * float(part.mean() - every.mean()) ** 2 for part in parts)
    return between / total if total > 0 else 0.0


def against_speaker(survey: Survey, measure: Measure) -> list[tuple[Surveyed, float]]:
    """Each clip's value less the median of its speaker's own: what is left when voices are alike.

    Where speakers are not known, the median of all clips stands for theirs.
    """
    known = [(each, value) for each in survey.clips if (value := measure(each.measured)) is not None]
    medians: dict[str, float] = {}
    for speaker in {each.clip.speaker for each, _ in known}:
        own = [value for each, value in known if each.clip.speaker == speaker]
        medians[speaker] = float(np.median(own))
    return [(each, value - medians[each.clip.speaker]) for each, value in known]


def semitones(hz: float | None) -> float | None:
    """A pitch on the scale of semitones, from 1 Hz on; None stays None."""
    return None if hz is None else 12 * float(np.log2(hz))


def pitch_against_speaker(survey: Survey) -> dict[str, list[float]]:
    """By emotion, how many semitones each clip's median pitch lies above its speaker's own."""
    return _by_emotion(against_speaker(survey, lambda m: semitones(m.f0_median_hz)))


def level_against_speaker(survey: Survey) -> dict[str, list[float]]:
    """By emotion, how many dB each clip's speech lies above its speaker's own."""
    return _by_emotion(against_speaker(survey, MEASURES["speech_dbfs"]))


def _by_emotion(values: Sequence[tuple[Surveyed, float]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for each, value in values:
        found.setdefault(each.clip.emotion, []).append(value)
    return {name: found[name] for name in in_order(set(found))}
