"""Two models' answers to the same clips, made ready for the tests of `significance`.

Seeds are averaged first. For a speaker: each seed's pooled measure has a value for each speaker
(`confidence.pseudo_values`; the speaker's own measure, where all have the same clips), and the speaker's
is the mean over seeds. For a clip: the share of seeds that are right on it. What random starts differ by
is in neither test: they are about the models that were trained.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath

import numpy as np

from vocemo.lab.evaluate.confidence import pseudo_values
from vocemo.lab.evaluate.groups import speakers_named
from vocemo.lab.evaluate.metrics import score
from vocemo.lab.evaluate.predictions import Predictions
from vocemo.lab.evaluate.significance import McNemar, PairedTest, mcnemar, paired_over_speakers
from vocemo.lab.evaluate.summary import complete_seeds, influence_of

Key = tuple[str, str, str]  # speaker, file, emotion


def why_not_paired(first: Predictions, second: Predictions) -> str:
    """Why no test can hold these answers against each other; empty where one can.

    Clips are the same where speaker, file name and emotion are, wherever the corpus lies.
    """
    for table in (first, second):
        if not speakers_named(table):
            return "a speaker is not known"
    if len(first.speakers) < 2:
        return "there is one speaker alone"
    one, other = (_clips_by_seed(table) for table in (first, second))
    if None in (one, other):
        return "a clip cannot be told from others by its speaker and file name"
    if one != other:
        return "the tests are not the same clips"
    return ""


def paired_test(first: Predictions, second: Predictions, metric: str) -> PairedTest | None:
    """The test over speakers of a pooled metric: uar, accuracy, macro_f1 or loss.

    None where it has no value for each speaker.
    """
    one, other = (_of_speakers(table, metric) for table in (first, second))
    return None if one is None or other is None else paired_over_speakers(one, other)


def clip_test(first: Predictions, second: Predictions) -> McNemar:
    """McNemar's test on the clips that both answered."""
    one, other = (_right(table) for table in (first, second))
    keys = sorted(one)
    return mcnemar([one[key] for key in keys], [other[key] for key in keys])


def _used(predictions: Predictions) -> Predictions:
    return predictions.where(np.isin(predictions.seed, complete_seeds(predictions)))


def _keys(predictions: Predictions) -> list[Key]:
    return [
        (subject.speaker, PurePosixPath(subject.path.replace("\\", "/")).name, predictions.emotions[target])
        for subject, target in zip(predictions.subjects, predictions.targets, strict=True)
    ]


def _clips_by_seed(predictions: Predictions) -> set[frozenset[Key]] | None:
    """The clips that a seed tests; one set where all seeds test the same. None where names are not enough."""
    used = _used(predictions)
    of_seed: defaultdict[int, list[Key]] = defaultdict(list)
    for seed, key in zip(used.seed, _keys(used), strict=True):
        of_seed[int(seed)].append(key)
    if any(len(set(keys)) < len(keys) or not all(key[1] for key in keys) for keys in of_seed.values()):
        return None
    return {frozenset(keys) for keys in of_seed.values()}


def _right(predictions: Predictions) -> dict[Key, float]:
    used = _used(predictions)
    found: defaultdict[Key, list[bool]] = defaultdict(list)
    for key, right in zip(_keys(used), used.predicted == used.targets, strict=True):
        found[key].append(bool(right))
    return {key: sum(each) / len(each) for key, each in found.items()}


def _of_speakers(
    predictions: Predictions, metric: str
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
    used = _used(predictions)
    seeds = complete_seeds(used)
    influence = influence_of(metric, used, seeds)
    if influence is None:
        return None
    parts = [used.where(used.seed == seed) for seed in seeds]
    pooled = float(np.mean([getattr(score(p.targets, p.probabilities), metric) for p in parts]))
    return pseudo_values(pooled, influence, [subject.speaker for subject in used.subjects])
