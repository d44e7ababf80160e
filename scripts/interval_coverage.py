"""How often 95 % intervals over speakers hold the truth, by simulation.

    python scripts/interval_coverage.py [TRIALS]

UAR. Speakers differ in how well each emotion is recognised: speaker s is answered right on a clip of emotion
c with probability expit(a_c + b_s + d_sc), with a_c from -0.5 to 1.5, b_s ~ N(0, 0.5), d_sc ~ N(0, 0.7).
The truth is the UAR over speakers without end. Two designs: every speaker has the clips of
RAVDESS speech (4 of the first emotion, 8 of each other), or clips are thinned at random, as in EMO-DB.

AURC and ECE. A clip of speaker s has a difficulty q ~ N(m_s, 1), m_s ~ N(0.5, 0.5), is answered right with
probability expit(1.2 q) and with confidence 1/8 + 7/8 expit(q + 0.3); 60 clips each. That is a model too sure
of itself; a calibrated one is right as often as it says. The truth is that of 600,000 clips, and for the
ECE of the calibrated one 0. Prints the two Markdown tables of docs/measuring.md, the second of half as many
trials.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from vocemo.lab.evaluate import bootstrap
from vocemo.lab.evaluate.confidence import interval_over_speakers, uar_influence
from vocemo.lab.evaluate.metrics import confusion_matrix, uar

EMOTIONS = 8
CLIPS = np.array([4, 8, 8, 8, 8, 8, 8, 8])
LEVELS = np.linspace(-0.5, 1.5, EMOTIONS)
SPEAKER_SD, CELL_SD = 0.5, 0.7
RESAMPLES = 1000
CLIPS_EACH = 60


def recall_of(speakers: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Each speaker's true recall of each emotion (speakers, emotions)."""
    shift = generator.normal(0, SPEAKER_SD, (speakers, 1)) + generator.normal(
        0, CELL_SD, (speakers, EMOTIONS)
    )
    return np.asarray(1 / (1 + np.exp(-(LEVELS + shift))), np.float64)


def percentile(
    right: NDArray[np.int64], clips: NDArray[np.int64], generator: np.random.Generator
) -> list[float]:
    """The percentile bootstrap over speakers, from right answers and clips (speakers, emotions)."""
    weights = bootstrap.draw(len(right), RESAMPLES, generator)
    hits, all_clips = weights @ right, weights @ clips
    recalls = np.divide(hits, all_clips, out=np.full(hits.shape, np.nan), where=all_clips > 0)
    found = bootstrap.percentile_interval(np.nanmean(recalls, 1))
    return [found.low, found.high]


def trial(
    speakers: int, thinned: bool, truth: float, generator: np.random.Generator, *, plain: bool
) -> tuple[bool, bool]:
    """Whether the t interval and, where wanted, the percentile bootstrap hold the truth, once."""
    clips = np.tile(CLIPS, (speakers, 1))
    if thinned:
        clips = generator.binomial(clips, 0.6) + 1
    right = generator.binomial(clips, recall_of(speakers, generator))
    cells = clips.ravel()
    targets = np.tile(np.arange(EMOTIONS), speakers).repeat(cells)
    place = np.arange(cells.sum()) - (np.cumsum(cells) - cells).repeat(cells)
    predicted = np.where(place < right.ravel().repeat(cells), targets, (targets + 1) % EMOTIONS)
    names = [str(s) for s in np.arange(speakers).repeat(clips.sum(1))]
    estimate = uar(confusion_matrix(targets, predicted, EMOTIONS))
    found = interval_over_speakers(estimate, uar_influence(targets, predicted, EMOTIONS), names)
    low, high = percentile(right, clips, generator) if plain else (0.0, 0.0)
    # Two speakers may be level by chance, and leave no interval: that holds nothing.
    return found is not None and found.low <= truth <= found.high, low <= truth <= high


