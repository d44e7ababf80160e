"""Which clips a model is stressed on: where it is a run, those that it has not heard."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vocemo.errors import CorpusError, RunError, UsageError
from vocemo.lab import experiment
from vocemo.lab.corpora.clip import Clip, Manifest
from vocemo.lab.measure import heard_in_training, test_part, training_told
from vocemo.lab.run import RunFolder
from vocemo.lab.splits import PROTOCOLS, folds
from vocemo.lab.stress.answering import predictor_of
from vocemo.runtime.predictor import Predictor


@dataclass(frozen=True)
class Part:
    """A model and the clips that it answers."""

    predictor: Predictor
    clips: tuple[Clip, ...]
    fold: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Subject:
    """What is stressed: models with their clips, and how their figures are called."""

    model: str
    corpora: tuple[str, ...]
    protocol: str
    leaky: bool
    parts: tuple[Part, ...]
    manifest: Manifest  # all clips at hand, which voices in the background come from
    remarks: tuple[str, ...] = ()

    @property
    def clips(self) -> tuple[Clip, ...]:
        """Every clip once, though several seeds answer it."""
        return tuple({clip.key: clip for part in self.parts for clip in part.clips}.values())

    @property
    def answers(self) -> int:
        """How many answers a condition takes."""
        return sum(len(part.clips) for part in self.parts)

    def some(self, count: int, rng: np.random.Generator) -> Subject:
        """So many of the clips, as evenly from every speaker and emotion as it goes."""
        keep = {clip.key for clip in evenly(self.clips, count, rng)}
        parts = (
            dataclasses.replace(part, clips=tuple(clip for clip in part.clips if clip.key in keep))
            for part in self.parts
        )
        return dataclasses.replace(self, parts=tuple(part for part in parts if part.clips))


def evenly(clips: Sequence[Clip], count: int, rng: np.random.Generator) -> tuple[Clip, ...]:
    """So many clips, in order, as evenly of every speaker and every emotion as it goes.

    Drawn one by one, of the speaker and emotion that have fewest together; where these are level, of the
    speaker and of the emotion that have fewest each.
    """
    ordered = sorted(clips, key=identity)
    left = dict[tuple[str, str], list[Clip]]()
    for index in rng.permutation(len(ordered)):
        left.setdefault((ordered[index].speaker, ordered[index].emotion), []).append(ordered[index])
    of_both, of_one = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    kept = set[str]()
    for _ in range(min(count, len(ordered))):
        cell = min(left, key=lambda c: (of_both[c], of_one["speaker", c[0]] + of_one["emotion", c[1]]))
        kept.add(left[cell].pop().key)
        of_both[cell] += 1
        of_one["speaker", cell[0]] += 1
        of_one["emotion", cell[1]] += 1
        if not left[cell]:
            del left[cell]
    return tuple(clip for clip in clips if clip.key in kept)


def identity(clip: Clip) -> str:
    """What a clip is called wherever its corpus lies."""
    part = "" if clip.start_s is None else f"{clip.start_s:.10g}"
    return "|".join((clip.corpus, clip.speaker, clip.emotion, clip.path.name, part))


def run_folders(path: Path) -> tuple[RunFolder, ...]:
    """The runs of a folder: its own, or those of a cross-validation, or of one of its seeds.

    Raises UsageError where there is none.
    """
    for pattern in ("run.json", "fold-*/run.json", "seed-*/fold-*/run.json"):
        found = sorted(path.glob(pattern), key=lambda file: [_natural(part) for part in file.parts[-3:-1]])
        if found:
            return tuple(RunFolder(file.parent) for file in found)
    raise UsageError(
        f"{path} holds no run and no cross-validation; these come from: vocemo train and vocemo crossval"
    )


def of_runs(
    runs: Sequence[RunFolder],
    read: Callable[[Sequence[str]], Manifest],
    corpora: Sequence[str],
    device: torch.device,
) -> Subject:
    """Runs of one recipe and protocol, each with the clips of its own test fold.

    read: reads corpora. corpora: where they lie, as `NAME:DIR`; none: where the runs found them.

    Raises UsageError for runs that test nothing, or copies, or that do not go together; RunError for
    one that is not complete, or whose test clips are others than those of its time.
    """
    infos = [run.info() for run in runs]
    first = infos[0]
    for run, info in zip(runs, infos, strict=True):
        if (info.recipe.sha256, info.protocol) != (first.recipe.sha256, first.protocol):
            raise UsageError(
                f"{run.path} is a run of another recipe or protocol than {runs[0].path}: stress them apart"
            )
    if PROTOCOLS[first.protocol].copies:
        raise UsageError(
            f"protocol {first.protocol} tests augmented copies, which are no recordings: stress a run of "
            "another protocol"
        )
    outcomes = [run.outcome() for run in runs]
    if any(outcome.test is None for outcome in outcomes):
        raise UsageError(
            f"{runs[0].path}, trained by protocol {first.protocol}, tests nothing; cross-validate the "
            "recipe, or export it and name another corpus with --corpus"
        )
    specs = _places(first.corpora, corpora)
    manifest = experiment.select(read(specs), first.recipe).manifest
    parts = []
    for run, info, outcome in zip(runs, infos, outcomes, strict=True):
        made = folds(manifest, info.protocol, info.seed)
        test = made[info.fold].test if info.fold < len(made) else ()
        speakers = tuple(sorted({clip.speaker for clip in test}))
        if len(test) != info.clips[2] or outcome.test is None or speakers != outcome.test.test_speakers:
            raise RunError(
                f"{run.path} tested {info.clips[2]} clips, {', '.join(specs)} has {len(test)} for its fold "
                "now: the corpus is not as it was"
            )
        parts.append(Part(predictor_of(run, device), test, info.fold, info.seed))
    return Subject(
        model=first.recipe.name,
        corpora=tuple(dict.fromkeys(clip.corpus for part in parts for clip in part.clips)),
        protocol=first.protocol,
        leaky=PROTOCOLS[first.protocol].leaky or any(run.leaky() for run in runs),
        parts=tuple(parts),
        manifest=manifest,
    )


def of_bundle(predictor: Predictor, manifest: Manifest, protocol: str | None, fold: int | None) -> Subject:
    """A bundle with every clip of a corpus, or with those that one fold of a protocol tests on.

    Leaky where it may know the voices. Raises what `measure.test_part` does, and CorpusError where the
    corpus has no emotion that it knows.
    """
    known = manifest.relabelled(predictor.info.relabel).where(lambda c: c.emotion in predictor.emotions)
    if not len(known):
        raise CorpusError(
            f"no clip has an emotion of the model ({', '.join(predictor.emotions)}); "
            f"the corpus has: {', '.join(manifest.emotions)}"
        )
    left = len(manifest) - len(known)
    remarks: tuple[str, ...] = (
        (f"left out: {left} clips of emotions that the model has no output for",) if left else ()
    )
    tested = test_part(predictor.info, manifest, protocol, fold) if protocol is not None else None
    if tested is not None:
        part = Part(predictor, tested.manifest.clips, tested.fold, tested.seed)
    else:
        part = Part(predictor, known.clips)
    heard = () if tested and tested.unseen else heard_in_training(predictor.info, Manifest(part.clips))
    if heard:
        remarks += (f"LEAKY: the model was trained on {', '.join(heard)}, so it knows these voices.",)
    told = bool(heard) or (tested is not None and tested.unseen) or training_told(predictor.info)
    if not told:
        remarks += ("whose recordings the model was trained on is not stated: it may know these voices",)
    otherwise = "known corpus" if heard else "held out" if told else "training not stated"
    return Subject(
        model=predictor.info.name,
        corpora=tuple(dict.fromkeys(clip.corpus for clip in part.clips)),
        protocol=tested.protocol if tested else otherwise,
        leaky=bool(heard),
        parts=(part,),
        manifest=known,
        remarks=remarks,
    )


def _places(own: Sequence[str], given: Sequence[str]) -> tuple[str, ...]:
    """Where the corpora of a run lie. Raises UsageError for others than its own."""
    if not given:
        return tuple(own)
    named = [[spec.partition(":")[0] for spec in specs] for specs in (own, given)]
    if sorted(named[0]) != sorted(named[1]):
        raise UsageError(
            f"a run is stressed on its own test fold, of {', '.join(named[0])}; to stress it on "
            f"{', '.join(named[1])}, export it and give the bundle"
        )
    return tuple(given)


def _natural(name: str) -> tuple[str, int]:
    """A key by which fold-10 stands behind fold-9."""
    stem, _, number = name.rpartition("-")
    return (stem, int(number)) if number.isdigit() else (name, 0)
