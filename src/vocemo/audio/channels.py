"""Many channels made one: their mean, or one of them alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vocemo.audio.reader import Block
from vocemo.errors import UsageError


def downmix(block: Block) -> NDArray[np.float32]:
    """The mean over channels of (frames, channels), the same for a frame wherever a block begins."""
    channels = block.shape[1]
    if channels == 1:
        return block[:, 0]
    with np.errstate(over="ignore", invalid="ignore"):  # whoever takes it looks for what is no number
        mono = block[:, 0] + block[:, 1]
        for channel in range(2, channels):
            mono += block[:, channel]
        mono *= np.float32(1 / channels)
    return mono


def check_channel(channel: int, channels: int, name: str) -> int:
    """The channel, from 0, as an int; UsageError where `name`, of so many channels, has no such one.

    >>> check_channel(1, 2, "call.wav")
    1
    >>> check_channel(2, 2, "call.wav")
    Traceback (most recent call last):
        ...
    vocemo.errors.UsageError: call.wav: has no channel 2; it has 2, counted from 0
    """
    whole = isinstance(channel, int | np.integer) and not isinstance(channel, bool)
    if not whole or not 0 <= channel < channels:
        raise UsageError(f"{name}: has no channel {repr(channel)[:80]}; it has {channels}, counted from 0")
    return int(channel)
