"""What a training knows: where its clips lie, and how far from there others may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from vocemo.lab import mahalanobis
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.mahalanobis import Distances
from vocemo.lab.network import Network
from vocemo.lab.run import RunFolder
from vocemo.lab.run_info import RunInfo
from vocemo.lab.scoring import score
from vocemo.lab.splits import Fold
from vocemo.lab.training_clips import training_set
from vocemo.lab.views import Views
from vocemo.lab.waveforms import Waveforms

if TYPE_CHECKING:
    from vocemo.lab.initial import Initial


def distances(
    trained: Network,
    fold: Fold,
    info: RunInfo,
    folder: RunFolder,
    waveforms: Waveforms,
    device: torch.device,
    initial: Initial | None = None,
) -> Distances:
    """Where the training clips lie, written to the folder, and how far validation goes from there.

    A model that was adapted still knows what the initial one did, and a few clips are no distribution: it
    keeps that of the initial model, and the limit is raised to hold the new clips.
    """
    known, targets = summaries_of_training(trained, fold.train, info, waveforms, device)
    if initial is not None and initial.gaussians is not None and initial.limit is not None:
        initial.gaussians.write(folder.domain)
        away = initial.gaussians.distance(known)
        return Distances(float(np.median(away)), max(initial.limit, mahalanobis.limit(away)))
    gaussians = mahalanobis.fit(known, targets)
    gaussians.write(folder.domain)
    median = float(np.median(gaussians.distance(known)))
    if not fold.validation:
        return Distances(median, info.distance_ratio and info.distance_ratio * median)
    heard = score(
        trained, fold.validation, info.recipe.emotions, waveforms, device=device, summaries=True
    ).summaries
    assert heard is not None
    return Distances(median, mahalanobis.limit(gaussians.distance(heard)))


def summaries_of_training(
    trained: Network, clips: tuple[Clip, ...], info: RunInfo, waveforms: Waveforms, device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The summaries (n, D) and targets (n,) of an epoch, with its variation and crops, that was not trained.

    Noise and pitches that the network learnt to hear through are part of what it knows.
    """
    training = training_set(clips, info.recipe, waveforms)
    summaries, targets = [], []
    trained.eval()
    with torch.inference_mode():
        if info.recipe.augmentation.views:
            for views in Views(trained, training, info.recipe, device).epoch(info.seed, epoch=0, whole=True):
                behind = views.to(device)
                vectors = trained.summed_up_on_trunks(behind.partways, behind.statistics)
                summaries.append(vectors.cpu().numpy())
                targets.append(views.targets.numpy())
        else:
            for batch in training.epoch(info.seed, epoch=0):
                on_device = batch.to(device)
                summaries.append(trained.summed_up(on_device.samples, on_device.lengths)[1].cpu().numpy())
                targets.append(batch.targets.numpy())
    return np.concatenate(summaries), np.concatenate(targets)
