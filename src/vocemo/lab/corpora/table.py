"""A user's own recordings in a table: `table:FILE.csv`.

    path       the recording, from the table's own folder on
    emotion    any label; happiness, Joy and happy are one (`emotions.canonical`)
    speaker    empty where it is not known; "ravdess/01" names a speaker of another corpus
    sex        female or male                       (this and what follows may be left out)
    start_s    where the part begins, in seconds
    end_s      where it ends
    split      train, validation or test
    intensity, sentence, take, channel, language

The separator is a comma, a semicolon or a tab, as the first line shows; the encoding is UTF-8.
"""

from __future__ import annotations

import csv
import difflib
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeVar

from vocemo.emotions import canonical
from vocemo.errors import CorpusError
from vocemo.lab.corpora.clip import Channel, Clip, Refused, Sex, speaker_of
from vocemo.lab.corpora.corpus import Corpus, Scan

NAME = "table"
REQUIRED = ("path", "emotion", "speaker")
OPTIONAL = ("sex", "start_s", "end_s", "split", "intensity", "sentence", "take", "channel", "language")
SEXES: dict[str, Sex] = {"female": "female", "f": "female", "male": "male", "m": "male"}
CHANNELS: dict[str, Channel] = {"speech": "speech", "song": "song"}
SPLITS: dict[str, Literal["train", "validation", "test"]] = {
    "train": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}
SHOWN_ERRORS = 5

Value = TypeVar("Value")


class _RowError(ValueError):
    """One row is wrong; the message says how."""


def scan(file: Path) -> Scan:
    """Read every row of a table.

    Errors: CorpusError with the numbers of the wrong lines when the table is not there, lacks a
    column, has no row, or has rows that cannot be meant.
    """
    clips: dict[str, Clip] = {}
    absent: list[Refused] = []
    wrong: list[str] = []
    lines: dict[str, int] = {}
    for line, row in _rows(file):
        try:
            clip = _clip(file.parent, row)
            if clip.key in clips:
                raise _RowError(f"the same recording as line {lines[clip.key]}: {row['path']}")
        except _RowError as error:
            wrong.append(f"line {line}: {error}")
            continue
        lines[clip.key] = line
        clips[clip.key] = clip
        if not clip.path.is_file():
            absent.append(Refused(clip.path, f"no such file ({file.name}, line {line})"))
    if wrong:
        more = f"; and {len(wrong) - SHOWN_ERRORS} more" if len(wrong) > SHOWN_ERRORS else ""
        raise CorpusError(f"{file}: {'; '.join(wrong[:SHOWN_ERRORS])}{more}")
    if not clips:
        raise CorpusError(f"{file}: a header and no row below it")
    there = {key: clip for key, clip in clips.items() if clip.path.is_file()} if absent else clips
    return Scan(there, absent=tuple(absent))


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows that are not empty, each with the number of its line."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise CorpusError(f"no such table: {file}") from error
    except IsADirectoryError as error:
        raise CorpusError(
            f"{file} is a folder; a table is a CSV file (for a folder: folder:{file})"
        ) from error
    except UnicodeDecodeError as error:
        raise CorpusError(f"{file}: not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise CorpusError(f"{file}: cannot be read ({error.strerror or error})") from error
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    columns = [name.strip().lower() for name in next(reader, [])]
    _check_columns(file, columns)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) > len(columns):
                    raise CorpusError(
                        f"{file}: line {reader.line_num}: {len(cells)} cells under {len(columns)} columns "
                        "(a cell with the separator in it needs quotation marks)"
                    )
                cells += [""] * (len(columns) - len(cells))
                yield reader.line_num, {c: v.strip() for c, v in zip(columns, cells, strict=True)}
    except csv.Error as error:
        raise CorpusError(f"{file}: line {reader.line_num}: {error}") from error


def _check_columns(file: Path, columns: list[str]) -> None:
    """Errors: CorpusError for a column that is lacking, double or nearly a known one."""
    lacking = [name for name in REQUIRED if name not in columns]
    if lacking:
        raise CorpusError(
            f"{file}: line 1: no column {', '.join(lacking)}; found {', '.join(columns) or 'nothing'}. "
            f"Needed: {', '.join(REQUIRED)} (cells of speaker may be empty); "
            f"understood: {', '.join(OPTIONAL)}"
        )
    for name in columns:
        if columns.count(name) > 1:
            raise CorpusError(f"{file}: line 1: the column '{name}' stands there twice")
        unused = [known for known in OPTIONAL if known not in columns]
        close = difflib.get_close_matches(name, unused, n=1, cutoff=0.7)
        if name not in REQUIRED + OPTIONAL and close:
            raise CorpusError(
                f"{file}: line 1: column '{name}' is not understood; did you mean '{close[0]}'?"
            )


def _clip(folder: Path, row: Mapping[str, str]) -> Clip:
    """The clip of one row. Errors: _RowError."""
    for name in ("path", "emotion"):
        if not row[name]:
            raise _RowError(f"{name} is empty")
    start_s, end_s = _seconds(row, "start_s"), _seconds(row, "end_s")
    if end_s is not None and end_s <= (start_s or 0.0):
        raise _RowError(f"end_s {end_s:g} is not after start_s {start_s or 0.0:g}")
    speaker = row["speaker"]
    return Clip(
        path=folder / Path(row["path"]).expanduser(),
        corpus=NAME,
        emotion=canonical(row["emotion"]),
        speaker=speaker if "/" in speaker else speaker_of(NAME, speaker),
        sex=_choice(row, "sex", SEXES),
        intensity=row.get("intensity") or None,
        sentence=row.get("sentence") or None,
        take=row.get("take") or None,
        channel=_choice(row, "channel", CHANNELS) or "speech",
        language=row.get("language") or None,
        start_s=0.0 if start_s is None and end_s is not None else start_s,
        end_s=end_s,
        split=_choice(row, "split", SPLITS),
    )


def _seconds(row: Mapping[str, str], column: str) -> float | None:
    cell = row.get(column, "")
    if not cell:
        return None
    try:
        seconds = float(cell)
    except ValueError:
        raise _RowError(f"{column} '{cell}' is no number of seconds") from None
    if not math.isfinite(seconds) or seconds < 0:
        raise _RowError(f"{column} {cell} is not zero or more")
    return seconds


def _choice(row: Mapping[str, str], column: str, valid: Mapping[str, Value]) -> Value | None:
    cell = row.get(column, "").lower()
    if not cell:
        return None
    if cell not in valid:
        raise _RowError(f"{column} '{cell}' is none of {', '.join(dict.fromkeys(map(str, valid.values())))}")
    return valid[cell]


TABLE = Corpus(
    name=NAME,
    title="your own recordings, listed in a table",
    summary=f"a CSV file with the columns {', '.join(REQUIRED)} and, if you like, {', '.join(OPTIONAL)}",
    language=None,
    licence="yours",
    citation="",
    doi=None,
    homepage=None,
    layout="a CSV file with the columns path, emotion, speaker",
    scan=scan,
    names_repeat=True,
    obtain="it is yours to bring",
)
