"""Measure answers, wherever they come from: a run, a bundle, somebody else's file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vocemo.bundle import BundleInfo
from vocemo.errors import CorpusError
from vocemo.lab import provenance
from vocemo.lab.corpora.clip import Clip, Manifest
from vocemo.lab.evaluate import FoldResult, Predictions, Results, fold_result, summarise
from vocemo.runtime.prediction import Failure
from vocemo.runtime.predictor import Predictor


@dataclass(frozen=True)
class Answered:
    """A bundle's answers to labelled clips, and a line on each thing that was left out."""

    predictions: Predictions
    remarks: tuple[str, ...]


def answer(predictor: Predictor, manifest: Manifest, each: Callable[[], None] = lambda: None) -> Answered:
    """A bundle's answers to the clips whose emotion it knows; `each` is called after every clip.

    What cannot be answered (silence, a broken file) is no prediction: it is left out and named.

    Raises CorpusError where nothing is left.
    """
    known = [clip for clip in manifest if clip.emotion in predictor.emotions]
    remarks = []
    foreign = sorted({clip.emotion for clip in manifest} - set(predictor.emotions))
    if foreign:
        remarks.append(
            f"left out: {len(manifest) - len(known)} clips of {', '.join(foreign)}, "
            "which the model has no output for"
        )
    clips: list[Clip] = []
    rows: list[list[float]] = []
    whole = [clip for clip in known if clip.start_s is None and clip.end_s is None]
    if len(whole) < len(known):
        remarks.append(
            f"left out: {len(known) - len(whole)} parts of recordings; cut them into files of their own"
        )
    answers = predictor.predict_many(clip.path for clip in whole)
    for clip, answered in zip(whole, answers, strict=True):
        each()
        if isinstance(answered, Failure):
            remarks.append(f"left out: {clip.path}: {answered.error}")
        elif answered.emotion is None:
            remarks.append(f"left out: {clip.path}: silence")
        else:
            clips.append(clip)
            rows.append([answered.probabilities[emotion] for emotion in predictor.emotions])
    if not clips:
        raise CorpusError("the model answered none of the clips: " + "; ".join(remarks))
    return Answered(Predictions.of(clips, rows, predictor.emotions, fold=0, seed=0), tuple(remarks))


def heard_in_training(info: BundleInfo, manifest: Manifest) -> tuple[str, ...]:
    """The corpora among these clips that the bundle says it was trained on.

    A clip counts to the corpus that it comes from and to the one that its speaker's name carries: a table
    may list recordings of RAVDESS.
    """
    trained = {
        name.partition("-")[0] if name.startswith("ravdess") else name for name in info.training.corpora
    }
    heard = dict.fromkeys(name for clip in manifest for name in (clip.corpus, clip.speaker.partition("/")[0]))
    return tuple(corpus for corpus in heard if corpus in trained)


def measured(
    predictions: Predictions,
    *,
    model: str,
    protocol: str,
    leaky: bool,
    parameters: int | None = None,
    per_fold: Sequence[FoldResult] = (),
) -> Results:
    """Every figure of some answers.

    A seed that lacks folds which another has is among `per_fold` and in no mean; the remark says so.
    """
    summary = summarise(predictions, np.random.default_rng(0))
    folds = per_fold or [
        fold_result(predictions.run(seed=seed, fold=fold)) for seed, fold in predictions.runs
    ]
    seeds = tuple(sorted({seed for seed, _ in predictions.runs}))
    under_way = [str(seed) for seed in seeds if seed not in summary.seeds]
    return Results(
        recipe=model,
        corpora=tuple(dict.fromkeys(subject.corpus for subject in predictions.subjects)),
        protocol=protocol,
        leaky=leaky,
        emotions=predictions.emotions,
        folds=summary.folds,
        seeds=seeds,
        metrics=summary.metrics,
        per_fold=tuple(folds),
        command=provenance.command(),
        commit=provenance.commit() or "unknown",
        date=provenance.today(),
        parameters=parameters,
        clips=summary.clips,
        per_emotion=summary.per_emotion,
        confusion=summary.confusion,
        remark=f"under way, and in no mean: seed {', '.join(under_way)}" if under_way else None,
    )
