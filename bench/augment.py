"""What each augmentation costs, beside audiomentations' own and beside decoding the clip.

    python bench/augment.py [--clip FILE] [--repeats N] [--out docs/results/bench/augment.json]

Three seconds at 16 kHz, in processor time of one thread. The contestants take turns, and the fastest of the
repeats counts, so that whatever else the machine does weighs little. The clip is made here unless one is
given.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import audiomentations as peer
import numpy as np
import report

from vocemo import audio
from vocemo.lab.augment import chain

RATE_HZ, CLIP_S = 16_000, 3.0
OUT = Path(__file__).parent.parent / "docs" / "results" / "bench" / "augment.json"

CONTESTS: list[tuple[dict[str, object], peer.core.transforms_interface.BaseWaveformTransform | None]] = [
    ({"name": "gain"}, peer.Gain(p=1.0)),
    ({"name": "time-shift"}, peer.Shift(-0.1, 0.1, rollover=False, p=1.0)),
    ({"name": "noise"}, peer.AddGaussianSNR(10.0, 40.0, p=1.0)),
    ({"name": "noise", "colours": ["pink"]}, peer.AddColorNoise(10.0, 40.0, -3.01, -3.01, p=1.0)),
    ({"name": "room"}, None),
    ({"name": "telephone"}, None),
    ({"name": "babble"}, None),
    ({"name": "speed", "method": "resample"}, None),
    ({"name": "speed", "method": "stretch"}, peer.TimeStretch(0.9, 1.1, leave_length_unchanged=False, p=1.0)),
    ({"name": "pitch-shift"}, peer.PitchShift(-2.0, 2.0, p=1.0)),
]


def voice() -> np.ndarray:
    time_s = np.arange(int(CLIP_S * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(180 - 20 * time_s) / RATE_HZ
    partials = [np.cos(k * phase) / k for k in range(1, 30)]
    samples = np.sum(partials, axis=0) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time_s))
    samples += 0.001 * np.random.default_rng(0).standard_normal(len(samples))
    return (0.3 * samples / np.abs(samples).max()).astype(np.float32)


def seconds(job: Callable[[], object]) -> float:
    begun = time.thread_time()
    job()
    return time.thread_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clip", type=Path, help="a recording of 3 s or more; otherwise one is made")
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        samples = voice() if options.clip is None else audio.decode(options.clip, RATE_HZ).samples
        samples = np.ascontiguousarray(samples[: int(CLIP_S * RATE_HZ)])
        clip = Path(folder, "clip.flac")
        audio.write(clip, samples, RATE_HZ)
        rng = np.random.default_rng(0)
        jobs: dict[str, Callable[[], object]] = {"decode": lambda: audio.decode(clip)}
        for table, other in CONTESTS:
            name = " ".join(str(v if isinstance(v, str) else ", ".join(v)) for v in table.values())
            jobs[name] = partial(chain([table]), samples, RATE_HZ, rng)
            if other is not None:
                jobs[f"{name} (audiomentations)"] = partial(other, samples, RATE_HZ)
        fastest = dict.fromkeys(jobs, float("inf"))
        for _ in range(options.repeats):
            for name, job in jobs.items():
                fastest[name] = min(fastest[name], seconds(job))
    rows = []
    for name in jobs:
        if name == "decode" or name.endswith("(audiomentations)"):
            continue
        theirs = fastest.get(f"{name} (audiomentations)")
        row = {
            "augmentation": name,
            "ms": fastest[name] * 1e3,
            "decodings": fastest[name] / fastest["decode"],
        }
        if theirs is not None:
            row |= {"peer_ms": theirs * 1e3, "ratio": theirs / fastest[name]}
        rows.append({k: v if isinstance(v, str) else round(v, 3) for k, v in row.items()})
        beside = (
            ""
            if theirs is None
            else f"; audiomentations {theirs * 1e3:.2f} ms, {theirs / fastest[name]:.1f} times"
        )
        print(f"{name:<18} {row['ms']:6.2f} ms, {row['decodings']:5.2f} decodings{beside}")
    result = {
        "what": "augmenting 3 s at 16 kHz: processor time of one thread, the fastest of the repeats",
        "decode_ms": round(fastest["decode"] * 1e3, 3),
        "rows": rows,
        "repeats": options.repeats,
    }
    report.write(options.out, result)


if __name__ == "__main__":
    main()
