"""Measure answers, wherever they come from: a run, a bundle, somebody else's file."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vocemo.bundle import BundleInfo
from vocemo.errors import CorpusError, UsageError
from vocemo.lab import provenance, stated
from vocemo.lab.corpora.clip import Clip, Manifest
from vocemo.lab.corpora.folder import FOLDER
from vocemo.lab.corpora.table import TABLE
from vocemo.lab.evaluate import FoldResult, Predictions, Results, fold_result, summarise
from vocemo.lab.evaluate.confidence import few_speakers
from vocemo.lab.evaluate.foreign import read_foreign
from vocemo.lab.evaluate.joining import join
from vocemo.lab.run import RunFolder
from vocemo.lab.splits import PROTOCOLS, folds
from vocemo.lab.splits.fold import speakers
from vocemo.runtime.prediction import Failure
from vocemo.runtime.predictor import Predictor


@dataclass(frozen=True)
class Answered:
    """A bundle's answers to labelled clips, and a line on each thing that was left out."""

    predictions: Predictions
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class TestPart:
    """The clips that one fold of a protocol tests on."""

    __test__ = False  # a class of clips, whatever pytest makes of its name

    manifest: Manifest
    protocol: str
    fold: int
    seed: int
    unseen: bool  # whether the bundle is known to have learnt from neither these clips nor their speakers


def test_part(info: BundleInfo, manifest: Manifest, protocol: str, fold: int | None = None) -> TestPart:
    """The clips of a corpus that one fold of a protocol tests on, divided as the bundle's own run divided it.

    fold: its number; None: the fold that the bundle was trained on.

    They are unseen where the bundle was trained on that very fold, as large as it is here, of a protocol that
    does not leak, and where it was trained on other corpora that are known by name.

    Raises UnknownNameError for a protocol that does not exist, UsageError for one that tests nothing, or
    augmented copies, and for a fold that it does not have.
    """
    if not PROTOCOLS[protocol].holds_out:
        raise UsageError(f"protocol {protocol} tests nothing; leave --protocol out to answer every clip")
    if PROTOCOLS[protocol].copies:
        raise UsageError(
            f"protocol {protocol} tests augmented copies, which a run alone makes: evaluate its folder; "
            "a bundle answers recordings"
        )
    trained = info.training
    if fold is None:
        if trained.protocol != protocol or trained.fold is None:
            own = trained.protocol or "a protocol that it does not name"
            raise UsageError(
                f"--fold is missing: the model was trained by {own}, not on a fold of {protocol}"
            )
        fold = trained.fold
    known = manifest.relabelled(info.relabel).where(lambda clip: clip.emotion in info.emotions)
    made = folds(known, protocol, trained.seed)
    if not 0 <= fold < len(made):
        raise UsageError(f"protocol {protocol} has folds 0 to {len(made) - 1} here; there is no fold {fold}")
    chosen = made[fold]
    part = Manifest(chosen.test, manifest.refused)
    size = (len(chosen.train), len(speakers(chosen.train)))
    same = (trained.protocol, trained.fold, trained.clips, trained.speakers) == (protocol, fold, *size)
    strangers = training_told(info) and not heard_in_training(info, part)
    unseen = (same and not chosen.leaky) or strangers
    return TestPart(part, protocol, fold, trained.seed, unseen)


def answer(
    predictor: Predictor,
    manifest: Manifest,
    each: Callable[[], None] = lambda: None,
    *,
    fold: int = 0,
    seed: int = 0,
) -> Answered:
    """A bundle's answers to the clips whose emotion it knows; `each` is called after every clip.

    The answers are filed under this fold and seed.

    What cannot be answered (silence, a broken file) is no prediction: it is left out and named.

    Raises CorpusError where nothing is left.
    """
    manifest = manifest.relabelled(predictor.info.relabel)
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
    return Answered(Predictions.of(clips, rows, predictor.emotions, fold=fold, seed=seed), tuple(remarks))


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


