"""Explain an answer: exchange one part of the recording after another and ask the model again.

Occlusion (Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks", section 4.2), at the
level of samples, so that it works with any bundle: a moment or a band whose loss makes the model less sure of
an emotion spoke for it. Parts are exchanged after preparation: levelled anew, what is left would grow louder.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vocemo.bundle import Bundle
from vocemo.errors import AudioError, BundleError, UnknownNameError
from vocemo.prepare import Prepared, prepare
from vocemo.runtime.explain_occlusion import Occluder, Occlusion, spans
from vocemo.runtime.explanation import Band, Explanation, MapColumn, Moment, Part
from vocemo.runtime.prediction import Prediction
from vocemo.runtime.source import Source, rereadable, stretches

if TYPE_CHECKING:
    from vocemo.runtime.predictor import Predictor

BATCH_S = 64.0  # of samples in one run of the graph,
BATCH_CLIPS = 16  # and clips: bounds the memory of its activations
LEAST = float(np.finfo(np.float32).tiny)  # stands for a probability that float32 rounds to 0
Values = NDArray[np.float64]


def explain(
    predictor: Predictor,
    source: Source,
    sample_rate: int | None = None,
    *,
    emotion: str | None = None,
    occlusion: Occlusion | None = None,
    prediction: Prediction | None = None,
) -> Explanation:
    """Which moments and bands of a recording moved a predictor; `Predictor.explain` says more.

    prediction: what the predictor answered to the same recording, where that is known already.
    Raises what `Predictor.predict` raises, UnknownNameError for an emotion that the model does not know and
    AudioError for silence, which has no answer to explain.
    """
    if emotion is not None and emotion not in predictor.emotions:
        raise UnknownNameError("emotion", emotion, predictor.emotions)
    source = rereadable(source)
    answered = predictor.predict(source, sample_rate) if prediction is None else prediction
    if answered.emotion is None:
        raise AudioError("the recording is silent: there is no answer to explain")
    explained = emotion or answered.emotion
    how = occlusion or Occlusion()
    windows = _windows(answered, explained)
    chosen = _chosen(answered, explained, how.parts)
    rate = predictor.info.preparation.sample_rate
    preparation = predictor.info.preparation
    if answered.segments:
        preparation = dataclasses.replace(preparation, offset_s=0.0)
    found = []
    heard = stretches(source, sample_rate, rate, [(round(a * rate), round(b * rate)) for a, b in chosen])
    for (start_s, _), samples in zip(chosen, heard, strict=True):
        prepared = prepare(samples, rate, preparation)
        target = predictor.emotions.index(explained)
        found.append(_Explained.of(predictor.bundle, prepared, start_s, rate, target, how))
    effects = np.mean([each.band_effects for each in found], axis=0)
    without = np.mean([each.band_without for each in found], axis=0)
    edges = found[0].edges_hz
    return Explanation(
        path=answered.path,
        duration_s=answered.duration_s,
        emotion=explained,
        answer=answered.emotion,
        probability=answered.probabilities[explained],
        parts=tuple(each.part for each in found),
        moments=tuple(moment for each in found for moment in each.moments),
        bands=tuple(
            Band(*map(float, row)) for row in zip(edges[:-1], edges[1:], effects, without, strict=True)
        ),
        map=tuple(column for each in found for column in each.map),
        windows=windows,
        neutral=how.neutral,
        model=answered.model,
    )


@dataclasses.dataclass(frozen=True)
class _Explained:
    """What was found in one part."""

    part: Part
    moments: list[Moment]
    edges_hz: Values
    band_effects: Values
    band_without: Values
    map: list[MapColumn]

    @classmethod
    def of(
        cls, bundle: Bundle, prepared: Prepared, part_s: float, rate: int, target: int, how: Occlusion
    ) -> _Explained:
        clip = prepared.samples[: prepared.length]
        occluder = Occluder(clip, rate, how)
        moments = spans(len(clip), round(how.window_s * rate), round(how.hop_s * rate))
        wide = max(round(how.window_s * rate), 2 * len(clip) // (how.columns + 1)) if how.columns else 0
        columns = spans(len(clip), wide, wide // 2 or 1) if how.columns else []

        def changed() -> Iterator[NDArray[np.float32]]:
            yield clip
            for span in moments:
                yield occluder.without(occluder.fade(*span))
            for band in range(how.bands):
                yield occluder.without(band=band)
            for span in columns:
                for band in range(how.bands):
                    yield occluder.without(occluder.fade(*span), band)

        asked = log_odds(bundle, changed(), len(prepared.samples), target)
        base, rest = asked[0], asked[1:]
        in_time, in_bands, in_map = np.split(rest, [len(moments), len(moments) + how.bands])
        first_s = part_s + prepared.start_s

        def times(span: tuple[int, int]) -> tuple[float, float]:
            return first_s + span[0] / rate, first_s + span[1] / rate

        return cls(
            part=Part(*times((0, len(clip))), probability(base), _attention(bundle, prepared)),
            moments=[
                Moment(*times(span), float(base - odds), probability(odds))
                for span, odds in zip(moments, in_time, strict=True)
            ],
            edges_hz=occluder.edges_hz,
            band_effects=base - in_bands,
            band_without=np.array([probability(odds) for odds in in_bands]),
            map=[
                MapColumn(*times(span), tuple(map(float, base - odds)))
                for span, odds in zip(columns, in_map.reshape(len(columns), how.bands), strict=True)
            ],
        )


def log_odds(bundle: Bundle, clips: Iterable[NDArray[np.float32]], width: int, target: int) -> Values:
    """The log-odds ln(p / (1 - p)) of the emotion number `target` in clips of one length: (clips,).

    clips: (N,) each, padded with zeros to `width` samples. Runs them in batches, as they come.
    Raises BundleError where the model answers with what is no number.
    """
    batch = max(1, min(BATCH_CLIPS, int(BATCH_S * bundle.info.preparation.sample_rate / width)))
    found, left = list[Values](), iter(clips)
    while rows := list(islice(left, batch)):
        samples = np.zeros((len(rows), width), np.float32)
        for row, clip in zip(samples, rows, strict=True):
            row[: len(clip)] = clip
        answers = bundle.run(samples, np.full(len(rows), len(rows[0]), np.int64))["probabilities"]
        # The sum of the others, and not 1 - p: near 1 that has lost its digits.
        sides = np.stack([answers[:, target], np.delete(answers, target, axis=1).sum(1)]).astype(np.float64)
        found.append(np.subtract(*np.log(np.maximum(sides, LEAST))))
    odds = np.concatenate(found)
    if not np.isfinite(odds).all():
        raise BundleError(f"{bundle.path} answers a part of the recording with what is no number")
    return odds


def probability(odds: float) -> float:
    """The probability with these log-odds.

    >>> probability(0.0), probability(-800.0)
    (0.5, 0.0)
    """
    return float(1.0 / (1.0 + np.exp(-odds))) if odds > -700.0 else 0.0


def _attention(bundle: Bundle, prepared: Prepared) -> tuple[float, ...]:
    """The model's own weights over the clip, adding up to 1, where its graph gives them."""
    outputs = bundle.run(prepared.samples[None], np.array([prepared.length], np.int64))
    if "attention" not in outputs:
        return ()
    weights = outputs["attention"][0].astype(np.float64)
    heard = weights[: max(1, round(len(weights) * prepared.length / len(prepared.samples)))]
    total = heard.sum()
    return tuple(map(float, heard / total)) if total > 0.0 else ()


