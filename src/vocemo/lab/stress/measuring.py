"""Answers under every condition, each kept as soon as it is there, and their figures."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import vocemo
from vocemo.errors import CorpusError, RunError, UsageError
from vocemo.lab import checkpoint, provenance
from vocemo.lab.augment.transform import Samples
from vocemo.lab.corpora.clip import Clip, Manifest
from vocemo.lab.evaluate import Predictions, pooled_metric
from vocemo.lab.evaluate.groups import speakers_named
from vocemo.lab.evaluate.pairing import paired_test
from vocemo.lab.stress.conditions import Condition
from vocemo.lab.stress.parts import Part, Subject, identity
from vocemo.lab.stress.result import ConditionResult, Robustness
from vocemo.lab.stress.sounds import Sounds
from vocemo.runtime.prediction import Failure

_GROUP = 32  # clips that threads degrade ahead of their answers


@dataclass(frozen=True)
class Answers:
    """The answers of one condition, and how many clips had none: silence, or what cannot be decoded."""

    condition: Condition
    predictions: Predictions
    unanswered: int


class Kept:
    """Answers on the disk: a table of predictions for each condition, and what they are answers to."""

    def __init__(self, folder: Path, subject: Subject, seed: int, noises: str | None) -> None:
        """Make the folder, or go on with one of the same models, clips and seed.

        noises: a digest of the user's recordings. Raises RunError where the folder holds other answers.
        """
        self._folder = folder
        request = _request(subject, seed) | {"noises": noises}
        path = folder / "request.json"
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            before = dict(request)
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read: {error}") from error
        if before.get("noises") is None:
            before["noises"] = noises
        if noises is None:
            request["noises"] = before["noises"]
        other = [name for name in request if before.get(name) != request[name]]
        if other:
            raise RunError(
                f"{folder} holds answers to something else (other {', '.join(other)}): choose another "
                "--out, or take the folder away"
            )
        folder.mkdir(parents=True, exist_ok=True)
        checkpoint.write_json(path, request)

    def path(self, condition: Condition) -> Path:
        """Where a condition's answers are."""
        return self._folder / f"{condition.name}.csv"

    def has(self, condition: Condition) -> bool:
        """Whether they are there."""
        return self.path(condition).is_file()


def answered(
    subject: Subject,
    conditions: Iterable[Condition],
    kept: Kept,
    sounds: Sounds,
    *,
    seed: int,
    jobs: int = 1,
    each: Callable[[], None] = lambda: None,
) -> Iterator[Answers]:
    """The answers of every condition in turn: read where they are kept, otherwise made and kept.

    seed: of all that is drawn. jobs: threads that degrade and prepare. each: called after every answer.

    Raises CorpusError where a condition leaves nothing to answer.
    """
    for condition in conditions:
        if not kept.has(condition):
            made = [_answer(part, condition, sounds, seed, jobs, each) for part in subject.parts]
            found = [predictions for predictions in made if len(predictions)]
            if not found:
                raise CorpusError(f"under {condition.name} the model answered none of the clips")
            Predictions.concatenate(found).write(kept.path(condition))
        predictions = Predictions.read(kept.path(condition))
        yield Answers(condition, predictions, subject.answers - len(predictions))


def generator(seed: int, condition: Condition, clip: Clip) -> np.random.Generator:
    """What a clip's draws come from: the same for all levels of a family, in any order, on any thread.

    So one noise is heard at 20 dB and at 0 dB, and their difference is the level's alone.
    """
    digest = hashlib.sha256(f"{condition.family}|{identity(clip)}".encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "little")])


def degraded(condition: Condition, clip: Clip, samples: Samples, sample_rate: int, seed: int) -> Samples:
    """A clip under a condition, (N,) -> (M,)."""
    drawn = condition.degradation.draw(generator(seed, condition, clip), clip.speaker)
    return condition.degradation.apply(samples, sample_rate, drawn)


def figures(found: Answers, clean: Answers) -> ConditionResult:
    """UAR and accuracy under a condition, and the fall against the same clips as recorded."""
    here, there = _common(found.predictions, clean.predictions)
    uar = pooled_metric("uar", found.predictions)
    condition = found.condition
    return ConditionResult(
        name=condition.name,
        family=condition.family,
        level=condition.level,
        unit=condition.unit,
        uar=uar.mean,
        accuracy=pooled_metric("accuracy", found.predictions).mean,
        ci95=uar.ci95,
        clips=len({subject.path for subject in found.predictions.subjects}),
        fall=pooled_metric("uar", there).mean - pooled_metric("uar", here).mean,
        fall_ci95=_of_fall(here, there),
    )


