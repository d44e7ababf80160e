"""What the bundle of each recipe weighs, and how long it takes to answer, beside its network in torch.

    python bench/bundles.py [--recipe NAME ...] [--repeats N] [--out FILE]

The weights are fresh ones: they change neither. An answer is that to one clip of 3 s (or of the recipe's own
length) that lies prepared in memory, warm, on one thread; the network in torch and the bundle in ONNX
Runtime take turns, and the ratio is taken within the turn.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import report
import torch

from vocemo.bundle import Bundle, BundleInfo
from vocemo.lab import network
from vocemo.lab import recipe as recipes
from vocemo.lab.export.onnx_bundle import write_bundle

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
OUT = Path(__file__).parent.parent / "docs" / "results" / "bench" / "bundles.json"
CLIP_S = 3.0


def measured(job: Callable[[], object]) -> float:
    begun = time.perf_counter()
    job()
    return time.perf_counter() - begun


def weigh(name: str, repeats: int, folder: Path) -> dict[str, object]:
    recipe = recipes.load(name)
    built = network.build(recipe, seed=0).eval()
    path = folder / f"{name}.onnx"
    info = BundleInfo(name=name, emotions=recipe.emotions, preparation=recipe.preparation)
    write_bundle(built, info, path)
    bundle = Bundle.open(path, device="cpu", threads=1)
    length = recipe.preparation.length or round(CLIP_S * recipe.preparation.sample_rate)
    samples = np.random.default_rng(0).normal(0, 0.1, (1, length)).astype(np.float32)
    lengths = np.array([length], np.int64)
    given = torch.from_numpy(samples), torch.from_numpy(lengths)

    def in_torch() -> None:
        with torch.inference_mode():
            built(*given)

    def in_bundle() -> None:
        bundle.run(samples, lengths)

    in_torch(), in_bundle()
    turns = [(measured(in_bundle), measured(in_torch)) for _ in range(repeats)]
    return {
        "recipe": name,
        "parameters": sum(built.parameter_counts()),
        "bundle_mb": round(path.stat().st_size / 1e6, 2),
        "answer_ms": round(1e3 * statistics.median(ours for ours, _ in turns), 2),
        "torch_ms": round(1e3 * statistics.median(peer for _, peer in turns), 2),
        "ratio": round(statistics.median(peer / ours for ours, peer in turns), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", action="append", choices=recipes.names(), help="all, unless named")
    parser.add_argument("--repeats", type=int, default=31)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        sys.exit(subprocess.call([sys.executable, *sys.argv], env={**os.environ, **ONE_THREAD}))
    torch.set_num_threads(1)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.recipe or recipes.names():
            results.append(weigh(name, options.repeats, Path(folder)))
            print(
                "{recipe}: {bundle_mb} MB, {answer_ms} ms an answer, {ratio} times as fast as torch".format(
                    **results[-1]
                )
            )
    measured_before = {}
    if options.recipe and options.out.is_file():  # the others stay as they were measured
        before = json.loads(options.out.read_text(encoding="utf-8"))["results"]
        measured_before = {each["recipe"]: each for each in before}
    by_recipe = {**measured_before, **{str(each["recipe"]): each for each in results}}
    results = [by_recipe[name] for name in sorted(by_recipe)]
    "".join(f" --recipe {name}" for name in options.recipe or ())
    figures = {
        "benchmark": "bundles",
        "results": results,
        "threads": 1,
        "repeats": options.repeats,
        "processor": torch.backends.cpu.get_cpu_capability(),
        "versions": {"numpy": np.__version__, "torch": torch.__version__},
    }
    report.write(options.out, figures)


if __name__ == "__main__":
    main()
