"""Going on with an output that a job which broke off has left."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vocemo.cli.held_lines import Kind, channel_of
from vocemo.cli.inputs import STANDARD_INPUT
from vocemo.errors import UsageError

FORMATS = ("jsonl", "csv")  # whose lines stand for themselves


@dataclass(frozen=True)
class Held:
    """What an output holds: the paths that were answered, and the channel or None, by the SHA-256 of each.

    `begun` says that there is a line at all, if only a header; `hashed` that lines tell the hash of their
    file, without which nothing goes on there.
    """

    answered: Mapping[str, Set[tuple[str, int | None]]] = field(default_factory=dict)
    begun: bool = False
    hashed: bool = True

    def hash_of(self, path: str) -> str | None:
        """The SHA-256 of a recording where lines tell it; None too for what cannot be read."""
        try:
            return content_hash(path) if self.hashed else None
        except OSError:  # whoever decodes it says why
            return None

    def has(self, path: str, sha256: str | None, asked: Set[str], channel: int | None = None) -> bool:
        """Whether a recording, or this channel of it, is answered: this file with this content, or this
        content under a name that is not asked for any more, since it was moved. `asked` are the paths of this
        job.
        """
        answered = self.answered.get(sha256 or "", frozenset())
        held = {each for each, own in answered if own == channel}
        return path in held or bool(held - asked)


NOTHING = Held(hashed=False)  # of an output that is begun anew


def resumable(
    output: Path | None, form: str, inputs: Sequence[object], *, timeline: bool, drawn: bool
) -> Path:
    """The output that --resume goes on with. Raises UsageError for a job that cannot be gone on with.

    drawn: whether pictures are asked for, which would lack what is held already.
    """
    if output is None or form not in FORMATS or (timeline and form == "csv"):
        raise UsageError(
            "--resume goes with --output and --format jsonl, or csv without --timeline: a line a recording"
        )
    if drawn or STANDARD_INPUT in inputs:
        raise UsageError("--resume takes files alone, and neither --plot nor --explain")
    return output


def held_by(output: Path, form: str, kind: Kind, columns: Sequence[str]) -> Held:
    """What an output holds; a line that broke off at its end is taken away, once the rest is as it should be.

    kind: of the answers that are asked for now. columns: those of a csv that goes on. Raises UsageError where
    lines are visibly of another kind, or do not say what was heard: the output was not begun with --resume.
    Then it is left as it was. A model of the same name and another threshold are not seen.
    """
    try:
        content = output.read_bytes()
    except FileNotFoundError:
        return Held()
    except OSError as error:
        raise UsageError(f"--output {output}: cannot be gone on with ({error.strerror})") from error
    whole = content[: _whole(content, form)]
    answered: dict[str, set[tuple[str, int | None]]] = {}
    for line in _lines(output, whole, form, columns):
        if not all(isinstance(line.get(key), str) for key in ("sha256", "path", "model")):
            raise UsageError(f"{output} was not begun with --resume: its lines do not say what was heard")
        if (other := _difference(output, kind, line)) is not None:
            raise UsageError(f"{output} {other}: give what it was begun with, or another file")
        answered.setdefault(line["sha256"], set()).add((line["path"], channel_of(line)))
    if len(whole) < len(content):
        with output.open("rb+") as file:
            file.truncate(len(whole))
    return Held(answered, begun=bool(whole))


def content_hash(path: str) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _difference(output: Path, kind: Kind, line: Mapping[str, Any]) -> str | None:
    try:
        return kind.difference(line)
    except (KeyError, TypeError, ValueError):
        raise UsageError(f"{output} holds a line that is no answer: nothing can go on there") from None


def _whole(content: bytes, form: str) -> int:
    """Where the last whole line ends: a line's end inside quotes is none."""
    end = content.rfind(b"\n") + 1
    while form == "csv" and content.count(b'"', 0, end) % 2:
        end = content.rfind(b"\n", 0, end - 1) + 1
    return end


def _lines(output: Path, content: bytes, form: str, columns: Sequence[str]) -> Iterable[Mapping[str, Any]]:
    try:
        text = content.decode("utf-8", errors="surrogateescape")
        if form == "jsonl":
            return [_an_object(json.loads(line)) for line in text.split("\n") if line]
        rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        if text and list(rows.fieldnames or ()) != list(columns):
            raise UsageError(_other_columns(output, rows.fieldnames or (), columns))
        return list(rows)
    except (csv.Error, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{output} is no {form} of answers: nothing can go on there ({error})") from error


def _other_columns(output: Path, held: Sequence[str], columns: Sequence[str]) -> str:
    if [each for each in held if each != "channel"] == [each for each in columns if each != "channel"]:
        apart = "holds channels apart, and --by-channel is not given"
        whole = "holds recordings without their channels, and --by-channel is given"
        return (
            f"{output} {apart if 'channel' in held else whole}: give what it was begun with, or another file"
        )
    return f"{output} was not begun with --resume: its columns are others"


def _an_object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("a line is no object")
    return value
