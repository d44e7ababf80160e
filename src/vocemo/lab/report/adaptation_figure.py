"""What an adaptation gains by the number of clips, drawn: a panel a corpus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vocemo.lab.report.theme import LIGHT, MARGIN_IN, WIDTH_IN, Theme, blank, head, place
from vocemo.lab.report.wording import many

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL_IN, _HEAD_IN, _FOOT_IN, _BETWEEN_IN = 1.9, 1.2, 0.75, 0.5
_WHOSE = {"own": "of the speaker's own clips", "others": "of other speakers' clips"}


def adaptation_figure(found: Mapping[str, Any], theme: Theme = LIGHT) -> Figure:
    """The gain in points of UAR over the initial model, with its 95 % interval over speakers.

    found: as `scripts/adaptation_curve.py` writes it.

    Raises MissingExtraError where Matplotlib is not installed.
    """
    corpora: Sequence[Mapping[str, Any]] = found["corpora"]
    height_in = _HEAD_IN + len(corpora) * _PANEL_IN + (len(corpora) - 1) * _BETWEEN_IN + _FOOT_IN
    figure = blank(height_in, theme)
    told = f"{found['initial']['name']} learnt from {', '.join(found['initial']['corpora'])}"
    told += f"; {many(found['draws'], 'draw')} of each speaker"
    head(figure, theme, f"{found['recipe']} adapted with a few clips", told)
    clips = sorted({row["clips"] for corpus in corpora for row in corpus["rows"]})
    ends = [
        100 * end
        for corpus in corpora
        for row in corpus["rows"]
        for end in (*(row["gain"]["ci95"] or ()), row["gain"]["mean"])
    ]
    for number, corpus in enumerate(corpora):
        above = _HEAD_IN + number * (_PANEL_IN + _BETWEEN_IN)
        axes = place(figure, theme, 0.62, height_in - above - _PANEL_IN, 0.2, above)
        axes.set_xlim(-0.5, len(clips) - 0.5)
        axes.set_ylim(min(0.0, *ends) - 4, max(ends) + 4)
        axes.axhline(0, color=theme.quiet, linewidth=1.1, linestyle=":")
        axes.grid(axis="y", color=theme.hairline, linewidth=0.8)
        for side, whose, colour in ((-0.09, "own", theme.first), (0.09, "others", theme.second)):
            _gains(axes, corpus["rows"], whose, clips, side, colour)
        axes.set_xticks(range(len(clips)), [str(count) for count in clips], color=theme.ink)
        axes.set_title(
            f"{corpus['corpus']}, {len(corpus['speakers'])} speakers",
            loc="left",
            fontsize=9.5,
            color=theme.ink,
        )
        if number == len(corpora) - 1:
            axes.set_xlabel("clips to adapt with", color=theme.quiet, fontsize=9.5)
            figure.legend(
                *axes.get_legend_handles_labels(),
                frameon=False,
                fontsize=8.5,
                labelcolor=theme.ink,
                loc="upper left",
                bbox_to_anchor=(MARGIN_IN / WIDTH_IN - 0.02, 1 - 0.6 / height_in),
                ncols=2,
            )
    figure.text(
        MARGIN_IN / WIDTH_IN,
        0.14 / height_in,
        "Gain in points of UAR over the initial model, with its 95 % interval over speakers.",
        fontsize=8.5,
        color=theme.quiet,
    )
    return figure


def _gains(
    axes: Axes,
    rows: Sequence[Mapping[str, Any]],
    whose: str,
    clips: Sequence[int],
    side: float,
    colour: str,
) -> None:
    mine = [row for row in rows if row["whose"] == whose]
    at = [clips.index(row["clips"]) + side for row in mine]
    gains = [100 * row["gain"]["mean"] for row in mine]
    axes.plot(at, gains, "o-", color=colour, markersize=5, linewidth=1.1, label=_WHOSE[whose])
    for where, row, gain in zip(at, mine, gains, strict=True):
        if row["gain"]["ci95"]:
            axes.plot([where] * 2, [100 * end for end in row["gain"]["ci95"]], color=colour, linewidth=1.6)
        axes.annotate(
            f"{gain:+.1f}".replace("-", "−"),
            (where, gain),
            (-4, 3) if side < 0 else (4, -11),
            textcoords="offset points",
            ha="right" if side < 0 else "left",
            fontsize=8,
            color=colour,
        )
