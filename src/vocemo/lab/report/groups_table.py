"""Groups and gaps in plain text, short: who is understood better than whom, and whether that is chance."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from statistics import median

from vocemo.lab.evaluate import Gap, GroupResult, Results
from vocemo.lab.evaluate.speakers import FIRST
from vocemo.lab.report.tables import columns

MOST_ROWS = 8  # of a kind; of one with more the lowest and the highest are told


def groups_table(results: Results) -> str:
    """A row a group, UAR and accuracy in percent; empty where there are no groups.

    Of speakers, and of any kind with more than MOST_ROWS groups, the lowest, the middle and the highest UAR.
    """
    rows = []
    summed = []
    for kind, groups in results.groups.items():
        if kind == "speaker" or len(groups) > MOST_ROWS:
            summed.append(_extremes(kind, groups))
        else:
            rows += [_row(f"{kind} {group.name}", group) for group in groups]
    header = ["group", "UAR", "95 % interval", "accuracy", "clips", "speakers"]
    parts = [columns(header, rows)] if rows else []
    return "\n".join([*parts, *(line for line in summed if line)])


def gap_lines(results: Results) -> str:
    """A line a gap in points of UAR, with its interval and whether it counts; empty where there are none."""
    lines = []
    for kind, gaps in results.gaps.items():
        shown = gaps if len(gaps) <= MOST_ROWS else [gap for gap in gaps if gap.counts]
        lines += [f"  {kind}: {_told(gap, results.emotions)}" for gap in shown]
        if len(shown) < len(gaps):
            lines.append(f"  {kind}: {len(gaps) - len(shown)} other gaps that do not count")
    if not lines:
        return ""
    head = "Gaps in UAR, in points; one counts where its 95 % interval over speakers leaves 0:"
    return "\n".join([head, *lines])


def interval_remark(results: Results) -> str:
    """What must be said beside the intervals, as lines of a terminal; empty where nothing must."""
    return textwrap.fill(results.interval_remark or "", 110)


def _row(name: str, group: GroupResult) -> list[str]:
    low_high = f"{group.ci95[0]:.1%} to {group.ci95[1]:.1%}" if group.ci95 else "-"
    uar = "-" if group.uar is None else f"{group.uar:.1%}"
    return [name, uar, low_high, f"{group.accuracy:.1%}", str(group.clips), str(group.speakers)]


def _extremes(kind: str, groups: tuple[GroupResult, ...]) -> str:
    known = sorted((group.uar, group.name) for group in groups if group.uar is not None)
    if not known:
        return ""
    (least, worst), (most, best) = known[0], known[-1]
    middle = median(uar for uar, _ in known)
    return (
        f"{len(known)} {kind}s: UAR from {least:.1%} ({worst}) to {most:.1%} ({best}), half of them above "
        f"{middle:.1%}"
    )


def _told(gap: Gap, emotions: Sequence[str]) -> str:
    ends = ""
    if gap.ci95:
        sign = "" if gap.first == FIRST else "+"
        low, high = (f"{100 * end:{sign}.1f}" for end in gap.ci95)
        ends = f" ({low} to {high}): {'counts' if gap.counts else 'within chance'}"
    if gap.first == FIRST:
        return f"two drawn at random differ by {100 * gap.difference:.1f} beyond chance{ends}"
    return f"{gap.first} less {gap.second} {100 * gap.difference:+.1f}{ends}{_over(gap, emotions)}"


def _over(gap: Gap, emotions: Sequence[str]) -> str:
    """Which emotions are compared, or, where that is shorter, which are not."""
    without = [emotion for emotion in emotions if emotion not in gap.emotions]
    if not gap.emotions:
        return ""
    if len(without) < len(gap.emotions):
        return f", without {', '.join(without)}"
    return f", over {', '.join(gap.emotions)}"
