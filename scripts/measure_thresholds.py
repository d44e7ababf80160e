"""What risk the thresholds for a wanted risk have on speakers that they were not chosen on.

Of each fold of a finished cross-validation, the threshold is chosen from validation answers and applied to
the fold's test answers, in two ways: by the run itself, from its own validation clips, and together, from
the validation answers of all runs whose validation speakers are none of the fold's test speakers.

    python scripts/measure_thresholds.py runs/crossval --out docs/results/uncertainty/thresholds.json
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vocemo.lab import checkpoint, provenance
from vocemo.lab.evaluate import Predictions
from vocemo.lab.run import RunFolder
from vocemo.lab.selective import DELTA, WANTED, Threshold, threshold_for

Run = tuple[Predictions, Predictions]  # validation answers, test answers


def main() -> None:
    """Measure a cross-validation, print a table and write it as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, help="a folder that vocemo crossval wrote")
    parser.add_argument("--out", type=Path, help="where the figures go as JSON")
    options = parser.parse_args()
    folders = [RunFolder(path.parent) for path in sorted(options.runs.glob("seed-*/fold-*/run.json"))]
    info = folders[0].info()
    runs = [
        (Predictions.read(folder.validation_predictions), Predictions.read(folder.predictions))
        for folder in folders
    ]
    rows = [measured(runs, risk) for risk in WANTED]
    found = {
        "recipe": info.recipe.name,
        "corpora": [spec.partition(":")[0] for spec in info.corpora],
        "protocol": info.protocol,
        "runs": len(runs),
        "delta": DELTA,
        "risks": rows,
        **provenance.stamp(),
    }
    print("\n".join(table(found)))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.write_json(options.out, found)


def table(found: Mapping[str, Any]) -> list[str]:
    """The figures as Markdown."""
    lines = ["| wanted risk | chosen | runs | threshold | test risk | coverage |"]
    lines.append("| ---: | --- | ---: | ---: | ---: | ---: |")
    for row in found["risks"]:
        lines += [line(row["wanted_risk"], how, row[how], found["runs"]) for how in ("alone", "together")]
    return lines


def line(risk: float, how: str, found: Mapping[str, Any], runs: int) -> str:
    """One line of the table."""
    if not found["runs"]:
        return f"| {100 * risk:.0f} | {how} | 0 of {runs} | none | - | - |"
    return (
        f"| {100 * risk:.0f} | {how} | {found['runs']} of {runs} | {found['threshold']:.2f} "
        f"| {100 * found['test_risk']:.1f} | {100 * found['test_coverage']:.1f} |"
    )


def measured(runs: list[Run], risk: float) -> dict[str, Any]:
    """A wanted risk, with the threshold chosen by each run alone and by all together."""
    alone = [(chosen([validation], risk), test) for validation, test in runs]
    together = []
    for _, test in runs:
        others = [v for v, _ in runs if not set(v.speakers) & set(test.speakers)]
        together.append((chosen(others, risk), test))
    return {"wanted_risk": risk, "alone": applied(alone), "together": applied(together)}


def chosen(parts: list[Predictions], risk: float) -> Threshold | None:
    """The threshold from validation answers."""
    answers = Predictions.concatenate(parts)
    wrong = answers.predicted != answers.targets
    speakers = [subject.speaker for subject in answers.subjects]
    return threshold_for(answers.probabilities.max(1), wrong, speakers, risk)


def applied(found: list[tuple[Threshold | None, Predictions]]) -> dict[str, Any]:
    """What thresholds come to on the test answers of the runs that have one."""
    wrong, kept, clips, thresholds, above = 0, 0, 0, list[float](), 0
    for threshold, test in found:
        if threshold is None:
            continue
        sure = test.probabilities.max(1) >= threshold.threshold
        missed = int((test.predicted != test.targets)[sure].sum())
        thresholds.append(threshold.threshold)
        above += bool(sure.any() and missed / sure.sum() > threshold.wanted_risk)
        wrong, kept, clips = wrong + missed, kept + int(sure.sum()), clips + len(test)
    if not thresholds:
        return {"runs": 0}
    return {
        "runs": len(thresholds),
        "threshold": float(np.median(thresholds)),
        "test_risk": wrong / max(1, kept),
        "test_coverage": kept / clips,
        "runs_above_the_wanted_risk": above,
    }


if __name__ == "__main__":
    main()
