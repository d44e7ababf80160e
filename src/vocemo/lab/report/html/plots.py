"""The report's charts: reliability, risk and coverage, training curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vocemo.lab.evaluate import Predictions
from vocemo.lab.evaluate.reliability import RiskCoverage, risk_coverage
from vocemo.lab.report.figures import loss_ceiling
from vocemo.lab.report.html import calibration
from vocemo.lab.report.html.chart import Axis, Chart, percent, ticks
from vocemo.lab.report.html.material import Training
from vocemo.lab.report.wording import many

_CURVE_POINTS = 90  # of a risk-coverage curve: finer than a screen shows
COVERAGES = (1.0, 0.9, 0.75, 0.5, 0.25, 0.1)


@dataclass(frozen=True)
class Plot:
    """A chart with its title, its caption and what each look of its marks stands for."""

    name: str
    title: str
    caption: str
    svg: str
    legend: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Reliability(Plot):
    """A reliability diagram, with the error that it shows."""

    ece: float = 0.0


@dataclass(frozen=True)
class Operating:
    """What answering only the surest clips gives."""

    coverage: float
    accuracy: float
    confidence: float  # the least among those answered


def reliability(predictions: Predictions, name: str, title: str, ece: float) -> Reliability:
    """Accuracy against confidence, in bins of equal mass."""
    found = calibration.bins(predictions)
    chart = Chart(Axis("confidence of the answer, %"), Axis("right, %"))
    chart.line([(0, 0), (1, 1)], "ideal")
    for each in found:
        if each.ci95 is not None:
            chart.span(each.confidence, *each.ci95, "first thin")
    for each in found:
        chart.dot((each.confidence, each.accuracy), "first", _told(each))
    sizes = sorted({each.answers for each in found})
    size = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} or {sizes[-1]:,}"
    caption = (
        f"ECE {100 * ece:.1f} %. n = {len(predictions):,} answers, in {many(len(found), 'bin')} of {size} "
        "by confidence; a dot is a bin's mean confidence and the share of it that was right."
    )
    if any(each.ci95 for each in found):
        caption += " Lines: 95 % intervals of that share over speakers."
    words = "; ".join(_told(each) for each in found)
    return Reliability(name, title, caption, chart.markup(name, title, words), ece=ece)


def _told(each: calibration.Bin) -> str:
    told = f"confidence {each.confidence:.1%}: {each.accuracy:.1%} of {each.answers:,} right"
    return told if each.ci95 is None else told + f" ({each.ci95[0]:.1%} to {each.ci95[1]:.1%})"


def selective(predictions: Predictions, aurc: float) -> tuple[Plot, tuple[Operating, ...]]:
    """Risk against coverage, and what some coverages give; each the mean over seeds."""
    seeds, curves = _by_seed(predictions)
    confidences = [np.sort(each.probabilities.max(1))[::-1] for each in seeds]
    grid, risks = risk_curves(predictions)
    overall = float(np.mean([curve.risk[-1] for curve in curves]))
    steps = ticks(0.0, max(0.1, min(1.0, 1.1 * float(risks.max()))))
    high = max(steps[-1] + (steps[1] - steps[0]) / 2, float(risks.max()))
    chart = Chart(Axis("clips answered, the surest first, %"), Axis("wrong, %", 0.0, high, steps))
    perfect = np.maximum(0.0, 1 - (1 - overall) / grid)
    chart.line(list(zip(grid, perfect, strict=True)), "quiet dotted", "an order that knew every mistake")
    chart.line([(0, overall), (1, overall)], "quiet dashed", "confidence that says nothing")
    if len(seeds) > 1:
        for seed, risk in zip(np.unique(predictions.seed), risks, strict=True):
            chart.line(list(zip(grid, risk, strict=True)), "first faint", f"seed {seed}")
    chart.line(list(zip(grid, risks.mean(0), strict=True)), "first", "this model")
    points = tuple(
        Operating(
            coverage,
            1 - float(np.mean([_at(curve.risk, np.array([coverage]))[0] for curve in curves])),
            float(np.mean([_at(confidence, np.array([coverage]))[0] for confidence in confidences])),
        )
        for coverage in COVERAGES
        if coverage * min(map(len, seeds)) >= 1
    )
    over = f", the mean over {len(seeds)} seeds (thin: each)" if len(seeds) > 1 else ""
    caption = f"The share of wrong answers among the surest clips{over}. AURC {100 * aurc:.1f} %."
    words = "; ".join(f"{p.coverage:.0%} answered: {1 - p.accuracy:.1%} wrong" for p in points)
    legend = (
        ("first", "this model"),
        ("quiet dashed", "confidence that says nothing"),
        ("quiet dotted", "one that knows every mistake"),
    )
    title = "Risk and coverage"
    return Plot("risk-coverage", title, caption, chart.markup("risk-coverage", title, words), legend), points


def risk_curves(predictions: Predictions) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of clips that are answered, (points,), and the share of them that is wrong, (seeds, points)."""
    grid = np.linspace(0, 1, _CURVE_POINTS + 1)[1:]
    return grid, np.array([_at(curve.risk, grid) for curve in _by_seed(predictions)[1]])


