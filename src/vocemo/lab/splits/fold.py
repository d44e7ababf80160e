"""One division of a corpus into training, validation and test."""

from __future__ import annotations

from dataclasses import dataclass

from vocemo.lab.corpora.clip import UNKNOWN_SPEAKER, Clip


def speaker_is_known(clip: Clip) -> bool:
    """Whether the clip says who speaks in it.

    >>> from pathlib import Path
    >>> speaker_is_known(Clip(Path("a.wav"), "folder", "sad", speaker="folder/unknown"))
    False
    """
    return not clip.speaker.endswith(f"/{UNKNOWN_SPEAKER}")


def speakers(clips: tuple[Clip, ...]) -> frozenset[str]:
    """The known speakers of some clips."""
    return frozenset(c.speaker for c in clips if speaker_is_known(c))


@dataclass(frozen=True)
class Fold:
    """Which clips train, which choose among models, which are reported.

    A fold that is not `leaky` claims that no test speaker is in training or validation;
    `audit` checks the claim. Under `random-as-described` validation is the test.
    """

    protocol: str
    index: int
    train: tuple[Clip, ...]
    validation: tuple[Clip, ...]
    test: tuple[Clip, ...]
    leaky: bool

    @property
    def parts(self) -> dict[str, tuple[Clip, ...]]:
        """The three parts under their names, in the order train, validation, test."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    @property
    def test_speakers(self) -> tuple[str, ...]:
        """The known test speakers in order of name."""
        return tuple(sorted(speakers(self.test)))

    @property
    def validation_is_test(self) -> bool:
        """Whether the clips that choose the model are those that are reported."""
        return bool(self.test) and set(self.validation) == set(self.test)

    def describe(self) -> str:
        """Clips and speakers of each part in one line, and for a leaky fold that it leaks and how.

        >>> from pathlib import Path
        >>> ann = Clip(Path("1.wav"), "table", "sad", "table/ann")
        >>> bob = Clip(Path("2.wav"), "table", "sad", "table/bob")
        >>> cat = Clip(Path("3.wav"), "table", "sad", "table/cat")
        >>> print(Fold("loso", 0, (ann,), (bob,), (cat,), leaky=False).describe())
        loso fold 0: train 1 clip of 1 speaker, validation 1 clip of 1 speaker, test 1 clip of 1 speaker (cat)
        """
        parts = ", ".join(f"{name} {_count(clips)}" for name, clips in self.parts.items())
        line = f"{self.protocol} fold {self.index}: {parts}"
        if 0 < len(self.test_speakers) <= 6:
            line += f" ({', '.join(s.partition('/')[2] or s for s in self.test_speakers)})"
        return f"{line}. {self.leak}" if self.leaky else line

    @property
    def leak(self) -> str:
        """How a leaky fold leaks, as a sentence; empty for a fold that claims not to."""
        if not self.leaky:
            return ""
        shared = speakers(self.test) & (speakers(self.train) | speakers(self.validation))
        total = len(speakers(self.test))
        if shared:
            how = [
                f"speakers overlap: {len(shared)} of {total} test speakers are also in training, "
                "so this measures known voices, not new ones"
            ]
        elif not total:
            how = ["the speakers are unknown, so the same voices may be in training and test"]
        else:
            how = ["recordings are not kept apart (its audit says which)"]
        trained = {(clip.path, clip.start_s) for clip in self.train}
        copied = (
            sum((c.path, c.start_s) in trained for c in self.test)
            if any(c.variant for c in self.train)
            else 0
        )
        if copied:
            how.append(
                f"{copied} of {len(self.test)} tested are heard in training as well, varied in other ways"
            )
        if self.validation_is_test:
            how.append("validation is test: the model is chosen on the very clips that are reported")
        return f"This split LEAKS: {'; and '.join(how)}."


def _count(clips: tuple[Clip, ...]) -> str:
    if not clips:
        return "none"
    known = len(speakers(clips))
    who = f"{known} speaker{'s' * (known != 1)}" if known else "unknown speakers"
    return f"{len(clips)} clip{'s' * (len(clips) != 1)} of {who}"
