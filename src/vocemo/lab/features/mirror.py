"""Signals extended at both ends by their own mirror image."""

from __future__ import annotations

import torch
from torch import Tensor

from vocemo.lab.features.frames import check_samples


def mirror_ends(samples: Tensor, lengths: Tensor, width: int) -> Tensor:
    """Each signal with its mirror image before its first sample and after its own last, then zeros.

    The first and the last sample are not repeated. A signal no longer than `width` has too little of an
    image; samples of its own stand there all the same.

    Args:
        samples: the signals.
        lengths: samples of each signal, before padding.
        width: samples to put at either end.

    Shape: (batch, samples), (batch,) -> (batch, samples + 2 width).
    Raises UsageError for samples of another shape.

    Source: NumPy's `pad(mode="reflect")`, each signal by its own length.

    >>> mirror_ends(torch.tensor([[1.0, 2.0, 3.0, 9.0, 9.0]]), torch.tensor([3]), 2)
    tensor([[3., 2., 1., 2., 3., 2., 1., 0., 0.]])
    """
    check_samples(samples)
    if not samples.is_cuda and not torch.compiler.is_compiling() and int(lengths.min()) > width:
        return _end_by_end(samples, lengths, width)
    last = lengths[:, None] - 1
    place = torch.arange(samples.shape[1] + 2 * width, device=samples.device) - width
    # The greater of x and -x: TensorFlow Lite has no absolute value of whole numbers.
    from_first, from_last = torch.maximum(place, -place), torch.maximum(2 * last - place, place - 2 * last)
    source = torch.minimum(from_first, from_last)
    inside = torch.minimum(source, last.clamp(min=0))
    extended = samples.gather(1, inside)
    return torch.where(place <= last + width, extended, 0.0)


def _end_by_end(samples: Tensor, lengths: Tensor, width: int) -> Tensor:
    """The same, a signal at a time: only the ends are read by places, of which a graph knows no other way."""
    extended = samples.new_zeros(len(samples), samples.shape[1] + 2 * width)
    extended[:, :width] = samples[:, 1 : width + 1].flip(1)
    for row, signal, length in zip(extended, samples, lengths.tolist(), strict=True):
        row[width : width + length] = signal[:length]
        row[width + length : length + 2 * width] = signal[length - 1 - width : length - 1].flip(0)
    return extended
