"""Clips of any corpus, each answered by the run that has not heard its speaker.

What a corpus is tested on is its protocol's choice: RAVDESS' protocols test speech, not song. The networks of
a cross-validation can answer other clips of the speakers that they were tested on, and a single run those of
anybody whom it has not heard.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from vocemo.errors import RunError, UsageError
from vocemo.lab.corpora.clip import Clip, Manifest
from vocemo.lab.evaluate import Predictions
from vocemo.lab.measure import Measured, answer, measured
from vocemo.lab.report.wording import listed, many
from vocemo.lab.run import RunFolder
from vocemo.lab.stress.answering import predictor_of


@dataclass(frozen=True)
class Share:
    """A run and the clips that it answers."""

    run: RunFolder
    fold: int
    seed: int
    clips: tuple[Clip, ...]


def shares(runs: Sequence[RunFolder], manifest: Manifest) -> tuple[Share, ...]:
    """Each run with the clips of those speakers that it was tested on, once for every seed.

    One run alone answers everybody whom it has not heard, unless it began with another model's weights, which
    may have heard them.

    Raises RunError for a run that does not say whom it has heard, UsageError where all are heard, or
    nobody says who speaks.
    """
    found = []
    for run in runs:
        info, outcome = run.info(), run.outcome()
        heard = set(outcome.trained_on.voices)
        if not heard:
            raise RunError(f"{run.path} does not say which voices it has heard: train it again")
        strangers = set(outcome.test.test_speakers) if outcome.test else set[str]()
        if len(runs) == 1 and info.initial is None:
            strangers |= {clip.speaker for clip in manifest if clip.speaker}
        known = manifest.relabelled(info.recipe.relabel)
        clips = tuple(clip for clip in known if clip.speaker in strangers - heard)
        if clips:
            found.append(Share(run, info.fold, info.seed, clips))
    if not found:
        raise UsageError(
            "no clip is by a speaker whom these runs were tested on and have not heard; a bundle answers all "
            "clips, and says where it may know the voices: vocemo export, then vocemo evaluate BUNDLE"
        )
    return tuple(found)


def of_shares(
    divided: Sequence[Share],
    manifest: Manifest,
    device: torch.device,
    each: Callable[[], None] = lambda: None,
) -> Measured:
    """Every figure of the answers to those clips; `each` is called after every clip."""
    answers, remarks = [], list[str]()
    for share in divided:
        given = Manifest(share.clips)
        answered = answer(predictor_of(share.run, device), given, each, fold=share.fold, seed=share.seed)
        answers.append(answered.predictions)
        remarks += [line for line in answered.remarks if line not in remarks]
    reached = {clip.speaker for share in divided for clip in share.clips}
    others = [clip for clip in manifest if clip.speaker not in reached]
    if others:
        remarks.append(
            f"left out: {many(len(others), 'clip')} by speakers whom the runs have heard, or do not test"
        )
    first = divided[0].run
    info, outcome = first.info(), first.outcome()
    predictions = Predictions.concatenate(answers)
    result = measured(
        predictions,
        model=info.recipe.name,
        protocol=info.protocol,
        leaky=any(share.run.leaky() for share in divided),
        parameters=outcome.parameters,
    )
    begun = info.initial.describe() if info.initial else None
    said = (begun, _beyond(divided, manifest), result.remark, *remarks)
    return Measured(
        dataclasses.replace(result, remark="; ".join(each for each in said if each)),
        predictions,
        tuple(remarks),
    )


def _beyond(divided: Sequence[Share], manifest: Manifest) -> str | None:
    """Which kinds of clips the runs were not tested on, None where they were on all of them."""
    tested = {
        (subject.corpus, subject.channel)
        for share in divided
        if share.run.predictions.is_file()
        for subject in Predictions.read(share.run.predictions).subjects
    }
    asked = {(clip.corpus, clip.channel) for clip in manifest} - tested
    if not asked:
        return None
    kinds = listed(sorted(f"{channel} of {corpus}" for corpus, channel in asked))
    return f"asked {kinds} that the protocol does not test"
