"""Trainings side by side: a table for a terminal, and a figure of their curves and figures."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from vocemo.lab.compare import Compared, Comparison, Difference
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
_TESTED = {"uar": "UAR", "accuracy": "accuracy"}


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


def difference_table(comparison: Comparison) -> str:
    """The differences that were tested, a row a pair and figure, and how to read them; empty without any.

    In points of percent, pooled, the second less the first.
    """
    tested = [each for each in comparison.differences if each.p_value is not None and each.metric in _TESTED]
    if not tested:
        return ""
    several = any(each.p_holm is not None for each in tested)
    header = ["difference", "points", "95 % interval", "p", "p, sign flips"]
    header += ["p, Holm"] * several + ["p, McNemar"]
    rows = []
    for each in tested:
        row = [f"{_TESTED[each.metric]}: {each.second} less {each.first}", f"{100 * (each.pooled or 0):+.1f}"]
        row.append(f"{100 * each.ci95[0]:+.1f} to {100 * each.ci95[1]:+.1f}" if each.ci95 else "-")
        ps = [each.p_value, each.p_sign_flips, *([each.p_holm] * several), each.p_mcnemar]
        rows.append([*row, *map(_p, ps)])
    speakers = min(each.speakers or 0 for each in tested)
    which = "by Holm, for all pairs together" if several else "paired t"
    note = (
        f"Over {speakers} speakers, paired, seeds averaged before. A difference is more than chance where "
        f"its p ({which}) is below 0.05. Sign flips need no normal distribution. McNemar takes clips for "
        "independent, which those of one speaker are not."
    )
    return f"{columns(header, rows)}\n{textwrap.fill(note, 110)}"


def comparison_figure(comparison: Comparison) -> Figure:
    """Loss and accuracy over the epochs, a column an entry, and accuracy and UAR of the test as bars.

    Of several trainings each is a thin line and the mean of those still under way at an epoch a strong one.
    The whiskers are 95 % intervals over speakers, where there are any. Below them stand the differences that
    were tested.

    Raises MissingExtraError where Matplotlib is not installed.
    """
    drawn = [entry for entry in comparison.entries if any(entry.histories)]
    tested = [each for each in comparison.differences if each.metric == "uar" and each.ci95 is not None]
    heights = [*([6.6] if drawn else []), 3.0 if drawn else 4.0, *([_forest_in(tested)] if tested else [])]
    figure = empty(max(8.4, 4.3 * len(drawn), 1.9 * len(comparison.entries)), sum(heights))
    if len(heights) == 1:
        _bars(figure.subplots(), comparison.entries)
        return figure
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    parts = [figure.add_subfigure(grid[place]) for place in range(len(heights))]
    if drawn:
        axes = parts[0].subplots(2, len(drawn), squeeze=False, sharex=True, sharey="row")
        _curves(axes.tolist(), drawn)
    _bars(parts[1 if drawn else 0].subplots(), comparison.entries)
    if tested:
        _forest(parts[-1].subplots(), tested)
    return figure


def _forest_in(tested: Sequence[Difference]) -> float:
    """The height of the differences' part, in inches."""
    return 1.2 + 0.34 * len(tested)


def _forest(axes: Axes, tested: Sequence[Difference]) -> None:
    """Each pair's difference of UAR with its interval over speakers, and a line where there is none."""
    rows = range(len(tested))
    axes.axvline(0, color=QUIET, linewidth=1)
    for row, each in zip(rows, tested, strict=True):
        low, high = (100 * end for end in each.ci95 or (0.0, 0.0))
        colour = GREEN if each.counts else INK
        axes.plot([low, high], [row, row], color=colour, linewidth=1.8, solid_capstyle="butt")
        axes.plot([100 * (each.pooled or 0.0)], [row], "o", color=colour, markersize=6)
        p, corrected = each.p_value, each.p_holm
        told = f"p {_p(p)}" + ("" if corrected is None else f", by Holm {_p(corrected)}")
        axes.annotate(
            told + ("" if each.counts else "  (within chance)"),
            (high, row),
            (6, 0),
            textcoords="offset points",
            va="center",
            color=INK,
            fontsize=9.5,
        )
    frame(axes, "")
    axes.grid(visible=False)
    axes.set_yticks(rows, [f"{each.second} less {each.first}" for each in tested], fontsize=9.5)
    axes.set_ylim(len(tested) - 0.5, -0.5)
    low, high = axes.get_xlim()
    axes.set_xlim(low, high + 0.6 * (high - low))  # room for what is said behind
    speakers = min(each.speakers or 0 for each in tested)
    axes.set_xlabel(
        f"difference of test UAR in points, 95 % interval over {speakers} speakers", color=QUIET, fontsize=10
    )


def _p(p: float | None) -> str:
    if p is None:
        return "-"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


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
