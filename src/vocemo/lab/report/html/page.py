"""The report: one HTML file that says how good a model is, and how far that can be believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vocemo.lab import provenance
from vocemo.lab.corpora import CORPORA
from vocemo.lab.evaluate import Metric, Results
from vocemo.lab.report import page
from vocemo.lab.report.html import calibration, leaks, mistakes, plots, rows
from vocemo.lab.report.html.material import Material
from vocemo.lab.report.html.names import ShortNames
from vocemo.lab.report.html.sounds import Recordings
from vocemo.lab.report.html.verdict import emotions_there, verdict
from vocemo.lab.splits import PROTOCOLS

if TYPE_CHECKING:
    from markupsafe import Markup

TEMPLATE, NAME = "report/html/report.html.jinja", "report.html"

METRICS = {
    "accuracy": ("Accuracy", "the share of clips that were named right"),
    "macro_f1": ("Macro F1", "mean over emotions of F1"),
    "top2": ("Top 2", "the right emotion is the first or the second guess"),
    "kappa": ("Cohen's kappa", "agreement beyond chance; 0 is chance, 100 is all"),
    "ece": ("ECE", "by how much confidence and accuracy differ"),
    "aurc": ("AURC", "area under risk and coverage; lower is better"),
    "brier": ("Brier score", "squared distance of the probabilities, 0 to 2"),
    "loss": ("Log loss", "nats; guessing evenly gives {even:.2f}"),
}
AS_IT_IS = ("loss", "brier")  # no shares of 1

# From these shares on, the words of a cell are white on the light page and black on the dark one.
WHITE_FROM, BLACK_FROM = 0.8, 0.635


@dataclass(frozen=True)
class Figure:
    """A metric beside the headline."""

    key: str
    name: str
    meaning: str
    metric: Metric
    scale: float
    unit: str


@dataclass(frozen=True)
class Cell:
    """A cell of the confusion matrix: how many, and as a share of its row."""

    count: int
    share: float
    look: str  # CSS classes: on a light, and on a dark page, whether the words are to change their colour
    title: str


def write(material: Material, path: Path, recordings: Recordings | None = None) -> Path:
    """Write the report; without recordings it has no sound.

    errors: MissingExtraError without Jinja.
    """
    return page.write(render(material, recordings), path)


def render(material: Material, recordings: Recordings | None = None) -> str:
    """The report as HTML. Raises MissingExtraError without Jinja."""
    template = page.template(TEMPLATE, "a report")
    results, predictions = material.results, material.predictions
    names = ShortNames(predictions.subjects if predictions else ())
    sure = predictions if predictions and predictions.probabilistic else None
    found = mistakes.most_confident(sure, names, recordings) if sure else ()
    reliability = _reliability(material)
    told: Mapping[str, Any] = {
        "results": results,
        "verdict": verdict(material),
        "uar": results.metrics["uar"],
        "guessing": 1 / emotions_there(results),
        "speakers": _speakers(material),
        "figures": _figures(results),
        "confusion": _confusion(results),
        "emotions": _emotions(results),
        "reliability": reliability,
        "cooled": len(reliability) > 1 and reliability[0].ece > reliability[-1].ece,
        "temperatures": _temperatures(material),
        "selective": _selective(material),
        "groups": rows.groups(results.groups, results.gaps),
        "by_speaker": rows.speakers(
            results.groups.get("speaker", ()), predictions, results.gaps.get("speaker", ())
        ),
        "robustness": rows.robustness(material.robustness) if material.robustness else None,
        "stressed": material.robustness,
        "curves": plots.curves(material.trainings),
        "mistakes": found,
        "cut": any(each.sound and each.sound.cut for each in found),
        "licences": _licences(results) if any(each.sound for each in found) else (),
        "audits": leaks.drawn_together(material.trainings, names),
        "protocol": PROTOCOLS[results.protocol].summary if results.protocol in PROTOCOLS else "",
        "versions": {
            name: version for name, version in material.made.get("versions", {}).items() if name != "platform"
        },
        "written_with": provenance.versions().get("vocemo", ""),
        "number": _number,
        "percent": lambda share: _number(share, 100),
    }
    return template.render(**told)


def _number(value: float | None, scale: float = 1.0, places: int = 1) -> Markup | str:
    """A number with the exact one behind it; a dash where there is none."""
    from markupsafe import Markup

    if value is None:
        return "–"
    return Markup(f'<data value="{value!r}">{value * scale:.{places}f}</data>')


def _speakers(material: Material) -> int:
    """How many speakers the test has."""
    if material.predictions is not None:
        return len(material.predictions.speakers)
    return len({speaker for fold in material.results.per_fold for speaker in fold.test_speakers})


def _figures(results: Results) -> tuple[Figure, ...]:
    even = {"even": np.log(emotions_there(results))}
    return tuple(
        Figure(
            key,
            name,
            meaning.format(**even),
            results.metrics[key],
            1.0 if key in AS_IT_IS else 100.0,
            "" if key in AS_IT_IS else "%",
        )
        for key, (name, meaning) in METRICS.items()
        if key in results.metrics
    )


def _confusion(results: Results) -> tuple[tuple[str, int, tuple[Cell, ...]], ...]:
    """Each emotion's row: its name, its clips, its cells."""
    if results.confusion is None:
        return ()
    found = []
    for name, row in zip(results.emotions, results.confusion, strict=True):
        total = sum(row)
        cells = tuple(
            Cell(
                count,
                count / total if total else 0.0,
                _look(count / total if total else 0.0),
                f"{name} called {answer}: {count:,} of {total:,}"
                + (f" ({count / total:.1%})" if total else ""),
            )
            for answer, count in zip(results.emotions, row, strict=True)
        )
        found.append((name, total, cells))
    return tuple(found)


