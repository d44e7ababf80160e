"""Figures as Matplotlib objects: the confusion matrix and the training curves.

Figures are made without pyplot and without touching Matplotlib's settings, so that drawing one
changes nothing for whoever else draws in the process; save with `figure.savefig("confusion.png")`
or with `save`. The colours are those of Okabe & Ito, told apart by colour-blind people, and no
meaning hangs on colour alone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from vocemo.errors import MissingExtraError, UsageError
from vocemo.lab.evaluate.metrics import accuracy, recall, uar

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vocemo.lab.history import EpochRecord

DPI = 160
INK, QUIET, HAIRLINE = "#1f2430", "#6b7280", "#d7dbe2"
BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"  # Okabe & Ito 2008
ALERT = "#B3261E"
SHADES = "Blues"  # of a cell by its share of the row
DARK_FROM = 0.715  # from this share on white stands out from the cell better than black
LEAKY_NOTE = "LEAKY: test speakers were heard in training"


def save(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure as PNG, whole or not at all; gives the path back."""
    target = Path(path)
    partial = target.with_name(target.name + ".partial")
    figure.savefig(partial, format="png", dpi=DPI, facecolor=figure.get_facecolor())
    return partial.replace(target)


def confusion_figure(
    confusion: ArrayLike,
    emotions: Sequence[str],
    *,
    title: str,
    protocol: str,
    leaky: bool = False,
    seeds: int = 1,
) -> Figure:
    """The confusion matrix: counts, and each as a percentage of its row, by which it is coloured.

    Args:
        confusion: (k, k) counts, a row a target.
        emotions: k names.
        title: what was measured, as "dual-channel-cnn on ravdess-speech".
        protocol: how it was split, for the line below the title.
        leaky: whether test speakers were heard in training; said in the figure.
        seeds: over how many trainings of the same clips the counts were added up.

    Raises:
        UsageError: a matrix that does not fit the emotions.
        MissingExtraError: Matplotlib is not installed.
    """
    counts = np.asarray(confusion)
    size = len(emotions)
    if counts.shape != (size, size) or not counts.sum():
        raise UsageError(f"confusion {counts.shape}: it must be ({size}, {size}), with a clip or more")
    clips = counts.sum(1, keepdims=True)
    shares = np.divide(counts, clips, out=np.zeros(counts.shape), where=clips > 0)
    inch = max(0.78 * size, 3.2)
    figure = empty(inch + 2.3, inch + 2.2)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap=SHADES, vmin=0, vmax=1, aspect="equal")
    for row in range(size):
        for column in range(size):
            _cell(axes, row, column, int(counts[row, column]), float(shares[row, column]))
    axes.set_xticks(range(size), emotions, rotation=35, ha="right", rotation_mode="anchor")
    labels = [f"{name} ({int(n)})" for name, n in zip(emotions, clips[:, 0], strict=True)]
    axes.set_yticks(range(size), labels)
    axes.tick_params(length=0, labelsize=10, colors=INK, pad=6)
    axes.set_xlabel("Predicted emotion", color=QUIET, fontsize=10, labelpad=8)
    axes.set_ylabel("Actual emotion (clips)", color=QUIET, fontsize=10, labelpad=8)
    axes.set_xticks(np.arange(size + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(size + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)
    _recalls(axes, recall(counts))
    facts = f"UAR {uar(counts):.1%}   accuracy {accuracy(counts):.1%}   {int(counts.sum()) // seeds:,} clips"
    facts += f" x {seeds} seeds" if seeds > 1 else ""
    heading(axes, title, f"{protocol}   {facts}", leaky, above_points=24)
    return figure


def training_figure(
    history: Sequence[EpochRecord],
    *,
    title: str,
    protocol: str,
    leaky: bool = False,
    best_epoch: int | None = None,
) -> Figure:
    """Training curves: loss, then accuracy and UAR, for training and validation, and the learning rate.

    Args:
        history: the epochs in order, one or more; what was not measured is not drawn.
        title: what was trained.
        protocol: how it was split.
        leaky: whether validation or test speakers were heard in training; said in the figure.
        best_epoch: the epoch whose weights were kept; marked.

    Raises:
        UsageError: no epochs.
        MissingExtraError: Matplotlib is not installed.
    """
    if not history:
        raise UsageError("no epochs to draw: there must be one or more")
    figure = empty(8.4, 7.8)
    loss, share, rate = figure.subplots(3, 1, sharex=True, height_ratios=(5, 5, 1.6))
    epochs = [record.epoch for record in history]
    trained = [record.train_loss for record in history]
    validated = [record.validation_loss for record in history]
    line(loss, epochs, trained, "training loss", BLUE, "--")
    line(loss, epochs, validated, "validation loss", VERMILION, "-")
    line(share, epochs, [percent(r.train_accuracy) for r in history], "training accuracy", BLUE, "--")
    for values, label, colour, style in (
        ([r.validation_accuracy for r in history], "validation accuracy", VERMILION, "-"),
        ([r.validation_uar for r in history], "validation UAR", GREEN, "-."),
    ):
        line(share, epochs, [percent(value) for value in values], label, colour, style)
    for axes, unit in ((loss, "nats"), (share, "%"), (rate, "")):
        frame(axes, unit)
    loss.set_ylim(0, loss_ceiling(trained, validated))
    share.set_ylim(0, 100)
    _rates(rate, epochs, [record.learning_rate for record in history])
    said = f"{len(history)} epoch{'s' if len(history) > 1 else ''}"
    if best_epoch is not None:
        for axes in (loss, share, rate):
            axes.axvline(best_epoch, color=INK, linewidth=1, linestyle=":", zorder=1)
        said += _kept(history, best_epoch, loss, share)
    heading(loss, title, f"{protocol}   {said}", leaky, above_points=34)
    return figure


def empty(width_in: float, height_in: float) -> Figure:
    """A white figure that makes room for its texts. Raises MissingExtraError without Matplotlib."""
    try:
        from matplotlib.figure import Figure as MatplotlibFigure  # costs half a second to import
    except ImportError as error:
        raise MissingExtraError("drawing a figure", "plot") from error
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    padding = ConstrainedLayoutEngine(h_pad=0.14, w_pad=0.14)
    return MatplotlibFigure(figsize=(width_in, height_in), layout=padding, facecolor="white")


def ink_on(share: float) -> str:
    """The colour of text on a cell: the one of dark and white that stands out from it."""
    return "white" if share > DARK_FROM else "black"


def _cell(axes: Axes, row: int, column: int, count: int, share: float) -> None:
    """The count over its share of the row, light on dark cells; a zero only as a dot."""
    colour = ink_on(share)
    if not count:
        axes.text(column, row, "·", ha="center", va="center", color=QUIET, fontsize=9)
        return
    weight = "bold" if row == column else "normal"
    for text, size, rise_points, strength in (
        (f"{count}", 11, 5, weight),
        (f"{share:.0%}", 8, -10, "normal"),
    ):
        axes.annotate(
            text,
            (column, row),
            (0, rise_points),
            textcoords="offset points",
            ha="center",
            va="center",
            color=colour,
            fontsize=size,
            weight=strength,
        )


def _recalls(axes: Axes, recalls: ArrayLike) -> None:
    """A column of recalls at the right of the rows."""
    values = np.asarray(recalls)
    for row, value in enumerate(values):
        text = "no clips" if np.isnan(value) else f"{value:.1%}"
        axes.text(len(values) - 0.35, row, text, ha="left", va="center", color=INK, fontsize=10)
    axes.text(len(values) - 0.35, -0.56, "recall", ha="left", va="bottom", color=QUIET, fontsize=10)


def heading(axes: Axes, title: str, below: str, leaky: bool, above_points: float) -> None:
    """A title with a quieter line below it, and a third one where the split leaks."""
    lines = [(below, 10, QUIET, "normal"), (title, 14, INK, "bold")]
    if leaky:
        lines.insert(0, (LEAKY_NOTE, 10, ALERT, "bold"))
    height_points = above_points
    for text, size, colour, weight in lines:
        axes.annotate(
            text,
            (0, 1),
            (0, height_points),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="left",
            va="bottom",
            fontsize=size,
            color=colour,
            weight=weight,
        )
        height_points += size + 7


def percent(share: float | None) -> float | None:
    """A fraction in percent; None stays None."""
    return None if share is None else 100 * share


def line(
    axes: Axes, epochs: Sequence[int], values: Sequence[float | None], label: str, colour: str, style: str
) -> None:
    """A curve over the epochs that have a value; a lone point where there is but one."""
    known = [(epoch, value) for epoch, value in zip(epochs, values, strict=True) if value is not None]
    if known:
        marker = "o" if len(known) == 1 else ""
        axes.plot(*zip(*known, strict=True), style, marker=marker, color=colour, linewidth=1.8, label=label)


def frame(axes: Axes, unit: str) -> None:
    """Quiet axes with their curves named in a row above them."""
    axes.set_ylabel(unit, color=QUIET, fontsize=10)
    axes.grid(axis="y", color=HAIRLINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(HAIRLINE)
    axes.tick_params(colors=QUIET, labelsize=9, length=0)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=3,
            frameon=False,
            fontsize=9.5,
            labelcolor=INK,
            handlelength=2.6,
            borderaxespad=0.3,
            borderpad=0,
        )


def loss_ceiling(trained: Sequence[float], validated: Sequence[float | None]) -> float:
    """Room for all losses but a few wild ones, which a first epoch can give; those leave at the top."""
    known = [value for value in (*trained, *validated) if value is not None and np.isfinite(value)]
    if not known:
        return 1.0
    usual = 2 * float(np.quantile(known, 0.9))
    return 1.08 * min(max(known), usual) or 1.0


def _rates(axes: Axes, epochs: Sequence[int], rates: Sequence[float]) -> None:
    """The learning rate in steps, with its own values as ticks where they are few."""
    from matplotlib.ticker import MaxNLocator, NullLocator

    edges = [epochs[0] - 0.5, *(epoch + 0.5 for epoch in epochs)]
    axes.stairs(rates, edges, baseline=None, color=INK, linewidth=1.6)
    axes.set_yscale("log")
    steps = sorted(set(rates))
    ticks = steps if len(steps) <= 3 else [steps[0], steps[-1]]
    axes.set_yticks(ticks, [f"{value:.2g}" for value in ticks])
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(steps[0] / 1.6, steps[-1] * 1.6)
    axes.set_xlim(edges[0], edges[-1])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axes.set_xlabel("epoch", color=QUIET, fontsize=10)
    axes.set_title("learning rate", loc="left", fontsize=9.5, color=INK, pad=4)


def _kept(history: Sequence[EpochRecord], best_epoch: int, loss: Axes, share: Axes) -> str:
    """Mark the figures of the epoch that was kept, and say them."""
    said = f", kept epoch {best_epoch}"
    figures = []
    for record in history:
        if record.epoch != best_epoch:
            continue
        for axes, value, text in (
            (loss, record.validation_loss, f"loss {record.validation_loss or 0:.2f}"),
            (share, percent(record.validation_accuracy), f"accuracy {record.validation_accuracy or 0:.1%}"),
            (share, percent(record.validation_uar), f"UAR {record.validation_uar or 0:.1%}"),
        ):
            if value is not None:
                axes.plot([best_epoch], [value], "o", color=INK, markersize=4.5, zorder=5)
                figures.append(text)
    return said + (f" (validation {', '.join(figures)})" if figures else "")
