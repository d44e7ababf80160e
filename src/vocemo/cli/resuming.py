"""Going on with an output that a job which broke off has left."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vocemo.errors import UsageError

FORMATS = ("jsonl", "csv")  # whose lines stand for themselves


@dataclass(frozen=True)
class Held:
    """What an output holds: the paths that were answered, by the SHA-256 of what they held.

    `begun` says that there is a line at all, if only a header.
    """

    paths: Mapping[str, Set[str]]
    begun: bool = False

    def has(self, path: str, sha256: str, asked: Set[str]) -> bool:
        """Whether a recording is answered: this file with this content, or this content under a name that is
        not asked for any more, since it was moved. `asked` are the paths of this job.
        """
        held = self.paths.get(sha256, frozenset())
        return path in held or bool(held - asked)


def held_by(output: Path, form: str, model: str) -> Held:
    """What an output holds; a line that broke off at its end is taken away.

    model: who answers now. Raises UsageError where another has answered there, or where lines do not say
    what was heard: the output was not begun with --resume.
    """
    try:
        with output.open("rb+") as file:
            content = file.read()
            whole = content[: content.rfind(b"\n") + 1]
            file.truncate(len(whole))
    except FileNotFoundError:
        return Held({})
    except OSError as error:
        raise UsageError(f"--output {output}: cannot be gone on with ({error.strerror})") from error
    paths: dict[str, set[str]] = {}
    for line in _lines(output, whole, form):
        if line.get("sha256") is None or line.get("path") is None:
            raise UsageError(f"{output} was not begun with --resume: its lines do not say what was heard")
        if line["model"] != model:
            raise UsageError(
                f"{output} holds answers of {line['model']}, and this is {model}: give another file"
            )
        paths.setdefault(line["sha256"], set()).add(line["path"])
    return Held(paths, begun=bool(whole))


def content_hash(path: str) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lines(output: Path, content: bytes, form: str) -> Iterable[Mapping[str, Any]]:
    try:
        text = content.decode("utf-8")
        if form == "csv":
            return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
        return [_an_object(json.loads(line)) for line in text.splitlines() if line]
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise UsageError(
            f"{output} is no {form} of answers, so that nothing can go on there ({error})"
        ) from error


def _an_object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("a line is no object")
    return value
