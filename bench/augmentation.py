"""Pitch shift and time stretch against librosa, on the same clips, one thread each.

    python bench/augmentation.py [--clips DIR] [--count N] [--repeats N] [--out FILE]

Both vary the same 2.5 s at 22.05 kHz that lie in memory, with the same parameters: librosa's phase vocoder as
it is used, vocemo's augmentation as training applies it. In each repeat they take turns, and the ratio is
taken within the repeat, so that whatever else the machine does weighs on both; its median counts. Processor
time is measured beside the clock. That both do the same is shown by the length and the pitch of what comes
out. Clips are the recordings found under DIR; without one they are made here.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import librosa
import numpy as np
import report

from vocemo import audio
from vocemo.lab.augment import PitchShift, PitchShiftParameters, Speed, SpeedParameters

# Libraries read these when they are loaded, so the benchmark starts itself anew with them.
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
OUT = Path(__file__).parent.parent / "docs" / "results" / "bench" / "augmentation.json"
RATE_HZ, CLIP_S = 22_050, 2.5
SAMPLES = round(RATE_HZ * CLIP_S)
SEMITONES, RATE = 2.0, 0.9


def voice(rng: np.random.Generator) -> np.ndarray:
    """A pitch with thirty partials, syllables and a little noise."""
    time_s = np.arange(SAMPLES) / RATE_HZ
    phase = 2 * np.pi * rng.uniform(90, 280) * time_s
    partials = np.sum([np.cos(k * phase) / k for k in range(1, 30)], axis=0)
    samples = partials * (0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(3, 6) * time_s))
    samples += 0.002 * rng.standard_normal(SAMPLES)
    return (0.3 * samples / np.abs(samples).max()).astype(np.float32)


def excerpts(folder: Path | None, count: int) -> np.ndarray:
    """(count, samples): from evenly spaced recordings of a folder, or made here."""
    if folder is None:
        rng = np.random.default_rng(0)
        return np.stack([voice(rng) for _ in range(count)])
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".wav", ".flac"))
    clips = np.zeros((min(count, len(paths)), SAMPLES), dtype=np.float32)
    for row, index in enumerate(np.linspace(0, len(paths) - 1, len(clips)).astype(int)):
        part = audio.decode(paths[index], RATE_HZ).samples[:SAMPLES]
        clips[row, : len(part)] = part
    return clips


@dataclass(frozen=True)
class Contest:
    what: str
    ours: Callable[[np.ndarray], np.ndarray]
    peer: Callable[[np.ndarray], np.ndarray]
    pitch_ratio: float
    length: int


CONTESTS = (
    Contest(
        f"pitch shift by {SEMITONES:g} semitones",
        lambda clip: PitchShift().apply(clip, RATE_HZ, PitchShiftParameters(SEMITONES)),
        lambda clip: librosa.effects.pitch_shift(clip, sr=RATE_HZ, n_steps=SEMITONES),
        2 ** (SEMITONES / 12),
        SAMPLES,
    ),
    Contest(
        f"time stretch at rate {RATE:g}",
        lambda clip: Speed().apply(clip, RATE_HZ, SpeedParameters(RATE)),
        lambda clip: librosa.effects.time_stretch(clip, rate=RATE),
        1.0,
        round(SAMPLES / RATE),
    ),
)


def pitch_hz(samples: np.ndarray) -> float:
    return float(np.median(librosa.yin(samples, fmin=70, fmax=400, sr=RATE_HZ)))


def measured(job: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    job()
    return time.perf_counter() - clock, time.process_time() - processor


def spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 2),
        "min": round(min(values), 2),
        "max": round(max(values), 2),
    }


def hold(contest: Contest, clips: np.ndarray, repeats: int) -> dict[str, object]:
    made = voice(np.random.default_rng(0))  # a steady pitch, which can be measured
    for vary in (contest.ours, contest.peer):
        varied = vary(made)
        assert abs(len(varied) - contest.length) <= 1, (contest.what, len(varied))
        ratio = pitch_hz(varied) / pitch_hz(made)
        assert abs(ratio / contest.pitch_ratio - 1) < 0.01, (contest.what, ratio)

    def ours() -> list[np.ndarray]:
        return [contest.ours(clip) for clip in clips]

    def peer() -> list[np.ndarray]:
        return [contest.peer(clip) for clip in clips]

    ours(), peer()
    turns = [(measured(ours), measured(peer)) for _ in range(repeats)]
    per_clip_ms = 1_000 / len(clips)
    return {
        "what": contest.what,
        "ours_ms": round(per_clip_ms * statistics.median(ours[0] for ours, _ in turns), 2),
        "librosa_ms": round(per_clip_ms * statistics.median(peer[0] for _, peer in turns), 2),
        "ratio": spread([peer[0] / ours[0] for ours, peer in turns]),
        "ratio_of_processor_time": spread([peer[1] / ours[1] for ours, peer in turns]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, help="a folder of recordings; otherwise clips are made")
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        sys.exit(subprocess.call([sys.executable, *sys.argv], env={**os.environ, **ONE_THREAD}))
    clips = excerpts(options.clips, options.count)
    results = [hold(contest, clips, options.repeats) for contest in CONTESTS]
    for result in results:
        ratio, processor = result["ratio"], result["ratio_of_processor_time"]
        assert isinstance(ratio, dict)
        assert isinstance(processor, dict)
        print(
            f"{result['what']}: {ratio['median']:.1f} times as fast as librosa ({ratio['min']:.1f} to "
            f"{ratio['max']:.1f}; processor time {processor['median']:.1f}), {result['ours_ms']} ms against "
            f"{result['librosa_ms']} ms a clip of {CLIP_S:g} s"
        )
    source = "made" if options.clips is None else f"recordings of {options.clips.name}"
    figures = {
        "benchmark": "augmentation",
        "results": results,
        "clips": f"{len(clips)} {source}, {CLIP_S:g} s at {RATE_HZ} Hz",
        "repeats": options.repeats,
        "threads": 1,
        "processor": platform.machine(),
        "versions": {name: version(name) for name in ("librosa", "numpy", "python-stretch")},
    }
    report.write(options.out, figures)


if __name__ == "__main__":
    main()