def robustness(
    subject: Subject,
    found: Sequence[ConditionResult],
    seed: int,
    skipped: Mapping[str, str],
    remarks: Sequence[str],
) -> Robustness:
    """The figures of all conditions with what they are figures of."""
    first = subject.parts[0].predictor
    return Robustness(
        model=subject.model,
        corpora=subject.corpora,
        protocol=subject.protocol,
        leaky=subject.leaky,
        clips=len(subject.clips),
        speakers=len(Manifest(subject.clips).speakers) if Manifest(subject.clips).speakers_known else 0,
        emotions=len({clip.emotion for clip in subject.clips}),
        seeds=tuple(sorted({part.seed for part in subject.parts})),
        folds=len({part.fold for part in subject.parts}),
        seed=seed,
        sample_rate=first.info.preparation.sample_rate,
        conditions=tuple(found),
        command=provenance.command(),
        commit=provenance.commit() or "unknown",
        date=provenance.today(),
        skipped=dict(skipped),
        remarks=tuple(remarks),
    )


def _answer(
    part: Part, condition: Condition, sounds: Sounds, seed: int, jobs: int, each: Callable[[], None]
) -> Predictions:
    rate = part.predictor.info.preparation.sample_rate
    readable: list[Clip] = []

    def worse(clip: Clip) -> tuple[Clip, Samples | None]:
        try:
            whole = sounds.samples(clip, rate)
        except CorpusError:  # said once, of the clips as recorded
            return clip, None
        return clip, degraded(condition, clip, whole, rate, seed)

    def sources() -> Iterator[Samples]:
        for clip, samples in _in_threads(worse, part.clips, jobs):
            if samples is None:
                each()
            else:
                readable.append(clip)
                yield samples

    answers = part.predictor.predict_many(sources(), rate, jobs=jobs)
    clips: list[Clip] = []
    rows: list[list[float]] = []
    for place, answer in enumerate(answers):
        each()
        if not isinstance(answer, Failure) and answer.emotion is not None:
            clips.append(readable[place])
            rows.append([answer.probabilities[emotion] for emotion in part.predictor.emotions])
    table = np.array(rows, np.float64).reshape(len(rows), len(part.predictor.emotions))
    return Predictions.of(clips, table, part.predictor.emotions, fold=part.fold, seed=part.seed)


def _in_threads(
    work: Callable[[Clip], tuple[Clip, Samples | None]], clips: Sequence[Clip], jobs: int
) -> Iterator[tuple[Clip, Samples | None]]:
    """The work on each clip in order, a group of clips at a time."""
    if jobs < 1:
        raise UsageError(f"jobs is 1 or more, given {jobs}")
    if jobs == 1:
        yield from map(work, clips)
        return
    left = iter(clips)
    with ThreadPoolExecutor(jobs, thread_name_prefix="vocemo-stress") as pool:
        while group := list(itertools.islice(left, _GROUP)):
            yield from pool.map(work, group)


def _request(subject: Subject, seed: int) -> dict[str, Any]:
    """What answers depend on, beside their condition."""
    names = sorted(
        f"{part.seed}|{part.fold}|{identity(clip)}" for part in subject.parts for clip in part.clips
    )
    return {
        "models": [part.predictor.bundle.sha256 for part in subject.parts],
        "clips": hashlib.sha256("\n".join(names).encode()).hexdigest(),
        "seed": seed,
        "version": vocemo.__version__,
    }


def _common(one: Predictions, other: Predictions) -> tuple[Predictions, Predictions]:
    """The rows of both tables that the other has as well, in one order."""
    keys = [
        [(s.path, int(f), int(n)) for s, f, n in zip(table.subjects, table.fold, table.seed, strict=True)]
        for table in (one, other)
    ]
    if keys[0] == keys[1]:
        return one, other
    shared = set(keys[0]) & set(keys[1])
    # Both were made in the order of the parts and their clips, so what is left stands in one order.
    first, second = (
        table.where([key in shared for key in own]) for table, own in zip((one, other), keys, strict=True)
    )
    return first, second


def _of_fall(here: Predictions, there: Predictions) -> tuple[float, float] | None:
    """The interval of the fall over speakers: that of two models on the same clips, cut to what UARs reach.

    None for a single speaker, where they are not known, and where all fall alike.
    """
    tested = paired_test(here, there, "uar") if speakers_named(here) else None
    if tested is None or tested.ci95 is None:
        return None
    return max(-1.0, tested.ci95[0]), min(1.0, tested.ci95[1])
