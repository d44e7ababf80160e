"""What the arguments of `vocemo predict` stand for: files, folders, globs and standard input."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from vocemo.errors import AudioNotFoundError, UsageError
from vocemo.runtime.prediction import Failure

STANDARD_INPUT = "-"

# Suffixes by which a folder's recordings are found; the content of each decides what it is.
_UNCOMPRESSED = {".wav", ".wave", ".w64", ".rf64", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".flac"}
_COMPRESSED = {".mp3", ".ogg", ".oga", ".opus", ".m4a", ".m4b", ".aac", ".wma", ".amr", ".mka"}
_FILMS = {".mp4", ".webm", ".mkv", ".mov", ".3gp"}
AUDIO_SUFFIXES = frozenset(_UNCOMPRESSED | _COMPRESSED | _FILMS)


def expand(arguments: Sequence[str]) -> list[str | Failure]:
    """The recordings that arguments stand for, in order; a Failure for each that stands for none.

    A folder stands for the audio files anywhere below it, by name; hidden ones are left out. A pattern with
    *, ? or [ stands for what it matches, where no file has that very name. `-` is standard input.
    """
    if list(arguments).count(STANDARD_INPUT) > 1:
        raise UsageError("standard input (-) can be read once, given twice")
    found: list[str | Failure] = []
    for argument in arguments:
        if argument == STANDARD_INPUT or Path(argument).is_file():
            found.append(argument)
        elif Path(argument).is_dir():
            found += _below(argument) or [_failure(argument, "a folder without audio files")]
        elif glob.has_magic(argument):
            # As a shell does, and Path.glob does not: hidden files are left out, and ./ stays.
            matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 (Path.glob takes no absolute pattern)
            if not matches:
                found.append(_failure(argument, "no file matches this pattern"))
            for match in matches:
                found += _below(match) if Path(match).is_dir() else [match]
        else:
            found.append(_failure(argument, "no such file or folder"))
    return found


def _below(folder: str) -> list[str | Failure]:
    """The audio files below a folder, by name."""
    found: list[str | Failure] = []
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            str(Path(where, name))
            for name in sorted(names)
            if not name.startswith(".") and Path(name).suffix.lower() in AUDIO_SUFFIXES
        ]
    return found


def _failure(argument: str, reason: str) -> Failure:
    return Failure(argument, AudioNotFoundError(f"{argument}: {reason}"))
