"""What a few clips of a voice, or of its corpus, bring: UAR before and after, speaker by speaker.

For each speaker, k clips are drawn to adapt with, and the speaker's other clips are the test. Nothing that is
drawn is tested, nor is the same recording under another name, nor another take of a drawn sentence in the
same emotion. The gain is against the initial model on the very same clips.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from vocemo.emotions import in_order
from vocemo.errors import UsageError
from vocemo.lab import experiment, network, train
from vocemo.lab.corpora.clip import Clip, Manifest
from vocemo.lab.evaluate import Interval, interval_over_speakers, score
from vocemo.lab.evaluate.confidence import mean_influence
from vocemo.lab.initial import Initial
from vocemo.lab.network import Network
from vocemo.lab.recipe import Recipe
from vocemo.lab.scoring import score as answers
from vocemo.lab.splits import Fold, enforce
from vocemo.lab.splits.content import alike
from vocemo.lab.training_clips import training_set
from vocemo.lab.waveforms import Waveforms

Whose = Literal["own", "others"]  # the speaker's own clips, or those of the corpus's other speakers
LEAST_TESTED = 10  # clips of a speaker that a draw leaves to test; fewer say too little


@dataclass(frozen=True)
class Draw:
    """Clips to adapt with, and clips of one speaker to test on."""

    speaker: str
    clips: int
    whose: Whose
    number: int  # of so many draws, from 0
    adapting: tuple[Clip, ...]
    tested: tuple[Clip, ...]


@dataclass(frozen=True)
class Measurement:
    """One draw's figures, before and after; losses in nats, at the initial model's temperature."""

    draw: Draw
    uar_before: float
    uar: float
    loss_before: float
    loss: float


def shared(manifest: Manifest, emotions: Sequence[str]) -> tuple[Manifest, tuple[str, ...]]:
    """The clips whose emotion a model knows, and the emotions that both have.

    Raises UsageError where that is fewer than two.
    """
    known = manifest.where(lambda clip: clip.emotion in emotions)
    both = in_order({clip.emotion for clip in known})
    if len(both) < 2:
        raise UsageError(
            f"model and corpus share {', '.join(both) or 'no emotion'}; there must be two or more: the model "
            f"has {', '.join(emotions)}"
        )
    return known, both


def stratified(clips: Sequence[Clip], count: int, rng: np.random.Generator, *, leave: int = 0) -> list[int]:
    """Places of so many clips, dealt over the emotions in turn, drawn by the generator.

    leave: clips of each emotion that stay where they are. Where too few remain, fewer are given.
    """
    of_emotion: dict[str, list[int]] = defaultdict(list)
    for place in rng.permutation(len(clips)):
        of_emotion[clips[place].emotion].append(int(place))
    left = {emotion: places[leave:] for emotion, places in sorted(of_emotion.items())}
    drawn: list[int] = []
    while len(drawn) < count and any(left.values()):
        for place in rng.permutation(len(left)):
            places = list(left.values())[place]
            if places and len(drawn) < count:
                drawn.append(places.pop())
    return drawn


def draws(
    manifest: Manifest, speakers: Sequence[str], counts: Sequence[int], times: int, seed: int
) -> Iterator[Draw]:
    """Every draw for these speakers; a draw of which too little would be left to test is left out.

    Each draw comes from (seed, speaker, count, number): that of 5 clips is no part of that of 20.
    """
    same = _same(manifest)
    for speaker in speakers:
        own = [clip for clip in manifest if clip.speaker == speaker]
        others = [clip for clip in manifest if clip.speaker != speaker]
        voice = manifest.speakers.index(speaker)
        for count in counts:
            for number in range(times):
                rng = np.random.default_rng([seed, voice, count, number])
                mine = {own[place].key for place in stratified(own, count, rng, leave=1)}
                adapting = tuple(clip for clip in own if clip.key in mine)
                tested = tuple(_apart(own, adapting, same))
                if len(adapting) == count and len(tested) >= LEAST_TESTED:
                    yield Draw(speaker, count, "own", number, adapting, tested)
                theirs = [others[place] for place in stratified(others, count, rng)]
                if len(theirs) == count:
                    yield Draw(
                        speaker, count, "others", number, tuple(theirs), tuple(_apart(own, theirs, same))
                    )


def measure(
    draw: Draw, initial: Initial, recipe: Recipe, waveforms: Waveforms, *, seed: int, device: torch.device
) -> Measurement:
    """Adapt with a draw's clips, and test before and after. Recipe: as `adaptation.applied` gives it."""
    begun = network.build(recipe, seed)
    initial.put_into(begun, recipe.emotions)
    before = _figures(begun, draw, initial, recipe, waveforms, device)
    begun.adapt(recipe.adaptation)
    begun.half_width = experiment.precision(recipe, device) == "bfloat16"
    state = train.begin(begun.to(device), recipe.training)
    clips = training_set(draw.adapting, recipe, waveforms)
    train.fit(state, clips, None, seed=seed, device=device)
    after = _figures(state.answering, draw, initial, recipe, waveforms, device)
    return Measurement(draw, before[0], after[0], before[1], after[1])


