"""A grid of settings, each trained on one fold and ranked on its validation speakers.

The test of the fold is taken away before anything is trained (`without_test`): a trial has no test clips to
look at, so that the fold's test stays what nobody has seen. A trial is a run folder of its own, named after
its settings; what is complete is only read when the same study is started again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vocemo.errors import DivergedError, RunError, UnknownNameError, UsageError
from vocemo.lab import checkpoint, crossval, experiment, history, provenance
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.disk_cache import DiskCache
from vocemo.lab.recipe import Recipe
from vocemo.lab.run import RunFolder
from vocemo.lab.splits import Fold
from vocemo.lab.splits.fold import speaker_is_known, speakers
from vocemo.lab.training_state import Callback
from vocemo.lab.waveforms import Waveforms

FIGURES = ("uar", "accuracy", "loss")  # of validation, at the epoch that was kept

Grid = Mapping[str, Sequence[str]]
Settings = tuple[str, ...]  # ("training.learning_rate=0.003", "model.dropout=0.3")


@dataclass(frozen=True)
class Trial:
    """One combination of settings: its validation figures, or why it has none."""

    settings: Settings
    folder: str  # its name below the study's
    uar: float | None = None
    accuracy: float | None = None
    loss: float | None = None  # nats
    best_epoch: int | None = None
    epochs: int | None = None
    parameters: int | None = None
    train_seconds: float | None = None
    error: str | None = None

    def badness(self, by: str) -> float:
        """The figure that ranks, lower is better; infinite for a trial that has none."""
        value: float | None = getattr(self, by)
        if value is None:
            return float("inf")
        return value if by == "loss" else -value


@dataclass(frozen=True)
class Study:
    """What is tried, on what, and what came of it so far."""

    recipe: str
    recipe_sha256: str  # before any setting of the grid
    corpora: tuple[str, ...]
    protocol: str
    fold: int
    seed: int
    by: str
    grid: dict[str, tuple[str, ...]]
    combinations: int  # of the whole grid
    validation_speakers: tuple[str, ...]
    validation_clips: int
    validation_heard: bool  # whether training may have heard these speakers, or nobody knows who speaks
    trials: tuple[Trial, ...] = ()  # of earlier grids too: all that the choice was made among

    def having(self, trial: Trial) -> Study:
        """The study with a trial, in the place of one of the same settings."""
        others = tuple(each for each in self.trials if each.settings != trial.settings)
        return dataclasses.replace(self, trials=(*others, trial))

    @property
    def ranked(self) -> tuple[Trial, ...]:
        """The trials, the best first; the earliest of equals."""
        return tuple(sorted(self.trials, key=lambda trial: trial.badness(self.by)))

    @property
    def best(self) -> Trial | None:
        """The trial to go on with; None while none has a figure."""
        ranked = self.ranked
        return ranked[0] if ranked and ranked[0].error is None else None

    def write(self, path: Path) -> None:
        """Write tune.json: every trial, how many there were, and the best as arguments of a command."""
        found = dataclasses.asdict(self)
        found["trials"] = [
            {key: value for key, value in dataclasses.asdict(trial).items() if value is not None}
            for trial in self.ranked
        ]
        best = self.best
        arguments = [argument for each in best.settings for argument in ("--set", each)] if best else []
        written = {
            **found,
            "tried": len(self.trials),
            "best": arguments,
            **provenance.stamp(),
        }
        checkpoint.write_json(path, written)


def parse_grid(entries: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """`key=v1,v2` of a command line, key by key; commas within brackets or quotes divide nothing.

    Raises UsageError for an entry without values, or a key that is given twice.

    >>> parse_grid(["model.dropout=0.2,0.4", "model.widths=[8,16],[16,32]"])
    {'model.dropout': ('0.2', '0.4'), 'model.widths': ('[8,16]', '[16,32]')}
    """
    grid: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        key, _, text = entry.partition("=")
        values = tuple(value.strip() for value in _divided(text))
        if not key.strip() or not all(values):
            raise UsageError(f"--grid takes key=value,value, such as model.dropout=0.2,0.4; got '{entry}'")
        if key.strip() in grid:
            raise UsageError(f"--grid {key.strip()} is given twice; name all its values at once")
        grid[key.strip()] = tuple(dict.fromkeys(values))
    if not grid:
        raise UsageError("nothing to try: name what varies, such as --grid model.dropout=0.2,0.4")
    return grid


def _divided(text: str) -> list[str]:
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        else:
            depth += (character in "[{") - (character in "]}")
        if character == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def combinations(grid: Grid, samples: int | None = None, seed: int = 0) -> tuple[Settings, ...]:
    """Every combination of a grid's values in order, or so many of them, drawn without repetition.

    >>> combinations({"a": ("1", "2"), "b": ("3",)})
    (('a=1', 'b=3'), ('a=2', 'b=3'))
    """
    each = [[f"{key}={value}" for value in values] for key, values in grid.items()]
    whole = tuple(itertools.product(*each))
    if samples is None or samples >= len(whole):
        return whole
    chosen = np.random.default_rng(seed).choice(len(whole), samples, replace=False)
    return tuple(whole[place] for place in sorted(chosen))


def without_test(fold: Fold) -> Fold:
    """The fold with its test taken away, so that nothing can be chosen by it.

    Raises UsageError where validation is missing, or where a recording of the test, or a copy of one, is in
    it or in training: to rank by it would be to rank by the test.
    """
    if not fold.validation:
        raise UsageError(
            f"protocol {fold.protocol} has no validation, and trials are ranked by it; choose another"
        )
    tested, heard = (_recordings(part) for part in (fold.test, fold.train + fold.validation))
    if tested & heard:
        raise UsageError(
            f"protocol {fold.protocol} has recordings of the test in training or validation: a study would "
            "choose by the test; choose another, such as loso or speakers-70-20-10"
        )
    return dataclasses.replace(fold, test=())


def _recordings(clips: Iterable[Clip]) -> set[str]:
    """The keys of clips, an augmented copy under that of its recording."""
    return {dataclasses.replace(clip, variant=0).key for clip in clips}


def begin(
    recipe: Recipe, corpora: Sequence[str], fold: Fold, seed: int, grid: Grid, by: str, out: Path
) -> Study:
    """A study before its first trial, with the trials that its folder knows of already.

    Raises UnknownNameError for a figure that is none, RunError where the folder has another study.
    """
    if by not in FIGURES:
        raise UnknownNameError("validation figure", by, FIGURES)
    study = Study(
        recipe=recipe.name,
        recipe_sha256=recipe.sha256,
        corpora=tuple(corpora),
        protocol=fold.protocol,
        fold=fold.index,
        seed=seed,
        by=by,
        grid={key: tuple(values) for key, values in grid.items()},
        combinations=len(combinations(grid)),
        validation_speakers=tuple(sorted(speakers(fold.validation))),
        validation_clips=len(fold.validation),
        validation_heard=not all(map(speaker_is_known, fold.validation))
        or bool(speakers(fold.validation) & speakers(fold.train)),
    )
    before = _before(out)
    for key in ("recipe", "recipe_sha256", "corpora", "protocol", "fold", "seed"):
        asked = dataclasses.asdict(study)[key]
        if before and before.get(key) != (list(asked) if isinstance(asked, tuple) else asked):
            raise RunError(
                f"{out} has a study of another {key} ({before.get(key)}, asked for is {asked}): "
                "choose another --out"
            )
    try:
        trials = [Trial(**{**each, "settings": tuple(each["settings"])}) for each in before.get("trials", ())]
    except (KeyError, TypeError) as error:
        raise RunError(f"{out / 'tune.json'} has a trial that is none: {error}") from error
    return dataclasses.replace(study, trials=tuple(trials))


def run(
    study: Study,
    tried: Sequence[tuple[Settings, Recipe]],
    fold: Fold,
    out: Path,
    *,
    device: torch.device,
    callbacks: Callable[[int], Iterable[Callback]] = lambda number: (),
    disk: DiskCache | None = None,
) -> Iterator[tuple[Trial, Study]]:
    """Train each combination that is not complete; give each trial, and the study with it, as in tune.json.

    fold: with its test taken away; `without_test` does that. A trial that diverges is kept with its reason.
    disk: keeps prepared clips for further trainings.

    Raises UsageError for a fold that still has a test.
    """
    if fold.test:
        raise UsageError("a study is given folds without a test; take it away with tune.without_test")
    failed = {trial.settings: trial for trial in study.trials if trial.error is not None}
    shared: tuple[Any, Waveforms] | None = None
    for number, (settings, recipe) in enumerate(tried):
        if settings in failed:
            trial = failed[settings]
        else:
            sounds = (recipe.preparation, recipe.augmentation.pooled)
            if shared is None or shared[0] != sounds:  # only settings of the sound itself need other clips
                shared = (sounds, experiment.waveforms_for(recipe, disk))
            trial = _train(study, settings, recipe, fold, out, shared[1], device, callbacks(number))
        study = study.having(trial)
        study.write(out / "tune.json")
        yield trial, study


def _train(
    study: Study,
    settings: Settings,
    recipe: Recipe,
    fold: Fold,
    out: Path,
    waveforms: Waveforms,
    device: torch.device,
    callbacks: Iterable[Callback],
) -> Trial:
    folder = RunFolder(out / f"trial-{hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:10]}")
    info = crossval.run_info(recipe, study.corpora, fold, study.seed, device)
    folder.check(info, resume=True)
    try:
        outcome = experiment.run_fold(
            info, fold, folder, waveforms=waveforms, device=device, callbacks=callbacks, resume=True
        )
    except DivergedError as error:
        return Trial(settings, folder.path.name, error=str(error))
    kept = history.best(folder.history(), recipe.training)
    return Trial(
        settings,
        folder.path.name,
        uar=kept.validation_uar,
        accuracy=kept.validation_accuracy,
        loss=kept.validation_loss,
        best_epoch=outcome.best_epoch,
        epochs=outcome.epochs,
        parameters=outcome.parameters,
        train_seconds=outcome.train_seconds,
    )


def _before(out: Path) -> dict[str, Any]:
    """What tune.json says already; nothing where there is none."""
    file = out / "tune.json"
    if not file.is_file():
        return {}
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(f"{file} cannot be read: {error}") from error
    return found
