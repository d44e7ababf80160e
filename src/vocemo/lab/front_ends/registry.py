"""What every front end is, and the front ends by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from torch import Tensor, nn

from vocemo.lab import registry


class FrontEnd(Protocol):
    """The face of every front end."""

    channels: int
    bands: int

    def __call__(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (batch, N), lengths (batch,) -> features (batch, channels, bands, T), frames (batch,)."""

    def frames(self, samples: int | None) -> int | None:
        """The frames T of clips of so many samples; None for clips that come at their own lengths."""

    def fit(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Learn the normalisation from batches of training samples and lengths."""


FRONT_ENDS: registry.Registry[Callable[..., nn.Module]] = registry.Registry("front end")


def build(name: str, options: Mapping[str, Any], *, sample_rate_hz: int) -> Any:
    """The named front end at a sample rate in Hz.

    Raises UnknownNameError for a name or an option that does not exist, UsageError for a value that it
    cannot take.
    """
    return registry.build(FRONT_ENDS, name, options, sample_rate_hz=sample_rate_hz)
