"""Evaluating 10,000 predictions with 2,000 resamples of their speakers, beside a loop with scikit-learn.

    python bench/evaluation.py [--clips N] [--samples N] [--speakers N] [--peer-samples N] [--repeats N]
        [--out FILE]

vocemo: every figure of `vocemo evaluate` (means, intervals, groups, gaps), and UAR, accuracy, macro F1,
kappa, log loss, Brier score, top 2, AURC and ECE of every resample. The plain loop is what one writes first:
for each resample the rows of the drawn speakers are put together and handed to scikit-learn, which has the
first seven of these (no AURC, no ECE, so that it does less). It runs on some resamples, and its time is that
of one times their number. Both draw the same speakers; the values that both have are compared.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import report
from sklearn import metrics as peer

from vocemo.lab.evaluate import Predictions, Subject, bootstrap
from vocemo.lab.measure import measured

OUT = Path(__file__).parent.parent / "docs" / "results" / "bench" / "evaluation.json"
EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
GOAL_S = 5.0


def made(clips: int, speakers: int) -> Predictions:
    """Answers of a model that is right three times in five, with what describes their clips."""
    generator = np.random.default_rng(0)
    targets = generator.integers(0, len(EMOTIONS), clips)
    logits = generator.normal(size=(clips, len(EMOTIONS))) + 2.2 * np.eye(len(EMOTIONS))[targets]
    odds = np.exp(logits)
    who = generator.integers(0, speakers, clips)
    rows = tuple(
        Subject(
            f"{n}.wav",
            "made",
            f"made/{s:03d}",
            ("female", "male")[s % 2],
            "speech",
            ("normal", "strong")[n % 2],
            str(n % 10),
            1.0 + n % 5,
        )
        for n, s in enumerate(who)
    )
    none = np.zeros(clips, np.int64)
    return Predictions(EMOTIONS, rows, targets, odds / odds.sum(1, keepdims=True), none, none)


def plain(predictions: Predictions, weights: np.ndarray) -> dict[str, list[float]]:
    """The loop: rows of the drawn speakers, then scikit-learn, resample by resample."""
    speakers = np.array([subject.speaker for subject in predictions.subjects])
    rows = [np.flatnonzero(speakers == name) for name in predictions.speakers]
    answers, all_labels = predictions.predicted, np.arange(len(EMOTIONS))
    found: dict[str, list[float]] = {}
    for drawn in weights:
        again = np.concatenate([rows[s] for s, times in enumerate(drawn) for _ in range(times)])
        wanted, given, odds = predictions.targets[again], answers[again], predictions.probabilities[again]
        values = {
            "uar": peer.balanced_accuracy_score(wanted, given),
            "accuracy": peer.accuracy_score(wanted, given),
            "macro_f1": peer.f1_score(wanted, given, average="macro"),
            "kappa": peer.cohen_kappa_score(wanted, given),
            "loss": peer.log_loss(wanted, odds, labels=all_labels),
            "brier": np.square(odds - np.eye(len(EMOTIONS))[wanted]).sum(1).mean(),
            "top2": peer.top_k_accuracy_score(wanted, odds, k=2, labels=all_labels),
        }
        for name, value in values.items():
            found.setdefault(name, []).append(float(value))
    return found


def timed(job: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    job()
    return time.perf_counter() - clock, time.process_time() - processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--samples", type=int, default=bootstrap.SAMPLES)
    parser.add_argument("--speakers", type=int, default=24)
    parser.add_argument("--peer-samples", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    predictions = made(options.clips, options.speakers)
    names = [subject.speaker for subject in predictions.subjects]
    weights = bootstrap.draw(len(predictions.speakers), options.samples, np.random.default_rng(0))
    some = weights[: options.peer_samples]
    values: dict[str, np.ndarray] = {}

    def ours() -> None:
        measured(predictions, model="made", protocol="as given", leaky=False)
        answers = bootstrap.Answers.of(predictions.targets, predictions.probabilities, names)
        values.update(answers.measure(weights))

    fastest, theirs = min(timed(ours) for _ in range(options.repeats)), (np.inf, np.inf)
    for _ in range(options.repeats):
        theirs = min(theirs, timed(lambda: plain(predictions, some)))
    for name, expected in plain(predictions, some[:3]).items():
        np.testing.assert_allclose(values[name][:3], expected, rtol=1e-9)
    peer_s, peer_cpu_s = (seconds / len(some) * options.samples for seconds in theirs)
    result = {
        "benchmark": "evaluation",
        "what": f"{options.clips:,} predictions, {options.speakers} speakers, {options.samples:,} resamples",
        "ours_s": round(fastest[0], 2),
        "ours_processor_s": round(fastest[1], 2),
        "goal_s": GOAL_S,
        "scikit_learn_loop_s": round(peer_s, 1),
        "scikit_learn_loop_processor_s": round(peer_cpu_s, 1),
        "timed_resamples_of_the_loop": len(some),
        "ratio": round(peer_s / fastest[0], 1),
        "ratio_of_processor_time": round(peer_cpu_s / fastest[1], 1),
        "repeats": options.repeats,
        "versions": {name: metadata.version(name) for name in ("numpy", "scikit-learn")},
    }
    report.write(options.out, result)
    print(
        f"{result['what']}: {fastest[0]:.2f} s ({fastest[1]:.2f} s of the processor; goal {GOAL_S:g} s); a "
        f"plain loop with scikit-learn {peer_s:.0f} s, {result['ratio']:g} times (processor "
        f"{result['ratio_of_processor_time']:g} times)"
    )


if __name__ == "__main__":
    main()
