"""`vocemo explore`: what is in a corpus, and what stands out in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from vocemo.cli import training
from vocemo.cli.progress import progress
from vocemo.errors import UsageError

MOST_JOBS = 8  # past it, threads wait for each other


def explore(
    corpora: Annotated[
        list[str], typer.Argument(metavar="NAME:DIR...", help="One corpus or several, and where they lie.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the page, its pictures and the numbers go.")
    ] = Path("exploration"),
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, help="Measure N clips, drawn by --seed: a quick look."),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", metavar="S", min=0, help="Draws the clips of --limit and the examples.")
    ] = 0,
    jobs: Annotated[
        int | None, typer.Option("--jobs", metavar="N", min=1, help="Threads; by default one a processor.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Look into a corpus: clips, lengths, levels, pitch, examples, and what is wrong or stands out.

    Writes explore.html (one file that needs no network), explore.json (every number) and pictures/ (PNG).
    Song is counted, but measures by emotion are of speech where there is any. A file that cannot be read is
    named, and the status is then 1.

    Examples:

        vocemo explore ravdess:DATA/ravdess --out looked-at

        vocemo explore folder:recordings --limit 200
    """
    training.need_lab("explore")
    from vocemo.lab import explore as exploring
    from vocemo.lab.corpora import parse_spec

    for spec in corpora:
        corpus, place = parse_spec(spec)
        if not place.exists():
            raise UsageError(f"{spec}: there is nothing at {place}; expected: {corpus.layout}")
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: that is a file; valid: a folder, there or not")
    with progress("Measuring", None, "clips", quiet=quiet) as bar:

        def measured(done: int, total: int) -> None:
            bar.total = total
            bar.advance(1)

        found = exploring.survey(
            corpora, limit=limit, seed=seed, jobs=jobs or min(MOST_JOBS, os.cpu_count() or 1), each=measured
        )
    with progress("Drawing", None, "pictures", quiet=quiet) as bar:
        written = exploring.write_page(found, out, seed=seed, limit=limit, each=lambda: bar.advance(1))
    for refused in found.known_flaws:
        training.say(f"left out, as in the publisher's release: {refused.path}: {refused.reason}")
    for finding in exploring.findings(found):
        typer.echo(f"{finding.weight}: {finding.text}")
    typer.echo(f"The page is {written.page}, the numbers {written.numbers}")
    for refused in found.unreadable:
        training.say(f"cannot be read: {refused.path}: {refused.reason}")
    if found.unreadable:
        raise typer.Exit(1)
