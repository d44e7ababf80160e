"""What is known of somebody else's training, held against the clips that are measured.

The leak status of answers cannot be known from the answers. It is `not stated` until their maker says what
was trained on; then the same audit decides that holds for trainings here. A protocol's name alone says how
clips were to be divided, not that they were.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vocemo.errors import UsageError
from vocemo.lab.corpora import CORPORA, UNKNOWN_SPEAKER, Clip, Manifest, read
from vocemo.lab.evaluate.foreign import COLUMNS, plain
from vocemo.lab.evaluate.groups import speaker_named
from vocemo.lab.evaluate.joining import ClipFinder
from vocemo.lab.evaluate.predictions import Predictions
from vocemo.lab.splits import PROTOCOLS, Fold, audit, folds

UNNAMED = "as given"  # the protocol of answers for which none was named


@dataclass(frozen=True)
class Trained:
    """A clip, or a speaker by name, that a tool was trained on, for one fold's model or (None) for all."""

    clip: Clip
    fold: int | None = None


@dataclass(frozen=True)
class TrainingList:
    """All that a tool says that it was trained on.

    `unknown` of its paths are no recordings of the corpora at hand, and come without a speaker: whose they
    are cannot be audited.
    """

    trained: tuple[Trained, ...] = ()
    unknown: int = 0


@dataclass(frozen=True)
class Verdict:
    """What is known of a test's having been heard in training."""

    leaky: bool
    stated: bool  # False: nobody says what was trained on
    leak: str | None  # how it leaks, in a sentence
    remarks: tuple[str, ...] = ()


def training_list(given: Sequence[str], manifest: Manifest) -> TrainingList:
    """What a tool says that it was trained on.

    Args:
        given: each a CSV file with a column path or speaker (and fold, where each fold has a model of its
            own), a corpus as NAME:DIR, or names of speakers with commas between them.
        manifest: the clips that are measured and those beside them; paths are looked for there.

    Raises:
        UsageError: a file without such columns, a name that is no speaker of these corpora or of others.
    """
    found: list[Trained] = []
    unknown = 0
    for each in given:
        if Path(each).is_file():
            listed, strange = _listed(Path(each), manifest)
            found += listed
            unknown += strange
        elif each.partition(":")[0] in CORPORA:
            found += [Trained(clip) for clip in read(each)]
        else:
            names = [name.strip() for name in each.split(",") if name.strip()]
            found += [Trained(_speaker(name, manifest, each)) for name in names]
    if not found and not unknown:
        raise UsageError(
            "--trained-on names nothing: a CSV of paths or speakers, NAME:DIR, or speakers' names"
        )
    return TrainingList(tuple(found), unknown)


def judge(predictions: Predictions, clips: Sequence[Clip], protocol: str, training: TrainingList) -> Verdict:
    """Whether these answers were given to clips and speakers that were trained on.

    clips: those that were answered, a clip a row; none where no corpus was named, and names must do.

    A protocol that leaks by its name is believed; one that claims not to leak is not.
    """
    tested = list(clips) or stand_ins(predictions)
    named = protocol in PROTOCOLS
    by_name = named and PROTOCOLS[protocol].leaky
    trained = training.trained
    unaudited = (
        f"{training.unknown} paths are none of the corpora's and name no speaker, so that a leak cannot be "
        "ruled out",
    )
    remarks = unaudited if training.unknown else ()
    if not trained:
        leak = f"protocol {protocol} has the test speakers in training" if by_name else None
        return Verdict(by_name, by_name, leak, remarks)
    messages: list[str] = []
    for fold in sorted({int(f) for f in predictions.fold}):
        of_fold = [clip for clip, f in zip(tested, predictions.fold, strict=True) if f == fold]
        heard = [each.clip for each in trained if each.fold is None or each.fold == fold]
        if not heard:
            raise UsageError(f"--trained-on says nothing of fold {fold}, whose model answered too")
        part = Fold("as stated", fold, _unique(heard), (), _unique(of_fold), leaky=False)
        messages += [finding.message for finding in audit(part).failures]
    if messages:
        more = f" (and {len(messages) - 1} more findings)" if len(messages) > 1 else ""
        return Verdict(True, True, messages[0] + more, remarks)
    if by_name:
        return Verdict(True, True, f"protocol {protocol} has the test speakers in training", remarks)
    nameless = sum(not speaker_named(subject) for subject in predictions.subjects)
    if nameless:
        said = f"{nameless} answered clips do not say who speaks, so that a leak cannot be ruled out"
        return Verdict(False, False, None, (*remarks, said))
    return Verdict(False, not remarks, None, remarks)


