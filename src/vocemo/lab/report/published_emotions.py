"""Published results emotion by emotion, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping

from vocemo.lab.evaluate.results import Results
from vocemo.lab.report.published_cells import protocol
from vocemo.lab.report.shares import percent, spread
from vocemo.lab.report.tables import markdown


def emotions(results: Mapping[str, Results]) -> list[str]:
    """A table a result with a line an emotion."""
    lines: list[str] = []
    for name, result in results.items():
        leak = ", LEAKY" if result.leaky else ""
        rows = [
            (emotion, percent(one.precision), percent(one.recall), percent(one.f1), str(one.clips))
            for emotion, one in result.per_emotion.items()
        ]
        lines += [f"{name} (`{result.protocol}`{leak}):", ""]
        lines += [*markdown(("emotion", "precision", "recall", "F1", "answers"), rows, texts=1), ""]
    return lines[:-1]


def averages(results: Mapping[str, Results]) -> list[str]:
    """A line a result: accuracy, and the means over the emotions of precision, recall and F1."""
    header = ("recipe", "protocol", "accuracy", "precision", "recall", "F1", "test clips", "folds x seeds")
    rows = []
    for result in results.values():
        each = [one for one in result.per_emotion.values() if one.clips]
        rows.append(
            (
                f"`{result.recipe}`",
                protocol(result) + (", LEAKY" if result.leaky else ""),
                spread(result.metrics.get("accuracy")),
                _mean([one.precision for one in each]),
                _mean([one.recall for one in each]),
                _mean([one.f1 for one in each]),
                "-" if result.clips is None else f"{result.clips:,}",
                f"{result.folds} x {len(result.seeds)}",
            )
        )
    return markdown(header, rows, texts=2)


def confusion(results: Mapping[str, Results]) -> list[str]:
    """A table a result: a line an emotion as labelled, and how often each was answered."""
    lines: list[str] = []
    for name, result in results.items():
        leak = ", LEAKY" if result.leaky else ""
        rows = [
            (emotion, *(str(answers) for answers in row))
            for emotion, row in zip(result.emotions, result.confusion or (), strict=False)
        ]
        lines += [f"{name} (`{result.protocol}`{leak}):", ""]
        lines += [*markdown(("labelled", *result.emotions), rows, texts=1), ""]
    return lines[:-1]


def _mean(shares: list[float | None]) -> str:
    """The mean over the emotions in percent; an emotion that was never answered has precision 0."""
    return percent(sum(share or 0.0 for share in shares) / len(shares)) if shares else "-"
