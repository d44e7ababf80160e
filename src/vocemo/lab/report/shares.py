"""Shares of 1 as people read them: percent, with what seeds differ by."""

from __future__ import annotations

from vocemo.lab.evaluate.results import Metric


def percent(share: float | None) -> str:
    """A share with one decimal, a dash where there is none."""
    return "-" if share is None else f"{100 * share:.1f}"


def spread(metric: Metric | None) -> str:
    """The mean over seeds and, of several, their standard deviation."""
    if metric is None:
        return "-"
    return percent(metric.mean) + ("" if metric.sd is None else f" ± {percent(metric.sd)}")