def in_folds(
    predictions: Predictions, clips: Sequence[Clip], manifest: Manifest, protocol: str
) -> Predictions:
    """The answers by the folds of a protocol, each clip in the fold that tests it.

    A protocol that draws its folds leaves those of the file as they are: its draw is not known.

    Raises:
        UnknownNameError: no such protocol.
        UsageError: one that tests nothing, and folds in the file that are not those of the protocol.
    """
    chosen = PROTOCOLS[protocol]
    if not chosen.holds_out or chosen.copies:
        raise UsageError(f"protocol {protocol} is for trainings here: it has no recordings to test")
    made, again = (folds(manifest, protocol, seed) for seed in (0, 1))
    if [fold.test for fold in made] != [fold.test for fold in again]:
        return predictions
    of_clip = {clip.key: fold.index for fold in made for clip in fold.test}
    places = np.array([of_clip.get(clip.key, -1) for clip in clips], np.int64)
    if (places < 0).any():
        first = clips[int(np.flatnonzero(places < 0)[0])]
        raise UsageError(
            f"protocol {protocol} does not test {int((places < 0).sum())} of the answered clips "
            f"(first: {first.key})"
        )
    pairs = {(int(own), int(fold)) for own, fold in zip(predictions.fold, places, strict=True)}
    own_folds = {own for own, _ in pairs}
    if len(own_folds) > 1 and len(pairs) != len(own_folds):
        raise UsageError(
            f"the file's column fold does not divide the clips as {protocol} does: its folds and those of "
            "the protocol hold different clips. Leave the column or --protocol out"
        )
    return dataclasses.replace(predictions, fold=places)


def _listed(file: Path, manifest: Manifest) -> tuple[list[Trained], int]:
    """The lines of a training list, and how many paths are not known."""
    text = file.read_text(encoding="utf-8-sig")
    header = text.partition("\n")[0]
    reader = csv.DictReader(text.splitlines(), delimiter=max(",;\t", key=header.count))
    roles = {
        role: column
        for column in reader.fieldnames or ()
        for role in ("path", "speaker", "fold")
        if plain(column) in COLUMNS[role]
    }
    if not roles.keys() & {"path", "speaker"}:
        raise UsageError(
            f"--trained-on {file}: columns {', '.join(reader.fieldnames or ()) or 'none'}; there must be "
            "path or speaker"
        )
    finder, found, strange = ClipFinder(manifest), list[Trained](), 0
    for row in reader:
        where = f"{file}, line {reader.line_num}"
        fold = row.get(roles.get("fold", ""), "") or None
        if fold is not None and not fold.isdecimal():
            raise UsageError(f"{where}: fold '{fold}' is no whole number from 0")
        number = None if fold is None else int(fold)
        path, speaker = (row.get(roles.get(role, ""), "") or "" for role in ("path", "speaker"))
        clip = finder.find(path, where) if path else None
        if clip is not None:
            found.append(Trained(clip, number))
        elif speaker:
            found.append(Trained(_speaker(speaker, manifest, where), number))
        else:
            strange += bool(path)
    return found, strange


def _speaker(name: str, manifest: Manifest, where: str) -> Clip:
    """A clip that stands for all those of a speaker."""
    speakers = [each for each in manifest.speakers if not each.endswith(f"/{UNKNOWN_SPEAKER}")]
    known = [speaker for speaker in speakers if name in (speaker, speaker.partition("/")[2])]
    if len(known) > 1:
        raise UsageError(f"{where}: speaker {name} could be {', '.join(known)}")
    if not known and "/" not in name:
        some = ", ".join([*speakers[:3], "..."]) if speakers else "no known ones"
        raise UsageError(
            f"{where}: '{name}' is no file, no corpus as NAME:DIR, and none of the speakers ({some}); a "
            "speaker of another corpus carries its name: iemocap/01"
        )
    speaker = known[0] if known else name
    return Clip(Path(f"(training clips of {speaker})"), speaker.partition("/")[0], "unknown", speaker)


def stand_ins(predictions: Predictions) -> list[Clip]:
    """Clips that are known by what the file says of them alone."""
    return [
        Clip(
            Path(subject.path or f"(line {row})"),
            subject.corpus,
            predictions.emotions[target],
            subject.speaker,
        )
        for row, (subject, target) in enumerate(zip(predictions.subjects, predictions.targets, strict=True))
    ]


def _unique(clips: Iterable[Clip]) -> tuple[Clip, ...]:
    return tuple({clip.key: clip for clip in clips}.values())
