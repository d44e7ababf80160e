"""One answer for a recording past the model's longest window: the mean over its windows."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from vocemo.runtime.answerer import Answerer
from vocemo.runtime.batches import MOST_CLIPS, MOST_S
from vocemo.runtime.prediction import Prediction, Segment
from vocemo.runtime.windows import audible, cut, level_db

SILENT_BELOW_LOUDEST_DB = 30.0  # a window this far below the loudest holds no speech worth averaging


def averaged(
    model: Answerer, path: str | None, stream: Iterator[NDArray[np.float32]], warnings: list[str]
) -> Prediction:
    """The mean over the windows of a long recording, in memory that does not grow with it.

    stream: its samples at the model's rate, (n,) each. Windows that are silent by themselves, or far below
    the loudest, count for nothing.
    """
    preparation = dataclasses.replace(model.info.preparation, offset_s=0.0)
    rate, window_s = preparation.sample_rate, model.window_s
    end, levels_db, segments = 0, list[float](), list[Segment]()
    per_run = max(1, min(MOST_CLIPS, int(MOST_S / window_s)))
    windows = cut(stream, round(window_s * rate))
    while batch := list(itertools.islice(windows, per_run)):
        clips, spans = list[tuple[NDArray[np.float32], int]](), list[tuple[float, float]]()
        for start, window in batch:
            end = start + len(window)
            if (prepared := audible(window, rate, preparation)) is not None:
                clips.append((prepared.samples, prepared.length))
                spans.append((start / rate, end / rate))
                levels_db.append(level_db(window))
        for (start_s, end_s), (probabilities, score) in zip(spans, model.hear(clips), strict=True):
            each = model.conclude(path, end_s - start_s, probabilities, (), out_of_domain=score)
            segments.append(
                Segment(
                    start_s, end_s, each.emotion, each.confidence, each.probabilities, score, each.uncertain
                )
            )
    floor_db = max(levels_db, default=0.0) - SILENT_BELOW_LOUDEST_DB
    kept = [segment for segment, db in zip(segments, levels_db, strict=True) if db >= floor_db]
    if not kept:
        return model.silence(path, end / rate, [*warnings, "the recording is silent"])
    mean = np.mean([list(segment.probabilities.values()) for segment in kept], axis=0)
    score, remarks = out_of_domain([segment.out_of_domain for segment in kept])
    return model.conclude(path, end / rate, mean, [*warnings, *remarks], tuple(kept), score)


def out_of_domain(scores: Sequence[float | None]) -> tuple[float | None, list[str]]:
    """A recording's score, the median over its windows', and a warning where some lie far out alone.

    >>> out_of_domain([0.2, 0.4, 3.0])
    (0.4, ['1 of 3 windows do not sound like the speech that the model knows'])
    """
    known = [score for score in scores if score is not None]
    if not known:
        return None, []
    median, unlike = float(np.median(known)), sum(score > 1.0 for score in known)
    if median > 1.0 or not unlike:
        return median, []
    return median, [f"{unlike} of {len(known)} windows do not sound like the speech that the model knows"]
