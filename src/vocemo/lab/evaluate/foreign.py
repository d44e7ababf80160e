"""Answers that another tool wrote: a CSV file whose columns have names of their own.

It needs a column that says which recording (`path`) or what it is (`target`), and the answers: a column of
emotions, or a column of probabilities for each. Names are matched without regard to case, blanks and
underscores, and so are emotions: happiness, Joy and happy are one (`emotions.canonical`).
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vocemo.emotions import EMOTIONS, canonical, in_order
from vocemo.errors import UsageError

# The names under which others write what a column is; "emotion" may be target or answer: other columns tell.
COLUMNS: dict[str, tuple[str, ...]] = {
    "path": ("path", "file", "filename", "filepath", "audio", "audiopath", "wav", "clip", "recording"),
    "target": (
        *("target", "truth", "true", "actual", "reference", "gold", "groundtruth", "expected"),
        *("truelabel", "trueemotion", "ytrue"),
    ),
    "predicted": (
        *("predicted", "prediction", "answer", "pred", "hypothesis", "output", "ypred"),
        *("predictedlabel", "predictedemotion", "predlabel", "predemotion"),
    ),
    "either": ("emotion", "label", "class", "category"),
    "corpus": ("corpus", "dataset"),
    "speaker": ("speaker", "speakerid", "actor"),
    "sex": ("sex", "gender"),
    "channel": ("channel",),
    "intensity": ("intensity",),
    "sentence": ("sentence",),
    "duration_s": ("durations", "duration", "length", "lengths"),
    "fold": ("fold",),
    "seed": ("seed",),
}
_PREFIXES = ("probability", "prob", "p", "score")
_SEXES = {"f": "female", "female": "female", "m": "male", "male": "male"}
_PERCENT = 100.0
_LEVEL = 1e-6
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class ForeignRow:
    """One line of the file; what it does not say is None."""

    line: int
    path: str | None
    target: str | None
    predicted: str | None
    probabilities: tuple[float, ...] | None  # in the order of the table's emotions
    described: Mapping[str, str]  # corpus, speaker, sex, ... fold, seed


@dataclass(frozen=True)
class ForeignTable:
    """The answers of another tool, and what was made of its columns."""

    source: Path
    emotions: tuple[str, ...]  # of the probabilities; without any, those that are answered
    rows: tuple[ForeignRow, ...]
    probabilistic: bool
    has_targets: bool
    remarks: tuple[str, ...] = field(default=())


def read_foreign(path: str | os.PathLike[str], *, targets_elsewhere: bool) -> ForeignTable:
    """Read a file of answers, its columns named as they may be.

    Args:
        path: a CSV file, its separator a comma, a semicolon or a tab.
        targets_elsewhere: a corpus says what each clip is, so that a lone column of emotions is the answer;
            otherwise, beside probabilities, it is the target.

    Raises:
        UsageError: no such file, columns that are lacking or could be two things, a broken line; says which.
    """
    source = Path(path)
    columns, lines = _lines(source)
    meant, others = _meant(columns, source)
    labels = {
        canonical(cells[place])
        for _, cells in lines
        for name in ("target", "predicted", "either")
        if (place := meant.get(name)) is not None and cells[place]
    }
    odds = _probability_columns(others, columns, labels, source)
    _settle(meant, bool(odds), targets_elsewhere, source)
    if "predicted" not in meant and not odds:
        raise UsageError(
            f"{source}: columns {', '.join(columns)}: no answers; there must be a column of emotions "
            f"({', '.join(COLUMNS['predicted'][:3])} or emotion) or one of probabilities for each emotion"
        )
    if "target" not in meant and not targets_elsewhere:
        raise UsageError(
            f"{source}: nothing says what each clip is: add a column target, or name the corpus with "
            "--corpus NAME:DIR"
        )
    emotions = tuple(odds)
    scale, remarks = 1.0, []
    if odds:
        scale = _scale(lines, list(odds.values()))
        if scale != 1.0:
            remarks.append("probabilities were given in percent")
    unused = [columns[place] for place in others if place not in odds.values()]
    if unused:
        remarks.append(f"not used: column{'s' * (len(unused) > 1)} {', '.join(unused)}")
    rows = tuple(
        _row(number, cells, meant, odds, scale, f"{source}, line {number}", unused) for number, cells in lines
    )
    if not odds:
        emotions = in_order({row.predicted for row in rows if row.predicted})
    return ForeignTable(source, emotions, rows, bool(odds), "target" in meant, tuple(remarks))


def plain(name: str) -> str:
    """A column's name without case, blanks and marks.

    >>> plain("Predicted Label"), plain("y_true")
    ('predictedlabel', 'ytrue')
    """
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _lines(source: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    if not source.is_file():
        raise UsageError(f"{source}: no such file of predictions")
    try:
        text = source.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{source}: not UTF-8 text (byte {error.start})") from error
    header = text.partition("\n")[0]
    reader = csv.reader(text.splitlines(keepends=True), delimiter=max(",;\t", key=header.count))
    columns = [name.strip() for name in next(reader, [])]
    found = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            raise UsageError(
                f"{source}, line {reader.line_num}: {len(cells)} values under {len(columns)} columns"
            )
        found.append((reader.line_num, [cell.strip() for cell in cells]))
    if not found:
        raise UsageError(f"{source}: {'a header and no line below it' if columns else 'empty'}")
    return columns, found


def _meant(columns: Sequence[str], source: Path) -> tuple[dict[str, int], list[int]]:
    """Which column is what, and the columns that are none of these."""
    found: dict[str, int] = {}
    others = []
    for place, column in enumerate(columns):
        role = next((role for role, names in COLUMNS.items() if plain(column) in names), None)
        if role is None:
            others.append(place)
        elif role in found:
            raise UsageError(
                f"{source}: columns {columns[found[role]]} and {column} could both be "
                f"{'the emotion' if role == 'either' else role}; rename one"
            )
        else:
            found[role] = place
    return found, others


def _probability_columns(
    others: Sequence[int], columns: Sequence[str], labels: set[str], source: Path
) -> dict[str, int]:
    """Emotion -> column, for columns whose name is an emotion, with or without a prefix such as p_."""
    known = set(EMOTIONS) | labels
    found: dict[str, int] = {}
    for place in others:
        name = canonical(columns[place])
        head, _, rest = name.replace("(", "_").rstrip(")").partition("_")
        emotion = name if name in known else canonical(rest) if head in _PREFIXES else None
        if emotion not in known:
            continue
        if emotion in found:
            raise UsageError(
                f"{source}: columns {columns[found[emotion]]} and {columns[place]} are one emotion, {emotion}"
            )
        found[emotion] = place
    return {name: found[name] for name in in_order(set(found))}


def _settle(meant: dict[str, int], odds: bool, targets_elsewhere: bool, source: Path) -> None:
    """Give a column of emotions its part, by what else is there."""
    if "either" not in meant:
        return
    place = meant.pop("either")
    if "target" in meant and "predicted" in meant:
        raise UsageError(
            f"{source}: a third column of emotions stands beside those of targets and answers; leave one out"
        )
    if "target" in meant:
        meant["predicted"] = place
    elif "predicted" in meant or (odds and not targets_elsewhere):
        meant["target"] = place
    elif odds:
        raise UsageError(
            f"{source}: a column of emotions beside probabilities: is it the target or the answer? "
            "Call it target or predicted"
        )
    else:
        meant["predicted"] = place


def _scale(lines: Sequence[tuple[int, Sequence[str]]], places: Sequence[int]) -> float:
    """100 where every line adds up to 100, else 1."""
    try:
        sums = [sum(float(cells[place]) for place in places) for _, cells in lines]
    except ValueError:
        return 1.0  # the line that is wrong is named when it is read
    return _PERCENT if all(abs(total / _PERCENT - 1) < _TOLERANCE * 10 for total in sums) else 1.0


def _row(
    number: int,
    cells: Sequence[str],
    meant: Mapping[str, int],
    odds: Mapping[str, int],
    scale: float,
    where: str,
    unused: Sequence[str],
) -> ForeignRow:
    told = {role: cells[place] for role, place in meant.items() if cells[place]}
    target, predicted = (canonical(told[r]) if r in told else None for r in ("target", "predicted"))
    probabilities: tuple[float, ...] | None = None
    if odds:
        probabilities = _distribution([cells[place] for place in odds.values()], scale, where, unused)
        best = max(probabilities)
        names = list(odds)
        if predicted is not None and (
            predicted not in odds or probabilities[names.index(predicted)] < best - _LEVEL
        ):
            raise UsageError(
                f"{where}: the answer {predicted} is not its most probable emotion; leave out the answers or "
                "the probabilities"
            )
    elif predicted is None:
        raise UsageError(f"{where}: no answer; a clip without one is left out of the file, and counted so")
    if "sex" in told:
        if told["sex"].lower() not in _SEXES:
            raise UsageError(f"{where}: sex '{told['sex']}' is none of female, male")
        told["sex"] = _SEXES[told["sex"].lower()]
    described = {k: v for k, v in told.items() if k not in ("path", "target", "predicted")}
    return ForeignRow(number, told.get("path"), target, predicted, probabilities, described)


def _distribution(cells: Sequence[str], scale: float, where: str, unused: Sequence[str]) -> tuple[float, ...]:
    try:
        found = [float(cell) / scale for cell in cells]
    except ValueError as error:
        raise UsageError(f"{where}: {error}; probabilities are numbers") from error
    total = sum(found)
    if not all(math.isfinite(p) and p >= 0 for p in found) or abs(total - 1) > _TOLERANCE * 10:
        hint = f"; not taken for emotions: {', '.join(unused)}" if unused else ""
        raise UsageError(
            f"{where}: probabilities are 0 or more and add up to 1; these add up to {total:.4g}, the least "
            f"is {min(found):.4g}{hint}"
        )
    return tuple(p / total for p in found)