def training_told(info: BundleInfo) -> bool:
    """Whether the names of the bundle's corpora say whose voices it has learnt.

    A table or a folder may hold anybody's recordings, those of a corpus by name among them.
    """
    own = {FOLDER.name, TABLE.name}
    return bool(info.training.corpora) and not own & set(info.training.corpora)


def of_run(folder: RunFolder) -> Results:
    """Every figure of a run on its own test fold.

    Raises UsageError where there is no run, or one without a test; RunError where it is not complete.
    """
    info, outcome = folder.info(), folder.outcome()
    if outcome.test is None:
        raise UsageError(
            f"{folder.path}, trained by protocol {info.protocol}, tests nothing; cross-validate the recipe"
        )
    result = measured(
        Predictions.read(folder.predictions),
        model=info.recipe.name,
        protocol=info.protocol,
        leaky=PROTOCOLS[info.protocol].leaky or folder.leaky(),
        parameters=outcome.parameters,
        per_fold=(outcome.test,),
    )
    begun = info.initial.describe() if info.initial else None
    remark = "; ".join(each for each in (begun, result.remark) if each) or None
    return dataclasses.replace(result, leak=folder.leak(), remark=remark)


@dataclass(frozen=True)
class Measured:
    """Figures, the answers behind them, and a line on each thing that was left out or assumed."""

    results: Results
    predictions: Predictions
    remarks: tuple[str, ...]


def of_answers(
    path: Path,
    manifest: Manifest | None = None,
    *,
    protocol: str | None = None,
    trained_on: Sequence[str] = (),
    relabel: Mapping[str, str] | None = None,
) -> Measured:
    """Every figure of a file of answers, whichever tool wrote it.

    Args:
        path: a CSV file, as `Predictions.write` or another tool leaves it.
        manifest: the clips of the corpora that were answered; None: the file says what each clip is.
        protocol: how the answers are said to come about; needs the manifest.
        trained_on: what was trained on, as `stated.training_list` takes it.
        relabel: an emotion of the corpora -> the one it counts as.

    Raises:
        UsageError: a file, protocol or training list that does not go with the rest; says which.
    """
    remarks: tuple[str, ...] = ()
    clips: tuple[Clip, ...] = ()
    if manifest is None and _is_own(path):
        predictions = Predictions.read(path)
        if twice := predictions.repeated():
            first, second = (row + 2 for row in twice)  # lines, below the header
            raise UsageError(
                f"{path}: lines {first} and {second} are both {predictions.subjects[twice[0]].path}, of one "
                "fold and seed; a clip counts once"
            )
    else:
        table = read_foreign(path, targets_elsewhere=manifest is not None)
        joined = join(table, manifest, relabel)
        predictions, clips, remarks = joined.predictions, joined.clips, joined.remarks
    if protocol is not None and manifest is not None:
        predictions = stated.in_folds(predictions, clips, manifest.relabelled(relabel or {}), protocol)
    named = protocol or stated.UNNAMED
    known = manifest if manifest is not None else Manifest(tuple(stated.stand_ins(predictions)))
    training = stated.training_list(trained_on, known) if trained_on else stated.TrainingList()
    verdict = stated.judge(predictions, clips, named, training)
    result = measured(predictions, model=path.stem, protocol=named, leaky=verdict.leaky)
    said = (*remarks, *verdict.remarks)
    return Measured(
        dataclasses.replace(
            result,
            leak=verdict.leak,
            training_stated=verdict.stated,
            remark="; ".join([*([result.remark] if result.remark else []), *said]) or None,
        ),
        predictions,
        said,
    )


def _is_own(path: Path) -> bool:
    """Whether a file has the columns that `Predictions.write` gives it, of today or before."""
    if not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        header = next(csv.reader(file), [])
    return {"path", "corpus", "speaker", "target", "predicted", "fold", "seed"} <= set(header)


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
        groups=summary.groups,
        gaps=summary.gaps,
        interval_remark=few_speakers(summary.speakers) if summary.metrics["uar"].ci95 else None,
        remark=f"under way, and in no mean: seed {', '.join(under_way)}" if under_way else None,
    )
