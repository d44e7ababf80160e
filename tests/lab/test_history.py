"""The rules of training against torch's own scheduler and a loop that anybody would write."""

from __future__ import annotations

import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vocemo.lab.history import EpochRecord, best, finished, next_learning_rate
from vocemo.lab.recipe_options import TrainingOptions

# Few different values, so that ties and plateaus come up; and what a diverged training gives.
values = st.lists(
    st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9, math.nan]) | st.floats(0.0, 1.0), min_size=1, max_size=25
)
monitors = st.sampled_from(["loss", "uar"])


def history(figures: list[float], monitor: str = "loss") -> tuple[EpochRecord, ...]:
    """Epochs whose monitored figure is given, the other one misleading."""
    return tuple(
        EpochRecord(
            epoch,
            1e-3,
            train_loss=1.0,
            train_accuracy=0.5,
            validation_loss=value if monitor == "loss" else float(epoch),
            validation_accuracy=0.5,
            validation_uar=value if monitor == "uar" else 1.0 - epoch / 1000,
        )
        for epoch, value in enumerate(figures, start=1)
    )


def unvalidated(epochs: int) -> tuple[EpochRecord, ...]:
    return tuple(EpochRecord(epoch, 1e-3, 1.0, 0.5) for epoch in range(1, epochs + 1))


@settings(deadline=None)  # torch's optimisers import much the first time
@given(
    values,
    monitors,
    st.integers(1, 5),
    st.sampled_from([0.1, 0.3, 0.5, 0.9]),
    st.sampled_from([1e-3, 1e-5, 1e-7]),
)
def test_the_rate_is_that_of_torchs_scheduler(
    figures: list[float], monitor: str, patience: int, factor: float, rate: float
) -> None:
    options = TrainingOptions(
        learning_rate=rate,
        monitor=monitor,
        plateau_patience=patience,
        plateau_factor=factor,
        min_learning_rate=1e-6,
    )
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=rate)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer,
        mode="min" if monitor == "loss" else "max",
        factor=factor,
        patience=patience - 1,
        threshold=0.0,
        min_lr=1e-6,
        eps=0.0,
    )
    records = history(figures, monitor)
    assert next_learning_rate((), options) == rate
    for epoch, value in enumerate(figures, start=1):
        scheduler.step(value)
        expected = optimizer.param_groups[0]["lr"]
        assert next_learning_rate(records[:epoch], options) == pytest.approx(expected, rel=1e-12)


@given(values, monitors, st.integers(1, 6), st.integers(1, 25))
def test_the_end_and_the_best_are_those_of_a_plain_loop(
    figures: list[float], monitor: str, patience: int, epochs: int
) -> None:
    options = TrainingOptions(epochs=epochs, patience=patience, monitor=monitor)
    records = history(figures, monitor)
    winner, lead, waited = 1, math.nan, 0
    for epoch, value in enumerate(figures, start=1):
        gain = lead - value if monitor == "loss" else value - lead
        if not math.isnan(value) and (math.isnan(lead) or gain > 0):
            winner, lead, waited = epoch, value, 0
        elif epoch > 1:
            waited += 1
        assert best(records[:epoch], options).epoch == winner
        assert finished(records[:epoch], options) == (epoch >= epochs or waited >= patience)


def test_without_validation_the_last_epoch_is_kept_and_nothing_stops_or_slows() -> None:
    options = TrainingOptions(epochs=30, patience=1, plateau_patience=1)
    records = unvalidated(29)
    assert best(records, options).epoch == 29
    assert not finished(records, options)
    assert finished(unvalidated(30), options)
    assert next_learning_rate(records, options) == options.learning_rate


def test_a_training_that_keeps_its_last_epoch_is_never_stopped_by_validation() -> None:
    options = TrainingOptions(epochs=4, keep="last", patience=1)
    losses = (1.0, 2.0, 3.0, 0.5)
    history = tuple(EpochRecord(n, 1e-3, 1.0, 0.5, loss, 0.5, 0.5) for n, loss in enumerate(losses, 1))
    assert [finished(history[:n], options) for n in (1, 2, 3, 4)] == [False, False, False, True]
    assert [best(history[:n], options).epoch for n in (1, 2, 3)] == [1, 2, 3]


def test_nothing_is_finished_before_it_begins() -> None:
    assert not finished((), TrainingOptions(epochs=1))


@given(values)
def test_a_record_survives_its_line_of_metrics(figures: list[float]) -> None:
    for record in history(figures):
        again = EpochRecord(**json.loads(json.dumps(record.to_dict())))
        assert repr(again) == repr(record)  # NaN equals nothing, itself included
