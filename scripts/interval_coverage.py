"""How often 95 % intervals over speakers hold the true UAR, by simulation.

    python scripts/interval_coverage.py [TRIALS]

Speakers differ in how well each emotion is recognised: speaker s is answered right on a clip of emotion
c with probability expit(a_c + b_s + d_sc), with a_c from -0.5 to 1.5, b_s ~ N(0, 0.5), d_sc ~ N(0, 0.7).
The truth is the UAR over speakers without end. Two designs: every speaker has the clips of
RAVDESS speech (4 of the first emotion, 8 of each other), or clips are thinned at random, as in EMO-DB.
Prints the Markdown table of docs/measuring.md.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from vocemo.lab.evaluate.confidence import interval_over_speakers, uar_influence
from vocemo.lab.evaluate.metrics import confusion_matrix, uar

EMOTIONS = 8
CLIPS = np.array([4, 8, 8, 8, 8, 8, 8, 8])
LEVELS = np.linspace(-0.5, 1.5, EMOTIONS)
SPEAKER_SD, CELL_SD = 0.5, 0.7
RESAMPLES = 1000


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
    speakers = len(right)
    weights = generator.multinomial(speakers, np.full(speakers, 1 / speakers), RESAMPLES)
    hits, all_clips = weights @ right, weights @ clips
    recalls = np.divide(hits, all_clips, out=np.full(hits.shape, np.nan), where=all_clips > 0)
    low, high = np.quantile(np.nanmean(recalls, 1), [0.025, 0.975])
    return [float(low), float(high)]


def trial(speakers: int, thinned: bool, truth: float, generator: np.random.Generator) -> tuple[bool, bool]:
    """Whether the t interval and the percentile bootstrap hold the truth, once."""
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
    assert found is not None
    low, high = percentile(right, clips, generator)
    return found.low <= truth <= found.high, low <= truth <= high


def coverage(speakers: int, thinned: bool, trials: int, seed: int = 0) -> tuple[float, float]:
    """The share of trials in which the t interval, and the percentile bootstrap, held the truth."""
    generator = np.random.default_rng(seed)
    truth = float(recall_of(200_000, generator).mean())
    held = np.array([trial(speakers, thinned, truth, generator) for _ in range(trials)])
    return float(held[:, 0].mean()), float(held[:, 1].mean())


def main() -> None:
    """Print the table."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print("| speakers | clips | t interval | percentile bootstrap |\n| ---: | --- | ---: | ---: |")
    for speakers in (4, 6, 10, 24):
        for thinned in (False, True):
            student, plain = coverage(speakers, thinned, trials)
            design = "unequal" if thinned else "equal"
            print(f"| {speakers} | {design} | {100 * student:.1f} | {100 * plain:.1f} |", flush=True)


if __name__ == "__main__":
    main()
