r"""Figures of groups of clips, and whether groups differ by more than chance gives.

Clips are grouped by what describes them: the speaker's sex, the speaker, how intense the emotion was meant
to be, the sentence, the channel (speech or song), and how long the clip is.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GroupResult:
    """Clips that share something, such as their speaker's sex."""

    name: str
    clips: int  # of one seed
    speakers: int
    uar: float | None  # over the emotions that the group has; None where it has one alone
    accuracy: float
    ci95: tuple[float, float] | None = None  # of uar, over speakers


@dataclass(frozen=True)
class Gap:
    """By how much the UAR of the first group lies above that of the second."""

    first: str
    second: str
    difference: float
    ci95: tuple[float, float] | None = None  # over speakers
    emotions: tuple[str, ...] = ()  # those compared, where they are not all of the result's

    @property
    def counts(self) -> bool:
        """Whether the interval leaves 0: the groups differ by more than the choice of speakers explains."""
        return self.ci95 is not None and (self.ci95[0] > 0 or self.ci95[1] < 0)
