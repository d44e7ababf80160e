"""Tables in plain text, for a terminal, a log or a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from vocemo.errors import UsageError
from vocemo.lab.evaluate.metrics import accuracy, f1, macro_f1, precision, recall, uar


def confusion_table(confusion: ArrayLike, emotions: Sequence[str]) -> str:
    """The confusion matrix: a row what a clip is, a column what it was called.

    Args:
        confusion: (k, k) counts, a row a target.
        emotions: k names.

    Raises:
        UsageError: a matrix that does not fit the emotions.

    >>> print(confusion_table([[3, 1], [0, 12]], ["happy", "sad"]))
    actual \\ predicted  happy  sad  clips  recall
    happy                   3    1      4   75.0%
    sad                     .   12     12  100.0%
    """
    counts = _fitting(confusion, emotions)
    header = ["actual \\ predicted", *emotions, "clips", "recall"]
    rows = [
        [name, *(str(int(n)) if n else "." for n in row), str(int(row.sum())), _percent(share)]
        for name, row, share in zip(emotions, counts, recall(counts), strict=True)
    ]
    return columns(header, rows)


def emotion_table(confusion: ArrayLike, emotions: Sequence[str]) -> str:
    """Precision, recall and F1 of each emotion, their means, and accuracy, in percent.

    The mean of recalls is UAR, that of F1 macro F1. A dash stands where a figure is undefined: an
    emotion without a clip has no recall, one neither there nor answered has nothing.

    Args:
        confusion: (k, k) counts, a row a target.
        emotions: k names.

    Raises:
        UsageError: a matrix that does not fit the emotions.

    >>> print(emotion_table([[3, 1, 0], [0, 4, 0], [0, 0, 0]], ["happy", "sad", "angry"]))
    emotion   precision  recall     F1  clips
    happy        100.0%   75.0%  85.7%      4
    sad           80.0%  100.0%  88.9%      4
    angry             -       -      -      0
    mean          90.0%   87.5%  87.3%      8
    accuracy                     87.5%      8
    """
    counts = _fitting(confusion, emotions)
    shares = (precision(counts), recall(counts), f1(counts))
    rows = [
        [name, *(_percent(column[place]) for column in shares), str(int(counts[place].sum()))]
        for place, name in enumerate(emotions)
    ]
    clips = str(int(counts.sum()))
    mean_precision = float(np.nanmean(shares[0]))
    rows.append(["mean", _percent(mean_precision), _percent(uar(counts)), _percent(macro_f1(counts)), clips])
    rows.append(["accuracy", "", "", _percent(accuracy(counts)), clips])
    return columns(["emotion", "precision", "recall", "F1", "clips"], rows)


def _fitting(
    confusion: ArrayLike, emotions: Sequence[str]
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    counts = np.asarray(confusion, np.int64)
    if counts.shape != (len(emotions), len(emotions)) or not counts.sum():
        raise UsageError(
            f"confusion {counts.shape}: it must be ({len(emotions)}, {len(emotions)}), with a clip or more"
        )
    return counts


def _percent(share: float) -> str:
    return "-" if np.isnan(share) else f"{share:.1%}"


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> list[str]:
    """The lines of a Markdown table whose first `texts` columns are texts and whose others are numbers.

    >>> markdown(["emotion", "recall"], [["sad|low", "75.0"]])
    ['| emotion | recall |', '| --- | ---: |', '| sad\\\\|low | 75.0 |']
    """
    ruler = ["---"] * texts + ["---:"] * (len(header) - texts)
    told = ([cell.replace("|", "\\|") for cell in cells] for cells in (header, ruler, *rows))
    return [f"| {' | '.join(cells)} |" for cells in told]


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns two spaces apart, the first to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = []
    for cells in (header, *rows):
        first, *rest = (
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        lines.append("  ".join((first, *rest)).rstrip())
    return "\n".join(lines)
