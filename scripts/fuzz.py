"""Put broken recordings and bundles to vocemo, and see that nothing crashes, hangs or takes too much memory.

    python scripts/fuzz.py --minutes 12 | --cases N  [--seed N] [--workers 2] [--out FILE] [--findings DIR]
    python scripts/fuzz.py --replay DIR/CASE.bin

Each case is a valid file that was damaged, or one made to do harm, by the seed and a number alone. It is put
to `probe`, `decode`, `decode_chunks` and `predict`, or to `load` and then `predict`, in a process of its own
limits. Good is an answer that is sane, or an error of vocemo's own. Anything else is a finding: it is told,
written to DIR for `--replay`, and makes the exit status 1. A run begins with faults that are planted, and
stops where it does not see each of them.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fuzzing.cases import KINDS, Case, case
from fuzzing.originals import Originals, originals
from fuzzing.planted import FAULTS, Planted
from fuzzing.pool import Limits, Pool, Report
from fuzzing.trials import Trials

from vocemo.lab import provenance

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "results" / "fuzz" / "inputs.json"
FINDINGS = ROOT / "runs" / "fuzz"
EVERY_S = 15.0  # between lines of progress


def main(arguments: list[str] | None = None) -> int:
    """Fuzz for so many minutes, or put one case again."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cases", type=int, help="so many cases, whatever time they take")
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--out", type=Path, default=OUT, help="the figures, a JSON file")
    parser.add_argument("--findings", type=Path, default=FINDINGS, help="where cases are kept that fail")
    parser.add_argument("--replay", type=Path, metavar="CASE", help="put a kept case again, in this process")
    options = parser.parse_args(arguments)
    if options.replay:
        return replay(options.replay)
    see_planted()
    given, tally = originals(), Tally(Limits())
    numbers = until(time.monotonic() + 60 * options.minutes, options.first, options.cases)
    for report in Pool(given, options.seed, Trials, tally.limits, options.workers).run(numbers):
        tried = case(given, options.seed, report.case)
        tally.add(tried, report)
        if report.outcome.finding:
            keep(options.findings, tried, report)
    told = {
        **tally.to_dict(),
        **{"seed": options.seed, "workers": options.workers, "planted_faults_seen": len(FAULTS)},
        **{"versions": provenance.versions(), **provenance.stamp()},
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    print(f"{told['inputs']:,} inputs, {len(tally.findings)} findings, at most {told['memory_mib']} MiB")
    return 1 if tally.findings else 0


def until(stop: float, first: int, cases: int | None) -> Iterator[int]:
    """Numbers of cases from the first on: so many, or until the time is over."""
    if cases is not None:
        return iter(range(first, first + cases))
    return itertools.takewhile(lambda _: time.monotonic() < stop, itertools.count(first))


def see_planted() -> None:
    """Raise RuntimeError unless each planted fault is seen for what it is, and no other."""
    nothing = Originals({"a": bytes(500)}, {}, {})
    limits = Limits(processor_s=1.0, clock_s=20.0)
    reports = list(Pool(nothing, 0, Planted, limits).run(range(1 + len(FAULTS))))
    seen = [report.outcome.said.partition(":")[0] for report in reports]
    if seen != ["answered", *FAULTS]:
        raise RuntimeError(f"planted faults {FAULTS} were seen as {seen}")


class Tally:
    """Counts reports by kind, and tells now and then how it stands."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.findings = limits, list[dict[str, Any]]()
        self._said = {kind: collections.Counter[str]() for kind in KINDS}
        self._begun = self._told = time.monotonic()
        self._memory_mib = self._processor_s = 0.0

    def add(self, tried: Case, report: Report) -> None:
        """Count one."""
        outcome = report.outcome
        self._said[tried.kind]["finding" if outcome.finding else outcome.said] += 1
        self._memory_mib = max(self._memory_mib, report.memory_mib)
        self._processor_s = max(self._processor_s, report.processor_s)
        if outcome.finding:
            self.findings.append({"case": tried.index, "kind": tried.kind, "said": outcome.said})
            print(f"case {tried.index}, {tried.kind}: {outcome.said}", flush=True)
        if time.monotonic() - self._told > EVERY_S:
            self._told = time.monotonic()
            print(
                f"{self._told - self._begun:5.0f} s {self.inputs:9,} inputs, {len(self.findings)} findings, "
                f"at most {self._memory_mib:.0f} MiB and {self._processor_s:.1f} s",
                flush=True,
            )

    @property
    def inputs(self) -> int:
        """How many were tried."""
        return sum(said.total() for said in self._said.values())

    def to_dict(self) -> dict[str, Any]:
        """The figures."""
        return {
            "what": "inputs tried, by kind and by what came of them",
            "inputs": self.inputs,
            "findings": self.findings,
            "limits": dataclasses.asdict(self.limits),
            "memory_mib": round(self._memory_mib),
            "slowest_processor_s": round(self._processor_s, 2),
            "seconds": round(time.monotonic() - self._begun),
            "kinds": {
                kind: {"inputs": said.total(), "outcomes": dict(said.most_common())}
                for kind, said in self._said.items()
            },
        }


def keep(folder: Path, tried: Case, report: Report) -> None:
    """Write a case that failed, and why, for `--replay`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{tried.index}-{tried.kind.replace(' ', '-')}.bin"
    path.write_bytes(tried.data)
    path.with_suffix(".txt").write_text(
        f"{report.outcome.said}\n\n{report.outcome.trace}\n", encoding="utf-8"
    )


def replay(path: Path) -> int:
    """Put a kept case again."""
    number, _, kind = path.stem.partition("-")
    outcome = Trials()(Case(int(number), kind.replace("-", " "), path.read_bytes()))
    print(outcome.said, outcome.trace, sep="\n")
    return 1 if outcome.finding else 0


if __name__ == "__main__":
    sys.exit(main())