def _windows(answered: Prediction, emotion: str) -> tuple[Moment, ...]:
    """The windows of a long recording, each with what leaving it out of the mean does to the log-odds."""
    segments = answered.segments
    if len(segments) < 2:
        return ()
    both = np.array(
        [
            (p[emotion], sum(value for name, value in p.items() if name != emotion))
            for p in (segment.probabilities for segment in segments)
        ]
    )
    total = both.sum(0)
    left = np.maximum(total - both, LEAST)
    effects = np.log(np.maximum(total, LEAST)) @ (1.0, -1.0) - np.log(left[:, 0] / left[:, 1])
    return tuple(
        Moment(segment.start_s, segment.end_s, float(effect), float(mean))
        for segment, effect, mean in zip(segments, effects, left[:, 0] / left.sum(1), strict=True)
    )


def _chosen(answered: Prediction, emotion: str, most: int) -> list[tuple[float, float]]:
    """The stretches to explain, in s: a short recording, or a long one's windows that speak most for it."""
    if not answered.segments:
        return [(0.0, answered.duration_s)]
    kept: list[tuple[float, float]] = []
    for segment in sorted(answered.segments, key=lambda segment: -segment.probabilities[emotion]):
        apart = all(segment.end_s <= start or end <= segment.start_s for start, end in kept)
        if len(kept) < most and apart:
            kept.append((segment.start_s, segment.end_s))
    return sorted(kept)
