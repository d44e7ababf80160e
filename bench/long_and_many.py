"""A folder of clips and an hour in one file, each by a process of its own that is told nothing before.

    python bench/long_and_many.py [--model FILE] [--clips N] [--minutes M ...] [--out FILE]

The folder: N clips of 3 s, 16-bit WAV at 16 kHz, by `vocemo predict FOLDER --format jsonl`, with one job on
one core and with as many jobs as there are cores; the peer is a loop over the same files as plain_predict.py
goes it, on one core, its imports paid once as ours are. The speed is seconds of sound over seconds of the
wall clock, the start of the process with them.
The long file: talk made from the spoken samples of this repository with pauses, for several lengths, so that
memory can be seen to stay flat, with and without --timeline, on one core.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import report
from predict_start import Cost, cost

HERE = Path(__file__).parent
OUT = HERE.parent / "docs" / "results" / "bench" / "long-and-many.json"
GOAL_SPEED, GOAL_HOUR_S, GOAL_TIMELINE_S = 400.0, 12.0, 60.0
CLIP_S, RATE_HZ = 3.0, 16_000
PLAIN = """
import sys, torch
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from plain_predict import Cnn, features
torch.set_num_threads(1)
model = Cnn().eval()
with torch.no_grad():
    for path in sorted(Path(sys.argv[2]).glob("*.wav")):
        print(path, torch.softmax(model(features(str(path))), 1).tolist())
"""


def make(folder: Path, clips: int, minutes: list[float]) -> None:
    """Write the clips and the long files."""
    import numpy as np
    from listen import talk

    from vocemo import audio

    (folder / "clips").mkdir()
    voices = [
        audio.decode(path, RATE_HZ).samples
        for path in sorted((HERE.parent / "samples").glob("*"))
        if path.suffix == ".flac"
    ]
    whole, size = np.concatenate(voices), round(CLIP_S * RATE_HZ)
    for number in range(clips):
        part = np.roll(whole, -number * 977)[:size]
        audio.write(folder / "clips" / f"{number:05}.wav", part, RATE_HZ)
    for length in minutes:
        heard = audio.resample(talk(min(length, 10.0)), 48_000, RATE_HZ)
        audio.write(folder / f"{length:g}.wav", np.resize(heard, round(60 * length * RATE_HZ)), RATE_HZ)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a bundle; by default the model inside the package")
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--minutes", type=float, nargs="+", default=[5.0, 20.0, 60.0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--make", metavar="DIR", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    if options.make:
        make(options.make, options.clips, options.minutes)
        return
    executable = str(Path(sys.executable).with_name("vocemo"))
    model = ["--model", options.model] if options.model else []
    with tempfile.TemporaryDirectory() as folder:
        # A child counts the memory that its parent had when it started it: the parent stays small.
        made = [sys.executable, __file__, "--make", folder, "--clips", str(options.clips), "--minutes"]
        subprocess.run([*made, *map(str, options.minutes)], check=True)
        cores = sorted(os.sched_getaffinity(0))
        result: dict[str, Any] = {
            "benchmark": "long-and-many",
            "what": "whole processes; the best of the repeats, since other load only adds",
            "folder": _folder(Path(folder, "clips"), executable, model, cores, options),
            "long": _long(Path(folder), executable, model, cores[0], options),
        }
    result |= {
        "repeats": options.repeats,
    }
    report.write(options.out, result)
    hour = result["long"][-1]
    print(
        f"goals: {GOAL_SPEED:g} times real time on a core: "
        + _said(result["folder"]["ours"][0]["times_real_time"] >= GOAL_SPEED)
        + f"; {options.minutes[-1]:g} minutes in {GOAL_HOUR_S:g} s: {_said(hour['wall_s'] <= GOAL_HOUR_S)}, "
        + f"with a timeline in {GOAL_TIMELINE_S:g} s: {_said(hour['timeline_wall_s'] <= GOAL_TIMELINE_S)}"
    )


def _said(reached: bool) -> str:
    return "reached" if reached else "not reached"


def _folder(
    clips: Path, executable: str, model: list[str], cores: list[int], options: argparse.Namespace
) -> dict[str, Any]:
    seconds, rows = options.clips * CLIP_S, list[dict[str, Any]]()
    for jobs in sorted({1, len(cores)}):
        asked = [executable, "predict", str(clips), "--format", "jsonl", "--jobs", str(jobs), "--quiet"]
        took = _best([asked + model], cores[:jobs], options.repeats)[0]
        rows.append({"jobs": jobs, "cores": jobs} | _told(took, seconds))
        print("folder, vocemo:", rows[-1], flush=True)
    # The peer is slow: a tenth of the files, whose start counts ten times as much in its favour taken off.
    few = clips.parent / "few"
    few.mkdir()
    for path in sorted(clips.glob("*.wav"))[: max(1, options.clips // 10)]:
        shutil.copy(path, few)
    none = clips.parent / "none"
    none.mkdir()
    plain = [sys.executable, "-c", PLAIN, str(HERE)]
    some, start = _best([[*plain, str(few)], [*plain, str(none)]], cores[:1], options.repeats)
    each_s = (some.wall_s - start.wall_s) / len(list(few.iterdir()))
    peer = {
        "command": "a loop as bench/plain_predict.py (librosa and torch), its start taken off",
        "times_real_time": round(CLIP_S / each_s, 1),
    }
    print("folder, plain:", peer, flush=True)
    ratio = round(rows[0]["times_real_time"] / peer["times_real_time"], 2)
    return {"clips": options.clips, "seconds_each": CLIP_S, "ours": rows, "peer": peer, "ratio": ratio}


def _long(
    folder: Path, executable: str, model: list[str], core: int, options: argparse.Namespace
) -> list[dict[str, Any]]:
    rows = list[dict[str, Any]]()
    for minutes in options.minutes:
        asked = [executable, "predict", str(folder / f"{minutes:g}.wav"), "--format", "jsonl", *model]
        plain, timeline = _best([asked, [*asked, "--timeline"]], [core], options.repeats)
        rows.append(
            {"minutes": minutes}
            | _told(plain, 60 * minutes)
            | {f"timeline_{key}": value for key, value in _told(timeline, 60 * minutes).items()}
        )
        print("long:", rows[-1], flush=True)
    return rows


def _best(commands: list[list[str]], cores: list[int], repeats: int) -> list[Cost]:
    """The quickest run of each of several commands that take turns, on these cores alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        runs = [[cost(command) for command in commands] for _ in range(repeats)]
    finally:
        os.sched_setaffinity(0, before)
    return [min(each, key=lambda run: run.wall_s) for each in zip(*runs, strict=True)]


def _told(took: Cost, seconds: float) -> dict[str, float]:
    return {
        "wall_s": round(took.wall_s, 2),
        "times_real_time": round(seconds / took.wall_s, 1),
        "peak_mb": round(took.peak_mb, 1),
    }


if __name__ == "__main__":
    main()
