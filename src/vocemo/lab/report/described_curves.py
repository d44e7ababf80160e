"""The training curves of a described system, drawn beside what its project reports of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vocemo.errors import UsageError
from vocemo.lab.history import EpochRecord
from vocemo.lab.report.figures import BLUE, INK, QUIET, VERMILION, frame, training_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class ReportedEpoch:
    """What is reported of an epoch of training; accuracy as a fraction of 1, loss in nats."""

    epoch: int  # from 1
    accuracy: float | None = None
    loss: float | None = None


@dataclass(frozen=True)
class ReportedCurves:
    """What a project reports of a training."""

    epochs: tuple[ReportedEpoch, ...]
    learning_rates: tuple[tuple[int, float], ...]  # the last epoch that had each rate
    validation: ReportedEpoch  # of the weights that were kept, at the last epoch that is reported


def read_curves(path: Path, recipe: str) -> ReportedCurves:
    """What is reported of a recipe's training, from a JSON object of recipes.

    Raises UsageError for a recipe that has none.
    """
    listed = json.loads(path.read_text(encoding="utf-8"))
    if recipe not in listed:
        raise UsageError(f"{path.name} has no curves of {recipe}; it has: {', '.join(listed)}")
    found = listed[recipe]
    epochs = tuple(ReportedEpoch(**each) for each in found["epochs"])
    rates = tuple((int(last), float(rate)) for last, rate in found["learning_rates"])
    return ReportedCurves(epochs, rates, ReportedEpoch(epochs[-1].epoch, **found["validation"]))


def described_figure(
    history: Sequence[EpochRecord],
    reported: ReportedCurves,
    *,
    title: str,
    protocol: str,
    leaky: bool,
    best_epoch: int | None = None,
) -> Figure:
    """The curves of a training and its learning rate, with what is reported as rings and a broken line.

    Raises UsageError where there are no epochs, MissingExtraError where Matplotlib is not installed.
    """
    figure = training_figure(history, title=title, protocol=protocol, leaky=leaky, best_epoch=best_epoch)
    loss, share, rate = figure.axes
    for axes, name, scale in ((loss, "loss", 1), (share, "accuracy", 100)):
        known = [(each.epoch, getattr(each, name)) for each in reported.epochs]
        points = [(epoch, scale * value) for epoch, value in known if value is not None]
        _rings(axes, points, "reported, training", BLUE)
        value = getattr(reported.validation, name)
        _rings(axes, [(reported.validation.epoch, scale * value)], "reported, validation", VERMILION)
    highest = max(
        [axes_top(loss), *(1.1 * (each.loss or 0) for each in (*reported.epochs, reported.validation))]
    )
    loss.set_ylim(0, highest)
    _reported_rates(rate, reported.learning_rates, len(history))
    for axes, unit in ((loss, "nats"), (share, "%")):
        frame(axes, unit)
    return figure


def axes_top(axes: Axes) -> float:
    """The upper end of an axis."""
    return float(axes.get_ylim()[1])


def _rings(axes: Axes, points: Sequence[tuple[int, float]], label: str, colour: str) -> None:
    if points:
        axes.plot(
            *zip(*points, strict=True),
            linestyle="",
            marker="o",
            markersize=8,
            markerfacecolor="none",
            markeredgecolor=colour,
            markeredgewidth=1.8,
            label=label,
            zorder=4,
            clip_on=False,  # rings at an end of an axis are whole
        )


def _reported_rates(axes: Axes, rates: Sequence[tuple[int, float]], epochs: int) -> None:
    edges = [0.5, *(last + 0.5 for last, _ in rates)]
    values = [rate for _, rate in rates]
    axes.stairs(values, edges, baseline=None, color=QUIET, linewidth=1.4, linestyle=(0, (3, 2)))
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, min(values) / 1.6), max(high, 1.6 * max(values)))
    axes.set_xlim(0.5, max(edges[-1], epochs + 0.5))
    axes.set_title("learning rate (broken line: reported)", loc="left", fontsize=9.5, color=INK, pad=4)
