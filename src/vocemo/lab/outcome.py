"""What came of a training: result.json."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vocemo.lab.corpora.clip import Clip
from vocemo.lab.evaluate import FoldResult
from vocemo.lab.mahalanobis import Distances
from vocemo.lab.selective import Threshold


@dataclass(frozen=True)
class TrainedOn:
    """How many clips the weights come from, of how many speakers, and how long they are as recorded."""

    clips: int
    speakers: int
    duration_p05_s: float
    duration_median_s: float
    voices: tuple[str, ...] = ()  # the speakers of training and validation; none in a run of an older vocemo

    @classmethod
    def of(cls, clips: Sequence[Clip], chosen_on: Sequence[Clip] = ()) -> TrainedOn:
        """From the training clips, and those that chose among epochs.

        Clips of unknown duration count in no percentile.
        """
        durations = [clip.duration_s for clip in clips if clip.duration_s is not None] or [0.0]
        p05, median = np.percentile(durations, [5, 50])
        speakers = len({clip.speaker for clip in clips})
        voices = {clip.speaker for clip in (*clips, *chosen_on)}
        return cls(len(clips), speakers, round(float(p05), 3), round(float(median), 3), tuple(sorted(voices)))


@dataclass(frozen=True)
class Outcome:
    """What came of a run; `test` is None for a protocol without a test."""

    parameters: int  # of the architecture, moving statistics included
    best_epoch: int
    epochs: int
    train_seconds: float
    temperature: float
    trained_on: TrainedOn
    test: FoldResult | None
    thresholds: tuple[Threshold, ...] = ()  # by the wanted risk; a risk that none reaches is left out
    distances: Distances | None = None  # None in a run of an older vocemo
    calibrated_by: str | None = None  # whose the temperature and thresholds are; None in such a run, too

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Outcome:
        """The same from result.json."""
        test = data["test"]
        if test is not None:
            test = FoldResult(**{**test, "test_speakers": tuple(test["test_speakers"])})
        found = {
            "trained_on": TrainedOn(
                **{**data["trained_on"], "voices": tuple(data["trained_on"].get("voices", ()))}
            ),
            "test": test,
            "thresholds": tuple(Threshold(**each) for each in data.get("thresholds", ())),
            "distances": Distances(**data["distances"]) if data.get("distances") else None,
        }
        return cls(**data | found)
