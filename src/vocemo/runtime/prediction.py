"""What a model answers: an emotion with its confidence, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vocemo.runtime.explanation import Explanation

_DIGITS = 6  # of a probability in JSON: float32 carries about seven


@dataclass(frozen=True)
class Segment:
    """A stretch of a recording and what was heard in it; times from the start of the recording.

    Where nobody speaks `emotion` is None, `confidence` 0 and `probabilities` empty. `out_of_domain` and
    `uncertain` are those of `Prediction`, for the stretch alone.
    """

    start_s: float
    end_s: float
    emotion: str | None
    confidence: float
    probabilities: Mapping[str, float]
    out_of_domain: float | None = None
    uncertain: bool = False

    def to_dict(self, top: int | None = None) -> dict[str, Any]:
        """The JSON object of this segment, with its `top` most probable emotions alone where given."""
        ranked = sorted(self.probabilities.items(), key=lambda pair: -pair[1])[:top]
        probabilities = self.probabilities if top is None else dict(ranked)
        return {
            "start_s": round(self.start_s, 3),
            "end_s": round(self.end_s, 3),
            "emotion": self.emotion,
            "confidence": round(self.confidence, _DIGITS),
            "probabilities": _rounded(probabilities),
            "uncertain": self.uncertain,
            "out_of_domain": _score(self.out_of_domain),
        }


@dataclass(frozen=True, eq=False)
class Course:
    """What was known moment by moment, where there was speech: `times_s` (moments,) are their middles,
    `probabilities` (moments, emotions) stand in the model's order.
    """

    times_s: NDArray[np.float64]
    probabilities: NDArray[np.float64]


@dataclass(frozen=True)
class Prediction:
    """The answer for one recording.

    `emotion` is the most probable one and `confidence` its probability. In silence there is none:
    `emotion` is None, `confidence` 0 and `probabilities` empty. `uncertain` says that the confidence lies
    below the threshold, or that this does not sound like the speech that the model knows. That is so where
    `out_of_domain` is above 1: it is 0 or more and grows with how far the recording lies from what the model
    was trained on (the median over windows); None where nothing was heard or the model does not measure it.
    `segments` are the windows that were averaged, empty where the recording was answered whole; where a
    timeline was asked for they are that, from the recording's start to its end, and `course` is what it was
    made of. `probabilities` stand in the model's own order. `explanation` is there where one was asked for,
    and `sha256`, of the file, where a job is to be resumed by it. `channel`, from 0, is the one that was
    heard alone (`vocemo.OneChannel`), None where it was the mean over all.

    >>> p = Prediction("a.wav", 0.0, 2.0, 2.0, "happy", 0.75, {"happy": 0.75, "sad": 0.25}, model="tiny")
    >>> p.ranked(1)
    [('happy', 0.75)]
    >>> p.to_dict()["emotion"], p.to_dict()["segments"]
    ('happy', [])
    """

    path: str | None
    start_s: float
    end_s: float
    duration_s: float
    emotion: str | None
    confidence: float
    probabilities: Mapping[str, float]
    uncertain: bool = False
    segments: tuple[Segment, ...] = ()
    model: str = ""
    warnings: tuple[str, ...] = ()
    out_of_domain: float | None = None
    explanation: Explanation | None = None
    course: Course | None = field(default=None, compare=False, repr=False)
    sha256: str | None = None
    channel: int | None = None

    @property
    def unfamiliar(self) -> bool:
        """Whether this does not sound like the speech that the model knows."""
        return self.out_of_domain is not None and self.out_of_domain > 1.0

    def ranked(self, top: int | None = None) -> list[tuple[str, float]]:
        """The emotions and their probabilities, the most probable first; all, or the first `top`."""
        return sorted(self.probabilities.items(), key=lambda pair: -pair[1])[:top]

    def to_dict(self, top: int | None = None) -> dict[str, Any]:
        """The JSON object of this prediction, with the `top` most probable emotions alone where given."""
        probabilities = self.probabilities if top is None else dict(self.ranked(top))
        more: dict[str, Any] = {} if self.explanation is None else {"explanation": self.explanation.to_dict()}
        if self.sha256 is not None:
            more["sha256"] = self.sha256
        return {
            "path": self.path,
            **({} if self.channel is None else {"channel": self.channel}),
            "duration_s": round(self.duration_s, 3),
            "emotion": self.emotion,
            "confidence": round(self.confidence, _DIGITS),
            "probabilities": _rounded(probabilities),
            "uncertain": self.uncertain,
            "out_of_domain": _score(self.out_of_domain),
            "segments": [segment.to_dict(top) for segment in self.segments],
            "model": self.model,
            "warnings": list(self.warnings),
            **more,
        }


@dataclass(frozen=True)
class Failure:
    """A recording that could not be answered, in the place of its Prediction."""

    path: str | None
    error: Exception = field(compare=False)
    channel: int | None = None  # that was to be heard alone

    def __str__(self) -> str:
        """The path, the channel and the reason in one line."""
        reason = " ".join(str(self.error).split()) or type(self.error).__name__
        if self.channel is not None and f"channel {self.channel}" not in reason:
            reason += f" (channel {self.channel})"
        return reason if self.path is None or self.path in reason else f"{self.path}: {reason}"


def _score(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _rounded(probabilities: Mapping[str, float]) -> dict[str, float]:
    return {emotion: round(value, _DIGITS) for emotion, value in probabilities.items()}