def _look(share: float) -> str:
    """Which words stand out from a cell of the confusion matrix, on either page."""
    turned = (("light", share >= WHITE_FROM), ("dark", share >= BLACK_FROM), ("zero", share == 0))
    return " ".join(name for name, held in turned if held)


def _emotions(results: Results) -> tuple[tuple[str, Any, str], ...]:
    """Each emotion's figures, and what it is most often taken for."""
    found = []
    for place, name in enumerate(results.emotions):
        if name not in results.per_emotion:
            continue
        taken = ""
        if results.confusion is not None:
            row = list(results.confusion[place])
            total, row[place] = sum(row), 0
            if any(row):
                most = max(range(len(row)), key=row.__getitem__)
                taken = f"{results.emotions[most]} ({row[most] / total:.0%})"
        found.append((name, results.per_emotion[name], taken))
    return tuple(found)


def _reliability(material: Material) -> tuple[plots.Reliability, ...]:
    """Before temperature, where that is known, and after."""
    predictions = material.predictions
    if predictions is None or not predictions.probabilistic:
        return ()
    before = calibration.uncalibrated(predictions, material.temperatures)
    ece = material.results.metrics.get("ece")
    after = calibration.ece(predictions) if ece is None else ece.mean
    if before is None:
        return (plots.reliability(predictions, "reliability", "Reliability", after),)
    return (
        plots.reliability(before, "before", "Before temperature", calibration.ece(before)),
        plots.reliability(predictions, "after", "After temperature", after),
    )


def _temperatures(material: Material) -> str:
    """The temperatures of the trainings in a few words."""
    found = sorted(each.temperature for each in material.trainings)
    if not found:
        return ""
    if len(found) == 1:
        return f"{found[0]:.2f}"
    return f"{found[0]:.2f} to {found[-1]:.2f}, median {float(np.median(found)):.2f}"


def _selective(material: Material) -> tuple[plots.Plot, tuple[plots.Operating, ...]] | None:
    predictions, aurc = material.predictions, material.results.metrics.get("aurc")
    if predictions is None or not predictions.probabilistic or aurc is None:
        return None
    return plots.selective(predictions, aurc.mean)


def _licences(results: Results) -> tuple[str, ...]:
    """Under what the recordings may be handed on, as far as their corpora say."""
    known = (name for name in results.corpora if name in CORPORA)
    return tuple(dict.fromkeys(f"{CORPORA[name].title}: {CORPORA[name].licence}" for name in known))
