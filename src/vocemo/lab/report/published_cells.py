"""What a published result's row says in more than one table."""

from __future__ import annotations

from vocemo.lab.evaluate.results import Results
from vocemo.lab.report.shares import percent


def uar(result: Results) -> str:
    """UAR with its interval, and LEAKY beside it where it is."""
    metric = result.metrics["uar"]
    text = f"**{percent(metric.mean)}**" + ("" if metric.sd is None else f" ± {percent(metric.sd)}")
    if metric.ci95 is not None:
        if metric.pooled is not None and percent(metric.pooled) != percent(metric.mean):
            text += f", pooled {percent(metric.pooled)}"
        text += f" [{percent(metric.ci95[0])}, {percent(metric.ci95[1])}]"
    return f"LEAKY {text}" if result.leaky else text


def protocol(result: Results) -> str:
    """The protocol, and in brackets in what the training was not as it says."""
    return f"`{result.protocol}`" + (f" ({result.remark})" if result.remark else "")


def ece(result: Results) -> str:
    """ECE and, after "chance", what perfect calibration would score on as many clips."""
    metric = result.metrics.get("ece")
    if metric is None:
        return "-"
    chance = "" if metric.calibrated is None else f" (chance {percent(metric.calibrated)})"
    return percent(metric.mean) + chance
