"""Predictions of folds and seeds, drawn together into a result's numbers.

For each seed every metric is had in two ways: the mean over that seed's folds, and the value on
the test predictions of all its folds together (pooled). Over seeds both are averaged. A seed that
lacks folds which another has (a cross-validation that is still running) is left out of metrics,
so that all that is averaged covers the same test clips.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vocemo.errors import UsageError
from vocemo.lab.evaluate import bootstrap
from vocemo.lab.evaluate.confidence import (
    interval_over_speakers,
    kappa_influence,
    macro_f1_influence,
    mean_influence,
    uar_influence,
)
from vocemo.lab.evaluate.groups import Gap, GroupResult, by_group, gaps, speaker_named, speakers_named
from vocemo.lab.evaluate.metrics import Scores, confusion_matrix, f1, precision, recall, score
from vocemo.lab.evaluate.predictions import Predictions
from vocemo.lab.evaluate.reliability import calibrated_ece, in_top
from vocemo.lab.evaluate.results import EmotionResult, FoldResult, Metric
from vocemo.lab.evaluate.speakers import speaker_gap

BY_FOLD = ("uar", "accuracy", "macro_f1", "loss")
POOLED = ("kappa", "ece", "brier", "aurc", "top2")
OF_PROBABILITIES = ("loss", "ece", "brier", "aurc", "top2")
_ENDLESS = (0.0, float("inf"))
_BOUNDS = {"loss": _ENDLESS, "brier": _ENDLESS, "kappa": (-1.0, 1.0)}  # of the others: 0 to 1


@dataclass(frozen=True)
class Summary:
    """What a result says beside where it comes from."""

    folds: int
    seeds: tuple[int, ...]  # those that `metrics` averages
    clips: int  # test clips of one seed
    metrics: dict[str, Metric]
    per_emotion: dict[str, EmotionResult]
    confusion: tuple[tuple[int, ...], ...]  # a row a target, added up over the seeds
    groups: dict[str, tuple[GroupResult, ...]]
    gaps: dict[str, tuple[Gap, ...]]
    speakers: int  # those that are known by name


def fold_result(
    predictions: Predictions,
    *,
    best_epoch: int | None = None,
    epochs: int | None = None,
    train_seconds: float | None = None,
) -> FoldResult:
    """One model's own test fold, from its predictions.

    Raises:
        UsageError: the predictions are of several folds or seeds, or there are none.
    """
    if len(predictions.runs) != 1:
        raise UsageError(
            f"predictions of {len(predictions.runs)} models (seed, fold): {list(predictions.runs)}; "
            "a fold's result needs those of one"
        )
    ((seed, fold),) = predictions.runs
    found = score(predictions.targets, predictions.probabilities)
    return FoldResult(
        fold=fold,
        seed=seed,
        uar=found.uar,
        accuracy=found.accuracy,
        test_speakers=predictions.speakers,
        macro_f1=found.macro_f1,
        loss=found.loss if predictions.probabilistic else None,
        test_clips=len(predictions),
        best_epoch=best_epoch,
        epochs=epochs,
        train_seconds=train_seconds,
    )


def complete_seeds(predictions: Predictions) -> tuple[int, ...]:
    """The seeds that have every fold that any seed has; where none has, those that have most.

    In the second case the folds common to them may still differ; a finished run has no such case.
    """
    folds: dict[int, set[int]] = {}
    for seed, fold in predictions.runs:
        folds.setdefault(seed, set()).add(fold)
    most = max((len(found) for found in folds.values()), default=0)
    return tuple(sorted(seed for seed, found in folds.items() if len(found) == most))


def summarise(predictions: Predictions, generator: np.random.Generator) -> Summary:
    """All that can be said of the test predictions of a cross-validation's folds and seeds.

    Args:
        predictions: test predictions, each row with its fold and seed.
        generator: draws the simulations of `calibrated_ece` and the resamples of `bootstrap`.

    Returns:
        Metrics uar, accuracy, macro_f1 and loss as means over folds with pooled value and an
        interval over speakers; kappa, ece, brier, aurc, top2 of pooled predictions. Those of
        probabilities are absent where there are none, kappa where it is undefined.

    Raises:
        UsageError: there are none.
    """
    if not len(predictions):
        raise UsageError("no predictions to summarise: there must be one or more")
    seeds = complete_seeds(predictions)
    used = predictions.where(np.isin(predictions.seed, seeds))
    pooled = [_score(used.where(used.seed == seed)) for seed in seeds]
    by_fold = [[_score(used.run(seed=s, fold=fold)) for s, fold in used.runs if s == seed] for seed in seeds]
    resampling = generator.spawn(1)[0]  # a stream of its own, so that the other one's draws stay as they are
    absent = () if used.probabilistic else OF_PROBABILITIES
    metrics: dict[str, Metric] = {}
    for name in (each for each in BY_FOLD if each not in absent):
        over_folds = [float(np.mean([getattr(s, name) for s in folds])) for folds in by_fold]
        together = float(np.mean([getattr(s, name) for s in pooled]))
        metrics[name] = Metric(
            mean=float(np.mean(over_folds)),
            over="folds",
            sd=_sd(over_folds),
            pooled=together,
            ci95=_interval(name, together, used, seeds),
        )
    for name in (each for each in POOLED if each not in absent):
        values = [float(getattr(s, name)) for s in pooled]
        if np.isnan(values).any():
            continue
        chance = None
        if name == "ece":
            chance = float(
                np.mean([calibrated_ece(used.probabilities[used.seed == s], generator) for s in seeds])
            )
        mean = float(np.mean(values))
        by_drawing = name == "aurc"
        metrics[name] = Metric(
            mean=mean,
            over="pooled",
            sd=_sd(values),
            ci95=_drawn(mean, used, seeds, resampling) if by_drawing else _interval(name, mean, used, seeds),
            calibrated=chance,
        )
    confusion = confusion_matrix(used.targets, used.predicted, len(used.emotions))
    return Summary(
        folds=len({fold for _, fold in used.runs}),
        seeds=seeds,
        clips=int((used.seed == seeds[0]).sum()),
        metrics=metrics,
        per_emotion=per_emotion(confusion, used.emotions),
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        groups=by_group(used),
        gaps=_with_speakers(gaps(used), speaker_gap(used)),
        speakers=len({subject.speaker for subject in used.subjects if speaker_named(subject)}),
    )


def pooled_metric(name: str, predictions: Predictions) -> Metric:
    """A metric of all folds' answers together, the mean over complete seeds, with its interval over speakers.

    Raises UsageError where there are no predictions.
    """
    if not len(predictions):
        raise UsageError(f"no predictions to take {name} of: there must be one or more")
    seeds = complete_seeds(predictions)
    used = predictions.where(np.isin(predictions.seed, seeds))
    values = [float(getattr(_score(used.where(used.seed == seed)), name)) for seed in seeds]
    mean = float(np.mean(values))
    return Metric(mean, over="pooled", sd=_sd(values), ci95=_interval(name, mean, used, seeds))


def _with_speakers(found: dict[str, tuple[Gap, ...]], between: Gap | None) -> dict[str, tuple[Gap, ...]]:
    return found if between is None else {**found, "speaker": (between,)}


def per_emotion(confusion: NDArray[np.int64], emotions: Sequence[str]) -> dict[str, EmotionResult]:
    """Recall, precision and F1 of each emotion by name; undefined ones are None."""

    def defined(value: float) -> float | None:
        return None if np.isnan(value) else float(value)

    columns = zip(
        emotions, confusion.sum(1), recall(confusion), precision(confusion), f1(confusion), strict=True
    )
    return {
        name: EmotionResult(int(clips), defined(r), defined(p), defined(f))
        for name, clips, r, p, f in columns
    }


def _score(predictions: Predictions) -> Scores:
    return score(predictions.targets, predictions.probabilities)


def _sd(values: Sequence[float]) -> float | None:
    """Sample standard deviation, None of a single value."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def _influence(name: str, predictions: Predictions) -> NDArray[np.float64] | None:
    """Each row's influence on a pooled metric, None for those that have no such interval."""
    targets, given = predictions.targets, predictions.probabilities
    own = given[np.arange(len(targets)), targets]
    rows: dict[str, Callable[[], NDArray[np.float64]]] = {
        "uar": lambda: uar_influence(targets, predictions.predicted, given.shape[1]),
        "macro_f1": lambda: macro_f1_influence(targets, predictions.predicted, given.shape[1]),
        "kappa": lambda: kappa_influence(targets, predictions.predicted, given.shape[1]),
        "accuracy": lambda: mean_influence(targets == predictions.predicted),
        "top2": lambda: mean_influence(in_top(targets, given, 2)),
        "loss": lambda: mean_influence(-np.log(np.maximum(own, np.finfo(np.float64).eps))),
        "brier": lambda: mean_influence(np.square(given).sum(1) - 2 * own + 1),
    }
    return rows[name]() if name in rows else None


