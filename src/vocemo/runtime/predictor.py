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
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from vocemo.bundle import Bundle, BundleInfo, usable_cores
from vocemo.errors import UsageError, VocemoError
from vocemo.prepare import prepare
from vocemo.runtime.answerer import Answerer
from vocemo.runtime.averaging import averaged
from vocemo.runtime.batches import growing_groups, one_ahead
from vocemo.runtime.condition import SoundCondition
from vocemo.runtime.prediction import Failure, Prediction, Segment
from vocemo.runtime.source import Source, channel_of, is_encoded, name_of, pieces
from vocemo.runtime.windows import first

if TYPE_CHECKING:
    from concurrent.futures import Future

    from vocemo.runtime.explain_occlusion import Occlusion
    from vocemo.runtime.explanation import Explanation
    from vocemo.runtime.stream import Stream
    from vocemo.runtime.timeline_options import TimelineOptions

SHORT_S = 3.0  # a clip below this is warned of, where the model was trained on longer ones
MOST_JOBS = 4  # threads that decode by default
Answer = TypeVar("Answer", Prediction, Prediction | Failure)


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
    """A predictor from a bundle; without a path, from the best model inside the package.

    path: of a bundle, or the name of a model inside the package.
    device: auto, cpu or cuda. threshold: confidence below which an answer is called uncertain; by default
    the bundle's own. threads: CPU threads inside one run; by default one a usable core, up to four.

    Raises BundleError for a file that is no bundle, UsageError for a device or threshold that is none.
    """
    return Predictor(Bundle.open(path, device=device, threads=threads), threshold=threshold)


