"""The robustness table in plain text and in Markdown."""

from __future__ import annotations

from vocemo.lab.report.tables import columns, markdown
from vocemo.lab.report.wording import speakers
from vocemo.lab.stress.conditions import CLEAN, FAMILIES
from vocemo.lab.stress.result import ConditionResult, Robustness

HEADER = ("condition", "UAR", "95 %", "fall", "95 %", "accuracy", "clips")


def label(condition: ConditionResult) -> str:
    """What a condition is called in a table.

    >>> label(ConditionResult("white-10", "white", 10, "dB SNR", 0.5, 0.5, None, 8))
    'white noise 10 dB SNR'
    """
    family = FAMILIES.get(condition.family, condition.family)
    return family if condition.level is None else f"{family} {condition.level:g} {condition.unit}"


def robustness_table(found: Robustness) -> str:
    """A line a condition: UAR and its fall against the recordings as they are, in percent and points.

    A fall whose interval leaves 0 has a star. The intervals are over speakers.
    """
    return columns(HEADER, [_cells(condition) for condition in found.conditions])


def robustness_markdown(found: Robustness) -> list[str]:
    """The same as the lines of a Markdown table."""
    return markdown(HEADER, [_cells(condition) for condition in found.conditions])


def headline(found: Robustness) -> str:
    """What was stressed, in a line.

    Raises nothing; a leaky figure is called so.
    """
    seeds = f", seeds {', '.join(map(str, found.seeds))}" if len(found.seeds) > 1 else ""
    leak = "  LEAKY: the model knows these voices" if found.leaky else ""
    return (
        f"{found.model} on {', '.join(found.corpora)}, {found.protocol}: {found.clips:,} clips, "
        f"{speakers(found.speakers)}{seeds}{leak}"
    )


def _cells(condition: ConditionResult) -> tuple[str, ...]:
    clean = condition.name == CLEAN
    return (
        label(condition),
        f"{100 * condition.uar:.1f}",
        _span(condition.ci95),
        "" if clean else f"{_signless(100 * condition.fall)}{'*' if condition.falls else ''}",
        "" if clean else _span(condition.fall_ci95),
        f"{100 * condition.accuracy:.1f}",
        f"{condition.clips:,}",
    )


def _span(interval: tuple[float, float] | None) -> str:
    if interval is None:
        return "-"
    return f"{_signless(100 * interval[0])} to {_signless(100 * interval[1])}"


def _signless(value: float) -> str:
    """One decimal, without the sign that rounding leaves on a nought."""
    text = f"{value:.1f}"
    return "0.0" if text == "-0.0" else text
