"""Clips to padded batches with their true lengths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vocemo.errors import CorpusError
from vocemo.lab.augment import Chain
from vocemo.lab.augment.spectral import SpectralChain
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.examples import Example, counts, examples, order
from vocemo.lab.loss import emotions_told
from vocemo.lab.recipe_options import Enlarge, Sampling
from vocemo.lab.waveforms import Samples, Waveforms


@dataclass(frozen=True)
class Batch:
    """Clips side by side, padded with zeros to the longest."""

    samples: Tensor  # (batch, N) float32
    lengths: Tensor  # (batch,) int64, samples before padding
    targets: Tensor  # (batch,) int64
    rows: tuple[int, ...]  # each row's clip, as its place in the list of clips
    told: Tensor | None = None  # (batch, emotions) bool, the emotions to compare; None: all

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        told = None if self.told is None else self.told.to(device)
        return Batch(
            self.samples.to(device), self.lengths.to(device), self.targets.to(device), self.rows, told
        )


def collate(
    waves: Sequence[Samples], targets: Sequence[int], rows: Sequence[int], fixed_length: int | None = None
) -> Batch:
    """Waves of any lengths to one batch, as long as the longest or as a model's fixed length in samples."""
    lengths = [len(wave) for wave in waves]
    samples = np.zeros((len(waves), fixed_length or max(lengths)), np.float32)
    for row, wave in zip(samples, waves, strict=True):
        row[: len(wave)] = wave
    return Batch(torch.from_numpy(samples), torch.tensor(lengths), torch.tensor(list(targets)), tuple(rows))


def target_of(clip: Clip, emotions: Sequence[str]) -> int:
    """The clip's place in the recipe's emotions. Raises CorpusError where the recipe does not know it."""
    try:
        return emotions.index(clip.emotion)
    except ValueError:
        raise CorpusError(
            f"{clip.path} is labelled '{clip.emotion}'; the recipe's emotions are {', '.join(emotions)}"
        ) from None


@dataclass(frozen=True)
class TrainingSet:
    """Training clips, and how they are varied each time that they are seen."""

    clips: tuple[Clip, ...]
    emotions: tuple[str, ...]
    waveforms: Waveforms
    pool: int
    live: Chain | None
    batch_size: int
    crop_s: float | None
    spectral: SpectralChain | None = None  # of features: for who has them
    enlarge: Enlarge = "none"
    sampling: Sampling = "shuffled"
    own_emotions: bool = False  # a clip is compared among the emotions that its corpus tells

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """What epochs are drawn from."""
        return examples([clip.emotion for clip in self.clips], self.pool, self.enlarge)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many examples of each emotion an epoch holds."""
        return counts(self._emotions, self.sampling)

    @cached_property
    def _emotions(self) -> list[str]:
        return [self.clips[example.row].emotion for example in self.examples]

    @cached_property
    def _told(self) -> Tensor:
        return torch.from_numpy(emotions_told(self.clips, self.emotions))

    def __len__(self) -> int:
        """Batches in an epoch: the last, where smaller, is kept unless it is a single example.

        Batch normalisation has no variance over one clip; a recipe whose batches are single clips knows that.
        """
        full, rest = divmod(sum(self.counts.values()), self.batch_size)
        return max(full + (rest > 1), 1)

    def parts(self, seed: int, epoch: int, learner: int = 0) -> list[NDArray[np.int64]]:
        """The examples of each batch of an epoch, as their places, in an order of the learner's own."""
        places = order(self._emotions, self.sampling, draws(seed, epoch, learner=learner))
        return [places[i * self.batch_size : (i + 1) * self.batch_size] for i in range(len(self))]

    def told(self, rows: Sequence[int]) -> Tensor | None:
        """The emotions that each of these clips is compared among, (rows, emotions); None: all."""
        return self._told[rows] if self.own_emotions else None

    def epoch(self, seed: int, epoch: int, learner: int = 0) -> Iterator[Batch]:
        """The epoch's batches in an order, crops and variations that seed, epoch and learner alone decide.

        The next batch is made while the present one trains.
        """
        parts = self.parts(seed, epoch, learner)
        with ThreadPoolExecutor(1) as worker:
            pending = None
            for number, part in enumerate(parts):
                following = worker.submit(self._batch, part, draws(seed, epoch, number + 1, learner))
                if pending is not None:
                    yield pending.result()
                pending = following
            if pending is not None:
                yield pending.result()

    def _batch(self, places: NDArray[np.int64], rng: np.random.Generator) -> Batch:
        chosen = [self.examples[place] for place in places]
        waves = [self.varied(self.clips[each.row], rng, each.variant) for each in chosen]
        targets = [target_of(self.clips[example.row], self.emotions) for example in chosen]
        rows = [example.row for example in chosen]
        batch = collate(waves, targets, rows, self.waveforms.preparation.length)
        return replace(batch, told=self.told(rows))

    def varied(
        self,
        clip: Clip,
        rng: np.random.Generator,
        variant: int | None = None,
        view: int | None = None,
    ) -> Samples:
        """A clip as it is heard this time, (N,): a variant of it, varied further, and cropped.

        variant: its number; None: drawn, the clip itself as often as each of its variants. view: the number
        of the view that is made of it, where views are kept.
        """
        rate = self.waveforms.preparation.sample_rate
        number = int(rng.integers(self.pool + 1)) if variant is None else variant
        wave = self.waveforms.variant(clip, number)
        if self.live is not None:
            wave = self.live(wave, rate, rng, view)
        crop = None if self.crop_s is None else round(self.crop_s * rate)
        # A variant may be longer than the fixed length that its clip was prepared to.
        longest = min(
            (n for n in (crop, self.waveforms.preparation.length) if n is not None), default=len(wave)
        )
        if len(wave) > longest:
            start = int(rng.integers(len(wave) - longest + 1))
            wave = wave[start : start + longest]
        return wave


def draws(seed: int, epoch: int, batch: int = 0, learner: int = 0) -> np.random.Generator:
    """Where an epoch's order (batch 0) and each of its batches, from 1, take their draws."""
    return np.random.default_rng([seed, epoch, *([batch, learner] if learner else [batch] if batch else [])])


def answering_batches(
    clips: Sequence[Clip], emotions: Sequence[str], waveforms: Waveforms, batch_size: int
) -> Iterator[Batch]:
    """Clips as an answering model hears them: whole, or in windows where longer than its longest.

    Clips of similar length share a batch, so that little of it is padding; `Batch.rows` says which
    clip each row belongs to, and a long clip has several.
    """
    pieces = [(row, wave) for row, clip in enumerate(clips) for wave in waveforms.heard(clip)]
    pieces.sort(key=lambda piece: len(piece[1]))
    for first in range(0, len(pieces), batch_size):
        part = pieces[first : first + batch_size]
        targets = [target_of(clips[row], emotions) for row, _ in part]
        rows = [row for row, _ in part]
        yield collate([wave for _, wave in part], targets, rows, waveforms.preparation.length)