def _interval(
    name: str, estimate: float, predictions: Predictions, seeds: Sequence[int]
) -> tuple[float, float] | None:
    """The interval over speakers of a pooled metric's mean over seeds; None where they are not known."""
    if not speakers_named(predictions):
        return None
    influence = influence_of(name, predictions, seeds)
    if influence is None:
        return None
    found = interval_over_speakers(
        estimate,
        influence,
        [s.speaker for s in predictions.subjects],
        bounds=_BOUNDS.get(name, (0.0, 1.0)),
    )
    return None if found is None else (found.low, found.high)


def influence_of(name: str, predictions: Predictions, seeds: Sequence[int]) -> NDArray[np.float64] | None:
    """Each row's influence (n,) on the mean over seeds of a pooled metric; None for one that has none."""
    total = np.zeros(len(predictions))
    for seed in seeds:
        rows = predictions.seed == seed
        influence = _influence(name, predictions.where(rows))
        if influence is None:
            return None
        total[rows] = influence / len(seeds)
    return total


def _drawn(
    estimate: float, predictions: Predictions, seeds: Sequence[int], generator: np.random.Generator
) -> tuple[float, float] | None:
    """The interval over speakers of AURC's mean over seeds, by the bootstrap; seeds share each resample."""
    if not speakers_named(predictions):
        return None
    parts = [predictions.where(predictions.seed == seed) for seed in seeds]
    speakers = parts[0].speakers
    if len(speakers) < 2 or any(part.speakers != speakers for part in parts):
        return None
    weights = bootstrap.draw(len(speakers), bootstrap.SAMPLES, generator)
    values = []
    for part in parts:
        answers = bootstrap.Answers.of(part.targets, part.probabilities, [s.speaker for s in part.subjects])
        values.append(answers.measure(weights, ["aurc"])["aurc"])
    found = bootstrap.t_interval(estimate, np.mean(values, 0), len(speakers))
    return None if found is None else (found.low, found.high)
