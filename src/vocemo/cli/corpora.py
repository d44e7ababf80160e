"""`vocemo corpora`: which corpora are known, what they hold, where they come from, what a copy lacks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from vocemo.cli.progress import Bar, progress
from vocemo.emotions import in_order
from vocemo.lab import corpora
from vocemo.lab.corpora import CheckReport, Corpus, Step

Format = Annotated[Literal["table", "json"], typer.Option(help="How it is written.")]

LISTED = 10  # names of missing, stray ... files in a table; JSON has them all

app = typer.Typer(
    name="corpora",
    help="Corpora of emotional speech: list, describe, fetch and check them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.command("list")
def list_corpora(format: Format = "table") -> None:
    """List the corpora with their size, language and licence.

    Example:

        vocemo corpora list
    """
    known = [corpora.CORPORA[name] for name in corpora.CORPORA]
    if format == "json":
        _print_json([_described(corpus) for corpus in known])
        return
    table = _table("name", "clips>", "speakers>", "emotions>", "language", "licence", "fetch")
    for corpus in known:
        expected = corpus.expected
        table.add_row(
            corpus.name,
            f"{expected.total:,}" if expected else "any",
            str(expected.speakers) if expected else "any",
            str(len(expected.by_emotion)) if expected else "any",
            corpus.language or "any",
            corpus.licence,
            "yes" if corpus.fetchable else "by hand" if expected else "",
        )
    Console().print(table)


@app.command()
def info(
    name: Annotated[str, typer.Argument(help="A corpus's name, as `vocemo corpora list` prints it.")],
    format: Format = "table",
) -> None:
    """Describe a corpus: origin, licence, citation, layout, expected counts, how to get it.

    Example:

        vocemo corpora info ravdess
    """
    corpus = corpora.CORPORA[name]
    if format == "json":
        _print_json(_described(corpus))
        return
    print(corpus.title)
    print(f"  {corpus.summary}")
    doi = f", https://doi.org/{corpus.doi}" if corpus.doi else ""
    for label, value in (
        ("Licence", corpus.licence),
        ("Language", corpus.language),
        ("Origin", corpus.homepage),
        ("Cite", corpus.citation + doi),
        ("Layout", corpus.layout),
        ("Read it as", f"{corpus.name}:{'FILE.csv' if corpus.name == 'table' else 'DIR'}"),
        ("Fetch", f"vocemo corpora fetch {corpus.name} DIR" if corpus.fetchable else corpus.obtain),
    ):
        if value:
            print(f"  {label}: {value}")
    for archive in corpus.archives:
        checksum = f"MD5 {archive.md5}" if archive.md5 else "no checksum is published"
        size = f"{archive.size_bytes:,} bytes, " if archive.size_bytes else ""
        print(f"    {archive.url} ({size}{checksum})")
    if corpus.expected is not None:
        expected = corpus.expected
        print(f"  Clips: {expected.total:,} of {expected.speakers} speakers")
        for emotion in in_order(set(expected.by_emotion)):
            print(f"    {emotion}: {expected.by_emotion[emotion]:,}")


@app.command()
def check(
    spec: Annotated[str, typer.Argument(metavar="NAME:DIR", help="A corpus and where it lies.")],
    format: Format = "table",
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Compare a copy with the publisher's release: missing, unreadable, double and stray files.

    Every file is decoded to its end. Exit status 0 when the copy is complete, 1 when something is
    missing or cannot be read.

    Example:

        vocemo corpora check ravdess:data/ravdess
    """
    corpora.parse_spec(spec)  # a wrong spec is told before a bar appears
    with _Bars(quiet=quiet) as bars:
        report = corpora.check(spec, progress=lambda n, of: bars.show("Decoding", n, of, "files"))
    if format == "json":
        _print_json(report.to_dict())
    else:
        _print_report(report)
    if not report.complete:
        raise typer.Exit(1)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A corpus's name, as `vocemo corpora list` prints it.")],
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where to put it; made where needed.")],
    keep_archives: Annotated[
        bool, typer.Option("--keep-archives", help="Keep the downloaded archives beside their content.")
    ] = False,
    format: Format = "table",
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Download a corpus from its publisher, check it and unpack it.

    A download that was broken off goes on where it stopped. Where a publisher offers no direct file,
    the message says where to go.

    Example:

        vocemo corpora fetch ravdess data/ravdess
    """
    corpus = corpora.CORPORA[name]
    with _Bars(quiet=quiet) as bars:

        def tell(step: Step) -> None:
            doing = "Downloading" if step.doing == "download" else "Unpacking"
            bars.show(f"{doing} {step.name}", step.done, step.total, "B")

        fetched = corpora.fetch(corpus, directory, progress=tell, keep_archives=keep_archives)
    if format == "json":
        _print_json(
            {
                "corpus": fetched.corpus,
                "path": str(fetched.directory),
                "clips": fetched.clips,
                "licence": corpus.licence,
                "files": [
                    {"name": f.path.name, "size": f.size_bytes, "sha256": f.sha256, "verified": f.verified}
                    for f in fetched.files
                ],
            }
        )
        return
    if not fetched.files:
        print("Nothing to fetch: all of it is there.")
    for file in () if corpus.listing else fetched.files:
        known = "its checksum is the published one" if file.verified else "no checksum is published"
        print(f"{file.path.name}: {file.size_bytes:,} bytes, SHA-256 {file.sha256}; {known}")
    print(f"{fetched.clips:,} clips in {fetched.directory}; licence: {corpus.licence}")
    print(f"Next: vocemo corpora check {corpus.name}:{fetched.directory}")


class _Bars:
    """A progress bar for each part of a job, begun when the part first reports."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: Bar | None = None

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)

    def show(self, description: str, done: float, total: float | None, unit: str) -> None:
        """Say how much of the part called `description` is done."""
        if self._bar is None or self._bar.description != description:
            self.__exit__()
            self._bar = progress(description, total, unit, quiet=self._quiet)
            self._bar.__enter__()
        self._bar.advance(done - self._bar.done)


