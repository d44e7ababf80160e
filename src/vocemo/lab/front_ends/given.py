"""What the front ends of trained encoders share: they are given whole, and learn nothing of a corpus."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from vocemo.errors import UsageError


class Given(nn.Module):
    """A front end that an encoder was trained behind: a change of it would undo what the encoder knows."""

    channels = 1

    def __init__(self, name: str, sample_rate_hz: int, rate_of_encoder_hz: int) -> None:
        super().__init__()
        if sample_rate_hz != rate_of_encoder_hz:
            raise UsageError(
                f"front end {name} takes {rate_of_encoder_hz} Hz, as its encoder was trained, "
                f"not {sample_rate_hz} Hz: set preparation.sample_rate={rate_of_encoder_hz}"
            )

    def fit(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Learn nothing: the encoder's own training has fixed the scale."""
