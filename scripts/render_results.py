"""Render docs/results/*.json into the Markdown tables of README.md and docs/results/README.md.

    python scripts/render_results.py            write the tables
    python scripts/render_results.py --check    write nothing; exit 1 where a table is not current

A table stands between `<!-- results:begin NAME -->` and `<!-- results:end NAME -->`. NAME is a pattern
over the files' names without `.json` (`summary` or `*` is all of them, `dual-channel-cnn-*` those of a
recipe); with `/emotions` behind it, precision, recall and F1 of each emotion are given, with
`/details` each result's command, commit and folds. `systems` is the table of described systems
(docs/results/described/systems.json) beside what is measured of them here; `robustness/NAME` is the
robustness table of docs/results/robustness/NAME.json, and `export/NAME` what each exported file loses, by
docs/results/export/NAME.json.
"""

from __future__ import annotations

import argparse
import difflib
import fnmatch
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.evaluate.results import Metric, Results
from vocemo.lab.report import described, robustness_table
from vocemo.lab.report.tables import markdown
from vocemo.lab.stress.result import Robustness

PAGES = ("README.md", "docs/results/README.md")
MARKER = re.compile(r"^<!-- results:(begin|end) (\S+) -->$")
NOTHING = "Not measured yet."


def load(folder: Path) -> dict[str, Results]:
    """Results by their file's name without `.json`, those that do not leak first."""
    found = {path.stem: Results.read(path) for path in sorted(folder.glob("*.json"))}
    return dict(sorted(found.items(), key=lambda item: (item[1].leaky, item[1].corpora, item[1].protocol)))


def percent(share: float | None) -> str:
    """A share with one decimal, a dash where there is none."""
    return "-" if share is None else f"{100 * share:.1f}"


def spread(metric: Metric | None) -> str:
    """The mean over seeds and, of several, their standard deviation."""
    if metric is None:
        return "-"
    return percent(metric.mean) + ("" if metric.sd is None else f" ± {percent(metric.sd)}")


def uar(result: Results) -> str:
    """UAR with its interval, and LEAKY beside it where it is."""
    metric = result.metrics["uar"]
    text = f"**{percent(metric.mean)}**" + ("" if metric.sd is None else f" ± {percent(metric.sd)}")
    if metric.ci95 is not None:
        if metric.pooled is not None and percent(metric.pooled) != percent(metric.mean):
            text += f", pooled {percent(metric.pooled)}"
        text += f" [{percent(metric.ci95[0])}, {percent(metric.ci95[1])}]"
    return f"LEAKY {text}" if result.leaky else text


def ece(result: Results) -> str:
    """ECE and, after "chance", what perfect calibration would score on as many clips."""
    metric = result.metrics.get("ece")
    if metric is None:
        return "-"
    chance = "" if metric.calibrated is None else f" (chance {percent(metric.calibrated)})"
    return percent(metric.mean) + chance


def summary(results: Mapping[str, Results]) -> list[str]:
    """A line a result."""
    header = (
        "recipe",
        "corpus",
        "protocol",
        "UAR [95 %]",
        "accuracy",
        "macro F1",
        "ECE",
        "AURC",
        "folds x seeds",
    )
    rows = [
        (
            f"`{result.recipe}`",
            " + ".join(result.corpora),
            f"`{result.protocol}`" + (f" ({result.remark})" if result.remark else ""),
            uar(result),
            spread(result.metrics.get("accuracy")),
            spread(result.metrics.get("macro_f1")),
            ece(result),
            spread(result.metrics.get("aurc")),
            f"{result.folds} x {len(result.seeds)}",
        )
        for result in results.values()
    ]
    lines = markdown(header, rows, texts=3)
    if any(result.leaky for result in results.values()):
        lines += [
            "",
            "LEAKY: speakers of the test were heard in training; such a figure says nothing of new ones.",
        ]
    return lines


def emotions(results: Mapping[str, Results]) -> list[str]:
    """A table a result with a line an emotion."""
    lines: list[str] = []
    for name, result in results.items():
        leak = ", LEAKY" if result.leaky else ""
        rows = [
            (emotion, percent(one.precision), percent(one.recall), percent(one.f1), str(one.clips))
            for emotion, one in result.per_emotion.items()
        ]
        lines += [f"{name} (`{result.protocol}`{leak}):", ""]
        lines += [*markdown(("emotion", "precision", "recall", "F1", "answers"), rows, texts=1), ""]
    return lines[:-1]


