"""What a format, and weights in less space, cost a model: size, speed and figures on its own test fold.

Every file that `vocemo export` can make of a run answers the clips that the run was tested on. The run's
corpora must lie where they lay when it was trained. Of several runs, the folds of one cross-validation, each
answers its own, and UAR and accuracy are the mean of theirs.

    python scripts/export_loss.py runs/dual-channel-cnn-emobox-6-fold-0-seed-0 --out loss.json
    python scripts/export_loss.py runs/base/seed-0/fold-* --only "onnx float32" "onnx mixed"
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from vocemo.bundle import Bundle, Weights
from vocemo.errors import UsageError
from vocemo.lab import checkpoint, provenance
from vocemo.lab.corpora import Manifest, read
from vocemo.lab.evaluate import Predictions
from vocemo.lab.export.run import Format, export_run
from vocemo.lab.measure import answer, measured, test_part
from vocemo.lab.run import RunFolder
from vocemo.runtime.predictor import Predictor

FIGURES = ("size_mb", "run_ms", "uar", "accuracy", "loss")  # whose mean over folds is told
RUNS = 20  # of the graph, whose median counts
FILES = [f"{to} {weights}" for to in get_args(Format) for weights in get_args(Weights)]


def main() -> None:
    """Measure the files of runs, print them as a table and write them as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="a run folder with a test fold")
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="FILE",
        choices=FILES,
        default=FILES,
        help="as 'onnx mixed'; by default all",
    )
    parser.add_argument("--out", type=Path, help="where the figures go as JSON")
    arguments = parser.parse_args()
    found = together([loss(run, arguments.only) for run in arguments.runs])
    print(f"{'file':<16}{'MB':>7}{'ms':>8}{'UAR':>8}{'accuracy':>10}{'loss':>8}{'difference':>12}{'same':>8}")
    for name, each in found["files"].items():
        print(
            f"{name:<16}{each['size_mb']:>7.2f}{each['run_ms']:>8.1f}{each['uar']:>8.1%}"
            f"{each['accuracy']:>10.1%}{each['loss']:>8.4f}{each['largest_difference']:>12.1e}{each['same_emotion']:>8.1%}"
        )
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.write_json(arguments.out, found)


def together(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The figures of several folds as one; of one, its own.

    Raises UsageError where they are not of one recipe, protocol and seed.
    """
    first, *others = found
    if any(each[key] != first[key] for each in others for key in ("recipe", "protocol", "seed")):
        raise UsageError(
            "the runs are not the folds of one cross-validation: give those of one recipe and seed"
        )
    if not others:
        return first

    def mean(values: Iterable[float]) -> float:
        return float(np.mean(list(values)))

    files = {}
    for name in first["files"]:
        of = [each["files"][name] for each in found]
        clips = sum(each["clips"] for each in of)
        files[name] = {
            **{key: mean(each[key] for each in of) for key in FIGURES},
            "largest_difference": max(each["largest_difference"] for each in of),
            "same_emotion": sum(each["same_emotion"] * each["clips"] for each in of) / clips,
            "clips": clips,
        }
    network = {key: mean(each["network"][key] for each in found) for key in first["network"]}
    return {**first, "fold": [each["fold"] for each in found], "network": network, "files": files}


def loss(run: Path, only: Sequence[str] = FILES) -> dict[str, Any]:
    """The figures of every file, against the network's own answers to the same clips."""
    info = RunFolder(run).info()
    manifest = sum((read(spec) for spec in info.corpora), Manifest(()))
    own = Predictions.read(RunFolder(run).predictions)
    files = {}
    with tempfile.TemporaryDirectory() as folder:
        for to in get_args(Format):
            for weights in get_args(Weights):
                if f"{to} {weights}" not in only:
                    continue
                path = Path(folder) / f"{weights}.{to}"
                try:
                    export_run(run, path, to=to, weights=weights)
                except UsageError as error:  # not every model can be had in every way
                    print(f"{to} {weights}: {error}")
                    continue
                bundle = Bundle.open(path, device="cpu", threads=1)
                part = test_part(bundle.info, manifest, info.protocol)
                answered = answer(
                    Predictor(bundle), part.manifest, fold=part.fold, seed=part.seed
                ).predictions
                figures = measured(
                    answered, model=info.recipe.name, protocol=part.protocol, leaky=not part.unseen
                )
                differences, same = apart(own, answered)
                files[f"{to} {weights}"] = {
                    "size_mb": path.stat().st_size / 1e6,
                    "run_ms": _run_ms(bundle),
                    "uar": figures.metrics["uar"].mean,
                    "accuracy": figures.metrics["accuracy"].mean,
                    "loss": figures.metrics["loss"].mean,
                    "largest_difference": float(differences.max()),
                    "same_emotion": same,
                    "clips": len(answered),
                }
    network = measured(own, model=info.recipe.name, protocol=info.protocol, leaky=False)
    return {
        "recipe": info.recipe.name,
        "protocol": info.protocol,
        "leaky": RunFolder(run).leaky(),
        "fold": info.fold,
        "seed": info.seed,
        "network": {name: network.metrics[name].mean for name in ("uar", "accuracy", "loss")},
        "files": files,
        **provenance.stamp(),
    }


def apart(own: Predictions, answered: Predictions) -> tuple[NDArray[np.float64], float]:
    """How far each clip's probabilities lie apart, (clips,), and the share of clips with the same emotion.

    Raises UsageError where a clip has no answer.
    """
    places = {subject.path: place for place, subject in enumerate(answered.subjects)}
    missing = [subject.path for subject in own.subjects if subject.path not in places]
    if missing:
        raise UsageError(f"{len(missing)} clips of the run's test have no answer, {missing[0]} among them")
    given = answered.probabilities[[places[subject.path] for subject in own.subjects]]
    same = given.argmax(1) == own.probabilities.argmax(1)
    return np.abs(given - own.probabilities).max(1), float(same.mean())


def _run_ms(bundle: Bundle) -> float:
    """The median time of a run of the graph, one thread, one clip of the file's length or of 3 s, in ms."""
    fixed = bundle.info.preparation
    count = bundle.clip_samples or fixed.length or 3 * fixed.sample_rate
    samples = np.random.default_rng(0).normal(0.0, 0.05, (1, count)).astype(np.float32)
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        bundle.run(samples, np.array([count], np.int64))
        times.append(1_000.0 * (time.perf_counter() - start))
    return float(np.median(times))


if __name__ == "__main__":
    main()
