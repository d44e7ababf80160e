"""Another tool's answers, joined with what is known of the clips.

A line names its recording by a path. It is looked for among the clips of the corpora that were given: by
the whole path, else by the file's name, without its ending where no name agrees (`a.wav` may be there as
`a.flac`). Where several clips have the name, the folders before it decide; where they do not, the line is
refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from vocemo.emotions import in_order
from vocemo.errors import UsageError
from vocemo.lab.corpora.clip import Clip, Manifest, speaker_of
from vocemo.lab.evaluate.foreign import ForeignRow, ForeignTable
from vocemo.lab.evaluate.predictions import Predictions, Subject

_SHOWN = 3


@dataclass(frozen=True)
class Joined:
    """Answers with all that is known of their clips, the clips themselves, and what must be said."""

    predictions: Predictions
    clips: tuple[Clip, ...]  # a clip a row; none without a corpus
    remarks: tuple[str, ...]


class ClipFinder:
    """Clips by the paths under which somebody else knows them."""

    def __init__(self, manifest: Manifest) -> None:
        self._by_key = {clip.key: clip for clip in manifest}
        self._by_name: defaultdict[str, list[Clip]] = defaultdict(list)
        self._by_stem: defaultdict[str, list[Clip]] = defaultdict(list)
        for clip in manifest:
            name = PurePosixPath(clip.key.replace("\\", "/")).name
            self._by_name[name].append(clip)
            self._by_stem[PurePosixPath(name).stem].append(clip)

    def find(self, path: str, where: str) -> Clip | None:
        """The clip that a path means; None where there is none. Raises UsageError where it may be several."""
        if path in self._by_key:
            return self._by_key[path]
        given = PurePosixPath(path.replace("\\", "/"))
        found = self._by_name.get(given.name) or self._by_stem.get(given.stem) or []
        if len(found) > 1:
            shared = [_shared_folders(given, clip) for clip in found]
            found = [clip for clip, n in zip(found, shared, strict=True) if n == max(shared)]
        if len(found) > 1:
            raise UsageError(
                f"{where}: {path} could be {_some([clip.key for clip in found])}; give more of its folders"
            )
        return found[0] if found else None


def _shared_folders(given: PurePosixPath, clip: Clip) -> int:
    """How many folders before the name agree."""
    own = PurePosixPath(clip.key.replace("\\", "/"))
    shared = 0
    for one, other in zip(reversed(given.parts[:-1]), reversed(own.parts[:-1]), strict=False):
        if one != other:
            break
        shared += 1
    return shared


def join(table: ForeignTable, manifest: Manifest | None, relabel: Mapping[str, str] | None = None) -> Joined:
    """The answers as predictions: targets and descriptions from the corpora, or without any from the file.

    Args:
        table: what was read.
        manifest: the clips of the corpora; None: the file itself says what each clip is.
        relabel: an emotion of the corpora -> the one it counts as.

    Raises:
        UsageError: a path that may be several clips, a clip that stands twice in one fold and seed, a file
            and a corpus that disagree on what a clip is, and where nothing is left to measure.
    """
    remarks = list(table.remarks)
    if manifest is None:
        rows = [(row, _own_subject(row), row.target or "") for row in table.rows]
        for row, _, target in rows:
            if not target:
                raise UsageError(f"{table.source}, line {row.line}: the target is empty")
        clips: tuple[Clip, ...] = ()
    else:
        found = _matched(table, manifest.relabelled(relabel or {}), remarks)
        rows = [(row, Subject.of(clip), clip.emotion) for row, clip in found]
        clips = tuple(clip for _, clip in found)
    if table.probabilistic:
        kept = [place for place, (_, _, target) in enumerate(rows) if target in table.emotions]
        if len(kept) < len(rows):
            lacking = in_order({target for _, _, target in rows} - set(table.emotions))
            remarks.append(
                f"left out: {len(rows) - len(kept)} clips of {', '.join(lacking)}, which have no column"
            )
        clips = tuple(clips[place] for place in kept) if clips else ()
        rows = [rows[place] for place in kept]
        emotions = table.emotions
    else:
        emotions = in_order({target for _, _, target in rows} | {row.predicted or "" for row, _, _ in rows})
    if not rows:
        raise UsageError(f"{table.source}: nothing is left to measure: {'; '.join(remarks)}")
    predictions = Predictions(
        emotions,
        tuple(subject for _, subject, _ in rows),
        np.array([emotions.index(target) for _, _, target in rows], np.int64),
        np.array([_probabilities(row, emotions) for row, _, _ in rows], np.float64),
        _numbers(table, [row for row, _, _ in rows], "fold"),
        _numbers(table, [row for row, _, _ in rows], "seed"),
        table.probabilistic,
    )
    _refuse_repeated(table, [row for row, _, _ in rows], predictions)
    return Joined(predictions, clips, tuple(remarks))


def _matched(table: ForeignTable, manifest: Manifest, remarks: list[str]) -> list[tuple[ForeignRow, Clip]]:
    """Lines with their clips; what does not match is told."""
    if any(row.path is None for row in table.rows):
        line = next(row.line for row in table.rows if row.path is None)
        raise UsageError(
            f"{table.source}, line {line}: no path, so it cannot be found in the corpus; name the recording "
            "in a column path"
        )
    finder = ClipFinder(manifest)
    found, strange = [], []
    for row in table.rows:
        clip = finder.find(row.path or "", f"{table.source}, line {row.line}")
        if clip is None:
            strange.append(row.path or "")
        else:
            found.append((row, clip))
    if not found:
        raise UsageError(
            f"{table.source}: none of its {len(table.rows)} lines names a clip of "
            f"{', '.join(manifest.corpora)} (such as {_some(strange)}; the corpus has, for example, "
            f"{manifest.clips[0].path.name})"
        )
    if strange:
        remarks.append(
            f"left out: {len(strange)} of {len(table.rows)} lines, which name no clip of the corpus: "
            f"{_some(strange)}"
        )
    missing = len(manifest) - len({clip.key for _, clip in found})
    if missing:
        remarks.append(f"not answered, and in no figure: {missing} of {len(manifest)} clips of the corpus")
    _refuse_disagreement(table, found)
    return found


def _refuse_disagreement(table: ForeignTable, found: Sequence[tuple[ForeignRow, Clip]]) -> None:
    wrong = [(row, clip) for row, clip in found if row.target is not None and row.target != clip.emotion]
    if wrong:
        row, clip = wrong[0]
        pairs = sorted({f"--relabel {clip.emotion}={row.target}" for row, clip in wrong})
        raise UsageError(
            f"{table.source}, line {row.line}: the target is {row.target}, but the corpus has "
            f"{clip.path.name} as {clip.emotion} ({len(wrong)} such lines); where an emotion counts as "
            f"another, say so, such as {_some(pairs)}"
        )


def _own_subject(row: ForeignRow) -> Subject:
    """What the file itself says of a clip."""
    told = row.described
    corpus = told.get("corpus") or "unknown"
    speaker = told.get("speaker")
    try:
        duration_s = float(told["duration_s"]) if "duration_s" in told else None
    except ValueError as error:
        raise UsageError(f"line {row.line}: {error}; a duration is a number of seconds") from error
    return Subject(
        row.path or "",
        corpus,
        speaker if speaker and "/" in speaker else speaker_of(corpus, speaker),
        told.get("sex"),
        told.get("channel"),
        told.get("intensity"),
        told.get("sentence"),
        duration_s,
    )


def _probabilities(row: ForeignRow, emotions: Sequence[str]) -> Sequence[float]:
    if row.probabilities is not None:
        return row.probabilities
    return [float(emotion == row.predicted) for emotion in emotions]


def _numbers(
    table: ForeignTable, rows: Sequence[ForeignRow], name: str
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    values = []
    for row in rows:
        text = row.described.get(name, "0")
        if not text.isdecimal():
            raise UsageError(f"{table.source}, line {row.line}: {name} '{text}' is no whole number from 0")
        values.append(int(text))
    return np.array(values, np.int64)


def _refuse_repeated(table: ForeignTable, rows: Sequence[ForeignRow], predictions: Predictions) -> None:
    twice = predictions.repeated()
    if twice:
        first, second = (rows[place].line for place in twice)
        raise UsageError(
            f"{table.source}: lines {first} and {second} are both {predictions.subjects[twice[0]].path}; "
            "several seeds need a column seed, and several models' answers a column fold"
        )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