def _by_seed(predictions: Predictions) -> tuple[list[Predictions], list[RiskCoverage]]:
    seeds = [predictions.where(predictions.seed == seed) for seed in np.unique(predictions.seed)]
    return seeds, [risk_coverage(each.targets, each.probabilities) for each in seeds]


def _at(values: NDArray[np.float64], coverages: NDArray[np.float64]) -> NDArray[np.float64]:
    """The value at the last clip that each coverage answers."""
    places = np.clip(np.ceil(coverages * len(values) - 1e-9).astype(int) - 1, 0, len(values) - 1)
    return np.asarray(values[places], np.float64)


def curves(trainings: Sequence[Training]) -> tuple[Plot, ...]:
    """Loss, accuracy and UAR by epoch, a line a training; nothing where no epoch is known."""
    shown = [each for each in trainings if each.history]
    if not shown:
        return ()
    last = max(record.epoch for each in shown for record in each.history)
    epochs = Axis(
        "epoch", 1.0, max(last, 2), ticks(1, max(last, 2), 6, least_step=1), lambda value: f"{value:.0f}"
    )
    trained = [record.train_loss for each in shown for record in each.history]
    validated = [record.validation_loss for each in shown for record in each.history]
    ceiling = loss_ceiling(trained, validated)
    loss = Chart(epochs, Axis("loss, nats", 0.0, ceiling, ticks(0, ceiling, 6), lambda value: f"{value:g}"))
    share = Chart(epochs, Axis("right, %"))
    faint = " faint" if len(shown) > 2 else ""
    for chart, look, values in (
        (loss, "first dashed", lambda r: r.train_loss),
        (loss, "second", lambda r: r.validation_loss),
        (share, "first dashed", lambda r: r.train_accuracy),
        (share, "second", lambda r: r.validation_accuracy),
    ):
        _lines(chart, shown, look + faint, values)
    kept, note = [], ""
    legend: tuple[tuple[str, str], ...] = (("first dashed", "training"),)
    if any(value is not None for value in validated):
        kept = [record for each in shown for record in each.history if record.epoch == each.best_epoch]
        note = " Dots: the epoch that was kept, chosen on validation clips."
        legend += (("second", "validation"),)
    for record in kept:
        for chart, value in ((loss, record.validation_loss), (share, record.validation_accuracy)):
            if value is not None:
                chart.dot((record.epoch, value), "second", f"kept epoch {record.epoch}", 3)
    lines = f"{many(len(shown), 'training')}, a line each."
    return (
        Plot(
            "loss",
            "Loss",
            f"{lines} Training loss with its regularisation, validation loss plain.{note}",
            loss.markup("loss", "Loss by epoch", _ended(shown, "loss")),
            legend,
        ),
        Plot(
            "accuracy",
            "Accuracy",
            f"{lines} Training accuracy is of augmented clips.{note}",
            share.markup("accuracy", "Accuracy by epoch", _ended(shown, "accuracy")),
            legend,
        ),
    )


def _lines(chart: Chart, shown: Sequence[Training], look: str, value: Callable[..., float | None]) -> None:
    for each in shown:
        points = [(record.epoch, value(record)) for record in each.history]
        known = [(float(epoch), found) for epoch, found in points if found is not None]
        if known:
            chart.line(known, look, f"seed {each.seed}, fold {each.fold}")


def _ended(shown: Sequence[Training], what: str) -> str:
    """The figures of the kept epochs in words."""
    told = []
    for each in shown:
        for record in each.history:
            if record.epoch == each.best_epoch:
                pair = (getattr(record, f"train_{what}"), getattr(record, f"validation_{what}"))
                show = percent if what == "accuracy" else "{:.2f}".format
                parts = [
                    f"{name} {show(v)}"
                    for name, v in zip(("training", "validation"), pair, strict=True)
                    if v is not None
                ]
                told.append(f"seed {each.seed} fold {each.fold}, epoch {record.epoch}: {', '.join(parts)}")
    return "; ".join(told)
