"""What an encoder's first stages make of a batch: all that the others need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor

from vocemo.lab.models.masking import frame_mask

Stretch = tuple[Tensor, Tensor]  # values (batch, ..., T), and how many of the T are a clip's own, (batch,)


class Partway(NamedTuple):
    """What the next stage takes, and what the stages that are passed have to say to the last."""

    x: Tensor  # (batch, ..., T)
    frames: Tensor  # (batch,) int64, a clip's own of these
    states: tuple[Stretch, ...] = ()

    def each(self, change: Callable[[Tensor, Tensor], Stretch]) -> Self:
        """The same with each of its stretches, values and own frames, changed."""
        x, frames = change(self.x, self.frames)
        return self._replace(x=x, frames=frames, states=tuple(change(*state) for state in self.states))

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """All values with their own frames, the next stage's first."""
        return ((self.x, self.frames), *self.states)


def of_stretches(stretches: Sequence[Stretch]) -> Partway:
    """The inverse of `Partway.stretches`."""
    (x, frames), *states = stretches
    return Partway(x, frames, tuple(states))


def silenced(values: Tensor, frames: Tensor) -> Stretch:
    """The same, zeros past a clip's own frames: nothing of an encoder depends on what stands there."""
    own = frame_mask(frames, values.shape[-1]).to(values.dtype)
    return values * own.reshape(len(own), *[1] * (values.ndim - 2), -1), frames


def of_clip(row: int) -> Callable[[Tensor, Tensor], Stretch]:
    """That of one clip of a batch, as long as its own: what stands there past the batch's longest, stays."""

    def of(values: Tensor, frames: Tensor) -> Stretch:
        beyond = values.shape[-1] - int(frames.max())
        return values[row : row + 1, ..., : int(frames[row]) + beyond], frames[row : row + 1]

    return of


def side_by_side(parts: Sequence[Partway]) -> Partway:
    """Several batches as one, each filled with zeros to the longest."""
    return of_stretches(
        [_joined(stretches) for stretches in zip(*(part.stretches for part in parts), strict=True)]
    )


def _joined(stretches: Sequence[Stretch]) -> Stretch:
    first = stretches[0][0]
    longest = max(values.shape[-1] for values, _ in stretches)
    rows = sum(len(values) for values, _ in stretches)
    together, row = first.new_zeros((rows, *first.shape[1:-1], longest)), 0
    for values, _ in stretches:
        together[row : row + len(values), ..., : values.shape[-1]] = values
        row += len(values)
    return together, torch.cat([own for _, own in stretches])
