"""`vocemo predict` of one 3-second file against a plain librosa + torch script, each as a whole process.

    python bench/predict_start.py [--model FILE] [--repeats N] [--out FILE]

The two take turns (A B A B ...), so that whatever else the machine does disturbs both alike; one run of
each warms the file cache and is not counted. A run's processor time and peak memory come from the kernel
(wait4). The clip is made here: a pulse train through two resonances, 3 s at 16 kHz.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import report

HERE = Path(__file__).parent
OUT = HERE.parent / "docs" / "results" / "bench" / "predict.json"
GOAL_RATIO, GOAL_WALL_S, GOAL_PEAK_MB = 6.0, 0.8, 200.0
CLIP_S, RATE_HZ = 3.0, 16_000


@dataclass(frozen=True)
class Cost:
    """What one process took."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def cost(command: list[str]) -> Cost:
    """Run a command to its end; its output goes nowhere, its failure ends the benchmark."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{said.decode()}")
    # ru_maxrss counts kibibytes on Linux and bytes on macOS
    peak_mb = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1024)
    return Cost(wall_s, usage.ru_utime + usage.ru_stime, peak_mb)


def summary(costs: list[Cost]) -> dict[str, float]:
    """Medians, and the spread of the wall clock."""
    walls = sorted(each.wall_s for each in costs)
    return {
        "wall_s": round(statistics.median(walls), 4),
        "wall_s_least": round(walls[0], 4),
        "wall_s_most": round(walls[-1], 4),
        "cpu_s": round(statistics.median(each.cpu_s for each in costs), 4),
        "peak_mb": round(statistics.median(each.peak_mb for each in costs), 1),
    }


def make(folder: Path) -> None:
    """Write what both need: three seconds of something like a vowel, and the peer's weights."""
    import numpy as np
    import torch
    from plain_predict import Cnn

    from vocemo import audio

    time_s = np.arange(int(CLIP_S * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(180 - 20 * time_s) / RATE_HZ
    partials = [
        np.cos(k * phase) * (np.exp(-((k * 150 - 700) ** 2) / 2e5) + np.exp(-((k * 150 - 1200) ** 2) / 4e5))
        for k in range(1, 30)
    ]
    samples = np.sum(partials, axis=0) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time_s))
    audio.write(folder / "clip.wav", (0.3 * samples / np.abs(samples).max()).astype(np.float32), RATE_HZ)
    torch.manual_seed(0)
    torch.save(Cnn().state_dict(), folder / "weights.pt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a bundle; by default the model inside the package")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--make", metavar="DIR", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    if options.make:
        make(options.make)
        return
    with tempfile.TemporaryDirectory() as folder:
        clip, weights = Path(folder, "clip.wav"), Path(folder, "weights.pt")
        # A child counts the memory that its parent had when it started it: the parent stays small.
        subprocess.run([sys.executable, __file__, "--make", folder], check=True)
        executable = Path(sys.executable).with_name("vocemo")
        ours_command = [str(executable), "predict", str(clip)]
        ours_command += ["--model", options.model] if options.model else []
        peer_command = [sys.executable, str(HERE / "plain_predict.py"), str(weights), str(clip)]
        ours, peer = list[Cost](), list[Cost]()
        for turn in range(options.repeats + 1):
            pair = cost(ours_command), cost(peer_command)
            print(f"run {turn}: vocemo {pair[0].wall_s:.3f} s, plain {pair[1].wall_s:.3f} s", flush=True)
            if turn:
                ours.append(pair[0])
                peer.append(pair[1])
    mine, theirs = summary(ours), summary(peer)
    ratio = theirs["wall_s"] / mine["wall_s"]
    result = {
        "benchmark": "predict",
        "what": "one 3-second file to its emotion, as a whole process; medians",
        "ours": {"command": "vocemo predict clip.wav"} | mine,
        "peer": {"command": "python bench/plain_predict.py weights.pt clip.wav (librosa and torch)"} | theirs,
        "ratio": round(ratio, 2),
        "ratio_cpu": round(theirs["cpu_s"] / mine["cpu_s"], 2),
        "repeats": options.repeats,
    }
    report.write(options.out, result)
    print(f"vocemo {mine['wall_s']:.3f} s, {mine['cpu_s']:.3f} s of processor, {mine['peak_mb']:.0f} MB")
    print(
        f"plain  {theirs['wall_s']:.3f} s, {theirs['cpu_s']:.3f} s of processor, {theirs['peak_mb']:.0f} MB"
    )
    reached = ratio >= GOAL_RATIO and mine["wall_s"] < GOAL_WALL_S and mine["peak_mb"] < GOAL_PEAK_MB
    print(
        f"ratio  {ratio:.1f} (goal: {GOAL_RATIO:g} or more, under {GOAL_WALL_S} s and {GOAL_PEAK_MB:g} MB): "
        + ("reached" if reached else "not reached")
    )


if __name__ == "__main__":
    main()
