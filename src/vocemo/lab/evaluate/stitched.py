"""Recordings whose emotions change at known times, stitched from clips of one speaker, and how they are told.

Clips are trimmed to what sounds and put one after another with short gaps or longer pauses between them; two
neighbouring blocks never have the same emotion. The truth is the emotion from a clip's first sound to its
last, and no speech between.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vocemo.errors import CorpusError
from vocemo.prepare.signal import frame_rms, trim_bounds
from vocemo.runtime.prediction import Segment

FRAME_S = 0.01  # what is compared at a time
GAP_S = (0.05, 0.25)  # between two clips, from a breath to a beat
PAUSE_S = (0.5, 2.0)  # of one boundary in two between blocks
FLOOR_DB = -70.0  # the noise that gaps are filled with: no recording is digitally silent
_SOUNDS_BELOW_PEAK_DB = 40.0

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Stretch:
    """From when to when which emotion was played."""

    start_s: float
    end_s: float
    emotion: str


@dataclass(frozen=True)
class Stitched:
    """A recording (N,) and its truth."""

    samples: Samples
    rate: int
    truth: tuple[Stretch, ...]

    @property
    def duration_s(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate


def stitched(
    clips: Sequence[tuple[str, Samples]], rate: int, blocks: int, rng: np.random.Generator
) -> Stitched:
    """A recording of so many blocks, each one or two clips of one emotion.

    clips: (emotion, samples) of one speaker. Raises CorpusError where they have fewer than two emotions.
    """
    emotions = sorted({emotion for emotion, _ in clips})
    if len(emotions) < 2:
        raise CorpusError("a change of emotion needs clips of two emotions or more")
    parts, truth, last = [_floor(_drawn(rng, PAUSE_S), rate, rng)], list[Stretch](), ""
    at = len(parts[0])
    for _ in range(blocks):
        last = str(rng.choice([emotion for emotion in emotions if emotion != last]))
        own = [samples for emotion, samples in clips if emotion == last]
        for place in rng.choice(len(own), min(len(own), int(rng.integers(1, 3))), replace=False):
            voice = _trimmed(own[place], rate)
            truth.append(Stretch(at / rate, (at + len(voice)) / rate, last))
            gap = _floor(_drawn(rng, GAP_S), rate, rng)
            parts += [voice, gap]
            at += len(voice) + len(gap)
        if rng.random() < 0.5:
            parts.append(_floor(_drawn(rng, PAUSE_S), rate, rng))
            at += len(parts[-1])
    return Stitched(np.concatenate(parts), rate, tuple(truth))


@dataclass(frozen=True)
class TimelineScores:
    """How well timelines tell which emotion when; shares of the time of all recordings.

    `frame_accuracy` counts every frame, silent ones too; `speech_accuracy` those in which somebody speaks.
    `eder` is the emotion diarisation error rate: missed speech, false alarms and confusions over the time of
    the recordings (Wang, Ravanelli & Yacoubi 2023, "Speech Emotion Diarization", section 4; silence stands
    where they have neutral). `changes_found` is the share of changes of emotion that have a boundary of their
    own between two emotions: where the one ends or the other begins, it does so within half a second.
    """

    frame_accuracy: float
    speech_accuracy: float
    missed: float
    false_alarm: float
    confused: float
    changes_found: float

    @property
    def eder(self) -> float:
        """Missed, false and confused together."""
        return self.missed + self.false_alarm + self.confused


def scored(pairs: Sequence[tuple[Stitched, Sequence[Segment]]], within_s: float = 0.5) -> TimelineScores:
    """Recordings and their timelines, frame by frame of 10 ms and change by change."""
    counts = dict.fromkeys(("frames", "speech", "right", "right_speech", "missed", "false", "confused"), 0)
    changes = found = 0
    for recording, segments in pairs:
        count = int(recording.duration_s / FRAME_S)
        true = _by_frame([(s.start_s, s.end_s, s.emotion) for s in recording.truth], count)
        told = _by_frame([(s.start_s, s.end_s, s.emotion or "") for s in segments], count)
        spoken, answered = true != "", told != ""
        counts["frames"] += count
        counts["speech"] += int(spoken.sum())
        counts["right"] += int((true == told).sum())
        counts["right_speech"] += int((true == told)[spoken].sum())
        counts["missed"] += int((spoken & ~answered).sum())
        counts["false"] += int((~spoken & answered).sum())
        counts["confused"] += int((spoken & answered & (true != told)).sum())
        boundaries = changes_of([(s.start_s, s.end_s, s.emotion) for s in segments if s.emotion is not None])
        for start_s, end_s in changes_of([(s.start_s, s.end_s, s.emotion) for s in recording.truth]):
            changes += 1
            near = [
                each
                for each in boundaries
                if abs(each[0] - start_s) <= within_s or abs(each[1] - end_s) <= within_s
            ]
            if near:
                found += 1
                boundaries.remove(near[0])  # a boundary is one change
    frames, speech = max(counts["frames"], 1), max(counts["speech"], 1)
    return TimelineScores(
        frame_accuracy=counts["right"] / frames,
        speech_accuracy=counts["right_speech"] / speech,
        missed=counts["missed"] / frames,
        false_alarm=counts["false"] / frames,
        confused=counts["confused"] / frames,
        changes_found=found / max(changes, 1),
    )


def changes_of(stretches: Sequence[tuple[float, float, str]]) -> list[tuple[float, float]]:
    """Where one emotion gives way to another: from the end of the one to the start of the other.

    >>> changes_of([(0, 2, "sad"), (2.5, 4, "sad"), (5, 7, "angry")])
    [(4, 5)]
    """
    pairs = itertools.pairwise(stretches)
    return [(one[1], other[0]) for one, other in pairs if one[2] != other[2]]


def _by_frame(stretches: Sequence[tuple[float, float, str]], count: int) -> NDArray[np.str_]:
    frames = np.full(count, "", dtype="U32")
    for start_s, end_s, emotion in stretches:
        frames[round(start_s / FRAME_S) : round(end_s / FRAME_S)] = emotion
    return frames


def _trimmed(samples: Samples, rate: int) -> Samples:
    first, after = trim_bounds(frame_rms(samples, rate), rate, _SOUNDS_BELOW_PEAK_DB, len(samples))
    return samples[first:after]


def _drawn(rng: np.random.Generator, span: tuple[float, float]) -> float:
    return float(rng.uniform(*span))


def _floor(seconds: float, rate: int, rng: np.random.Generator) -> Samples:
    noise = rng.standard_normal(round(seconds * rate), dtype=np.float32)
    return (noise * np.float32(10 ** (FLOOR_DB / 20))).astype(np.float32)
