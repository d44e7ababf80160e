"""The leak audit: whether the test is as unknown to the model as its protocol claims.

Recordings are compared by their decoded samples, exactly, and clips of the test with all others by what they
sound like, so that a copy is known under any name: resampled, cut, filtered, encoded with loss, noisy,
stretched, shifted in pitch. What is changed beyond that is another recording to it; name it by `sources`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vocemo.errors import LeakError
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.splits import leaks
from vocemo.lab.splits.content import alike
from vocemo.lab.splits.fold import Fold
from vocemo.lab.splits.heard import Heard, of_initial_weights
from vocemo.lab.splits.leaks import Finding
from vocemo.lab.splits.likeness import Alike, sounding_alike
from vocemo.lab.splits.protocol import PROTOCOLS


@dataclass(frozen=True)
class Audit:
    """What the audit of a fold found.

    `claims_independence`: the fold says of itself that it does not leak.
    """

    protocol: str
    index: int
    claims_independence: bool
    findings: tuple[Finding, ...]

    @property
    def failures(self) -> tuple[Finding, ...]:
        """What makes the test less than unknown."""
        return tuple(f for f in self.findings if f.failure)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What is worth knowing and leaks nothing into the test."""
        return tuple(f for f in self.findings if not f.failure)

    @property
    def passed(self) -> bool:
        """Whether nothing of the test was found in training or validation."""
        return not self.failures

    def describe(self) -> str:
        """The verdict, and a line for each finding."""
        head = f"{self.protocol} fold {self.index}: "
        if self.passed:
            head += "no leak found"
        else:
            head += f"LEAKS ({', '.join(dict.fromkeys(f.kind for f in self.failures))})"
        return "\n".join(
            [head, *(f"  {'LEAK' if f.failure else 'note'}: {f.message}" for f in self.failures + self.notes)]
        )

    def to_dict(self) -> dict[str, Any]:
        """The audit as JSON takes it."""
        return {
            "protocol": self.protocol,
            "fold": self.index,
            "claims_independence": self.claims_independence,
            "passed": self.passed,
            "findings": [
                {**asdict(f), "parts": list(f.parts), "items": list(f.items)}
                for f in self.failures + self.notes
            ],
        }


def audit(fold: Fold, *, sources: Mapping[str, str] | None = None, heard: Heard | None = None) -> Audit:
    """Look for ways in which the test of a fold is known to training or validation.

    sources: for clips that were made from others (augmented copies, re-encodings), the key of the
        copy -> the key of the clip that it was made from, which need not be in the fold.
    heard: what the weights that the training begins with have learnt from; None: they are fresh.

    >>> from pathlib import Path
    >>> from vocemo.lab.corpora.clip import Clip
    >>> ann = Clip(Path("1.wav"), "table", "sad", "table/ann")
    >>> bob = Clip(Path("2.wav"), "table", "sad", "table/bob")
    >>> cat = Clip(Path("3.wav"), "table", "sad", "table/cat")
    >>> audit(Fold("loso", 0, (ann,), (bob,), (cat,), leaky=False)).passed
    True
    >>> print(audit(Fold("random", 0, (ann, bob), (), (ann,), leaky=True)).describe())
    random fold 0: LEAKS (same clip, speakers)
      LEAK: 1 clip is in train and in test: 1.wav
      LEAK: speakers overlap: 1 of 1 test speakers is also in train: table/ann
    """
    copies = alike([c for clips in fold.parts.values() for c in clips if not c.variant])
    alikes = _sounding_alike(fold, copies)
    findings = [
        *leaks.same_clip(fold),
        *leaks.same_recording(fold),
        *leaks.same_speaker(fold),
        *leaks.same_content(fold, copies),
        *leaks.one_speaker_under_two_names(
            fold, [*copies, *((a.tested, a.other) for a in alikes if not a.warped)]
        ),
        *leaks.derived(fold, sources or {}),
        *leaks.named_copies(fold),
        *leaks.copies_by_sound(fold, alikes),
        *leaks.unknown_speakers(fold),
        *leaks.unheard_emotions(fold),
        *(of_initial_weights(fold, heard) if heard else ()),
    ]
    return Audit(fold.protocol, fold.index, _claims(fold), tuple(findings))


def enforce(fold: Fold, *, sources: Mapping[str, str] | None = None, heard: Heard | None = None) -> Audit:
    """Audit a fold, and refuse it where it claims independence and is not.

    Raises: LeakError, with all that was found.
    """
    result = audit(fold, sources=sources, heard=heard)
    if result.claims_independence and not result.passed:
        raise LeakError(f"the split breaks the promise of its protocol.\n{result.describe()}")
    return result


def _sounding_alike(fold: Fold, copies: list[tuple[Clip, ...]]) -> list[Alike]:
    """Test clips and others that sound like one recording, but for those that are one, sample by sample."""
    tested = {clip.key: clip for clip in fold.test if not clip.variant}
    others = {c.key: c for c in (*fold.train, *fold.validation) if not c.variant and c.key not in tested}
    same = {(a.key, b.key) for group in copies for a in group for b in group}
    found = sounding_alike(tuple(tested.values()), tuple(others.values()))
    return [alike for alike in found if (alike.tested.key, alike.other.key) not in same]


def _claims(fold: Fold) -> bool:
    """A fold marked leaky claims nothing, unless its protocol is one that promises independence."""
    promised = fold.protocol in PROTOCOLS and PROTOCOLS[fold.protocol].speaker_independent
    return promised or not fold.leaky
