"""Views of clips: each varied so many times once and for all, and kept behind what is never trained.

Where a network's first stages are frozen, what they make of a sound is the same in every epoch, fold and
seed. A clip is varied `count` times before it is first learnt from, and what the front end and the frozen
stages make of these views is kept, in memory and on the disk; every epoch sees one of them. A view depends on
its clip and its number alone, as a kept variant does.

Clips are mixed behind the frozen stages (Verma et al. 2019, "Manifold Mixup", algorithm 1 with one layer).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vocemo.lab import cache_key, models
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.dataset import TrainingSet, collate, draws, target_of
from vocemo.lab.disk_cache import Arrays
from vocemo.lab.models.encoders import Partway
from vocemo.lab.models.encoders.partway import Stretch, of_clip, of_stretches, side_by_side, silenced
from vocemo.lab.network import Network, band_statistics, pictured
from vocemo.lab.recipe import Recipe

# The package's own parts that a view depends on, beside those that make samples. What stands behind frozen
# stages (pooling, context, classifiers) may change, and views remain.
_CODE = (
    "lab/features",
    "lab/front_ends",
    "lab/models/branches.py",
    "lab/models/encoders",
    "lab/models/excitation.py",
    "lab/models/lstm.py",
    "lab/models/masking.py",
    "lab/models/normalised_convolution.py",
    "lab/dataset.py",
    "lab/network.py",
    "lab/views.py",
)
_LARGEST = torch.finfo(torch.float16).max
_END: Stretch = (torch.zeros(0), torch.zeros(0, dtype=torch.int64))  # stands behind what a trunk made


@dataclass(frozen=True)
class ViewBatch:
    """Views of clips side by side, behind the frozen stages."""

    partways: Mapping[int, Partway]  # by the number of the trunk
    statistics: Tensor  # (batch, 2 channels bands), `network.band_statistics` in front of the trunks
    targets: Tensor  # (batch,) int64
    rows: tuple[int, ...]  # each row's clip, as its place in the list of clips
    told: Tensor | None = None  # (batch, emotions) bool, the emotions to compare; None: all

    def to(self, device: torch.device) -> ViewBatch:
        """The same batch on a device."""
        told = None if self.told is None else self.told.to(device)
        moved = {
            trunk: partway.each(lambda values, frames: (values.to(device), frames.to(device)))
            for trunk, partway in self.partways.items()
        }
        return ViewBatch(moved, self.statistics.to(device), self.targets.to(device), self.rows, told)


class ClipViews(NamedTuple):
    """All views of a clip."""

    trunks: tuple[Partway, ...]  # (views, ..., T) behind each trunk, as float16
    statistics: Tensor  # (views, 2 channels bands)


class Views:
    """The kept views of training clips, made by a network whose first stages are frozen."""

    def __init__(self, network: Network, training: TrainingSet, recipe: Recipe, device: torch.device) -> None:
        self._network, self._training, self._device = network, training, device
        self._count = recipe.augmentation.views
        self._kind = f"views {_digest(network, training, recipe)}"

    def epoch(self, seed: int, epoch: int, learner: int = 0, *, whole: bool = False) -> Iterator[ViewBatch]:
        """The epoch's batches, in an order and of views that seed, epoch and learner alone decide.

        They stand behind the trunks that the learner's branches need, or behind all where the `whole` is
        asked.
        """
        training = self._training
        branches = models.branches(self._network.model) if whole else self._network.heard_by(learner)
        trunks = sorted({branch.trunk for branch in branches})
        heard = (0, self._count) if whole else self._network.lesson(learner).views_of(self._count)
        for number, places in enumerate(training.parts(seed, epoch, learner), start=1):
            rng = draws(seed, epoch, number, learner)
            rows = [training.examples[place].row for place in places]
            clips = [training.clips[row] for row in rows]
            drawn = rng.integers(*heard, size=len(rows))
            kept = [self.of(clip) for clip in clips]
            yield ViewBatch(
                {
                    trunk: side_by_side(
                        [_view(one.trunks[trunk], int(view)) for one, view in zip(kept, drawn, strict=True)]
                    )
                    for trunk in trunks
                },
                torch.stack([one.statistics[int(view)] for one, view in zip(kept, drawn, strict=True)]),
                torch.tensor([target_of(clip, training.emotions) for clip in clips]),
                tuple(rows),
                training.told(rows),
            )

    def of(self, clip: Clip) -> ClipViews:
        """All views of a clip, read or made."""

        def make(rng: np.random.Generator) -> Arrays:
            made = self._made(clip, rng)
            stretches = [each for partway in made.trunks for each in (*partway.stretches, _END)]
            return (
                made.statistics.cpu().numpy(),
                *(
                    array
                    for values, frames in stretches
                    for array in (
                        values.clamp(-_LARGEST, _LARGEST).half().cpu().numpy(),
                        frames.cpu().numpy(),
                    )
                ),
            )

        kept = self._training.waveforms.made_of(clip, self._kind, make)
        statistics, *arrays = [torch.from_numpy(array) for array in kept]
        trunks, stretches = list[Partway](), list[Stretch]()
        for values, frames in zip(arrays[::2], arrays[1::2], strict=True):
            if len(frames):
                stretches.append((values, frames))
            else:
                trunks.append(of_stretches(stretches))
                stretches = []
        return ClipViews(tuple(trunks), statistics)

    @torch.no_grad()
    def _made(self, clip: Clip, rng: np.random.Generator) -> ClipViews:
        training, network = self._training, self._network
        waves = [training.varied(clip, rng, view=view) for view in range(self._count)]
        fixed = training.waveforms.preparation.length
        batch = collate(waves, [0] * len(waves), range(len(waves)), fixed).to(self._device)
        learning = network.training
        network.eval()  # what a view holds depends on no other view, whatever normalises the stages
        features, frames = network.features(batch.samples, batch.lengths)
        if training.spectral is not None:
            features, frames = training.spectral(features, frames, rng, network.pictures)
        partways = network.partway(features, frames)
        network.train(learning)
        trunks = tuple(partway.each(silenced) for partway in partways)
        return ClipViews(trunks, band_statistics(pictured(features, network.pictures), frames))


def _view(views: Partway, number: int) -> Partway:
    """One of a clip's views, in full width."""
    one = of_clip(number)

    def chosen(values: Tensor, frames: Tensor) -> Stretch:
        values, frames = one(values, frames)
        return values.float(), frames

    return views.each(chosen)


def _digest(network: Network, training: TrainingSet, recipe: Recipe) -> str:
    """Of all that views depend on beside the clip and its preparation."""
    spectral, live = training.spectral, training.live
    said: list[Any] = [
        recipe.augmentation.views,
        recipe.front_end.to_dict(),
        training.crop_s,
        training.waveforms.pooled_identity if training.pool else "",
        training.pool,
        "" if live is None else live.identity,
        "" if spectral is None else repr(spectral),
        cache_key.made_by(*_CODE),
        torch.__version__,
    ]
    digest = hashlib.sha256(json.dumps(said).encode())
    for name, values in network.frozen_state().items():
        digest.update(f"{name} {tuple(values.shape)}".encode())
        digest.update(values.cpu().numpy().tobytes())
    return digest.hexdigest()