class Predictor:
    """A bundle that answers recordings."""

    def __init__(self, bundle: Bundle, *, threshold: float | None = None) -> None:
        """Wrap an opened bundle; UsageError where the threshold is no probability."""
        self.answerer = Answerer(bundle, threshold)

    @property
    def bundle(self) -> Bundle:
        """The opened file: its graph, and what it says of itself."""
        return self.answerer.bundle

    @property
    def threshold(self) -> float | None:
        """The confidence below which an answer is called uncertain; None where none is."""
        return self.answerer.threshold

    @property
    def window_s(self) -> float:
        """The length of what the model hears at once, in seconds."""
        return self.answerer.window_s

    @property
    def longest_s(self) -> float:
        """Up to here, in seconds, a recording is one clip; past it it is heard window by window."""
        return self.answerer.longest_s

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
        floats within -1 to 1 or signed integers of their full range, with their sample_rate in Hz. Of any
        of these a `vocemo.OneChannel` is one channel alone; otherwise the mean over channels is heard.

        Past the model's longest window the answer is the mean over windows, the silent ones left out by
        level. Of a shorter recording, a model of fixed length hears what its preparation picks.

        Raises an AudioError that says why the recording cannot be answered, and UsageError for samples
        without their rate.
        """
        heard = self._hear(source, sample_rate)
        return _with_channel(source, heard if isinstance(heard, Prediction) else self._answer([heard])[0])

    def predict_many(
        self,
        sources: Iterable[Source],
        sample_rate: int | None = None,
        *,
        jobs: int | None = None,
        processes: int = 1,
        timeline: bool | TimelineOptions = False,
    ) -> Iterator[Prediction | Failure]:
        """The emotions of many recordings, in order, with a Failure in the place of what has no answer.

        sources: as `predict` takes them; sample_rate, in Hz, is that of those that are samples.
        jobs: threads that decode and prepare; by default one a usable core, up to four.
        processes: more than one divide long work among them, each with the model opened for itself in half a
        second and 80 MB, one thread each; a script needs `if __name__ == "__main__":` then.
        timeline: answer as `predict_timeline` does, with these options where some are given.
        """
        jobs = min(usable_cores(), MOST_JOBS) if jobs is None else jobs
        if jobs < 1:
            raise UsageError(f"jobs is 1 or more, given {jobs}")
        if processes < 1:
            raise UsageError(f"processes is 1 or more, given {processes}")
        if processes > 1:
            from vocemo.runtime.processes import over_processes

            yield from over_processes(self, sources, sample_rate, timeline, processes)
            return
        groups = growing_groups(sources)

        def heard(source: Source) -> _Clip | Prediction | Failure:
            return self._try(source, sample_rate, timeline)

        if jobs == 1:
            for group in groups:
                yield from map(_with_channel, group, self._answer_group([heard(source) for source in group]))
            return
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(jobs, thread_name_prefix="vocemo")

        def begin(group: Sequence[Source]) -> list[tuple[Source, Future[_Clip | Prediction | Failure]]]:
            return [(source, pool.submit(heard, source)) for source in group]

        try:
            # A group is decoded while the model answers the one before it.
            for begun in one_ahead(groups, begin):
                answers = self._answer_group([future.result() for _, future in begun])
                yield from (
                    _with_channel(source, answer) for (source, _), answer in zip(begun, answers, strict=True)
                )
        finally:
            pool.shutdown(cancel_futures=True)

    def timeline(
        self, source: Source, sample_rate: int | None = None, *, options: TimelineOptions | None = None
    ) -> list[Segment]:
        """Which emotion when: segments one after another, from the start of a recording to its end.

        source, sample_rate: as `predict` takes them. options: how finely; see
        `vocemo.TimelineOptions`.

        Speech is looked for; where there is none, the segment has no emotion. The memory does not grow with
        the recording. Raises as `predict` does.
        """
        return list(self.predict_timeline(source, sample_rate, options=options).segments)

    def predict_timeline(
        self, source: Source, sample_rate: int | None = None, *, options: TimelineOptions | None = None
    ) -> Prediction:
        """As `predict`, with the timeline as its segments; the answer is the mean over all speech."""
        from vocemo.runtime.timeline import predict

        warnings = list[str]()
        parts = self._pieces(source, sample_rate, warnings)
        return _with_channel(source, predict(self.answerer, name_of(source), parts, warnings, options))

    def stream(self, sample_rate: int | None = None, *, options: TimelineOptions | None = None) -> Stream:
        """A stream to push samples to as they come: `stream.push(chunk)` gives events.

        sample_rate: theirs, in Hz; by default the model's own (`info.preparation.sample_rate`). options: as
        for `timeline`. Any number of streams share the model.
        """
        from vocemo.runtime.stream import Stream

        return Stream(self.answerer, self.answerer.rate if sample_rate is None else sample_rate, options)

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

    def embed(self, source: Source, sample_rate: int | None = None) -> NDArray[np.float32]:
        """What the model makes of a voice before it names an emotion: (D,), the mean over windows.

        source, sample_rate: as `predict` takes them. Voices in like moods lie near each other, so that a few
        clips of your own teach a classifier emotions of your own (`vocemo.lab.estimator`).

        Raises as `predict` does, and AudioError for silence.
        """
        from vocemo.runtime.embedding import embed

        return embed(self.answerer, name_of(source) or "the recording", self._pieces(source, sample_rate, []))

    def _try(
        self, source: Source, sample_rate: int | None, timeline: bool | TimelineOptions
    ) -> _Clip | Prediction | Failure:
        rate = None if is_encoded(source) else sample_rate
        try:
            if timeline is False:
                return self._hear(source, rate)
            return self.predict_timeline(source, rate, options=None if timeline is True else timeline)
        except (VocemoError, OSError) as error:
            return Failure(name_of(source), error)

    def _hear(self, source: Source, sample_rate: int | None) -> _Clip | Prediction:
        """Decode and prepare; what needs no batch (silence, a long recording) is answered here."""
        path, warnings = name_of(source), list[str]()
        parts = self._pieces(source, sample_rate, warnings)
        longest = round(self.longest_s * self.answerer.rate)
        head = first(parts, beyond=longest)
        held = sum(map(len, head))
        if held > longest:
            return averaged(self.answerer, path, itertools.chain(head, parts), warnings)
        prepared = prepare(np.concatenate(head), self.answerer.rate, self.info.preparation)
        duration_s = held / self.answerer.rate
        warnings += prepared.warnings
        if prepared.silent:
            return self.answerer.silence(path, duration_s, warnings)
        warnings += self._remarks(duration_s)
        return _Clip(path, duration_s, prepared.samples, prepared.length, tuple(dict.fromkeys(warnings)))

    def _pieces(
        self, source: Source, sample_rate: int | None, warnings: list[str]
    ) -> Iterator[NDArray[np.float32]]:
        """The samples of a source at the model's rate; adds its warnings as they come."""
        condition = SoundCondition(self.answerer.rate)
        for part in pieces(source, sample_rate, self.answerer.rate):
            warnings += part.warnings
            condition.push(part.samples)
            yield part.samples
        warnings += condition.remarks()

    def _remarks(self, duration_s: float) -> list[str]:
        """What to say of a clip's length."""
        usual_s = self.info.training.duration_p05_s
        if duration_s < min(SHORT_S, usual_s):
            return [
                f"the clip lasts {duration_s:.2f} s; the model was trained on clips of {usual_s:.1f} s and "
                "more, so this answer is less reliable"
            ]
        return []

    def _answer_group(self, heard: Sequence[_Clip | Prediction | Failure]) -> Iterator[Prediction | Failure]:
        """Answer the clips of a group in batches of similar length and put all back in order."""
        clips = [each for each in heard if isinstance(each, _Clip)]
        answers = iter(self._answer(clips))
        for each in heard:
            yield next(answers) if isinstance(each, _Clip) else each

    def _answer(self, clips: Sequence[_Clip]) -> list[Prediction]:
        """The predictions of clips, in their order."""
        heard = self.answerer.hear([(clip.samples, clip.length) for clip in clips])
        return [
            self.answerer.conclude(clip.path, clip.duration_s, row, clip.warnings, out_of_domain=score)
            for clip, (row, score) in zip(clips, heard, strict=True)
        ]


def _with_channel(source: Source, answer: Answer) -> Answer:
    """The answer to a source, with the channel that it is of."""
    channel = channel_of(source)
    return answer if channel is None else dataclasses.replace(answer, channel=channel)
