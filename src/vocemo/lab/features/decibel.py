"""Power in decibels, clip by clip."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.features.frames import frame_mask

DB_PER_FACTOR_TEN = 10.0


class ToDecibel(nn.Module):
    """Power in decibels: 10 log10(max(amin, power) / max(amin, ref)).

    Args:
        amin: power under which everything counts as this; -100 dB as it stands.
        top_db: raise what lies further under the clip's loudest value than this; None: nothing.
        ref: the power that is 0 dB; "max": the clip's own greatest.

    The loudest value is sought in each clip's own valid frames, so that a clip in a padded batch
    comes out as it does alone.

    Shape: (batch, bands, frames), frame lengths (batch,) or None -> the same shape, in dB.
    Raises UsageError for a bound that is not positive, UnknownNameError for a word other than "max".

    Source: librosa's `power_to_db`.

    >>> ToDecibel(top_db=30.0)(torch.tensor([[[1.0, 0.1, 1e-9]]]))
    tensor([[[  0., -10., -30.]]])
    """

    def __init__(
        self, amin: float = 1e-10, top_db: float | None = None, ref: float | Literal["max"] = 1.0
    ) -> None:
        super().__init__()
        if amin <= 0.0:
            raise UsageError(f"amin {amin:g}; valid: above 0")
        if top_db is not None and top_db < 0.0:
            raise UsageError(f"top_db {top_db:g}; valid: 0 dB or more, or None")
        if isinstance(ref, str) and ref != "max":
            raise UnknownNameError("reference", ref, ["max"])
        self.amin, self.top_db, self.ref = amin, top_db, ref

    def forward(self, power: Tensor, frame_lengths: Tensor | None = None) -> Tensor:
        """Power in dB, (batch, bands, frames)."""
        decibels = DB_PER_FACTOR_TEN * torch.log10(power.clamp(min=self.amin))
        if self.ref != "max":
            level_db = DB_PER_FACTOR_TEN * math.log10(max(self.amin, abs(float(self.ref))))
            if level_db:
                decibels = decibels - level_db
            if self.top_db is None:
                return decibels
        loudest = self._loudest(decibels, frame_lengths)
        if self.ref == "max":
            decibels = decibels - loudest
            loudest = torch.zeros_like(loudest)
        return decibels if self.top_db is None else torch.maximum(decibels, loudest - self.top_db)

    @staticmethod
    def _loudest(decibels: Tensor, frame_lengths: Tensor | None) -> Tensor:
        """Each clip's greatest value, (batch, 1, 1)."""
        by_frame = decibels.amax(dim=1, keepdim=True)
        if frame_lengths is not None:
            valid = frame_mask(frame_lengths, decibels.shape[2])[:, None, :]
            by_frame = torch.where(valid, by_frame, -torch.inf)
        return by_frame.amax(dim=2, keepdim=True)
