"""A recipe small enough to train in a second, the corpus that it learns, and one training of it.

The recipe is the shipped one with fewer filters, bands and epochs, so that all of it is exercised.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch

import fabricate
from vocemo.lab import crossval, experiment
from vocemo.lab import recipe as recipes
from vocemo.lab.corpora import read
from vocemo.lab.outcome import Outcome
from vocemo.lab.recipe import Recipe
from vocemo.lab.run import RunFolder
from vocemo.lab.splits import Fold, folds
from vocemo.lab.training_state import Callback, Step, TrainingState
from vocemo.lab.waveforms import Waveforms

CPU = torch.device("cpu")
ACTORS = (1, 4, 8, 3, 2, 6)  # one of each test fold of emobox-6
RECIPE = "dual-channel-cnn"
TINY = (
    "training.epochs=2",
    "training.batch_size=8",
    "training.crop_s=0.4",
    "model.widths=[4,8,8]",
    "model.hidden=16",
    "front_end.bands=16",
    "augmentation.pool=1",
)


# What it takes, beside the tiny recipe, to learn fabricated speakers well above chance.
LEARNING = (
    "training.epochs=12",
    "training.batch_size=16",
    "training.learning_rate=1e-2",
    "model.widths=[8,16,16]",
    "model.hidden=32",
    "front_end.bands=32",
    "preparation.level=none",  # how loud a fabricated emotion is tells much of it
)


def settings(*more: str) -> list[str]:
    """The tiny recipe as arguments of a command."""
    return [argument for each in (*TINY, *more) for argument in ("--set", each)]


def recipe(*more: str) -> Recipe:
    """The tiny recipe, with further settings."""
    return recipes.load(RECIPE, (*TINY, *more))


def corpus(folder: Path, clips_per_emotion: int = 1, seconds: float = 0.5) -> str:
    """Six speakers and eight emotions, short clips: the spec of the corpus."""
    root = fabricate.ravdess(
        folder, ACTORS, channels=("speech",), clips_per_emotion=clips_per_emotion, seconds=seconds
    )
    return f"ravdess-speech:{root}"


def fold(spec: str, protocol: str = "emobox-6", index: int = 0, seed: int = 0) -> Fold:
    """One fold of a corpus."""
    return folds(read(spec), protocol, seed)[index]


def run(
    spec: str,
    part: Fold,
    folder: Path,
    chosen: Recipe,
    *,
    waveforms: Waveforms | None = None,
    callbacks: Iterable[Callback] = (),
    resume: bool = False,
    seed: int = 0,
) -> Outcome:
    """Train on a fold and test on it, on the processor."""
    return experiment.run_fold(
        crossval.run_info(chosen, (spec,), part, seed, CPU),
        part,
        RunFolder(folder),
        waveforms=waveforms or experiment.waveforms_for(chosen),
        device=CPU,
        callbacks=callbacks,
        resume=resume,
    )


class BreakInTheSecondEpoch:
    """A callback that ends a training as Ctrl-C does, after one whole epoch."""

    def on_batch(self, step: Step) -> None:
        """Interrupt."""
        if step.epoch == 2:
            raise KeyboardInterrupt

    def on_epoch(self, state: TrainingState) -> None:
        """Nothing."""


def weights(path: Path) -> dict[str, torch.Tensor]:
    """A file of weights."""
    loaded: dict[str, torch.Tensor] = torch.load(path, weights_only=True)
    return loaded


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether two sets of weights agree to the last bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