def gap(result: Results, kind: str) -> str:
    """The gap between the two groups of a kind in points of UAR, starred where it counts."""
    found = next(iter(result.gaps.get(kind, ())), None)
    if found is None:
        return "-"
    ends = "" if found.ci95 is None else f" [{100 * found.ci95[0]:.1f}, {100 * found.ci95[1]:.1f}]"
    return f"{100 * found.difference:.1f}{'*' if found.counts else ''}{ends}"


def groups(results: Mapping[str, Results]) -> list[str]:
    """A line a result on unseen speakers: for whom, and for what, it works less well."""
    header = (
        "recipe",
        "corpus",
        "protocol",
        "UAR of women",
        "of men",
        "women less men",
        "normal less strong",
        "between two speakers",
    )
    rows = []
    for result in results.values():
        sexes = {group.name: percent(group.uar) for group in result.groups.get("sex", ())}
        if result.leaky or not result.groups:
            continue
        rows.append(
            (
                f"`{result.recipe}`",
                " + ".join(result.corpora),
                f"`{result.protocol}`",
                sexes.get("female", "-"),
                sexes.get("male", "-"),
                *(gap(result, kind) for kind in ("sex", "intensity", "speaker")),
            )
        )
    return [*markdown(header, rows, texts=3), "", "*: the 95 % interval over speakers leaves 0."]


def details(results: Mapping[str, Results]) -> list[str]:
    """A section a result: where it comes from and its folds one by one."""
    lines: list[str] = []
    for name, result in results.items():
        lines += [f"### {name}", "", f"`{result.command}`", ""]
        facts = [f"commit {result.commit}", result.date]
        facts += [f"{result.parameters:,} parameters"] if result.parameters is not None else []
        facts += [f"{result.clips:,} test clips"] if result.clips is not None else []
        facts += [f"trained in {result.train_seconds / 60:.0f} minutes"] if result.train_seconds else []
        facts += [f"on {result.device}"] if result.device else []
        lines += [", ".join(facts) + ".", ""]
        rows = [
            (
                str(one.seed),
                str(one.fold),
                f"{'LEAKY ' if result.leaky else ''}{percent(one.uar)}",
                percent(one.accuracy),
                "-" if one.best_epoch is None else f"{one.best_epoch} of {one.epochs or '?'}",
                ", ".join(one.test_speakers)
                if len(one.test_speakers) <= 8
                else f"{len(one.test_speakers)} speakers",
            )
            for one in result.per_fold
        ]
        header = ("seed", "fold", "UAR", "accuracy", "best epoch", "test speakers")
        lines += [*markdown(header, rows, texts=0), ""]
    return lines[:-1]


VIEWS: dict[str, Callable[[Mapping[str, Results]], list[str]]] = {
    "": summary,
    "emotions": emotions,
    "groups": groups,
    "details": details,
}


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


def export(path: Path) -> list[str]:
    """A line a file that a run can be exported to."""
    found = json.loads(path.read_text(encoding="utf-8"))
    header = ("file", "size", "UAR", "accuracy", "same emotion", "largest difference of a probability")
    rows = [
        (
            name,
            f"{each['size_mb']:.2f} MB",
            percent(each["uar"]),
            percent(each["accuracy"]),
            percent(each["same_emotion"]),
            f"{each['largest_difference']:.0e}",
        )
        for name, each in found["files"].items()
    ]
    clips = next(iter(found["files"].values()))["clips"]
    leak = ", LEAKY" if found["leaky"] else ""
    told = f"{found['recipe']} (`{found['protocol']}`{leak}), fold {found['fold']}: {clips} clips, against"
    told += f" the network's own answers, UAR {percent(found['network']['uar'])}."
    source = f"`{found['command']}`, commit {found['commit']}, {found['date']}."
    return [told, "", *markdown(header, rows, texts=1), "", source]


def render(name: str, results: Mapping[str, Results], folder: Path) -> list[str]:
    """The lines of a marker's table; `folder` is docs/results."""
    if name == "systems":
        return systems(results, folder)
    if name.startswith("robustness/"):
        return robustness(folder / f"{name}.json")
    if name.startswith("export/"):
        return export(folder / f"{name}.json")
    pattern, _, view = name.partition("/")
    if view not in VIEWS:
        raise UnknownNameError("view of results", view, [key for key in VIEWS if key])
    if not results:
        return [NOTHING]
    pattern = "*" if pattern == "summary" else pattern
    chosen = {stem: found for stem, found in results.items() if fnmatch.fnmatchcase(stem, pattern)}
    if not chosen:
        raise UnknownNameError("result", pattern, results)
    return VIEWS[view](chosen)


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
        for name in PAGES:
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
