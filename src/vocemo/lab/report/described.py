"""The systems that others describe, each beside what this code measures of it.

A line holds what its project reports, our figure on the same terms, which leak, and our figure on speakers
that nobody trained on; then what it costs: parameters, training, the file and an answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vocemo.errors import UsageError
from vocemo.lab.evaluate import Results

NOT_YET = "not measured yet"


@dataclass(frozen=True)
class System:
    """A described system: what it reports, on which terms, and what stands for unseen speakers here."""

    recipe: str
    corpora: tuple[str, ...]
    reported: str
    terms: tuple[str, ...]  # the protocols that come nearest to how the project measured
    unseen: str  # the protocol of speakers that nobody trained on
    settings: tuple[str, ...] = ()  # what --set is given for it


@dataclass(frozen=True)
class Size:
    """What a recipe's bundle weighs, and how long it takes to answer."""

    bundle_mb: float
    answer_ms: float


HEADER = (
    "system",
    "corpus",
    "its project reports",
    "accuracy here on such terms (leaky)",
    "UAR here on unseen speakers [95 %]",
    "parameters",
    "training of a fold",
    "bundle",
    "answer",
)


def read_systems(path: Path) -> tuple[System, ...]:
    """The described systems of a JSON list."""
    listed = json.loads(path.read_text(encoding="utf-8"))
    return tuple(
        System(
            each["recipe"],
            tuple(each["corpora"]),
            each["reported"],
            tuple(each["terms"]),
            each["unseen"],
            tuple(each.get("settings", ())),
        )
        for each in listed
    )


def read_sizes(path: Path) -> dict[str, Size]:
    """Sizes by recipe, from what bench/bundles.py wrote; none where it has not run."""
    if not path.is_file():
        return {}
    listed: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["results"]
    return {each["recipe"]: Size(each["bundle_mb"], each["answer_ms"]) for each in listed}


def rows(
    systems: Iterable[System], results: Iterable[Results], sizes: Mapping[str, Size]
) -> list[Sequence[str]]:
    """A line a system, under `HEADER`.

    Raises UsageError where two results answer for one system: a variant must not pass for it.
    """
    measured = list(results)
    lines: list[Sequence[str]] = []
    for system in systems:
        terms = [found for name in system.terms if (found := _find(measured, system, name))]
        unseen = _find(measured, system, system.unseen)
        one = unseen or next(iter(terms), None)
        size = sizes.get(system.recipe)
        lines.append(
            (
                f"`{system.recipe}`",
                " + ".join(system.corpora),
                system.reported,
                "; ".join(f"{_share(e, 'accuracy')} (`{e.protocol}`{_remark(e)})" for e in terms) or NOT_YET,
                f"{_share(unseen, 'uar')} (`{system.unseen}`{_remark(unseen)})" if unseen else NOT_YET,
                "-" if one is None or one.parameters is None else f"{one.parameters:,}",
                _fold_time(one),
                "-" if size is None else f"{size.bundle_mb:.1f} MB",
                "-" if size is None else f"{size.answer_ms:.0f} ms",
            )
        )
    return lines


def _find(results: Iterable[Results], system: System, protocol: str) -> Results | None:
    asked = (system.recipe, system.corpora, protocol)
    found = [each for each in results if (each.recipe, each.corpora, each.protocol) == asked]
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} results are of recipe {system.recipe} on {' + '.join(system.corpora)} by "
            f"{protocol}: give a variant a name of its own (--set name=NAME), or it may pass for the system"
        )
    return found[0] if found else None


def _remark(result: Results) -> str:
    return f", {result.remark}" if result.remark else ""


def _share(result: Results, name: str) -> str:
    metric = result.metrics[name]
    text = f"{100 * metric.mean:.1f}" + ("" if metric.sd is None else f" ± {100 * metric.sd:.1f}")
    if name == "uar" and metric.ci95 is not None:
        text += f" [{100 * metric.ci95[0]:.1f}, {100 * metric.ci95[1]:.1f}]"
    return text


def _fold_time(result: Results | None) -> str:
    if result is None or not result.train_seconds:
        return "-"
    minutes = result.train_seconds / 60 / max(1, len(result.per_fold))
    return f"{minutes:.1f} min" if minutes < 10 else f"{minutes:.0f} min"
