"""Tables whose rows show a share and its interval as a dot on a line: groups, speakers, conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vocemo.lab.evaluate import Predictions
from vocemo.lab.evaluate.groups import Gap, GroupResult
from vocemo.lab.evaluate.metrics import confusion_matrix, uar
from vocemo.lab.report.wording import capital, many

if TYPE_CHECKING:
    from vocemo.lab.stress.result import Robustness

MOST = (
    40  # rows of a table; of more, the best and the worst halves of this are shown and the others folded away
)

TITLES = {
    "sex": "Sex of the speaker",
    "intensity": "Intensity of the emotion",
    "sentence": "Sentence",
    "channel": "Channel",
    "duration": "Length of the clip",
}


@dataclass(frozen=True)
class Row:
    """A name, what stands below it, and a share with what its line spans."""

    name: str
    note: str
    value: float | None
    span: tuple[float, float] | None = None
    look: str = "first"


@dataclass(frozen=True)
class Strips:
    """A table of rows; `more` are those folded away, `bars` says what the lines span."""

    name: str
    title: str
    caption: str
    measure: str
    rows: tuple[Row, ...]
    more: tuple[Row, ...] = ()
    gaps: tuple[str, ...] = ()
    reference: float | None = None  # what the full line stands at, where not at the figure of all clips


def groups(
    found: Mapping[str, Sequence[GroupResult]], gaps: Mapping[str, Sequence[Gap]]
) -> tuple[Strips, ...]:
    """A table for each kind of group but the speakers."""
    return tuple(
        _strips(
            kind,
            TITLES.get(kind, capital(kind)),
            "UAR over the emotions that the group has."
            + (" Lines: 95 % intervals over speakers." if any(g.ci95 for g in found[kind]) else ""),
            (_group(each) for each in found[kind]),
            told_gaps(gaps.get(kind, ())),
        )
        for kind in sorted(
            found, key=lambda kind: list(TITLES).index(kind) if kind in TITLES else len(TITLES)
        )
        if kind != "speaker"
    )


def _group(each: GroupResult) -> Row:
    note = f"{many(each.clips, 'clip')}, {many(each.speakers, 'speaker')}"
    return Row(each.name, note, each.uar, each.ci95)


def speakers(
    found: Sequence[GroupResult], predictions: Predictions | None, gaps: Sequence[Gap]
) -> Strips | None:
    """A row a speaker, the best recognised first; None where there are not two."""
    if len(found) < 2:
        return None
    sexes = {s.speaker: s.sex for s in predictions.subjects if s.sex} if predictions else {}
    seeds = _by_seed(predictions) if predictions else {}
    rows = []
    for each in sorted(found, key=lambda group: -1.0 if group.uar is None else -group.uar):
        sex = sexes.get(each.name)
        note = ", ".join(filter(None, (sex, many(each.clips, "clip"))))
        rows.append(
            Row(each.name, note, each.uar, seeds.get(each.name), "second" if sex == "male" else "first")
        )
    caption = "UAR of each speaker's own clips."
    if seeds:
        caption += " Lines: from the lowest to the highest seed."
    if sexes:
        caption += " Round: female; square: male."
    return _strips("speaker", "Each speaker", caption, rows, tuple(_spread(gap) for gap in gaps))


def _by_seed(predictions: Predictions) -> dict[str, tuple[float, float]]:
    """Each speaker's UAR of the lowest and of the highest seed, where there are several."""
    seeds = np.unique(predictions.seed)
    names, place = np.unique([s.speaker for s in predictions.subjects], return_inverse=True)
    if len(seeds) < 2:
        return {}
    found: dict[str, tuple[float, float]] = {}
    for number, name in enumerate(names):
        of_speaker = place == number
        rows = [of_speaker & (predictions.seed == seed) for seed in seeds]
        if all(chosen.any() for chosen in rows):
            values = [
                uar(
                    confusion_matrix(
                        predictions.targets[c], predictions.predicted[c], len(predictions.emotions)
                    )
                )
                for c in rows
            ]
            found[str(name)] = (min(values), max(values))
    return found


def robustness(told: Robustness) -> Strips:
    """A row a condition, in the order of the file, families together."""
    from vocemo.lab.report.robustness_table import label  # imports torch, as what was read did

    rows: list[Row] = []
    for condition in told.conditions:
        note = many(condition.clips, "clip")
        if rows:
            note = f"{_points(-condition.fall)} points{'*' if condition.falls else ''}, {note}"
        look = "second" if rows else "first"
        rows.append(Row(label(condition), note, condition.uar, condition.ci95, look))
    bars = " Lines: 95 % intervals over speakers." if any(row.span for row in rows) else ""
    return Strips(
        "robustness",
        "UAR under each condition",
        "The first row is the recordings as they are, as is the full line; points are the change from it."
        f"{bars} A star: more than chance, since the change's own interval leaves 0.",
        "UAR",
        tuple(rows),
        reference=rows[0].value,
    )


def told_gaps(gaps: Iterable[Gap]) -> tuple[str, ...]:
    """Each gap in a sentence; those that count are called so."""
    return tuple(_gap(gap) for gap in gaps)


def _gap(gap: Gap) -> str:
    told = f"{capital(gap.first)} less {gap.second}: {_points(gap.difference)} points of UAR"
    if gap.ci95 is None:
        return told + ", without an interval: too few speakers."
    told += f" (95 % interval over speakers {_points(gap.ci95[0])} to {_points(gap.ci95[1])})"
    if gap.emotions:
        told += f", over {', '.join(gap.emotions)}"
    return told + (
        "; it counts: the interval leaves 0." if gap.counts else "; it does not count: the interval holds 0."
    )


def _spread(gap: Gap) -> str:
    """How far speakers differ, beyond what so few clips of each would differ by chance."""
    told = f"Two speakers drawn at random differ by {100 * gap.difference:.1f} points of UAR on average, "
    told += "beyond chance"
    if gap.ci95 is not None:
        told += f" (95 % interval {100 * gap.ci95[0]:.1f} to {100 * gap.ci95[1]:.1f})"
    return told + ("." if gap.counts else "; chance alone explains it.")


def _points(share: float) -> str:
    """A difference in points, with its sign.

    >>> _points(0.051), _points(-0.2), _points(0.0)
    ('+5.1', '−20.0', '0.0')
    """
    points = round(100 * share, 1)
    return "0.0" if points == 0 else f"{points:+.1f}".replace("-", "−")


def _strips(name: str, title: str, caption: str, rows: Iterable[Row], gaps: tuple[str, ...]) -> Strips:
    """A table, its middle folded away where it is long."""
    every = tuple(rows)
    if len(every) <= MOST:
        return Strips(name, title, caption, "UAR", every, gaps=gaps)
    ranked = sorted(every, key=lambda row: -1.0 if row.value is None else -row.value)
    half = MOST // 2
    return Strips(
        name, title, caption, "UAR", tuple(ranked[:half] + ranked[-half:]), tuple(ranked[half:-half]), gaps
    )
