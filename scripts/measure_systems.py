"""Measure the described systems on their protocols, and publish each figure under docs/results.

    python scripts/measure_systems.py [--data data] [--out DIR] [--only TEXT] [--seeds N] [--jobs N] [--list]

What there is to measure stands in docs/results/described/systems.json: for each system its corpora, the
protocols on terms like its project's own, and the one of unseen speakers. Each is one `vocemo crossval`,
resumable: stopped and started again, it goes on where it stood, and what is published is not measured twice.
A result is published, docs/results/RECIPE-CORPORA-PROTOCOL.json, once all of its folds and seeds are there.

The corpora lie under --data, each under its own name (data/ravdess, data/emodb, data/aesdd), and encoders'
weights beside them, so that the command in a result is one that anybody can give. VOCEMO_CACHE lets all of
them share prepared clips.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from publish import RESULTS, publish

from vocemo.lab.report.described import System, read_systems

ROOT = Path(__file__).resolve().parents[1]
# Of one fold an epoch of six variants and the clip itself costs seven; fewer of either make the same point.
SETTINGS = {"random-copies": ("augmentation.pool=3", "training.epochs=20")}


@dataclass(frozen=True)
class Measurement:
    """One recipe on one protocol."""

    recipe: str
    corpora: tuple[str, ...]
    protocol: str
    settings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What its folder and its result are called."""
        return "-".join((self.recipe, *self.corpora, self.protocol))

    def command(self, data: str, out: Path, seeds: int) -> list[str]:
        """The arguments of `vocemo`."""
        command = ["crossval", self.recipe]
        for corpus in self.corpora:
            command += ["--corpus", f"{corpus}:{data}/{corpus.partition('-')[0]}"]
        command += ["--protocol", self.protocol, "--seeds", str(seeds), "--out", str(out / self.name)]
        for setting in (*self.settings, *SETTINGS.get(self.protocol, ())):
            command += ["--set", setting]
        return command

    def published(self) -> Path:
        """Where its result stands."""
        return RESULTS / f"{self.name}.json"

    def whole(self) -> bool:
        """Whether all of its trainings are published."""
        if not self.published().is_file():
            return False
        published = json.loads(self.published().read_text(encoding="utf-8"))
        return "so far" not in published.get("remark", "")


def measurements(systems: Sequence[System]) -> Iterator[Measurement]:
    """What there is to measure, the terms of the projects first."""
    for system in systems:
        for protocol in system.terms:
            yield Measurement(system.recipe, system.corpora, protocol, system.settings)
    for system in systems:
        yield Measurement(system.recipe, system.corpora, system.unseen, system.settings)


def measure(one: Measurement, data: str, out: Path, seeds: int) -> bool:
    """Run it to its end and publish it; False where it failed."""
    command = one.command(data, out, seeds)
    print(f"vocemo {shlex.join(command)}", flush=True)
    (out / "logs").mkdir(parents=True, exist_ok=True)
    with (out / "logs" / f"{one.name}.log").open("w", encoding="utf-8") as log:
        done = subprocess.run(
            [shutil.which("vocemo") or "vocemo", *command], cwd=ROOT, stdout=log, stderr=log, check=False
        )
    if done.returncode:
        print(f"{one.name} failed; {log.name} says why", file=sys.stderr, flush=True)
        return False
    try:
        uar = publish(out / one.name, one.published())
    except ValueError as error:
        print(f"{one.name} is measured and not published: {error}", file=sys.stderr, flush=True)
        return False
    print(f"{one.name}: UAR {uar:.1%}", flush=True)
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is not published yet; 1 where something failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--data", default="data", help="the folder of the corpora, relative to the repository"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/systems"), help="where the runs go")
    parser.add_argument("--only", default="", help="only those whose name holds this")
    parser.add_argument("--seeds", type=int, default=3, help="seeds, from 0")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="trainings side by side")
    parser.add_argument("--again", action="store_true", help="measure what is published already as well")
    parser.add_argument("--list", action="store_true", help="only say what there is to measure")
    options = parser.parse_args(arguments)
    todo = [
        one
        for one in measurements(read_systems(RESULTS / "described" / "systems.json"))
        if options.only in one.name and (options.again or not one.whole())
    ]
    if options.list:
        for one in todo:
            print(shlex.join(["vocemo", *one.command(options.data, options.out, options.seeds)]))
        return 0
    os.environ["OMP_NUM_THREADS"] = "1"  # side by side, each training has a core of its own
    with ThreadPoolExecutor(options.jobs) as workers:
        done = list(workers.map(lambda one: measure(one, options.data, options.out, options.seeds), todo))
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
