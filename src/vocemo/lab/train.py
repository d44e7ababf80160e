"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vocemo.errors import DivergedError
from vocemo.lab import energy, one_cycle
from vocemo.lab import history as progress
from vocemo.lab.allocation import keep_freed_memory
from vocemo.lab.dataset import TrainingSet
from vocemo.lab.history import EpochRecord
from vocemo.lab.loss import Loss
from vocemo.lab.network import Network
from vocemo.lab.recipe_options import TrainingOptions
from vocemo.lab.training_state import Callback, Step, TrainingState, ValidationScores
from vocemo.lab.training_step import take_step
from vocemo.lab.views import Views
from vocemo.lab.weight_average import WeightAverage


def begin(network: Network, options: TrainingOptions) -> TrainingState:
    """A state before the first epoch. Norms and biases are not decayed."""
    groups: list[dict[str, Any]] = []
    for parameters, factor in network.parameter_groups():
        weights = [p for p in parameters if p.requires_grad]
        groups += [
            {"params": [p for p in weights if p.ndim > 1], "weight_decay": options.weight_decay},
            {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0},
        ]
        for group in groups[-2:]:
            group["rate_factor"] = factor
    average = WeightAverage(network, options.weight_average) if options.weight_average else None
    # A processor has one pass for all of a parameter's steps; elsewhere torch chooses by itself.
    fused = True if next(network.parameters()).device.type == "cpu" else None
    optimizer = torch.optim.AdamW(groups, lr=options.learning_rate, fused=fused)
    return TrainingState(network, optimizer, options, average=average)


def fit(
    state: TrainingState,
    training: TrainingSet,
    validate: Callable[[Network], ValidationScores] | None,
    *,
    seed: int,
    device: torch.device,
    callbacks: Iterable[Callback] = (),
    learning_rates: Sequence[float] | None = None,
    views: Views | None = None,
) -> TrainingState:
    """Train until the options' epochs are over or validation stops it.

    `learning_rates`, one an epoch, stand in for the plateau rule where there is no validation; one cycle
    needs neither. `views` of the training clips, where there are such, are learnt from in their place.
    All randomness comes from (seed, epoch): a state that was saved after an epoch goes on as if unbroken.

    Raises DivergedError where the loss is no longer a number.
    """
    callbacks = list(callbacks)
    if device.type == "cpu":
        keep_freed_memory()
    weights = class_weights(training).to(device) if state.options.balance_classes else None
    loss_of = Loss(state.options.label_smoothing, weights)
    while not progress.finished(state.history, state.options):
        epoch, started, meter = len(state.history) + 1, time.perf_counter(), energy.Meter()
        rate = _rate(state, epoch, learning_rates)
        _set_rate(state, rate)
        with _seeded(seed, epoch, device):
            loss, accuracy = _train_epoch(state, training, views, loss_of, seed, epoch, device, callbacks)
        if not math.isfinite(loss):
            raise DivergedError(
                f"the training diverged: its loss in epoch {epoch} is {loss}; "
                f"a lower training.learning_rate than {state.options.learning_rate:g} may hold it"
            )
        due = epoch % state.options.validate_every == 0 or epoch == state.options.epochs
        scores = validate(state.answering) if validate and due else None
        record = EpochRecord(
            epoch,
            rate,
            loss,
            accuracy,
            validation_loss=scores.loss if scores else None,
            validation_accuracy=scores.accuracy if scores else None,
            validation_uar=scores.uar if scores else None,
            seconds=round(time.perf_counter() - started, 3),
            energy_j=meter.joules(),
        )
        state.history = (*state.history, record)
        for callback in callbacks:
            callback.on_epoch(state)
    return state


def class_weights(training: TrainingSet) -> Tensor:
    """Inverse frequency of each emotion among an epoch's examples, of mean 1 over them: (emotions,).

    An emotion without a clip weighs nothing: label smoothing would draw every answer towards it.
    """
    counts = np.array([training.counts.get(emotion, 0) for emotion in training.emotions], np.float32)
    weights = counts.sum() / (np.maximum(counts, 1) * np.count_nonzero(counts))
    return torch.from_numpy(np.where(counts > 0, weights, 0).astype(np.float32))


def _train_epoch(
    state: TrainingState,
    training: TrainingSet,
    views: Views | None,
    loss_of: Loss,
    seed: int,
    epoch: int,
    device: torch.device,
    callbacks: Sequence[Callback],
) -> tuple[float, float]:
    """One pass over the training clips: mean loss in nats and accuracy."""
    state.network.train()
    # Sums stay on the device: asking for a number at each step would make a GPU wait.
    loss_sum = torch.zeros((), device=device)
    hits = torch.zeros((), device=device)
    clips = 0
    lessons = training if views is None else views
    learners = [lessons.epoch(seed, epoch, learner) for learner in range(state.network.learners())]
    for number, batches in enumerate(zip(*learners, strict=True), start=1):
        if state.options.schedule == "one-cycle":
            done = (epoch - 1) * len(training) + number - 1
            _set_rate(state, _cycled(state.options, done / (state.options.epochs * len(training))))
        loss, logits = take_step(
            state,
            [batch.to(device) for batch in batches],
            training,
            loss_of,
            np.random.default_rng([seed, epoch, number, 0]),
        )
        batch = batches[0]
        clips += len(batch.rows)
        loss_sum += loss * len(batch.rows)
        hits += (logits.argmax(1) == batch.targets.to(device)).sum()
        rate = max(group["lr"] for group in state.optimizer.param_groups)  # some may go by a share of it
        step = Step(epoch, number, len(training), len(batch.rows), rate, loss)
        for callback in callbacks:
            callback.on_batch(step)
    return float(loss_sum) / clips, float(hits) / clips


def _rate(state: TrainingState, epoch: int, learning_rates: Sequence[float] | None) -> float:
    """The rate that an epoch is recorded with: of one cycle, that of its middle."""
    if state.options.schedule == "one-cycle":
        return _cycled(state.options, (epoch - 0.5) / state.options.epochs)
    if learning_rates:
        return learning_rates[min(epoch, len(learning_rates)) - 1]
    return progress.next_learning_rate(state.history, state.options)


def _cycled(options: TrainingOptions, share: float) -> float:
    return one_cycle.rate(options.learning_rate, share, options.warm_up)


def _set_rate(state: TrainingState, rate: float) -> None:
    for group in state.optimizer.param_groups:
        group["lr"] = rate * group.get("rate_factor", 1.0)


@contextmanager
def _seeded(seed: int, epoch: int, device: torch.device) -> Iterator[None]:
    """Dropout's draws from (seed, epoch), the global generators put back afterwards."""
    devices = [torch.cuda.current_device()] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0]))
        yield
