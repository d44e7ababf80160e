"""Render docs/results/*.json into the Markdown tables of README.md and of the pages of docs.

    python scripts/render_results.py            write the tables
    python scripts/render_results.py --check    write nothing; exit 1 where a table is not current

A table stands between `<!-- results:begin NAME -->` and `<!-- results:end NAME -->`. NAME is a pattern
over the files' names without `.json` (`summary` or `*` is all of them, `dual-channel-cnn-*` those of a
recipe); with `/emotions` behind it, precision, recall and F1 of each emotion are given, with `/averages`
their means, with `/confusion` the confusion matrices, with `/groups` for whom it works less well, with
`/details` each result's command, commit and folds. `systems` is the table of described systems
(docs/results/described/systems.json) beside what is measured of them here; `robustness/NAME` is the
robustness table of docs/results/robustness/NAME.json, `export/NAME` what each exported file loses, by
docs/results/export/NAME.json, `tuning/NAME` the trials of the study docs/results/tuning/NAME.json,
`adaptation/NAME` what an adaptation gains, by docs/results/adaptation/NAME.json, and `timeline/NAME` how
well timelines tell which emotion when, by docs/results/timeline/NAME.json.
"""

from __future__ import annotations

import argparse
import difflib
import fnmatch
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.evaluate.results import Results
from vocemo.lab.report import described, published, robustness_table
from vocemo.lab.report.tables import markdown
from vocemo.lab.stress.result import Robustness

MARKER = re.compile(r"^<!-- results:(begin|end) (\S+) -->$")
NOTHING = "Not measured yet."


def load(folder: Path) -> dict[str, Results]:
    """Results by their file's name without `.json`, those that do not leak first."""
    found = {path.stem: Results.read(path) for path in sorted(folder.glob("*.json"))}
    return dict(sorted(found.items(), key=lambda item: (item[1].leaky, item[1].corpora, item[1].protocol)))


def pages(root: Path) -> list[str]:
    """The README and the pages of docs that have a table, as paths below the root."""
    docs = sorted(path for path in (root / "docs").rglob("*.md") if _has_table(path))
    return ["README.md", *(path.relative_to(root).as_posix() for path in docs)]


def _has_table(page: Path) -> bool:
    return any(MARKER.match(line) for line in page.read_text(encoding="utf-8").splitlines())


def systems(results: Mapping[str, Results], folder: Path) -> list[str]:
    """A line a described system."""
    sizes = described.read_sizes(folder / "bench" / "bundles.json")
    listed = described.read_systems(folder / "described" / "systems.json")
    rows = described.rows(listed, results.values(), sizes)
    return markdown(described.HEADER, rows, texts=3)


def robustness(path: Path) -> list[str]:
    """A line a condition, and where they come from."""
    found = Robustness.read(path)
    lines = [f"{robustness_table.headline(found)}.", "", *robustness_table.robustness_markdown(found), ""]
    lines += ["*: the interval of the fall leaves 0.", *(f"{remark}." for remark in found.remarks)]
    lines += [f"Skipped: {name} ({reason})." for name, reason in found.skipped.items()]
    return [*lines, "", f"`{found.command}`, commit {found.commit}, {found.date}."]


def render(name: str, results: Mapping[str, Results], folder: Path) -> list[str]:
    """The lines of a marker's table; `folder` is docs/results."""
    if name == "systems":
        return systems(results, folder)
    if name.startswith("robustness/"):
        return robustness(folder / f"{name}.json")
    if name.startswith("export/"):
        return published.export(folder / f"{name}.json")
    if name.startswith("adaptation/"):
        return published.adaptation(folder / f"{name}.json")
    if name.startswith("timeline/"):
        return published.timeline(folder / f"{name}.json")
    if name.startswith("tuning/"):
        return published.tuning(folder / f"{name}.json")
    pattern, _, view = name.partition("/")
    if view not in published.VIEWS:
        raise UnknownNameError("view of results", view, [key for key in published.VIEWS if key])
    if not results:
        return [NOTHING]
    pattern = "*" if pattern == "summary" else pattern
    chosen = {stem: found for stem, found in results.items() if fnmatch.fnmatchcase(stem, pattern)}
    if not chosen:
        raise UnknownNameError("result", pattern, results)
    return published.VIEWS[view](chosen)


def renew(text: str, results: Mapping[str, Results], page: str, folder: Path) -> str:
    """A page with its tables rendered anew. Raises UsageError for markers that do not pair."""
    lines: list[str] = []
    inside: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        mark = MARKER.match(line)
        if mark:
            kind, name = mark.groups()
            if (kind == "begin") != (inside is None) or (kind == "end" and name != inside):
                raise UsageError(
                    f"{page}, line {number}: results:{kind} {name} does not pair; open: {inside}"
                )
            if kind == "begin":
                lines += [line, "", *render(name, results, folder), ""]
            else:
                lines.append(line)
            inside = name if kind == "begin" else None
        elif inside is None:
            lines.append(line)
    if inside is not None:
        raise UsageError(f"{page}: results:begin {inside} has no end")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Render or check; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 where a table is not current"
    )
    parser.add_argument(
        "--root", type=Path, default=Path(__file__).resolve().parents[1], help="the repository"
    )
    options = parser.parse_args(arguments)
    stale = 0
    try:
        folder = options.root / "docs" / "results"
        results = load(folder)
        for name in pages(options.root):
            page = options.root / name
            before = page.read_text(encoding="utf-8")
            after = renew(before, results, name, folder)
            if before == after:
                continue
            stale += 1
            if options.check:
                old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
                sys.stdout.writelines(difflib.unified_diff(old, new, name, f"{name} (from docs/results)"))
            else:
                page.write_text(after, encoding="utf-8")
                print(f"wrote {name}")
    except (UsageError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.check and stale:
        print("tables are not current: run python scripts/render_results.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
