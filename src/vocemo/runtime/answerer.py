"""The model as the runtime asks it: prepared clips in, probabilities and predictions out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vocemo.bundle import DISTANCE, Bundle, BundleInfo
from vocemo.errors import BundleError, UsageError
from vocemo.runtime.batches import MOST_S, similar
from vocemo.runtime.prediction import Prediction, Segment

UNFAMILIAR = "this does not sound like the speech that the model knows, so its answer is a mere guess"


class Answerer:
    """A bundle, and the rules by which its probabilities become an answer."""

    def __init__(self, bundle: Bundle, threshold: float | None = None) -> None:
        """Wrap an opened bundle; UsageError where the threshold is no probability."""
        if threshold is not None and not 0.0 <= threshold <= 1.0:
            raise UsageError(f"threshold is a probability from 0 to 1, given {threshold}")
        self.bundle = bundle
        self.threshold = bundle.info.threshold if threshold is None else threshold
        preparation = bundle.info.preparation
        self.rate = preparation.sample_rate
        self.window_s = preparation.length_s or preparation.max_length_s
        self.longest_s = max(preparation.max_length_s, self.window_s)  # up to here a recording is one clip

    @property
    def info(self) -> BundleInfo:
        """What the model says of itself."""
        return self.bundle.info

    @property
    def emotions(self) -> tuple[str, ...]:
        """The emotions that the model tells apart, in its own order."""
        return self.bundle.info.emotions

    def hear(
        self, clips: Sequence[tuple[NDArray[np.float32], int]]
    ) -> list[tuple[NDArray[np.float32], float | None]]:
        """What the model says of clips that are prepared, each with its length before padding, in order.

        Gives probabilities (emotions,) and the `out_of_domain` of `Prediction`; clips of similar length share
        a run of the graph.
        """
        found: dict[int, tuple[NDArray[np.float32], float | None]] = {}
        for batch in similar([len(samples) for samples, _ in clips], round(MOST_S * self.rate)):
            widest = max(len(clips[index][0]) for index in batch)
            together = np.zeros((len(batch), widest), np.float32)
            for row, index in enumerate(batch):
                together[row, : len(clips[index][0])] = clips[index][0]
            lengths = np.array([clips[index][1] for index in batch], np.int64)
            outputs = self.bundle.run(together, lengths)
            scores = self._scores(outputs.get(DISTANCE), len(batch))
            found |= dict(zip(batch, zip(outputs["probabilities"], scores, strict=True), strict=True))
        return [found[index] for index in range(len(clips))]

    def _scores(self, distances: NDArray[np.float32] | None, clips: int) -> list[float] | list[None]:
        """Each clip's distance over the model's limit; None where the model has no such thing."""
        limit = self.info.distance_limit
        if limit is None or distances is None:
            return [None] * clips
        return [float(distance) / limit for distance in distances]

    def silence(self, path: str | None, duration_s: float, warnings: Sequence[str]) -> Prediction:
        """The answer for a recording in which nothing was heard."""
        said = tuple(dict.fromkeys(warnings))
        return Prediction(path, 0.0, duration_s, duration_s, None, 0.0, {}, False, (), self.info.name, said)

    def conclude(
        self,
        path: str | None,
        duration_s: float,
        probabilities: NDArray[np.floating],
        warnings: Sequence[str],
        segments: tuple[Segment, ...] = (),
        out_of_domain: float | None = None,
    ) -> Prediction:
        """The answer for a recording, from its probabilities (emotions,)."""
        if not np.isfinite(probabilities).all():
            what = path or "the recording"
            raise BundleError(
                f"{self.bundle.path} answers {what} with what is no probability: {probabilities}"
            )
        best = int(np.argmax(probabilities))
        confidence = float(probabilities[best])
        unfamiliar = out_of_domain is not None and out_of_domain > 1.0
        warnings = [*warnings, UNFAMILIAR] if unfamiliar else warnings
        return Prediction(
            path=path,
            start_s=0.0,
            end_s=duration_s,
            duration_s=duration_s,
            emotion=self.emotions[best],
            confidence=confidence,
            probabilities=dict(zip(self.emotions, map(float, probabilities), strict=True)),
            uncertain=self.doubts(confidence, out_of_domain),
            segments=segments,
            model=self.info.name,
            warnings=tuple(dict.fromkeys(warnings)),
            out_of_domain=out_of_domain,
        )

    def doubts(self, confidence: float, out_of_domain: float | None) -> bool:
        """Whether an answer is called uncertain."""
        unfamiliar = out_of_domain is not None and out_of_domain > 1.0
        return unfamiliar or (self.threshold is not None and confidence < self.threshold)
