"""One step of the optimiser."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from vocemo.lab.augment.mixup import Mixture, draw_mixture
from vocemo.lab.dataset import Batch, TrainingSet
from vocemo.lab.loss import Loss
from vocemo.lab.models.lesson import Lesson
from vocemo.lab.training_state import TrainingState
from vocemo.lab.views import ViewBatch


def take_step(
    state: TrainingState,
    batches: Sequence[Batch | ViewBatch],
    training: TrainingSet,
    loss_of: Loss,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """One step of the optimiser, from a batch for each learner: the loss, and the first's logits.

    Behind the front end features are varied and mixed by draws from `rng`.
    """
    losses, first = list[Tensor](), list[Tensor]()
    for learner, batch in enumerate(batches):
        votes, mixture = _heard(state, batch, learner, training, rng)
        counted = _clip_weights(state.network.lesson(learner), batch, training)
        losses += [loss_of(logits, batch.targets, batch.told, mixture, counted) for logits in votes]
        first = first or [vote.detach() for vote in votes]
    loss = torch.stack(losses).mean()
    # Clips are told apart as they are, not mixed.
    viewed = [batch.partways for batch in batches if isinstance(batch, ViewBatch)]
    of_gate = state.network.lesson_loss(viewed) if viewed else None
    state.optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss if of_gate is None else loss + of_gate)
    if state.options.gradient_clip is not None:
        for together in state.network.learnt_together():
            nn.utils.clip_grad_norm_(together, state.options.gradient_clip)
    state.optimizer.step()
    if state.average is not None:
        state.average.update(state.network)
    return loss.detach(), torch.stack(first).softmax(2).mean(0)


def _clip_weights(lesson: Lesson, batch: Batch | ViewBatch, training: TrainingSet) -> Tensor | None:
    """What each clip of a batch counts for, (batch,); None: all as much."""
    if not lesson.clip_weights:
        return None
    clips = [training.clips[row] for row in batch.rows]
    return torch.tensor([lesson.weight(c.corpus, c.channel) for c in clips], device=batch.targets.device)


def _heard(
    state: TrainingState,
    batch: Batch | ViewBatch,
    learner: int,
    training: TrainingSet,
    rng: np.random.Generator,
) -> tuple[tuple[Tensor, ...], Mixture | None]:
    """The logits of a learner's batch, each member's, and how its clips were mixed."""
    own = state.network.lesson(learner).mixup
    alpha = state.options.mixup if own is None else own

    def mixed() -> Mixture | None:
        return draw_mixture(rng, len(batch.rows), alpha) if alpha else None

    if isinstance(batch, ViewBatch):
        partways, mixture = batch.partways, mixed()
        if mixture is not None:
            partways = {trunk: partway.each(mixture.features) for trunk, partway in partways.items()}
        return state.network.votes_on_trunks(partways, learner), mixture
    features, frames = state.network.features(batch.samples, batch.lengths)
    if training.spectral is not None:
        features, frames = training.spectral(features, frames, rng, state.network.pictures)
    mixture = mixed()
    if mixture is not None:
        features, frames = mixture.features(features, frames)
    return state.network.votes(features, frames, learner), mixture
