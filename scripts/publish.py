"""Publish what a cross-validation measured: its figures under docs/results.

    python scripts/publish.py RUNS [NAME] [--plan]

RUNS is the folder of a `vocemo crossval`, NAME what the result is called there: by default like
the folder. What an epoch or an audit said stays with the runs. A result whose command holds a path of this
machine alone is refused: nobody else could give it. scripts/render_results.py renders the tables afterwards.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from vocemo.errors import VocemoError
from vocemo.lab.plan import Plan

ABSOLUTE = re.compile(r"(^|[:=])/")  # a path, that of a corpus, that behind --option=
RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"
PLANS = RESULTS / "plans"


def publish(runs: Path, target: Path) -> float:
    """Write the figures of a cross-validation's folder to a file: its UAR, a share of 1.

    Raises ValueError where the command that measured them is good on this machine alone.
    """
    result = json.loads((runs / "results.json").read_text(encoding="utf-8"))
    result.pop("report", None)  # epochs and audits stay with the runs: a published result is its figures
    own = [word for word in shlex.split(result["command"]) if ABSOLUTE.search(word)]
    if own:
        raise ValueError(f"{runs}: the command holds a path of this machine: {' '.join(own)}")
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return float(result["metrics"]["uar"]["mean"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish one result; 1 where it cannot be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", type=Path, help="the folder of a vocemo crossval")
    parser.add_argument("name", nargs="?", help="what the result is called; by default as the folder")
    parser.add_argument("--plan", action="store_true", help="and the plan, for a training of the same recipe")
    given = parser.parse_args(arguments)
    target = RESULTS / f"{given.name or given.runs.resolve().name}.json"
    try:
        plan = Plan.read(given.runs) if given.plan else None
        uar = publish(given.runs, target)
    except (OSError, ValueError, VocemoError) as error:
        print(error, file=sys.stderr)
        return 1
    if plan is not None:
        PLANS.mkdir(exist_ok=True)
        plan.write(PLANS / target.name)
    print(f"{target.name}: UAR {uar:.1%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