def coverage(
    speakers: int, thinned: bool, trials: int, seed: int = 0, *, plain: bool = True
) -> tuple[float, float]:
    """The share of trials in which the t interval, and the percentile bootstrap, held the true UAR.

    plain: whether the bootstrap is tried too; without it, its share means nothing.
    """
    generator = np.random.default_rng(seed)
    truth = float(recall_of(200_000, generator).mean())
    held = np.array([trial(speakers, thinned, truth, generator, plain=plain) for _ in range(trials)])
    return float(held[:, 0].mean()), float(held[:, 1].mean())


def sure(
    speakers: int, generator: np.random.Generator, *, calibrated: bool
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probabilities (n, emotions) and targets (n,): the answer is the first emotion."""
    q = generator.normal(generator.normal(0.5, 0.5, (speakers, 1)), 1.0, (speakers, CLIPS_EACH)).ravel()
    confidence = 1 / EMOTIONS + (1 - 1 / EMOTIONS) / (1 + np.exp(-(q + 0.3)))
    rest = np.repeat((1 - confidence)[:, None] / (EMOTIONS - 1), EMOTIONS - 1, axis=1)
    wrong = generator.random(len(q)) > (confidence if calibrated else 1 / (1 + np.exp(-1.2 * q)))
    return np.concatenate([confidence[:, None], rest], axis=1), wrong.astype(np.int64)


def confidence_coverage(
    speakers: int, trials: int, seed: int = 0, *, calibrated: bool = False
) -> dict[str, tuple[float, float]]:
    """For AURC and ECE, the share of trials in which the two intervals of the bootstrap held the truth."""
    generator = np.random.default_rng(seed)
    names = ("aurc", "ece")
    probabilities, targets = sure(10_000, generator, calibrated=calibrated)
    everyone = bootstrap.Answers.of(targets, probabilities, ["all"] * len(targets))
    truth = {name: float(of[0]) for name, of in everyone.measure(np.ones((1, 1), np.int64), names).items()}
    if calibrated:
        truth["ece"] = 0.0
    held: dict[str, list[tuple[bool, bool]]] = {name: [] for name in names}
    for _ in range(trials):
        probabilities, targets = sure(speakers, generator, calibrated=calibrated)
        who = [f"{s:03d}" for s in np.arange(speakers).repeat(CLIPS_EACH)]
        answers = bootstrap.Answers.of(targets, probabilities, who)
        found = answers.measure(np.ones((1, speakers), np.int64), names)
        values = answers.measure(bootstrap.draw(speakers, RESAMPLES // 2, generator), names)
        for name in names:
            student = bootstrap.t_interval(float(found[name][0]), values[name], speakers)
            plain = bootstrap.percentile_interval(values[name])
            assert student is not None
            true = truth[name]
            held[name].append((student.low <= true <= student.high, plain.low <= true <= plain.high))
    shares = {name: np.array(each).mean(0) for name, each in held.items()}
    return {name: (float(share[0]), float(share[1])) for name, share in shares.items()}


def main() -> None:
    """Print the tables."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print("| speakers | clips | t interval | percentile bootstrap |\n| ---: | --- | ---: | ---: |")
    for speakers in (2, 3, 4, 6, 10, 24):
        for thinned in (False, True):
            student, plain = coverage(speakers, thinned, trials)
            design = "unequal" if thinned else "equal"
            print(f"| {speakers} | {design} | {100 * student:.1f} | {100 * plain:.1f} |", flush=True)
    print("\n| speakers | model | measure | t interval | percentile bootstrap |")
    print("| ---: | --- | --- | ---: | ---: |")
    for speakers in (4, 6, 10, 24):
        for calibrated in (False, True):
            found = confidence_coverage(speakers, trials // 2, calibrated=calibrated)
            for name, (student, plain) in found.items():
                model = "calibrated" if calibrated else "too sure"
                shares = f"{100 * student:.1f} | {100 * plain:.1f}"
                print(f"| {speakers} | {model} | {name.upper()} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
