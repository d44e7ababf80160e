"""What a model answered for each clip: a typed table, to and from CSV.

The file has a line a clip: path, corpus, speaker, sex, channel, intensity, sentence, duration_s,
target, predicted, one probability column an emotion (named by it), fold, seed. Empty means unknown.
Answers that came without probabilities have no column an emotion.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vocemo.emotions import in_order
from vocemo.errors import UsageError
from vocemo.lab.corpora.clip import Clip, speaker_of
from vocemo.lab.evaluate.reliability import checked

# As the file has them: those before the emotions, and those after.
DESCRIPTION = ("path", "corpus", "speaker", "sex", "channel", "intensity", "sentence", "duration_s")
BEFORE = (*DESCRIPTION, "target", "predicted")
AFTER = ("fold", "seed")
_LEVEL = 1e-6  # by this much the answer in a file may be less probable than the most probable emotion


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose clip it is and what it is: the columns that describe a prediction's clip."""

    path: str
    corpus: str = "unknown"
    speaker: str = "unknown"
    sex: str | None = None
    channel: str | None = None
    intensity: str | None = None
    sentence: str | None = None
    duration_s: float | None = None

    @classmethod
    def of(cls, clip: Clip) -> Subject:
        """The description of a clip."""
        return cls(
            clip.key,
            clip.corpus,
            clip.speaker,
            clip.sex,
            clip.channel,
            clip.intensity,
            clip.sentence,
            clip.duration_s,
        )


@dataclass(frozen=True, eq=False)
class Predictions:
    """Clips, what they are and what they were taken for; a row a clip, a fold and a seed.

    `targets` (n,) holds places in `emotions`, `probabilities` is (n, k), `fold` and `seed` (n,). Where a tool
    gave answers alone, `probabilistic` is False and each answer stands as a probability of 1, which is no
    probability: what is measured of probabilities must be left out.
    """

    emotions: tuple[str, ...]
    subjects: tuple[Subject, ...]
    targets: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    fold: NDArray[np.int64]
    seed: NDArray[np.int64]
    probabilistic: bool = True

    def __post_init__(self) -> None:
        """Refuse columns that do not fit each other."""
        rows, columns = len(self.subjects), len(self.emotions)
        taken = set(self.emotions) & set((*BEFORE, *AFTER))
        if taken or len(set(self.emotions)) != columns:
            raise UsageError(
                f"emotions {', '.join(self.emotions)}: each must stand once, and none may be called "
                f"{', '.join((*BEFORE, *AFTER))}"
            )
        if self.probabilities.shape != (rows, columns):
            raise UsageError(
                f"probabilities {self.probabilities.shape} for {rows} clips and {columns} emotions"
            )
        if any(column.shape != (rows,) for column in (self.targets, self.fold, self.seed)):
            raise UsageError(f"targets, fold and seed must have a value for each of the {rows} clips")
        if rows:
            checked(self.targets, self.probabilities)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.subjects)

    def repeated(self) -> tuple[int, int] | None:
        """The first two rows in which one fold's model answers one clip with one seed; None for none."""
        seen: dict[tuple[str, int, int], int] = {}
        for row, subject in enumerate(self.subjects):
            key = (subject.path, int(self.fold[row]), int(self.seed[row]))
            if subject.path and key in seen:
                return seen[key], row
            seen[key] = row
        return None

    @classmethod
    def of(
        cls, clips: Iterable[Clip], probabilities: ArrayLike, emotions: Sequence[str], *, fold: int, seed: int
    ) -> Predictions:
        """The answers of one model to clips that carry their labels.

        Args:
            clips: n of them.
            probabilities: (n, k) in the order of emotions.
            emotions: k names; each clip's label is one of them.
            fold: which fold's model answered.
            seed: which seed it was trained with.

        Raises:
            UsageError: a clip whose label is none of the emotions, shapes that do not fit, rows
                that are no probabilities.

        >>> clip = Clip(Path("a.wav"), "folder", "sad", "folder/ann")
        >>> Predictions.of([clip], [[0.25, 0.75]], ["happy", "sad"], fold=1, seed=0).answers
        ('sad',)
        """
        known = tuple(clips)
        return cls(
            tuple(emotions),
            tuple(Subject.of(clip) for clip in known),
            np.array([_place(c.emotion, emotions, str(c.path)) for c in known], np.int64),
            np.asarray(probabilities, np.float64).reshape(len(known), -1),
            np.full(len(known), fold, np.int64),
            np.full(len(known), seed, np.int64),
        )

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable emotion of each clip as its place in `emotions` (n,), the first where level."""
        return np.asarray(self.probabilities.argmax(1), np.int64)

    @property
    def answers(self) -> tuple[str, ...]:
        """The most probable emotion of each clip by name."""
        return tuple(self.emotions[place] for place in self.predicted)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Speakers in order of name."""
        return tuple(sorted({s.speaker for s in self.subjects}))

    @property
    def runs(self) -> tuple[tuple[int, int], ...]:
        """The models that answered, each as (seed, fold), in order."""
        return tuple(sorted({(int(s), int(f)) for s, f in zip(self.seed, self.fold, strict=True)}))

    def where(self, keep: ArrayLike) -> Predictions:
        """The rows for which `keep` (n,) is true."""
        rows = np.flatnonzero(np.asarray(keep, bool))
        return Predictions(
            self.emotions,
            tuple(self.subjects[row] for row in rows),
            self.targets[rows],
            self.probabilities[rows],
            self.fold[rows],
            self.seed[rows],
            self.probabilistic,
        )

    def run(self, *, seed: int, fold: int) -> Predictions:
        """The rows of one model."""
        return self.where((self.seed == seed) & (self.fold == fold))

    @classmethod
    def concatenate(cls, parts: Iterable[Predictions]) -> Predictions:
        """Tables below each other. Raises UsageError for none, or for different emotions."""
        tables = tuple(parts)
        if not tables:
            raise UsageError("no predictions to put together: there must be one table or more")
        emotions = tables[0].emotions
        for table in tables:
            if table.emotions != emotions:
                raise UsageError(
                    f"predictions of different emotions: {', '.join(emotions)}; "
                    f"and {', '.join(table.emotions)}"
                )
        return cls(
            emotions,
            tuple(subject for table in tables for subject in table.subjects),
            np.concatenate([t.targets for t in tables]),
            np.concatenate([t.probabilities for t in tables]),
            np.concatenate([t.fold for t in tables]),
            np.concatenate([t.seed for t in tables]),
            all(t.probabilistic for t in tables),
        )

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write as CSV; probabilities keep nine digits, which gives a float32 back exactly.

        The file appears whole or not at all.
        """
        target = Path(path)
        partial = target.with_name(target.name + ".partial")
        columns = self.emotions if self.probabilistic else ()
        with partial.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow((*BEFORE, *columns, *AFTER))
            for row, (subject, answer) in enumerate(zip(self.subjects, self.answers, strict=True)):
                lines.writerow(
                    (
                        *_described(subject),
                        self.emotions[self.targets[row]],
                        answer,
                        *(f"{p:.9g}" for p in self.probabilities[row][: len(columns)]),
                        self.fold[row],
                        self.seed[row],
                    )
                )
        partial.replace(target)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Predictions:
        """Read a CSV file.

        `target` and the emotions' columns must be there (every column that has no other meaning
        is an emotion), or `target` and `predicted`; what else is missing is unknown, fold and seed 0. Where
        `predicted` is there beside probabilities, it must be the most probable emotion.

        Raises:
            UsageError: no such file, a column missing, a line that is broken; says which.
        """
        source = Path(path)
        if not source.is_file():
            raise UsageError(f"{source}: no such file of predictions")
        with source.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            lines = csv.DictReader(file)
            header = tuple(lines.fieldnames or ())
            emotions = tuple(name for name in header if name not in (*BEFORE, *AFTER))
            if "target" not in header or not (emotions or "predicted" in header):
                raise UsageError(
                    f"{source}: columns {', '.join(header) or 'none'}; there must be 'target' and a "
                    "probability column for each emotion, or 'target' and 'predicted'"
                )
            told = [(line, f"{source}, line {lines.line_num}") for line in lines]
        probabilistic = bool(emotions)
        if not probabilistic:
            names = {line[name] for line, _ in told for name in ("target", "predicted")}
            emotions = in_order({name for name in names if name})
        read = [_line(line, emotions, where, probabilistic=probabilistic) for line, where in told]
        return cls(
            emotions,
            tuple(line.subject for line in read),
            np.array([line.target for line in read], np.int64),
            np.array([line.probabilities for line in read], np.float64).reshape(len(read), len(emotions)),
            np.array([line.fold for line in read], np.int64),
            np.array([line.seed for line in read], np.int64),
            probabilistic,
        )


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the file."""

    subject: Subject
    target: int
    probabilities: tuple[float, ...]
    fold: int
    seed: int