def _described(corpus: Corpus) -> dict[str, Any]:
    """A corpus as JSON-able values."""
    expected = corpus.expected
    return {
        "name": corpus.name,
        "title": corpus.title,
        "summary": corpus.summary,
        "language": corpus.language,
        "licence": corpus.licence,
        "citation": corpus.citation,
        "doi": corpus.doi,
        "homepage": corpus.homepage,
        "layout": corpus.layout,
        "expected": None
        if expected is None
        else {
            "clips": expected.total,
            "speakers": expected.speakers,
            "emotions": {e: expected.by_emotion[e] for e in in_order(set(expected.by_emotion))},
            "channels": dict(expected.by_channel),
        },
        "archives": [
            {"name": a.name, "url": a.url, "size": a.size_bytes, "md5": a.md5, "sha256": a.sha256}
            for a in corpus.archives
        ],
        "fetch": corpus.fetchable,
        "obtain": corpus.obtain or None,
    }


def _print_report(report: CheckReport) -> None:
    """The counts as a table, then what is wrong."""
    table = _table("", "found>", "expected>")
    for count in report.counts:
        wrong = count.expected is not None and count.found != count.expected
        expected = "" if count.expected is None else f"{count.expected:,}"
        table.add_row(count.what, f"{count.found:,}", expected, style="red" if wrong else None)
    Console().print(table)

    def name(path: Path) -> str:
        return path.relative_to(report.root).as_posix() if path.is_relative_to(report.root) else str(path)

    kinds: dict[str, str] = {
        "copy": "one file in two places, read once",
        "conflict": "one name, two contents",
        "content": "one content under two names",
        "known": "one content under two names, in the publisher's release as well",
    }
    _print_names("Missing", report.missing)
    _print_names(
        "Missing, names not known", (f"{c.what}: {c.found:,} of {c.expected:,}" for c in report.shortfalls)
    )
    _print_names("Unreadable", (f"{name(r.path)}: {r.reason}" for r in report.unreadable))
    _print_names("Known flaw", (f"{name(r.path)}: {r.reason}" for r in report.known_flaws))
    _print_names(
        "Duplicate",
        (f"{' = '.join(name(path) for path in d.paths)}: {kinds[d.kind]}" for d in report.duplicates),
    )
    _print_names("Silent", (name(path) for path in report.silent))
    _print_names("Stray", (f"{name(r.path)}: {r.reason}" for r in report.stray))
    state = "complete" if report.complete else "not complete"
    print(f"{report.corpus}: {state}, {report.clips:,} clips, {report.duration_s / 3600:.2f} hours")


def _print_names(title: str, names: Iterable[str]) -> None:
    listed = list(names)
    if listed:
        print(f"{title} ({len(listed):,}):")
        for entry in listed[:LISTED]:
            print(f"  {entry}")
        if len(listed) > LISTED:
            print(f"  and {len(listed) - LISTED:,} more (--format json lists them all)")


def _table(*columns: str) -> Table:
    """A table; a column whose name ends in > is set to the right."""
    table = Table(box=box.SIMPLE_HEAD)
    for index, column in enumerate(columns):
        justify: Literal["left", "right"] = "right" if column.endswith(">") else "left"
        table.add_column(column.rstrip(">"), justify=justify, overflow="fold", no_wrap=index == 0)
    return table


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))
