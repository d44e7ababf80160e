"""The leak audits of all folds, drawn together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vocemo.lab.report.html.material import Training
from vocemo.lab.report.html.names import ShortNames
from vocemo.lab.report.wording import listed

LISTED = 40  # findings on the page; audit.json of each run has them all


@dataclass(frozen=True)
class Found:
    """One finding, and where it was made."""

    kind: str
    message: str
    failure: bool
    where: str


@dataclass(frozen=True)
class Audits:
    """How many folds were audited, how many passed, and what was found; leaks come first."""

    audited: int
    passed: int
    unaudited: int
    findings: tuple[Found, ...]
    more: int  # findings that are not listed


def drawn_together(trainings: Sequence[Training], names: ShortNames) -> Audits | None:
    """The audits of the trainings; None where there is none."""
    audits = [(each, each.audit) for each in trainings if each.audit is not None]
    if not audits:
        return None
    places: dict[tuple[bool, str, str], list[str]] = {}
    for training, audit in audits:
        for finding in audit["findings"]:
            message = names.within(finding["message"], finding["items"])
            key = (not finding["failure"], finding["kind"], message)
            places.setdefault(key, []).append(f"seed {training.seed} fold {training.fold}")
    found = [
        Found(kind, message, not note, _where(where, len(audits)))
        for (note, kind, message), where in sorted(places.items(), key=lambda item: item[0][:2])
    ]
    passed = sum(1 for _, audit in audits if audit["passed"])
    listed_here = tuple(found[:LISTED])
    return Audits(
        len(audits), passed, len(trainings) - len(audits), listed_here, len(found) - len(listed_here)
    )


def _where(places: Sequence[str], audited: int) -> str:
    return "every fold" if len(places) == audited > 1 else listed(places)
