"""Trainings side by side: a table for a terminal, and a figure of their curves and figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from vocemo.lab.compare import Compared, Comparison
from vocemo.lab.evaluate import Metric
from vocemo.lab.history import EpochRecord, History
from vocemo.lab.report.figures import (
    ALERT,
    BLUE,
    GREEN,
    INK,
    QUIET,
    VERMILION,
    empty,
    frame,
    heading,
    line,
    loss_ceiling,
    percent,
)
from vocemo.lab.report.tables import columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Value = Callable[[EpochRecord], float | None]


def comparison_table(comparison: Comparison) -> str:
    """A column an entry, a row a figure; shares in percent with their interval over speakers.

    Behind a mean over several seeds stands their deviation; an interval is about the pooled figure.
    """
    entries = comparison.entries
    rows = [
        ["protocol", *(entry.results.protocol for entry in entries)],
        *(
            [label, *(_told(entry, metric, scale) for entry in entries)]
            for metric, label, scale in (
                ("uar", "UAR (%)", 100.0),
                ("accuracy", "accuracy (%)", 100.0),
                ("macro_f1", "macro F1 (%)", 100.0),
                ("loss", "loss (nats)", 1.0),
            )
        ),
        ["parameters", *(_or_dash(e.results.parameters, "{:,}") for e in entries)],
        ["trained in", *(_duration(entry.results.train_seconds) for entry in entries)],
        ["test clips", *(_or_dash(e.results.clips, "{:,}") for e in entries)],
        ["folds x seeds", *(f"{e.results.folds} x {len(e.results.seeds)}" for e in entries)],
    ]
    if any(entry.results.leaky for entry in entries):
        rows.insert(1, ["", *("LEAKY" if entry.results.leaky else "" for entry in entries)])
    return columns(["", *(entry.name for entry in entries)], rows)


def comparison_figure(comparison: Comparison) -> Figure:
    """Loss and accuracy over the epochs, a column an entry, and accuracy and UAR of the test as bars.

    Of several trainings each is a thin line and the mean of those still under way at an epoch a strong one.
    The whiskers are 95 % intervals over speakers, where there are any.

    Raises MissingExtraError where Matplotlib is not installed.
    """
    drawn = [entry for entry in comparison.entries if any(entry.histories)]
    figure = empty(max(8.4, 4.3 * len(drawn), 1.9 * len(comparison.entries)), 9.6 if drawn else 4.0)
    if drawn:
        grid = figure.add_gridspec(2, 1, height_ratios=(2.2, 1))
        above, below = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
        _curves(above.subplots(2, len(drawn), squeeze=False, sharex=True, sharey="row").tolist(), drawn)
        _bars(below.subplots(), comparison.entries)
    else:
        _bars(figure.subplots(), comparison.entries)
    return figure


def _curves(axes: Sequence[Sequence[Axes]], entries: Sequence[Compared]) -> None:
    losses, shares = axes
    trained, validated = list[float](), list[float | None]()
    for loss, share, entry in zip(losses, shares, entries, strict=True):
        for records in entry.histories:
            trained += [record.train_loss for record in records]
            validated += [record.validation_loss for record in records]
        _together(loss, entry.histories, lambda r: r.train_loss, "training loss", BLUE, "--")
        _together(loss, entry.histories, lambda r: r.validation_loss, "validation loss", VERMILION, "-")
        _together(
            share, entry.histories, lambda r: percent(r.train_accuracy), "training accuracy", BLUE, "--"
        )
        for label, value, colour, style in (
            ("validation accuracy", lambda r: percent(r.validation_accuracy), VERMILION, "-"),
            ("validation UAR", lambda r: percent(r.validation_uar), GREEN, "-."),
        ):
            _together(share, entry.histories, value, label, colour, style)
        first = loss is losses[0]
        frame(loss, "nats" if first else "")
        frame(share, "%" if first else "")
        _legend(loss)
        _legend(share)
        share.set_xlabel("epoch", color=QUIET, fontsize=10)
        runs = f"{len(entry.histories)} trainings" if len(entry.histories) > 1 else "one training"
        leaky = entry.results.leaky
        # Titles stand at one height, whether a line on the leak stands below them or not.
        rise = 26 if leaky or not any(each.results.leaky for each in entries) else 43
        heading(loss, entry.name, f"{entry.results.protocol}   {runs}", leaky, above_points=rise)
    from matplotlib.ticker import MaxNLocator

    shares[0].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    losses[0].set_ylim(0, loss_ceiling(trained, validated))
    shares[0].set_ylim(0, 100)


def _legend(axes: Axes) -> None:
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=2,
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
        handlelength=2.2,
        columnspacing=1.2,
        borderaxespad=0.2,
        borderpad=0,
    )


def _together(
    axes: Axes, histories: Sequence[History], value: _Value, label: str, colour: str, style: str
) -> None:
    """Each training's curve, thin where there are several, and their mean."""
    if len(histories) > 1:
        for records in histories:
            known = [(record.epoch, told) for record in records if (told := value(record)) is not None]
            if known:
                axes.plot(*zip(*known, strict=True), "-", color=colour, linewidth=0.7, alpha=0.3)
    longest = max(map(len, histories))
    means: list[float | None] = []
    for place in range(longest):
        values = [value(records[place]) for records in histories if place < len(records)]
        present = [one for one in values if one is not None]
        means.append(fmean(present) if present else None)
    line(axes, range(1, longest + 1), means, label, colour, style)


