"""From a file on the disk to its emotion, once everything is loaded: vocemo against librosa and torch.

    python bench/warm.py [--model FILE] [--seconds S] [--repeats N] [--out FILE]

One thread each, in turns, on files of `seconds` at 16 kHz and at 48 kHz. The peer is what plain_predict.py
does, its modules loaded and its network built. The stages of vocemo are timed by themselves, each beside its
floor: the decoder of libsndfile with nothing around it, the resampler, the graph given finished samples.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import report
import soundfile
import torch
from plain_predict import Cnn, features

from vocemo import audio
from vocemo.prepare import prepare
from vocemo.runtime.condition import SoundCondition
from vocemo.runtime.predictor import Predictor, load

HERE = Path(__file__).parent
OUT = HERE.parent / "docs" / "results" / "bench" / "warm.json"
GOAL_S, GOAL_P95_S = 0.015, 0.025
RATES_HZ = (16_000, 48_000)


def clip(seconds: float, rate: int) -> np.ndarray:
    """(N,): the spoken samples of this repository, one after another."""
    voices = [audio.decode(path, rate).samples for path in sorted((HERE.parent / "samples").glob("*.flac"))]
    return np.resize(np.concatenate(voices), round(seconds * rate))


def timed(asked: dict[str, Callable[[], Any]], repeats: int) -> dict[str, dict[str, float]]:
    """Seconds of the wall clock of each, taken in turns so that what disturbs one disturbs all."""
    took: dict[str, list[float]] = {name: [] for name in asked}
    for turn in range(repeats + 3):
        for name, function in asked.items():
            begun = time.perf_counter()
            function()
            if turn >= 3:
                took[name].append(time.perf_counter() - begun)
    return {name: quantiles(values) for name, values in took.items()}


def quantiles(values: list[float]) -> dict[str, float]:
    """Median and the 95th percentile, in seconds."""
    return {"s": round(float(np.median(values)), 5), "s_p95": round(float(np.quantile(values, 0.95)), 5)}


def stages(predictor: Predictor, path: Path) -> dict[str, Callable[[], Any]]:
    """What an answer is made of, each from what the one before gives, and the floors of some."""
    preparation = predictor.info.preparation
    rate = preparation.sample_rate
    own = audio.decode(path)
    samples = audio.resample(own.samples, own.sample_rate, rate)
    prepared = prepare(samples, rate, preparation)
    together, lengths = prepared.samples[None], np.array([prepared.length], np.int64)

    def remark() -> None:
        condition = SoundCondition(rate)
        condition.push(samples)
        condition.remarks()

    return {
        "decode": lambda: audio.decode(path),
        "floor_of_decode": lambda: soundfile.read(path, dtype="float32"),
        "resample": lambda: audio.resample(own.samples, own.sample_rate, rate),
        "prepare": lambda: prepare(samples, rate, preparation),
        "remarks": remark,
        "network": lambda: predictor.answerer.hear([(prepared.samples, prepared.length)]),
        "floor_of_network": lambda: predictor.bundle.run(together, lengths),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a bundle; by default the model inside the package")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network, predictor = Cnn().eval(), load(options.model, threads=1)
    rows = list[dict[str, Any]]()
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        for rate in RATES_HZ:
            path = Path(folder, f"clip-{rate}.wav")
            audio.write(path, clip(options.seconds, rate), rate)
            asked = {
                "vocemo": lambda path=path: predictor.predict(path),
                "plain": lambda path=path: torch.softmax(network(features(str(path))), 1),
            }
            found = timed(asked | stages(predictor, path), options.repeats)
            mine, theirs = found.pop("vocemo"), found.pop("plain")
            ratio = round(theirs["s"] / mine["s"], 2)
            rows.append(
                {"file": f"wav, {rate} Hz", "ours": mine, "peer": theirs, "ratio": ratio, "stages": found}
            )
            print(
                f"{rate} Hz: vocemo {1e3 * mine['s']:.1f} ms (95 %: {1e3 * mine['s_p95']:.1f}), plain "
                f"{1e3 * theirs['s']:.1f} ms: ratio {ratio}; "
                + ", ".join(f"{name} {1e3 * value['s']:.2f}" for name, value in found.items())
            )
    result = {
        "benchmark": "warm",
        "what": f"a file of {options.seconds:g} s to its emotion, everything loaded, one thread; medians",
        "model": predictor.info.name,
        "peer": "librosa and torch, as bench/plain_predict.py",
        "rows": rows,
        "repeats": options.repeats,
    }
    report.write(options.out, result)
    reached = all(row["ours"]["s"] <= GOAL_S and row["ours"]["s_p95"] <= GOAL_P95_S for row in rows)
    print(
        f"goal: {1e3 * GOAL_S:g} ms, 95 % within {1e3 * GOAL_P95_S:g}: "
        + ("reached" if reached else "not reached")
    )


if __name__ == "__main__":
    main()
