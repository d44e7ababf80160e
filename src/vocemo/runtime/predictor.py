"""The predictor: any recording in, a Prediction out.

One way leads from everything to an answer: path, bytes or samples -> decode at the bundle's rate ->
prepare as the bundle asks -> graph -> Prediction. Many recordings take the same way in batches of
similar length, and a recording of any length takes it window by window.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vocemo.bundle import DISTANCE, Bundle, BundleInfo, usable_cores
from vocemo.errors import BundleError, TooShortAudioError, UsageError, VocemoError
from vocemo.prepare import prepare
from vocemo.runtime.prediction import Failure, Prediction, Segment
from vocemo.runtime.source import Source, is_encoded, name_of, pieces
from vocemo.runtime.windows import cut, level_db

if TYPE_CHECKING:
    from vocemo.runtime.explain_occlusion import Occlusion
    from vocemo.runtime.explanation import Explanation

SILENT_BELOW_LOUDEST_DB = 30.0  # a window this far below the loudest holds no speech worth averaging
SHORT_S = 3.0  # a clip below this is warned of, where the model was trained on longer ones
UNFAMILIAR = "this does not sound like the speech that the model knows, so its answer is a mere guess"
MOST_JOBS = 4  # threads that decode by default
_BATCH_CLIPS = 16  # clips in one run of the graph,
_BATCH_S = 64.0  # and seconds, padding included: bounds the memory of its activations
_FIRST_GROUP, _LARGEST_GROUP = 4, 64  # recordings read ahead: few at first, so that answers come at once


@dataclass(frozen=True)
class _Clip:
    """A recording that is decoded, prepared and short enough for one run of the graph."""

    path: str | None
    duration_s: float
    samples: NDArray[np.float32]
    length: int  # samples before padding
    warnings: tuple[str, ...]


def load(
    path: str | os.PathLike[str] | None = None,
    *,
    device: str = "auto",
    threshold: float | None = None,
    threads: int | None = None,
) -> Predictor:
    """A predictor from a bundle; without a path, from the model inside the package.

    device: auto, cpu or cuda. threshold: confidence below which an answer is called uncertain; by default
    the bundle's own. threads: CPU threads inside one run; by default one a usable core, up to four.

    Raises BundleError for a file that is no bundle, UsageError for a device or threshold that is none.
    """
    return Predictor(Bundle.open(path, device=device, threads=threads), threshold=threshold)


class Predictor:
    """A bundle that answers recordings."""

    def __init__(self, bundle: Bundle, *, threshold: float | None = None) -> None:
        """Wrap an opened bundle; UsageError where the threshold is no probability."""
        if threshold is not None and not 0.0 <= threshold <= 1.0:
            raise UsageError(f"threshold is a probability from 0 to 1, given {threshold}")
        self.bundle = bundle
        self.threshold = bundle.info.threshold if threshold is None else threshold
        preparation = bundle.info.preparation
        self._rate = preparation.sample_rate
        self._window_s = preparation.length_s or preparation.max_length_s
        self._whole_s = max(preparation.max_length_s, self._window_s)  # up to here a recording is one clip

    @property
    def info(self) -> BundleInfo:
        """What the model says of itself."""
        return self.bundle.info

    @property
    def emotions(self) -> tuple[str, ...]:
        """The emotions that the model tells apart, in its own order."""
        return self.bundle.info.emotions

    @property
    def device(self) -> str:
        """Where the model runs: cpu or cuda."""
        return self.bundle.device

    def predict(self, source: Source, sample_rate: int | None = None) -> Prediction:
        """The emotion of one recording.

        source: a path, the bytes of a file, an open binary file, or samples: (N,) or (channels, N),
        floats within -1 to 1 or signed integers of their full range, with their sample_rate in Hz.

        Past the model's longest window the answer is the mean over windows, the silent ones left out by
        level. Of a shorter recording, a model of fixed length hears what its preparation picks.

        Raises an AudioError that says why the recording cannot be answered, and UsageError for samples
        without their rate.
        """
        heard = self._hear(source, sample_rate)
        return heard if isinstance(heard, Prediction) else self._answer([heard])[0]

    def predict_many(
        self, sources: Iterable[Source], sample_rate: int | None = None, *, jobs: int | None = None
    ) -> Iterator[Prediction | Failure]:
        """The emotions of many recordings, in order, with a Failure in the place of what has no answer.

        sources: as `predict` takes them; sample_rate, in Hz, is that of those that are samples.
        jobs: threads that decode and prepare; by default one a usable core, up to four.
        """
        jobs = min(usable_cores(), MOST_JOBS) if jobs is None else jobs
        if jobs < 1:
            raise UsageError(f"jobs is 1 or more, given {jobs}")
        groups = _growing_groups(sources)
        if jobs == 1:
            for group in groups:
                yield from self._answer_group([self._try(source, sample_rate) for source in group])
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(jobs, thread_name_prefix="vocemo") as pool:
            for group in groups:
                heard = pool.map(lambda source: self._try(source, sample_rate), group)
                yield from self._answer_group(list(heard))

    def explain(
        self,
        source: Source,
        sample_rate: int | None = None,
        *,
        emotion: str | None = None,
        occlusion: Occlusion | None = None,
    ) -> Explanation:
        """Which moments and which bands of a recording moved the model, for or against an emotion.

        source, sample_rate: as `predict` takes them. emotion: the one to explain; by default the answer.
        occlusion: how finely; see `vocemo.runtime.explain_occlusion.Occlusion`.

        One part after another is exchanged for noise with the recording's own background spectrum, and the
        model is asked again. Of a recording past the model's longest window, the windows that speak most for
        the emotion are explained. It says what moved the model, not what the speaker felt.

        Raises as `predict` does, UnknownNameError for an emotion that the model does not know, and AudioError
        for silence, which has no answer to explain.
        """
        from vocemo.runtime.explain import explain

        return explain(self, source, sample_rate, emotion=emotion, occlusion=occlusion)

    def _try(self, source: Source, sample_rate: int | None) -> _Clip | Prediction | Failure:
        try:
            return self._hear(source, None if is_encoded(source) else sample_rate)
        except (VocemoError, OSError) as error:
            return Failure(name_of(source), error)

    def _hear(self, source: Source, sample_rate: int | None) -> _Clip | Prediction:
        """Decode and prepare; what needs no batch (silence, a long recording) is answered here."""
        path, warnings = name_of(source), list[str]()
        parts = self._pieces(source, sample_rate, warnings)
        head, held, longest = list[NDArray[np.float32]](), 0, round(self._whole_s * self._rate)
        for part in parts:
            head.append(part)
            held += len(part)
            if held > longest:
                return self._average(path, itertools.chain(head, parts), warnings)
        prepared = prepare(np.concatenate(head), self._rate, self.info.preparation)
        duration_s = held / self._rate
        warnings += prepared.warnings
        if prepared.silent:
            return self._silence(path, duration_s, warnings)
        warnings += self._remarks(duration_s)
        return _Clip(path, duration_s, prepared.samples, prepared.length, tuple(dict.fromkeys(warnings)))

    def _pieces(
        self, source: Source, sample_rate: int | None, warnings: list[str]
    ) -> Iterator[NDArray[np.float32]]:
        """The samples of a source at the model's rate; adds its warnings as they come."""
        for part in pieces(source, sample_rate, self._rate):
            warnings += part.warnings
            yield part.samples

    def _remarks(self, duration_s: float) -> list[str]:
        """What to say of a clip's length."""
        usual_s = self.info.training.duration_p05_s
        if duration_s < min(SHORT_S, usual_s):
            return [
                f"the clip lasts {duration_s:.2f} s; the model was trained on clips of {usual_s:.1f} s and "
                "more, so this answer is less reliable"
            ]
        return []

    def _average(
        self, path: str | None, stream: Iterator[NDArray[np.float32]], warnings: list[str]
    ) -> Prediction:
        """The mean over the windows of a long recording, in memory that does not grow with it."""
        preparation = dataclasses.replace(self.info.preparation, offset_s=0.0)
        end, levels_db, segments = 0, list[float](), list[Segment]()
        per_run = max(1, min(_BATCH_CLIPS, int(_BATCH_S / self._window_s)))
        windows = cut(stream, round(self._window_s * self._rate))
        while batch := list(itertools.islice(windows, per_run)):
            clips, spans = list[_Clip](), list[tuple[float, float]]()
            for start, window in batch:
                end = start + len(window)
                try:
                    prepared = prepare(window, self._rate, preparation)
                except TooShortAudioError:  # what trimming left of it is no speech
                    continue
                if not prepared.silent:
                    clips.append(_Clip(None, 0.0, prepared.samples, prepared.length, ()))
                    spans.append((start / self._rate, end / self._rate))
                    levels_db.append(level_db(window))
            for span, prediction in zip(spans, self._answer(clips), strict=True):
                segments.append(
                    Segment(
                        *span,
                        prediction.emotion or "",
                        prediction.confidence,
                        prediction.probabilities,
                        prediction.out_of_domain,
                    )
                )
        floor_db = max(levels_db, default=0.0) - SILENT_BELOW_LOUDEST_DB
        kept = [segment for segment, db in zip(segments, levels_db, strict=True) if db >= floor_db]
        if not kept:
            return self._silence(path, end / self._rate, [*warnings, "the recording is silent"])
        mean = np.mean([list(segment.probabilities.values()) for segment in kept], axis=0)
        scores = [segment.out_of_domain for segment in kept if segment.out_of_domain is not None]
        unlike = sum(score > 1.0 for score in scores)
        score = float(np.median(scores)) if scores else None
        if score is not None and score <= 1.0 and unlike:
            warnings = [
                *warnings,
                f"{unlike} of {len(kept)} windows do not sound like the speech that the model knows",
            ]
        return self._prediction(path, end / self._rate, mean, warnings, tuple(kept), score)

    def _silence(self, path: str | None, duration_s: float, warnings: Sequence[str]) -> Prediction:
        said = tuple(dict.fromkeys(warnings))
        return Prediction(path, 0.0, duration_s, duration_s, None, 0.0, {}, False, (), self.info.name, said)

    def _prediction(
        self,
        path: str | None,
        duration_s: float,
        probabilities: NDArray[np.floating],
        warnings: Sequence[str],
        segments: tuple[Segment, ...] = (),
        out_of_domain: float | None = None,
    ) -> Prediction:
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
            uncertain=unfamiliar or (self.threshold is not None and confidence < self.threshold),
            segments=segments,
            model=self.info.name,
            warnings=tuple(dict.fromkeys(warnings)),
            out_of_domain=out_of_domain,
        )

    def _answer_group(self, heard: Sequence[_Clip | Prediction | Failure]) -> Iterator[Prediction | Failure]:
        """Answer the clips of a group in batches of similar length and put all back in order."""
        clips = [each for each in heard if isinstance(each, _Clip)]
        answers = iter(self._answer(clips))
        for each in heard:
            yield next(answers) if isinstance(each, _Clip) else each

    def _answer(self, clips: Sequence[_Clip]) -> list[Prediction]:
        """The predictions of clips, in their order."""
        answers: dict[int, Prediction] = {}
        for batch in _batches([len(clip.samples) for clip in clips], round(_BATCH_S * self._rate)):
            widest = max(len(clips[index].samples) for index in batch)
            samples = np.zeros((len(batch), widest), np.float32)
            for row, index in enumerate(batch):
                samples[row, : len(clips[index].samples)] = clips[index].samples
            lengths = np.array([clips[index].length for index in batch], np.int64)
            outputs = self.bundle.run(samples, lengths)
            scores = self._scores(outputs.get(DISTANCE), len(batch))
            for index, row, score in zip(batch, outputs["probabilities"], scores, strict=True):
                clip = clips[index]
                answers[index] = self._prediction(
                    clip.path, clip.duration_s, row, clip.warnings, out_of_domain=score
                )
        return [answers[index] for index in range(len(clips))]

    def _scores(self, distances: NDArray[np.float32] | None, clips: int) -> list[float] | list[None]:
        """Each clip's distance over the model's limit; None where the model has no such thing."""
        limit = self.info.distance_limit
        if limit is None or distances is None:
            return [None] * clips
        return [float(distance) / limit for distance in distances]


def _growing_groups(sources: Iterable[Source]) -> Iterator[list[Source]]:
    """Sources in groups that double from a few to many."""
    left, size = iter(sources), _FIRST_GROUP
    while group := list(itertools.islice(left, size)):
        yield group
        size = min(2 * size, _LARGEST_GROUP)


def _batches(lengths: Sequence[int], most_samples: int) -> Iterator[list[int]]:
    """Indices of clips of similar length, in batches that hold no more than `most_samples` with padding.

    >>> list(_batches([5, 1, 6, 2], most_samples=12))
    [[1, 3], [0, 2]]
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if batch and (len(batch) == _BATCH_CLIPS or (len(batch) + 1) * lengths[index] > most_samples):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