def audit(manifest: Manifest, speakers: Sequence[str], initial: Initial) -> None:
    """Refuse speakers that the initial weights have heard. Raises LeakError."""
    tested = tuple(clip for clip in manifest if clip.speaker in set(speakers))
    enforce(Fold("adaptation curve", 0, (), (), tested, leaky=False), heard=initial.heard())


def summary(measured: Sequence[Measurement]) -> list[dict[str, Any]]:
    """A row for each number of clips and whose they are: means over speakers, each the mean of their draws.

    Intervals are over speakers, that of the gain over the speakers' own gains; None with a single speaker.
    """
    of_row: dict[tuple[Whose, int], list[Measurement]] = defaultdict(list)
    for each in measured:
        of_row[each.draw.whose, each.draw.clips].append(each)
    rows = []
    for (whose, clips), found in sorted(of_row.items(), key=lambda item: (item[0][0] != "own", item[0][1])):
        voices = sorted({each.draw.speaker for each in found})
        mine = {voice: [each for each in found if each.draw.speaker == voice] for voice in voices}

        def per_voice(name: str, mine: dict[str, list[Measurement]] = mine) -> list[float]:
            return [float(np.mean([getattr(each, name) for each in own])) for own in mine.values()]

        before, after = per_voice("uar_before"), per_voice("uar")
        rows.append(
            {
                "clips": clips,
                "whose": whose,
                "speakers": len(voices),
                "tested_clips": round(float(np.mean([len(each.draw.tested) for each in found])), 1),
                "uar_before": _with_interval(before, voices, (0.0, 1.0)),
                "uar": _with_interval(after, voices, (0.0, 1.0)),
                "gain": _with_interval(
                    [b - a for a, b in zip(before, after, strict=True)], voices, (-1.0, 1.0)
                ),
                "loss_before": float(np.mean(per_voice("loss_before"))),
                "loss": float(np.mean(per_voice("loss"))),
                "per_speaker": {
                    voice: {"uar_before": a, "uar": b}
                    for voice, a, b in zip(voices, before, after, strict=True)
                },
            }
        )
    return rows


def _with_interval(
    values: Sequence[float], voices: Sequence[str], bounds: tuple[float, float]
) -> dict[str, Any]:
    mean = float(np.mean(values))
    found: Interval | None = interval_over_speakers(mean, mean_influence(values), voices, bounds=bounds)
    return {"mean": mean, "ci95": None if found is None else [found.low, found.high]}


def _figures(
    candidate: Network,
    draw: Draw,
    initial: Initial,
    recipe: Recipe,
    waveforms: Waveforms,
    device: torch.device,
) -> tuple[float, float]:
    """UAR and loss on the tested clips."""
    given = answers(candidate.to(device), draw.tested, recipe.emotions, waveforms, device=device)
    found = score(given.targets, given.probabilities(initial.temperature))
    return found.uar, found.loss


def _same(manifest: Manifest) -> dict[str, int]:
    """Recordings that are there under several names: a clip's key to a number that all of its names share."""
    return {clip.key: number for number, group in enumerate(alike(manifest.clips)) for clip in group}


def _apart(own: Sequence[Clip], adapting: Sequence[Clip], same: dict[str, int]) -> Iterator[Clip]:
    """The clips that are no clip of an adaptation, no copy of one and no other take of one."""
    keys = {clip.key for clip in adapting}
    copies = {same[clip.key] for clip in adapting if clip.key in same}
    said = {(clip.speaker, clip.emotion, clip.sentence) for clip in adapting if clip.sentence}
    for clip in own:
        copied = same.get(clip.key) in copies if clip.key in same else False
        if clip.key not in keys and not copied and (clip.speaker, clip.emotion, clip.sentence) not in said:
            yield clip


def for_emotions(recipe: Recipe, emotions: Sequence[str]) -> Recipe:
    """The recipe for emotions that model and corpus share: no gain is from learning which do not occur."""
    return dataclasses.replace(recipe, emotions=tuple(emotions), relabel={})
