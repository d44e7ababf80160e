"""What every architecture takes and gives."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Output(NamedTuple):
    """One batch of answers; a named tuple, since exporters understand nothing richer."""

    logits: Tensor  # (batch, emotions)
    embedding: Tensor  # (batch, D), what the last layer sees
    attention: Tensor | None = None  # (batch, frames), sums to 1 over a clip's own frames
    votes: Tensor | None = None  # (batch, members, emotions), the logits of each member of a committee