def _place(emotion: str, emotions: Sequence[str], where: str) -> int:
    if emotion not in emotions:
        raise UsageError(f"{where}: target '{emotion}' is none of the emotions {', '.join(emotions)}")
    return list(emotions).index(emotion)


def _described(subject: Subject) -> list[str]:
    """The columns that describe a clip; lengths to a tenth of a millisecond."""
    length = "" if subject.duration_s is None else f"{round(subject.duration_s, 4):g}"
    return [*(getattr(subject, name) or "" for name in DESCRIPTION[:-1]), length]


def _line(fields: dict[str, str], emotions: tuple[str, ...], where: str, *, probabilistic: bool) -> _Line:
    """One line, each of its faults an error that says where."""
    if None in fields or None in fields.values():
        raise UsageError(f"{where}: it has more or fewer values than there are columns")
    answer = fields.get("predicted")
    if not probabilistic and not answer:
        raise UsageError(f"{where}: no answer: 'predicted' is empty, and there are no probabilities")
    try:
        given = (fields[emotion] if probabilistic else emotion == answer for emotion in emotions)
        probabilities = tuple(float(value) for value in given)
        fold, seed = int(fields.get("fold") or 0), int(fields.get("seed") or 0)
        duration_s = float(fields["duration_s"]) if fields.get("duration_s") else None
    except ValueError as error:
        raise UsageError(
            f"{where}: {error}; fold and seed are whole numbers, probabilities and duration_s numbers"
        ) from error
    target = _place(fields["target"], emotions, where)
    try:
        checked([target], [probabilities])
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error
    if answer and probabilities[_place(answer, emotions, where)] < max(probabilities) - _LEVEL:
        raise UsageError(f"{where}: predicted '{answer}' is not its most probable emotion")
    corpus = fields.get("corpus") or "unknown"
    subject = Subject(
        fields.get("path") or "",
        corpus,
        fields.get("speaker") or speaker_of(corpus, None),
        fields.get("sex") or None,
        fields.get("channel") or None,
        fields.get("intensity") or None,
        fields.get("sentence") or None,
        duration_s,
    )
    return _Line(subject, target, probabilities, fold, seed)
