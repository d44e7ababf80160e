"""Published results as Markdown: the tables of docs/results and of the README.

Shares are in percent, gaps in points of UAR. What leaks says so beside its figure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vocemo.lab.evaluate.results import Results
from vocemo.lab.report import published_emotions
from vocemo.lab.report.published_cells import ece, protocol, uar
from vocemo.lab.report.shares import percent, spread
from vocemo.lab.report.tables import markdown
from vocemo.lab.report.wording import many


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
            protocol(result),
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
                protocol(result),
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
    "emotions": published_emotions.emotions,
    "averages": published_emotions.averages,
    "confusion": published_emotions.confusion,
    "groups": groups,
    "details": details,
}


def export(path: Path) -> list[str]:
    """A line a file that a run can be exported to."""
    found = json.loads(path.read_text(encoding="utf-8"))
    header = (
        "file",
        "size",
        "UAR",
        "accuracy",
        "loss",
        "same emotion",
        "largest difference of a probability",
    )
    rows = [
        (
            name,
            f"{each['size_mb']:.2f} MB",
            percent(each["uar"]),
            percent(each["accuracy"]),
            f"{each['loss']:.4f}" if "loss" in each else "-",
            percent(each["same_emotion"]),
            f"{each['largest_difference']:.0e}",
        )
        for name, each in found["files"].items()
    ]
    clips = next(iter(found["files"].values()))["clips"]
    leak = ", LEAKY" if found["leaky"] else ""
    fold = f"fold {found['fold']}" if isinstance(found["fold"], int) else f"{len(found['fold'])} folds"
    told = f"{found['recipe']} (`{found['protocol']}`{leak}), {fold}: {clips} clips, against"
    told += f" the network's own answers, UAR {percent(found['network']['uar'])}."
    source = f"`{found['command']}`, commit {found['commit']}, {found['date']}."
    return [told, "", *markdown(header, rows, texts=1), "", source]


def tuning(path: Path) -> list[str]:
    """A line a trial of a study, the best first."""
    study = json.loads(path.read_text(encoding="utf-8"))
    keys = list(study["grid"])
    rows = []
    for trial in study["trials"]:
        chosen = dict(setting.split("=", 1) for setting in trial["settings"])
        figures = [percent(trial.get("uar")), percent(trial.get("accuracy"))]
        loss = f"{trial['loss']:.2f}" if "loss" in trial else trial.get("error", "-")
        parameters = f"{trial['parameters']:,}" if "parameters" in trial else "-"
        rows.append([*(f"`{chosen[key]}`" for key in keys), *figures, loss, parameters])
    header = [*(f"`{key}`" for key in keys), "validation UAR", "accuracy", "loss", "parameters"]
    heard = ", LEAKY: training may have heard them" if study["validation_heard"] else ""
    told = (
        f"{study['recipe']}: {study['tried']} of {study['combinations']} combinations, one seed, ranked by "
    )
    told += f"{study['by']} on {study['validation_clips']} validation clips of "
    told += (
        f"{len(study['validation_speakers'])} speakers of `{study['protocol']}`, fold {study['fold']}{heard}."
    )
    source = f"`{study['command']}`, commit {study['commit']}, {study['date']}."
    return [told, "", *markdown(header, rows, texts=len(keys)), "", source]


def adaptation(path: Path) -> list[str]:
    """A line for each number of clips and whose they are, corpus by corpus."""
    found = json.loads(path.read_text(encoding="utf-8"))
    header = ("corpus", "clips", "of", "speakers", "tested a speaker", "UAR before", "after", "gain [95 %]")
    rows = []
    for corpus in found["corpora"]:
        for row in corpus["rows"]:
            gain, ends = row["gain"]["mean"], row["gain"]["ci95"]
            told = f"{100 * gain:+.1f}" + ("*" if ends and not ends[0] <= 0 <= ends[1] else "")
            told += f" [{100 * ends[0]:.1f}, {100 * ends[1]:.1f}]" if ends else ""
            rows.append(
                (
                    corpus["corpus"],
                    str(row["clips"]),
                    "the speaker" if row["whose"] == "own" else "other speakers",
                    str(row["speakers"]),
                    f"{row['tested_clips']:.0f}",
                    percent(row["uar_before"]["mean"]),
                    percent(row["uar"]["mean"]),
                    told,
                )
            )
    initial = found["initial"]
    heading = f"{found['recipe']}, begun with {initial['name']} ({', '.join(initial['corpora'])}), "
    heading += f"{many(found['draws'], 'draw')} of each speaker."
    lines = [heading, "", *markdown(header, rows, texts=3), "", "*: the interval of the gain leaves 0."]
    lines += [f"{corpus['corpus']}: over {', '.join(corpus['emotions'])}." for corpus in found["corpora"]]
    if found["chosen_on"]:
        tried = f" among {found['tried']} settings" if found["tried"] else ""
        lines.append(f"The options were chosen{tried} on {', '.join(found['chosen_on'])}, left out here.")
    return [*lines, "", f"`{found['command']}`, commit {found['commit']}, {found['date']}."]


_SHOWN = 10  # settings of a ranking in the page; its file has them all


def timeline(path: Path) -> list[str]:
    """A line for each setting that the test was looked at with, then those that were ranked."""
    found = json.loads(path.read_text(encoding="utf-8"))
    header = (
        "speakers",
        "smoothing",
        "window",
        "frames right",
        "of speech",
        "missed",
        "false alarm",
        "confused",
        "EDER",
        "changes found",
    )
    keys = ("frame_accuracy", "speech_accuracy", "missed", "false_alarm", "confused", "eder", "changes_found")
    ranked = sorted(found["validation"], key=lambda row: -row["frame_accuracy"])
    rows = [
        (whose, *_setting(row), *(percent(row[key]) for key in keys))
        for whose, each in (("test", found["test"]), ("validation", ranked))
        for row in each[:_SHOWN]
    ]
    heading = (
        f"{found['recipe']}, {found['corpus']}, models of `{found['protocol']}`: "
        f"{found['tested_s'] / 60:.0f} minutes of test speakers, {found['blocks']} emotions a recording; "
        f"chosen among {found['tried']} settings by the frames that are right on validation speakers; of "
        f"those the best {min(_SHOWN, len(ranked))} are shown."
    )
    lines = [heading, "", *markdown(header, rows, texts=3), ""]
    return [*lines, f"`{found['command']}`, commit {found['commit']}, {found['date']}."]


def _setting(row: Mapping[str, Any]) -> tuple[str, str]:
    if "smoothing" not in row:
        return "each fold's own choice", "-"
    smoothing = {
        "hmm": f"likeliest course, {row.get('change', 0):g} nats",
        "median": f"median of {row.get('median_s', 0):g} s",
    }.get(row["smoothing"], "none")
    return smoothing, f"{row['window_s']:g} s"
