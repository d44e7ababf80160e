"""How often recordings are remarked on as clipped, narrow-band or noisy: as they are, and made so.

    python scripts/measure_condition.py --corpus ravdess:data/ravdess --corpus emodb:data/emodb ...

Some of each corpus's clips, as a model of 16 kHz would hear it, under conditions of the robustness table.
"""

from __future__ import annotations

import argparse
import collections
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vocemo import audio
from vocemo.audio.flat_tops import FlatTops
from vocemo.lab import provenance
from vocemo.lab.corpora import read
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.stress import conditions
from vocemo.prepare import Preparation, prepare
from vocemo.runtime.condition import SoundCondition

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "results" / "condition" / "remarks.json"
RATE_HZ = 16_000
ASKED = ("clean", "white-20", "white-10", "white-5", "recorded-like-10", "telephone", "clipped-10")
CUTS = {"trimmed": None, "middle-2-s": 2.0, "middle-1.6-s": 1.6}
REMARKS = ("clipped", "narrow-band", "noisy")


def main() -> None:
    """Measure each corpus under each condition and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", action="append", required=True, metavar="NAME:DIR")
    parser.add_argument("--every", type=int, default=3, help="take one clip in so many")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    begun, rows = time.perf_counter(), []
    asked = [each for each in conditions.table() if each.name in ASKED]
    for spec in options.corpus:
        clips = list(read(spec))[:: options.every]
        for condition in asked:
            counted: collections.Counter[str] = collections.Counter()
            for number, clip in enumerate(clips):
                own = audio.decode(clip.path)
                worse = condition.degradation
                drawn = worse.draw(np.random.default_rng(number), clip.speaker)
                heard = worse.apply(own.samples, own.sample_rate, drawn)
                counted.update(remarks(heard, own.sample_rate))
            row = {"corpus": spec.partition(":")[0], "condition": condition.name, "clips": len(clips)}
            rows.append(row | {remark: round(counted[remark] / len(clips), 4) for remark in REMARKS})
            print(rows[-1], flush=True)
        rows += [_cut(spec, clips, how) for how in CUTS]
        print(*rows[-len(CUTS) :], sep="\n", flush=True)
    told = {
        "what": "share of clips that are remarked on",
        "rows": rows,
        "seconds": round(time.perf_counter() - begun, 1),
        **provenance.stamp(),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def _cut(spec: str, clips: Sequence[Clip], how: str) -> dict[str, Any]:
    """Clips as they are, of which no pause is left: trimmed to 30 dB below their peak, or their middle."""
    counted: collections.Counter[str] = collections.Counter()
    for clip in clips:
        samples = audio.decode(clip.path, RATE_HZ).samples
        seconds = CUTS[how]
        if seconds is None:
            samples = prepare(samples, RATE_HZ, Preparation(trim_below_peak_db=30.0)).samples
        else:
            middle, half = len(samples) // 2, round(seconds * RATE_HZ / 2)
            samples = samples[max(0, middle - half) : middle + half]
        counted.update(remarks(samples, RATE_HZ))
    row = {"corpus": spec.partition(":")[0], "condition": how, "clips": len(clips)}
    return row | {remark: round(counted[remark] / len(clips), 4) for remark in REMARKS}


def remarks(samples: np.ndarray, rate: int) -> list[str]:
    """What is said of a recording: at its own rate of flat tops, at the model's of the rest."""
    condition = SoundCondition(RATE_HZ)
    condition.push(audio.resample(samples, rate, RATE_HZ))
    tops = FlatTops()
    tops.push(samples)
    return [
        *(["clipped"] if tops.clipped_share else []),
        *(each.partition(":")[0] for each in condition.remarks()),
    ]


if __name__ == "__main__":
    main()