def _bars(axes: Axes, entries: Sequence[Compared]) -> None:
    """Accuracy and UAR of each entry's test, in percent, with what they are written above them."""
    width = 0.36
    for shift, metric, label, colour, hatch in (
        (-width / 2, "accuracy", "test accuracy", BLUE, ""),
        (width / 2, "uar", "test UAR", GREEN, "//"),
    ):
        for place, entry in enumerate(entries):
            found = entry.results.metrics.get(metric)
            if found is None:
                continue
            height = 100 * found.mean
            axes.bar(
                place + shift,
                height,
                width * 0.92,
                color=colour,
                hatch=hatch,
                edgecolor="white",
                linewidth=0,
                label=label if place == 0 else "",
            )
            top = height
            if found.ci95 is not None:
                low, high = (100 * end for end in found.ci95)
                top = max(top, high)
                axes.plot([place + shift] * 2, [low, high], color=INK, linewidth=1.4, solid_capstyle="butt")
            axes.annotate(
                f"{height:.1f}",
                (place + shift, top),
                (0, 3),
                textcoords="offset points",
                ha="center",
                va="bottom",
                color=INK,
                fontsize=9.5,
            )
    names = [f"{entry.name}\n{'LEAKY' if entry.results.leaky else ''}".rstrip() for entry in entries]
    frame(axes, "%")
    _legend(axes)
    axes.set_xticks(range(len(entries)), names, fontsize=10)
    for label_of, entry in zip(axes.get_xticklabels(), entries, strict=True):
        label_of.set_color(ALERT if entry.results.leaky else INK)
    axes.set_xlim(-0.6, len(entries) - 0.4)
    axes.set_ylim(0, 109)
    axes.set_yticks(range(0, 101, 20))


def _told(entry: Compared, metric: str, scale: float) -> str:
    found: Metric | None = entry.results.metrics.get(metric)
    if found is None:
        return "-"
    digits = 1 if scale == 100 else 2
    text = f"{found.mean * scale:.{digits}f}"
    if found.sd is not None:
        text += f" ± {found.sd * scale:.{digits}f}"
    if found.ci95 is not None:
        low, high = (end * scale for end in found.ci95)
        text += f" [{low:.{digits}f}, {high:.{digits}f}]"
    return text


def _or_dash(value: int | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
